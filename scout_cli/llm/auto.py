"""Turns the setting `auto` into the URL of what is there now.

Asked once per database and stored by the caller: a later run must not change its engine in silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from scout_cli.core.models import Record
from scout_cli.errors import MissingPackage, ModelUnavailable
from scout_cli.llm import ModelSettings
from scout_cli.llm.address import Address, from_ollama_host
from scout_cli.llm.ranking import (
    PULL_CHAT,
    PULL_EMBEDDER,
    Installed,
    best_chat,
    best_embedder,
    short,
)

BUILT_IN = "builtin://"
_CONNECT_SECONDS = 1.0


class Choice(Record, frozen=True, kw_only=True):
    """A concrete URL, and why it is that one, in a line for people."""

    url: str
    reason: str


async def choose_chat(ollama_host: str = "", *, api_key: str = "") -> Choice:
    """Return the best chat model of the Ollama at `ollama_host`, else the built-in engine.

    Args:
        ollama_host: the value of `OLLAMA_HOST`; empty is `127.0.0.1:11434`.
        api_key: Bearer token of that server.

    Raises:
        ConfigError: `ollama_host` is not a host.
    """
    return await _choose(ollama_host, api_key, best_chat, "chat model", PULL_CHAT)


async def choose_embedder(ollama_host: str = "", *, api_key: str = "") -> Choice:
    """Return the best embedder of the Ollama at `ollama_host`, else the built-in one.

    Args:
        ollama_host: the value of `OLLAMA_HOST`; empty is `127.0.0.1:11434`.
        api_key: Bearer token of that server.

    Raises:
        ConfigError: `ollama_host` is not a host.
    """
    return await _choose(ollama_host, api_key, best_embedder, "embedding model", PULL_EMBEDDER)


async def _choose(
    ollama_host: str,
    api_key: str,
    best: Callable[[Sequence[Installed]], Installed | None],
    kind: str,
    pull: str,
) -> Choice:
    address = from_ollama_host(ollama_host)
    if not await _listens(address):
        return Choice(url=BUILT_IN, reason=f"no Ollama answers at {address.base}")
    try:
        installed = await _installed(address, api_key)
    except (ModelUnavailable, MissingPackage) as error:
        return Choice(url=BUILT_IN, reason=error.message)
    if found := best(installed):
        name = short(found.name)
        return Choice(url=address.url(name), reason=f"{name} is installed at {address.base}")
    return Choice(url=BUILT_IN, reason=f"the Ollama at {address.base} has no {kind}; try: {pull}")


async def _listens(address: Address) -> bool:
    """Return whether anything accepts connections there; spares the import of the client if not."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _installed(address: Address, api_key: str) -> list[Installed]:
    try:
        from scout_cli.llm.ollama_server import OllamaServer  # noqa: PLC0415 - costs 0.5 s
    except ModuleNotFoundError as missing:
        raise MissingPackage(
            f"an Ollama answers at {address.base}, but the package {missing.name!r} is missing",
            hint=f"pip install {missing.name}",
            retryable=False,
        ) from missing
    server = OllamaServer(address, ModelSettings(api_key=api_key))
    try:
        return await server.installed()
    finally:
        await server.aclose()
