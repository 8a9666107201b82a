"""What a conversation about a scout says while it goes on: one typed stream for every surface."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import UUID

from msgspec import Struct

from scout_cli.core.models import AnsweredBy

SCHEMA = "scout.chat/1"
"""The version of the stream. Fields and events are added within a version."""


def _tag(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class _Event(Struct, frozen=True, kw_only=True, tag_field="event", tag=_tag):
    pass


class ChatStarted(_Event, frozen=True, kw_only=True):
    """A turn begins: the person's words are stored."""

    schema: str = SCHEMA
    scout_id: UUID
    title: str
    created: bool
    """The scout was made for this conversation; it rests until somebody activates it."""


class ConfigUpdated(_Event, frozen=True, kw_only=True):
    """Fields of the scout were written."""

    number: int
    """Of this update in the turn, from 1."""
    fields: dict[str, Any]
    """What changed, by the names of the scout's columns."""
    missing: list[str]
    """What the scout still needs."""


class TextDelta(_Event, frozen=True, kw_only=True):
    """A piece of what is said to the person."""

    text: str


class ChatFinished(_Event, frozen=True, kw_only=True):
    """The turn is over."""

    scout_id: UUID
    title: str
    text: str
    """All that was said in this turn, as it is stored."""
    answered_by: AnsweredBy
    missing: list[str]
    complete: bool
    active: bool
    note: str = ""
    """Why the model did not answer, when it should have."""


ChatEvent: TypeAlias = ChatStarted | ConfigUpdated | TextDelta | ChatFinished

Hear: TypeAlias = Callable[[ChatEvent], Awaitable[None]]
"""The awaited sink of a turn."""
