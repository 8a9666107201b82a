"""What is asked of the gateway, read with patience: what is not known is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import field

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.ports import Message, Tool, ToolCall
from scout_cli.core.relayed_interview import orphan
from scout_cli.errors import InvalidInput

MOST_ITEMS = 2_000
"""Items of one conversation."""
MOST_TOOLS = 64
_SYSTEM = ("system", "developer")


class Part(Record, frozen=True, kw_only=True):
    """A part of a message; only text is read."""

    type: str = ""
    text: str = ""


class Function(Record, frozen=True, kw_only=True):
    """A function, offered or called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    arguments: str = "{}"


class Call(Record, frozen=True, kw_only=True):
    """A call in a message of `/chat/completions`."""

    id: str = ""
    function: Function


class Item(Record, frozen=True, kw_only=True):
    """One item of a conversation: a message, a call, its answer, or the id of an earlier item."""

    type: str = "message"
    id: str = ""
    role: str = ""
    content: str | list[Part] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = "{}"
    output: Any = None
    tool_calls: list[Call] | None = None
    tool_call_id: str = ""

    @property
    def text(self) -> str:
        """Return its text."""
        return _text(self.content)


class Offered(Record, frozen=True, kw_only=True):
    """A tool, as either endpoint has it."""

    type: str = "function"
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    function: Function | None = None


class Format(Record, frozen=True, kw_only=True):
    """In which form the answer is wanted."""

    type: str = "text"
    schema: dict[str, Any] | None = None
    json_schema: dict[str, Any] | None = None

    @property
    def form(self) -> dict[str, Any] | None:
        """Return the schema of the answer; None for plain text."""
        if self.type == "json_object":
            return {"type": "object"}
        nested = (self.json_schema or {}).get("schema")
        return self.schema or (nested if isinstance(nested, dict) else None)


class TextForm(Record, frozen=True, kw_only=True):
    """The field `text` of `/responses`."""

    format: Format | None = None


class StreamOptions(Record, frozen=True, kw_only=True):
    """The field `stream_options` of `/chat/completions`."""

    include_usage: bool = False


class Body(Record, frozen=True, kw_only=True):
    """A body of `/responses` or `/chat/completions`."""

    model: str = ""
    input: str | list[Item] | None = None
    messages: list[Item] = field(default_factory=list)
    instructions: str | None = None
    tools: list[Offered] | None = None
    tool_choice: Any = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    text: TextForm | None = None
    response_format: Format | None = None
    max_output_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None

    @property
    def items(self) -> list[Item]:
        """Return the conversation.

        Raises:
            InvalidInput: there is none, or it is too long.
        """
        given = self.input if self.input is not None else self.messages
        items = [Item(role="user", content=given)] if isinstance(given, str) else list(given)
        if self.instructions:
            items.insert(0, Item(role="system", content=self.instructions))
        if not items:
            raise InvalidInput("there is nothing to answer: send input, or messages")
        if len(items) > MOST_ITEMS:
            raise InvalidInput(f"a conversation has at most {MOST_ITEMS} items")
        return items

    @property
    def form(self) -> dict[str, Any] | None:
        """Return the schema of the answer; None for plain text."""
        wanted = self.response_format or (self.text.format if self.text else None)
        return wanted.form if wanted else None

    @property
    def limit(self) -> int:
        """Return how many tokens the answer may have."""
        given = self.max_output_tokens or self.max_completion_tokens or self.max_tokens
        return given if given and given > 0 else 1_024

    @property
    def offered(self) -> tuple[Tool, ...]:
        """Return the functions that may be called.

        Raises:
            InvalidInput: there are too many.
        """
        if self.tool_choice == "none":
            return ()
        functions = [each.function or each for each in self.tools or () if each.type == "function"]
        if len(functions) > MOST_TOOLS:
            raise InvalidInput(f"at most {MOST_TOOLS} tools are taken")
        return tuple(
            Tool(
                name=each.name,
                description=each.description or "",
                parameters=each.parameters or {"type": "object", "properties": {}},
            )
            for each in functions
            if each.name
        )


class EmbeddingBody(Record, frozen=True, kw_only=True):
    """A body of `/embeddings`."""

    model: str = ""
    input: str | list[str]
    encoding_format: str | None = None
    dimensions: int | None = None


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


def conversation(items: Sequence[Item], kept: Mapping[str, dict[str, Any]]) -> Heard:
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


def _text(content: str | list[Part] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text)
    return content or ""


def _plain(output: Any) -> str:
    if isinstance(output, str):
        return output
    if isinstance(output, list):
        return _text(shape.convert(output, list[Part], what="output"))
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
