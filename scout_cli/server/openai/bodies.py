"""Bodies that the gateway is sent, read with patience: what is not known is passed over."""

from __future__ import annotations

from typing import Any

from msgspec import field

from scout_cli.core.models import Record
from scout_cli.core.ports import Tool
from scout_cli.errors import InvalidInput

MOST_ITEMS = 2_000
"""Items of one conversation."""
MOST_TOOLS = 64


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
        return text_of(self.content)


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


def text_of(content: str | list[Part] | None) -> str:
    """Return the text of a message's content."""
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text)
    return content or ""
