"""How the address of an Ollama server is written, in scout's URLs and in `OLLAMA_HOST`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from scout_cli.core.models import Record
from scout_cli.errors import ConfigError

DEFAULT_PORT = 11434
_EXAMPLE = "For example: ollama://127.0.0.1:11434/qwen3:8b"
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced, never bound
_DEFAULT_PORTS = {"ollama": DEFAULT_PORT, "ollama+https": 443, "http": 80, "https": 443}


class Address(Record, frozen=True, kw_only=True):
    """One model on one Ollama server."""

    scheme: Literal["http", "https"] = "http"
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    model: str = ""

    @property
    def base(self) -> str:
        """Return the root of the server's HTTP API, without a trailing slash."""
        return f"{self.scheme}://{self._netloc}"

    def url(self, model: str) -> str:
        """Return scout's URL of `model` on this server."""
        scheme = "ollama" if self.scheme == "http" else "ollama+https"
        return f"{scheme}://{self._netloc}/{model}"

    @property
    def _netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(url: str, *, setting: str) -> Address:
    """Return the address that `ollama://host:port/model` or `ollama+https://...` names.

    Args:
        url: the model may be missing, and may hold slashes (`hf.co/user/model:Q4_K_M`).
        setting: the name of the setting, for the error message.

    Raises:
        ConfigError: not such a URL, or it holds a password.
    """
    parts = _split(url, setting)
    if parts.username or parts.password:
        raise ConfigError(
            f"{setting}: the URL of a model must not hold a name or password",
            hint="Set the API key of the model server instead: it is not written down with runs",
        )
    if parts.query or parts.fragment:
        raise ConfigError(f"{setting}: nothing may follow the name of the model", hint=_EXAMPLE)
    return Address(
        scheme="https" if parts.scheme == "ollama+https" else "http",
        host=_reachable(parts.hostname),
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        model=unquote(parts.path).strip("/"),
    )


def from_ollama_host(value: str) -> Address:
    """Return the server that the variable `OLLAMA_HOST` means; empty is the local default.

    The variable serves the server as well, so it may name the address to listen on: `0.0.0.0`
    becomes `127.0.0.1`. Bare hosts take port 11434, `http://` 80 and `https://` 443, as Ollama's
    own client does it.

    Raises:
        ConfigError: not a host.
    """
    text = value.strip()
    url = text if "://" in text else f"ollama://{text}"
    parts = _split(url, "OLLAMA_HOST")
    if parts.scheme not in ("ollama", "http", "https"):
        raise ConfigError(f"OLLAMA_HOST: cannot use {parts.scheme}://", hint=_EXAMPLE)
    return Address(
        scheme="https" if parts.scheme == "https" else "http",
        host=_reachable(parts.hostname),
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
    )


def _split(url: str, setting: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"{setting}: {error}", hint=_EXAMPLE) from error
    return parts


def _reachable(host: str | None) -> str:
    return _EVERY_ADDRESS.get(host or "127.0.0.1", host or "127.0.0.1")
