"""Language models and embedders, each chosen by the scheme of a URL.

`ollama://host:port/model`, `ollama+https://host/model`, `builtin://`. The value `auto` is not a
URL: `scout_cli.llm.auto` turns it into one. Nothing heavy is imported before a scheme is asked for.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from scout_cli import plug
from scout_cli.core import ports
from scout_cli.core.models import Record

CHAT_SCHEMES = {
    "builtin": "scout_cli.llm.builtin:open_built_in",
    "ollama": "scout_cli.llm.ollama:open_ollama_chat",
    "ollama+https": "scout_cli.llm.ollama:open_ollama_chat",
}

EMBED_SCHEMES = {
    "builtin": "scout_cli.llm.builtin:open_lexical",
    "ollama": "scout_cli.llm.ollama_embedder:open_ollama_embedder",
    "ollama+https": "scout_cli.llm.ollama_embedder:open_ollama_embedder",
    "use": "scout_cli.llm.use:open_use",
}


class ModelSettings(Record, frozen=True, kw_only=True):
    """How to talk to a model server; the built-in engine needs none of it."""

    num_ctx: int = 8_192
    """Context length asked of the server, in tokens. One value for all calls: a change reloads."""
    api_key: str = ""
    """Bearer token for a server that wants one. The environment is never asked."""
    first_token: float = 600.0
    """Seconds of silence before the first token; a cold load of a large model takes minutes."""
    between_tokens: float = 60.0
    """Seconds of silence between two tokens."""
    keep_alive: str = "10m"
    """How long the server keeps the model in memory after an answer."""
    parallel: int = 1
    """How many requests may be under way at once; the others wait here, not in the server."""


class Described(Protocol):
    """What `scout doctor` and the owner of the lifetime need of every adapter here."""

    async def describe(self) -> str:
        """Return model, size and context in one line.

        Raises:
            ModelUnavailable: it cannot be used now; the hint says what to type.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class OpenChat(ports.ChatModel, Described, Protocol):
    """A chat model with a lifetime."""


class OpenReasoner(ports.Reasoner, Described, Protocol):
    """The built-in engine: it answers questions itself and needs no prompt."""


class OpenEmbedder(ports.Embedder, Described, Protocol):
    """An embedder with a lifetime."""


Thinker: TypeAlias = OpenChat | OpenReasoner
"""What `open_chat` returns: a chat model to be asked through prompts, or a reasoner as it is."""


async def open_chat(url: str, settings: ModelSettings | None = None) -> Thinker:
    """Return the chat model that `url` names, or the built-in engine for `builtin://`.

    The network is asked only when the URL names no model. The result has `answer` when it is a
    `Reasoner` and `chat` when it is a `ChatModel`; close it with `aclose()`.

    Raises:
        ConfigError: no such scheme, or a URL that cannot be used.
        MissingPackage: the `ollama` package is not installed.
        ModelUnavailable: no model is named and none can be chosen.
    """
    factory = plug.load(url, CHAT_SCHEMES, setting="llm_url")
    thinker: Thinker = await factory(url, settings or ModelSettings())
    return thinker


async def open_embedder(url: str, settings: ModelSettings | None = None) -> OpenEmbedder:
    """Return the embedder that `url` names; close it with `aclose()`.

    Raises:
        ConfigError: no such scheme, or a URL that cannot be used.
        MissingPackage: the `ollama` package is not installed.
        ModelUnavailable: no model is named and none can be chosen.
    """
    factory = plug.load(url, EMBED_SCHEMES, setting="embed_url")
    embedder: OpenEmbedder = await factory(url, settings or ModelSettings())
    return embedder
