"""A conversation in full: what was sent, with the earlier items that it names by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.ports import Message, ToolCall
from scout_cli.core.relayed_interview import orphan
from scout_cli.errors import InvalidInput
from scout_cli.server.openai.bodies import Item, Part, text_of

_SYSTEM = ("system", "developer")


def references(items: Sequence[Item]) -> list[str]:
    """Return the ids under which parts of a conversation were kept."""
    ids = [each.id for each in items if each.type == "item_reference"]
    calls = [each.call_id or each.tool_call_id for each in items]
    return [*ids, *(f"said:{each}" for each in calls if each)]


class Heard(Record, frozen=True, kw_only=True):
    """A conversation in full."""

    messages: tuple[Message, ...]
    said: str = ""
    """What was kept to be said after the last calls."""


def whole(items: Sequence[Item], kept: Mapping[str, dict[str, Any]]) -> Heard:
    """Return a conversation in full.

    Args:
        items: as they were sent.
        kept: earlier items by id; those that are not there are left out.
    """
    reader = _Reader(kept)
    for each in items:
        reader.read(each)
    return Heard(messages=tuple(reader.messages), said=reader.said())


class _Reader:
    def __init__(self, kept: Mapping[str, dict[str, Any]]) -> None:
        self.messages: list[Message] = []
        self._kept = kept
        self._names: dict[str, str] = {}
        self._trailing: list[tuple[str, str]] = []

    def read(self, item: Item) -> None:
        """Add an item to the messages."""
        if item.type == "item_reference":
            if (earlier := self._kept.get(item.id)) is not None:
                self.read(shape.convert(earlier, Item))
        elif item.type == "function_call":
            self._call(item.call_id, item.name, item.arguments)
        elif item.type == "function_call_output":
            self._output(item.call_id, _plain(item.output))
        elif item.role == "tool":
            self._output(item.tool_call_id, item.text)
        elif item.role:
            self._message(item)

    def said(self) -> str:
        """Return what was kept to be said after the calls that were answered last."""
        if not all(_went_well(output) for _, output in self._trailing):
            return ""
        kept = (self._kept.get(f"said:{call}", {}) for call, _ in self._trailing)
        return next((str(each["said"]) for each in kept if each.get("said")), "")

    def _message(self, item: Item) -> None:
        self._trailing = []
        if item.role in _SYSTEM:
            self.messages.append(Message(role="system", content=item.text))
        elif item.role == "assistant":
            if item.text or not item.tool_calls:
                self.messages.append(Message(role="assistant", content=item.text))
            for each in item.tool_calls or ():
                self._call(each.id, each.function.name, each.function.arguments)
        else:
            self.messages.append(Message(role="user", content=item.text))

    def _call(self, call_id: str, name: str, arguments: str) -> None:
        self._trailing = []
        self._names[call_id] = name
        made = ToolCall(name=name, arguments=_arguments(arguments))
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == "assistant":
            calls = (*last.tool_calls, made)
            self.messages[-1] = Message(role="assistant", content=last.content, tool_calls=calls)
        else:
            self.messages.append(Message(role="assistant", content="", tool_calls=(made,)))

    def _output(self, call_id: str, output: str) -> None:
        self._trailing.append((call_id, output))
        name = self._names.get(call_id)
        if name is None:
            self.messages.append(orphan(output))
        else:
            self.messages.append(Message(role="tool", content=output, tool_name=name))


def _plain(output: Any) -> str:
    if isinstance(output, str):
        return output
    if isinstance(output, list):
        return text_of(shape.convert(output, list[Part], what="output"))
    return shape.encode(output).decode()


def _arguments(text: str) -> dict[str, Any]:
    try:
        return shape.decode(text or "{}", dict[str, Any])
    except InvalidInput:
        return {}


def _went_well(output: str) -> bool:
    try:
        told = shape.decode(output, Any)
    except InvalidInput:
        return False
    return not isinstance(told, dict) or (told.get("success") is not False and "error" not in told)
