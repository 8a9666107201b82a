"""What an Ollama server really does with a model: what is in memory, how fast, how obedient.

Every figure is one that the server reports about itself; nothing is timed from outside.
Source: https://github.com/ollama/ollama/blob/main/docs/api.md, "List Running Models" and the
closing object of "Generate a chat completion".
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Annotated, Any

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import InvalidInput, ModelUnavailable
from scout_cli.llm import ModelSettings
from scout_cli.llm.address import Address, parse
from scout_cli.llm.grammar import for_grammar
from scout_cli.llm.ollama_server import QUESTION_SECONDS, Abilities, OllamaServer
from scout_cli.llm.ranking import PULL_CHAT, Installed, best_chat, short
from scout_cli.llm.reply import Collected

_SECOND = 1_000_000_000
_SHORTEST_MEASURED = 1_000_000
"""Nanoseconds; a server that reports less for a whole answer fills the field without measuring."""

_LONGEST_ANSWER = 120
_TEXT = "The ferry Marigold sails from Saltmere on 14 March 2026. A ticket costs 12 euros."


class Ticket(shape.Shape, frozen=True, kw_only=True):
    """What the model is asked to read out of `_TEXT`."""

    ship: Annotated[str, Meta(max_length=40)]
    day: Annotated[str, Meta(max_length=40)]
    euros: int


class InMemory(Record, frozen=True, kw_only=True):
    """A model that the server holds in memory now."""

    bytes: int = 0
    on_gpu: int | None = None
    """Bytes of it in video memory; None from servers that do not say."""
    context: int | None = None
    """The context length in use, in tokens; None from servers that do not say."""


class Answered(Record, frozen=True, kw_only=True):
    """One short answer, and what the server says of it."""

    text: str
    load_seconds: float | None = None
    prompt_tokens: int = 0
    tokens: int = 0
    tokens_per_second: float | None = None
    """None when the server does not say how long it took."""

    @property
    def ticket(self) -> Ticket | None:
        """Return the answer when it is JSON of the schema that was asked for."""
        try:
            return shape.decode(self.text, Ticket)
        except InvalidInput:
            return None

    @property
    def is_right(self) -> bool:
        """Return whether the answer says what the text says."""
        found = self.ticket
        return found is not None and found.euros == 12 and "marigold" in found.ship.lower()


class OllamaFacts(OllamaServer):
    """A connection to one server, for what only an examination asks.

    Args:
        address: where it listens; the model in it may be empty.
        settings: limits and key.
    """

    def __init__(self, address: Address, settings: ModelSettings) -> None:
        super().__init__(address, settings)
        self._address = address
        self._num_ctx = settings.num_ctx

    async def chosen(self, installed: list[Installed]) -> str:
        """Return the model that runs would use.

        Raises:
            ModelUnavailable: none is named, and none of the installed ones can chat.
        """
        if self._address.model:
            return self._address.model
        if found := best_chat(installed):
            return short(found.name)
        raise ModelUnavailable(
            f"Ollama at {self.base} has no chat model", hint=PULL_CHAT, retryable=False
        )

    async def in_memory(self, model: str) -> InMemory | None:
        """Return how `model` is loaded now, None when it is not.

        Raises:
            ModelUnavailable: the server does not answer, or does not know the question.
        """
        async with self._translated(""):
            async with asyncio.timeout(QUESTION_SECONDS):
                running = await self._client.ps()
            found = [one for one in running.models if short(one.model or "") == short(model)]
        return _in_memory(found[0]) if found else None

    async def answer(self, model: str, can: Abilities) -> Answered:
        """Let `model` fill a tiny schema from one sentence; it is loaded for that.

        The context length is that of runs: another one would make the server load it again.

        Raises:
            ModelUnavailable: any fault of the connection or the server.
        """
        schema = shape.schema(Ticket)
        prompt = (
            "Read the text and answer with one JSON object of this schema, nothing else.\n\n"
            f"Schema:\n{shape.encode(schema).decode()}\n\nText:\n{_TEXT}\n"
        )
        parts = await self.stream(
            model=model,
            messages=[{"role": "user", "content": prompt}],
            format=for_grammar(schema),
            think=False if can.thinking else None,
            options={
                "num_ctx": self._num_ctx,
                "num_predict": _LONGEST_ANSWER,
                "temperature": 0,
            },
        )
        said, last, first = Collected(), None, True
        async with aclosing(parts):
            while not (said.cut or (last and last.done)):
                last = await self.listen(parts, model, first=first)
                if last is None:
                    raise ModelUnavailable(
                        f"Ollama at {self.base} ended its answer in the middle", hint="ollama ps"
                    )
                first = False
                said.add(last.message.content or "", last.message.thinking or "")
        return _answered(said.text, last)


def open_facts(url: str, settings: ModelSettings) -> OllamaFacts:
    """Return a connection to the server of `url`; close it with `aclose()`.

    Raises:
        ConfigError: the URL cannot be used.
    """
    return OllamaFacts(parse(url, setting="llm_url"), settings)


def _in_memory(model: Any) -> InMemory:
    return InMemory(
        bytes=int(model.size or 0),
        on_gpu=None if model.size_vram is None else int(model.size_vram),
        context=model.context_length or None,
    )


def _answered(text: str, reply: Any) -> Answered:
    tokens, nanoseconds = reply.eval_count or 0, reply.eval_duration or 0
    measured = tokens > 1 and nanoseconds >= _SHORTEST_MEASURED
    return Answered(
        text=text,
        load_seconds=None if reply.load_duration is None else reply.load_duration / _SECOND,
        prompt_tokens=reply.prompt_eval_count or 0,
        tokens=tokens,
        tokens_per_second=tokens * _SECOND / nanoseconds if measured else None,
    )
