"""The interview: from a wish in plain words to a scout that has all it needs.

A turn takes what a person said, writes down what follows from it through `update_scout_config`,
and ends with text. It asks one question at a time and activates nothing. With no model, or one
whose answer cannot be used, the built-in engine asks the next question from a fixed list. Text
from web pages never enters it: what a model reads is the scout and the words of its owner.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import UNSET
from msgspec.structs import asdict, replace

from scout_cli.core import conversation, phrases, setting_up, shape
from scout_cli.core.asking import harmless, render
from scout_cli.core.built_in_interview import answered, kept_to, next_words, overheard
from scout_cli.core.chatting import ConfigUpdated, Hear, TextDelta
from scout_cli.core.models import AnsweredBy, Location, Record, Scout
from scout_cli.core.ports import ChatModel, Message, ToolCall
from scout_cli.core.setting_up import TOOL, Update, missing
from scout_cli.core.words import shorten
from scout_cli.errors import InvalidInput, ModelUnavailable

MAX_MESSAGE = 4_000
"""Characters of one message of a person."""
REMEMBERED = 10
"""Messages of a conversation that a model reads, the newest among them."""

_EARLIER = 1_200
"""Characters of an earlier message that a model reads; all of them together fit its context."""
_STEPS = 4
"""Calls of a model in one turn."""

Learn: TypeAlias = Callable[[Update], Awaitable[Scout]]
"""Writes an update down and returns the scout as it is then; `InvalidInput` refuses it."""


class Said(Record, frozen=True, kw_only=True):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Turn(Record, frozen=True, kw_only=True):
    """How a turn ended."""

    scout: Scout
    text: str
    by: AnsweredBy
    note: str = ""
    """Why the model did not answer, when it should have."""


class Interview:
    """One turn of the interview.

    Args:
        model: who asks; None for the built-in engine.
        learn: writes down what was learned.
        hear: receives text and updates as they come.
        here: where the person is, if that is known.
        note: why there is no model, when there should be one.
    """

    def __init__(
        self,
        model: ChatModel | None,
        learn: Learn,
        hear: Hear,
        *,
        here: Location | None = None,
        note: str = "",
    ) -> None:
        self._model = model
        self._learn = learn
        self._hear = hear
        self._here = here
        self._note = note
        self._updates = 0
        self._refused = False
        self._gap = False
        self._text = ""

    async def turn(self, scout: Scout, history: Sequence[Said], text: str) -> Turn:
        """Answer what a person said.

        Args:
            scout: as it is.
            history: what was said before, oldest first.
            text: what they say now.
        """
        self._scout, self._said = scout, text
        self._language = phrases.spoken(text, scout.goal or "", *_own_words(history))
        if self._model is None:
            return await self._alone(history, text)
        try:
            return await self._with(self._model, history, text)
        except ModelUnavailable as error:
            self._note = error.message
            return await self._alone(history, text)

    async def _with(self, model: ChatModel, history: Sequence[Said], text: str) -> Turn:
        """Answer with a model; what it leaves out is read from the person's words."""
        title = self._scout.title
        spoken = await self._conversed(model, self._opening(history, text))
        if spoken.by == "fallback":
            self._note, self._gap, self._text = spoken.note, bool(self._text), ""
            return await self._alone(history, text, gone=False)
        by: AnsweredBy = spoken.by
        noted = self._updates
        if not noted or "goal" in missing(self._scout):
            heard = overheard(self._scout, text, self._here)
            renamed = self._scout.title != title
            await self._write(replace(heard, title=UNSET) if renamed else heard)
        if not self._text.strip():
            by = by if noted else "fallback"
            await self._say(next_words(self._scout, self._language))
        return self._turn(by)

    async def _conversed(self, model: ChatModel, messages: list[Message]) -> conversation.Spoken:
        """Let a model speak and call, until a turn is over; return its last answer."""
        native = await model.offers_tools()
        for step in range(_STEPS):
            self._refused = False
            before, outcomes = self._scout, list[tuple[ToolCall, str]]()

            async def call(made: ToolCall, kept: list[tuple[ToolCall, str]] = outcomes) -> None:
                kept.append((made, await self._called(made)))

            spoken = await conversation.speak(model, messages, (TOOL,), self._say, call)
            goes_on = self._refused or self._scout != before
            if (spoken.text and not native) or self._ends(spoken, goes_on=goes_on):
                break
            if step + 1 < _STEPS:
                self._gap = bool(self._text)
                messages = [*messages, *_results(spoken.text, outcomes)]
        return spoken

    def _ends(self, spoken: conversation.Spoken, *, goes_on: bool) -> bool:
        """Return whether a turn is over: something was said, or calls did nothing at all."""
        if spoken.by == "fallback" or not spoken.calls or not goes_on:
            return True
        return bool(spoken.text) and ("?" in spoken.text or not missing(self._scout))

    async def _alone(self, history: Sequence[Said], text: str, *, gone: bool = True) -> Turn:
        """Answer with the built-in engine."""
        if self._note and gone:
            await self._say(("\n\n" if self._text else "") + self._phrase("gone") + " ")
        asked = next((each.content for each in reversed(history) if each.role == "assistant"), "")
        found = answered(self._scout, asked, text, self._here)
        before = self._scout
        refused = await self._write(found.update)
        known = self._scout != before or found.understood
        words = next_words(
            self._scout, self._language, noted=found.noted, unclear=bool(refused) or not known
        )
        await self._say(words)
        return self._turn("fallback" if self._model or self._note else "built-in")

    async def _called(self, call: ToolCall) -> str:
        """Carry out a call and return what the model is told of it."""
        if call.name != setting_up.NAME:
            self._refused = True
            return f"there is no tool {call.name[:60]!r}"
        read = setting_up.read(call.arguments)
        before = self._scout
        refused = await self._write(kept_to(read.update, self._scout, self._said))
        told: dict[str, Any] = {
            "success": not refused and not read.problems,
            "updatedFields": changed_fields(before, self._scout),
            "stillMissing": missing(self._scout),
        }
        if problems := [*read.problems, *refused]:
            told["problems"] = problems
            self._refused = True
        return shape.encode(told).decode()

    async def _write(self, update: Update) -> list[str]:
        """Write an update down, tell of it, and return what was refused."""
        if all(value is UNSET for value in asdict(update).values()):
            return []
        before = self._scout
        try:
            self._scout = await self._learn(update)
        except InvalidInput as error:
            return [error.message]
        if fields := changed_fields(before, self._scout):
            self._updates += 1
            lacking = missing(self._scout)
            await self._hear(ConfigUpdated(number=self._updates, fields=fields, missing=lacking))
        return []

    async def _say(self, text: str) -> None:
        if self._gap:
            self._gap, text = False, f"\n\n{text}"
        self._text += text
        await self._hear(TextDelta(text=text))

    def _opening(self, history: Sequence[Said], text: str) -> list[Message]:
        earlier = [
            Message(role=each.role, content=shorten(harmless(each.content), _EARLIER))
            for each in history[-(REMEMBERED - 1) :]
        ]
        slots = {
            "known": known(self._scout),
            "missing": ", ".join(missing(self._scout)) or "nothing",
            "here": _place_of(self._here) or "unknown",
        }
        system = Message(role="system", content=render("interview", slots))
        return [system, *earlier, Message(role="user", content=harmless(text))]

    def _turn(self, by: AnsweredBy) -> Turn:
        return Turn(scout=self._scout, text=self._text.strip(), by=by, note=self._note)

    def _phrase(self, name: str) -> str:
        return phrases.phrase(name, self._language)


def changed_fields(before: Scout, after: Scout) -> dict[str, Any]:
    """Return what the interview changed, by the names of the scout's columns."""
    names = (*setting_up.ORDER, "schedule")
    changed = {
        name: getattr(after, name)
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
    plain: dict[str, Any] = shape.plain(changed)
    return plain


def known(scout: Scout) -> str:
    """Return what a scout is, a line for each field that it has."""
    rows = {
        "title": "" if "title" in missing(scout) else scout.title,
        "goal": scout.goal,
        "description": scout.description,
        "search_queries": "; ".join(scout.search_queries),
        "location": _place_of(scout.location),
        "rhythm": scout.schedule if scout.frequency else "",
        "activated": "yes" if scout.is_active else "no",
    }
    return "\n".join(f"- {name}: {value}" for name, value in rows.items() if value)


def _results(text: str, outcomes: Sequence[tuple[ToolCall, str]]) -> list[Message]:
    calls = tuple(call for call, _ in outcomes)
    return [
        Message(role="assistant", content=text, tool_calls=calls),
        *(Message(role="tool", content=told, tool_name=call.name) for call, told in outcomes),
    ]


def _own_words(history: Sequence[Said]) -> list[str]:
    return [each.content for each in reversed(history) if each.role == "user"]


def _place_of(location: Location | None) -> str:
    parts = (location.city, location.state, location.country) if location else ()
    return ", ".join(part for part in parts if part)
