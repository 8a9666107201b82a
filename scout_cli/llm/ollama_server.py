"""One Ollama server, spoken to with its own client, behind errors of ours.

The client waits for ever by default, follows redirects, reads replies of any size, and sends the
`OLLAMA_API_KEY` of the environment to whatever host it talks to; all four are undone here. What it
raises for the same fault differs between calls; `_translated` is the one table. The transport is in
`ollama_transport`.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import ollama

from scout_cli.core.models import Record
from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings
from scout_cli.llm.address import Address, parse
from scout_cli.llm.ollama_transport import Bounded, OnlyOurKey
from scout_cli.llm.ranking import Installed, nearest, short

CONNECT_SECONDS = 5.0
QUESTION_SECONDS = 15.0
"""For what the server answers without a model."""

_END_SECONDS = 0.1
"""Between the last part of an answer and the end of its stream; they come together."""

_NOT_FOUND, _TOO_MANY, _SERVER_FAULT, _OVERLOADED = 404, 429, 500, 503
_LONGEST_QUOTED = 200
_FAULTS = (ollama.ResponseError, httpx.HTTPError, httpx.StreamError, OSError)
_NONSENSE = (ValueError, TypeError, AttributeError, RecursionError)


class Abilities(Record, frozen=True, kw_only=True):
    """What `/api/show` tells of a model."""

    tools: bool = False
    thinking: bool = False
    context: int | None = None
    """The longest context it was trained for, in tokens."""
    dimensions: int | None = None
    size: str = ""


async def connected(
    url: str,
    settings: ModelSettings,
    *,
    setting: str,
    best: Callable[[Sequence[Installed]], Installed | None],
    lacking: str,
    hint: str,
) -> tuple[OllamaServer, str]:
    """Return the server of `url`, and the model that it names or else the best installed one.

    Args:
        url: the value of a setting.
        settings: limits and key.
        setting: its name, for errors.
        best: picks one of the installed models.
        lacking: what is not there when it picks none, for people.
        hint: the command that brings one.

    Raises:
        ConfigError: the URL cannot be used.
        ModelUnavailable: no model is named, and the server does not answer or has none.
    """
    address = parse(url, setting=setting)
    server = OllamaServer(address, settings)
    if address.model:
        return server, address.model
    try:
        installed = await server.installed()
    except BaseException:  # a cancellation too: nobody else closes it
        await server.aclose()
        raise
    found = best(installed)
    if found is None:
        await server.aclose()
        raise ModelUnavailable(
            f"Ollama at {server.base} has no {lacking}", hint=hint, retryable=False
        )
    return server, short(found.name)


class OllamaServer:
    """A connection to one server.

    Args:
        address: where it listens.
        settings: limits and key.
    """

    def __init__(self, address: Address, settings: ModelSettings) -> None:
        self.base = address.base
        self._settings = settings
        self._client = ollama.AsyncClient(
            host=self.base,
            auth=OnlyOurKey(settings.api_key),
            headers={"accept-encoding": "identity"},
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            # Without TLS there is no certificate to check, and loading the store costs time.
            transport=Bounded(verify=address.scheme == "https", trust_env=False),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def installed(self) -> list[Installed]:
        """Return the models that are installed on the server.

        Raises:
            ModelUnavailable: it does not answer.
        """
        async with self._translated(""):
            async with asyncio.timeout(QUESTION_SECONDS):
                listed = await self._client.list()
            return [_installed(model) for model in listed.models]

    async def abilities(self, model: str) -> Abilities:
        """Return what `model` can do.

        Raises:
            ModelUnavailable: the server does not answer, or has no such model.
        """
        async with self._translated(model):
            async with asyncio.timeout(QUESTION_SECONDS):
                shown = await self._client.show(model)
            return _abilities(shown)

    async def stream(self, **question: Any) -> AsyncGenerator[ollama.ChatResponse, None]:
        """Open a streamed chat; read it with `listen` and close it with `aclose`."""
        answer: AsyncGenerator[ollama.ChatResponse, None] = await self._client.chat(
            stream=True, keep_alive=self._settings.keep_alive, **question
        )
        return answer

    async def listen(
        self, parts: AsyncIterator[ollama.ChatResponse], model: str, *, first: bool
    ) -> ollama.ChatResponse | None:
        """Return the next part of a stream, or None at its end.

        Raises:
            ModelUnavailable: silence for too long, or any fault of the connection or the server.
        """
        limit = self._settings.first_token if first else self._settings.between_tokens
        async with self._translated(model, silence=limit), asyncio.timeout(limit):
            return await anext(parts, None)

    @staticmethod
    async def finish(parts: AsyncIterator[ollama.ChatResponse]) -> None:
        """Read to the end of an answer that says it is done: its connection can serve the next.

        Whatever else comes, or nothing, costs the connection and no more: the answer is complete.
        """
        with suppress(*_FAULTS, *_NONSENSE):
            async with asyncio.timeout(_END_SECONDS):
                await anext(parts, None)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return what the server says are the vectors of `texts`, unchecked.

        Raises:
            ModelUnavailable: any fault of the connection or the server.
        """
        limit = self._settings.first_token
        async with self._translated(model, silence=limit):
            async with asyncio.timeout(limit):
                reply = await self._client.embed(
                    model, list(texts), truncate=True, keep_alive=self._settings.keep_alive
                )
            return [list(vector) for vector in reply.embeddings]

    @asynccontextmanager
    async def _translated(
        self, model: str, *, silence: float = QUESTION_SECONDS
    ) -> AsyncGenerator[None, None]:
        try:
            yield
        except ollama.ResponseError as error:
            raise await self._refusal(error, model) from error
        except TimeoutError as error:
            raise self._silent(model, silence) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise self._unreachable(error) from error
        except _NONSENSE as error:
            raise ModelUnavailable(
                f"{self.base} answered something that is not Ollama's protocol",
                hint="Is another program listening there? Try: ollama list",
            ) from error

    async def _refusal(self, error: ollama.ResponseError, model: str) -> ModelUnavailable:
        status, said = error.status_code, _one_line(error.error)
        if status == _NOT_FOUND and model and "model" in said.lower():
            return await self._unknown(model)
        if "system memory" in said:
            return ModelUnavailable(
                f"{model} does not fit into the memory of the Ollama machine: {said}",
                hint="Choose a smaller model, for example: ollama pull qwen3:4b",
                retryable=False,
            )
        if status in (401, 403):
            return ModelUnavailable(
                f"Ollama at {self.base} wants a valid API key",
                hint="Set the API key of the model server",
                retryable=False,
            )
        busy = status in (_TOO_MANY, _OVERLOADED)
        return ModelUnavailable(
            f"Ollama at {self.base} {'is busy' if busy else 'failed'}: {said} ({_coded(status)})",
            hint="" if busy else "Its own log says more; on Linux: journalctl -u ollama",
            retryable=busy or status < 0 or status >= _SERVER_FAULT,
        )

    async def _unknown(self, model: str) -> ModelUnavailable:
        installed: list[Installed] = []
        with suppress(ModelUnavailable):
            installed = await self.installed()
        close = nearest(model, installed)
        instead = f"   (installed, and close to it: {short(close)})" if close else ""
        return ModelUnavailable(
            f"Ollama at {self.base} has no model {model!r}",
            hint=f"ollama pull {model}{instead}",
            retryable=False,
        )

    def _silent(self, model: str, seconds: float) -> ModelUnavailable:
        return ModelUnavailable(
            f"Ollama at {self.base} was silent for {seconds:g} s",
            hint=f"Is {model or 'it'} too large for this machine? See: ollama ps",
        )

    def _unreachable(self, error: Exception) -> ModelUnavailable:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | ConnectionError):
            said = f"No Ollama answers at {self.base} ({_root(error)})"
            return ModelUnavailable(said, hint="ollama serve")
        return ModelUnavailable(
            f"The connection to Ollama at {self.base} broke off ({_first(error)})",
            hint="Try again; if it stays so: ollama serve",
        )


def _installed(model: Any) -> Installed:
    details = model.details
    return Installed(
        name=model.model or "",
        family=(details and details.family) or "",
        parameter_size=(details and details.parameter_size) or "",
        bytes=int(model.size or 0),
    )


def _abilities(shown: Any) -> Abilities:
    can = shown.capabilities or []
    about = shown.modelinfo or {}
    details = shown.details
    described = (details and (details.parameter_size, details.quantization_level)) or ()
    return Abilities(
        tools="tools" in can,
        thinking="thinking" in can,
        context=_number(about, ".context_length"),
        dimensions=_number(about, ".embedding_length"),
        size=" ".join(part for part in described if part),
    )


def _number(about: dict[str, Any], ending: str) -> int | None:
    found = (value for key, value in about.items() if key.endswith(ending))
    return next((value for value in found if isinstance(value, int)), None)


def _coded(status: int) -> str:
    return f"HTTP {status}" if status > 0 else "in the middle of its answer"


def _root(error: BaseException) -> str:
    """Return what the operating system said; the client wraps it three times."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return _first(error)


def _first(error: BaseException) -> str:
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_QUOTED else f"{line[: _LONGEST_QUOTED - 1]}…"
