"""One answer in a conversation with tools, from any chat model.

A model that was trained to call tools gets them as tools. Any other fills a schema: the arguments
of the tool and, last, what it says; that text is passed on while it is still being written.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.asking import harmless, json_of, render
from scout_cli.core.hearing import EnoughError, Heard
from scout_cli.core.models import AnsweredBy, Record
from scout_cli.core.ports import (
    ChatModel,
    ChatReply,
    ChatRequest,
    Message,
    TokenSink,
    Tool,
    ToolCall,
)
from scout_cli.errors import InvalidInput

CallSink: TypeAlias = Callable[[ToolCall], Awaitable[None]]

_CIRCLES = "the model went round in circles"
SAY = "say"
"""The field of a schema that holds what the model says."""
LONGEST_SAID = 700
"""Characters that a model without tools may say in one answer."""

_SAYS = re.compile(r'"say"\s*:\s*"')
_JSON = re.compile(r'^\s*[\["]|\{')
_BODY = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)
_HALF = re.compile(r"(?:\\u[0-9a-fA-F]{0,3}|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u\w{0,3})?)?|\\)$")
"""The end of a JSON string that may still become another character."""


class Spoken(Record, frozen=True, kw_only=True):
    """What a model answered."""

    text: str
    """As it was passed on piece by piece; empty when it only called tools, or said nothing."""
    calls: tuple[ToolCall, ...] = ()
    """Arguments are not validated."""
    by: AnsweredBy = "model"
    """`fallback` when nothing of the answer could be used."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    note: str = ""
    """Why the answer, or the first try at it, could not be used."""


async def speak(
    model: ChatModel,
    messages: Sequence[Message],
    tools: Sequence[Tool],
    hear: TokenSink,
    call: CallSink,
    *,
    max_tokens: int = 700,
) -> Spoken:
    """Return the next answer of a conversation.

    Args:
        model: who answers.
        messages: what was said, the system's first; tools that answered are among them.
        tools: what it may call; none for text alone.
        hear: receives the text as it appears.
        call: receives each call when it is complete; for a model without tools before the text.
        max_tokens: of the answer.

    Raises:
        ModelUnavailable: refused, silent for too long, broken off, unknown model.
    """
    heard = Heard(hear)
    if tools and not await model.offers_tools():
        return await _Form(model, tools, heard, call, max_tokens).answer(messages)
    native = tuple(messages) if await model.offers_tools() else flattened(messages)
    request = ChatRequest(messages=native, tools=tuple(tools), max_tokens=max_tokens)
    reply = await _reply(model, request, heard.piece, heard)
    for each in reply.tool_calls:
        await call(each)
    spoken = _spoken(reply, heard.text, reply.tool_calls)
    return replace(spoken, by="fallback", note=_CIRCLES) if heard.circles else spoken


async def _reply(
    model: ChatModel, request: ChatRequest, piece: TokenSink, heard: Heard
) -> ChatReply:
    """Return the model's answer; one that was ended for it is what came of it, and not counted."""
    try:
        reply = await model.chat(request, piece)
    except EnoughError:
        return ChatReply(text=heard.text)
    with suppress(EnoughError):
        await heard.end()
    return reply


def flattened(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return a conversation for a model that knows no tools: calls and results become text."""
    flat = []
    for each in messages:
        if each.role == "tool":
            flat.append(Message(role="user", content=f"({each.tool_name}: {each.content})"))
        elif each.tool_calls:
            told = [f"({c.name} {shape.encode(c.arguments).decode()})" for c in each.tool_calls]
            text = "\n".join(filter(None, [*told, each.content]))
            flat.append(Message(role="assistant", content=text))
        else:
            flat.append(each)
    return tuple(flat)


def schema_of(tools: Sequence[Tool]) -> dict[str, Any]:
    """Return the schema by which a model calls tools that it knows none of.

    One tool lends its own fields; several have a field each, with their arguments.
    """
    if len(tools) == 1 and SAY not in _properties(tools[0]):
        fields = dict(_properties(tools[0]))
    else:
        fields = {tool.name: tool.parameters for tool in tools}
    # No description: a weak model repeats it as its answer.
    said = {"type": "string", "maxLength": LONGEST_SAID}
    return {
        "type": "object",
        "properties": {**fields, SAY: said},
        "required": [SAY],
        "additionalProperties": False,
    }


def calls_in(value: dict[str, Any], tools: Sequence[Tool]) -> tuple[ToolCall, ...]:
    """Return the calls that an object of `schema_of(tools)` stands for."""
    fields = {name: each for name, each in value.items() if name != SAY and each is not None}
    if len(tools) == 1 and SAY not in _properties(tools[0]):
        return (ToolCall(name=tools[0].name, arguments=fields),) if fields else ()
    names = [tool.name for tool in tools]
    return tuple(
        ToolCall(name=name, arguments=each)
        for name, each in fields.items()
        if name in names and isinstance(each, dict)
    )


class _Form:
    """An answer under a schema, read while it is written."""

    def __init__(
        self,
        model: ChatModel,
        tools: Sequence[Tool],
        heard: Heard,
        call: CallSink,
        max_tokens: int,
    ) -> None:
        self._model = model
        self._tools = tools
        self._heard = heard
        self._call = call
        self._max_tokens = max_tokens
        self._schema = schema_of(tools)
        self._calls: list[ToolCall] = []
        self._raw = ""
        self._said = 0

    async def answer(self, messages: Sequence[Message]) -> Spoken:
        """Ask, and once more when nothing of the answer can be used."""
        asked = self._with_form(flattened(messages))
        reply = await self._ask(asked)
        error = await self._read(reply)
        if not error:
            return _spoken(reply, self._heard.text, self._calls)
        again = (
            *asked,
            Message(role="assistant", content=harmless(reply.text)[:1_000]),
            Message(role="user", content=render("repair", {"error": error})),
        )
        second = await self._ask(again)
        worse = await self._read(second)
        spoken = _spoken(second, self._heard.text, self._calls)
        return replace(
            spoken,
            by="fallback" if worse else "repair",
            note=worse or error,
            prompt_tokens=reply.prompt_tokens + second.prompt_tokens,
            completion_tokens=reply.completion_tokens + second.completion_tokens,
        )

    def _with_form(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        slots = {
            "tools": "\n".join(f"- {tool.name}: {tool.description}" for tool in self._tools),
            "schema": shape.encode(self._schema).decode(),
        }
        first = messages[0]
        form = render("conversation_form", slots)
        return (replace(first, content=f"{first.content}\n\n{form}"), *messages[1:])

    async def _ask(self, messages: tuple[Message, ...]) -> ChatReply:
        self._raw, self._said = "", 0
        request = ChatRequest(messages=messages, schema=self._schema, max_tokens=self._max_tokens)
        return await _reply(self._model, request, self._piece, self._heard)

    async def _piece(self, text: str) -> None:
        """Take a piece of the answer; what precedes the text is complete when the text begins."""
        self._raw += text
        begins = _SAYS.search(self._raw)
        if begins is None:
            return
        if not self._said and not self._calls:
            head = self._raw[: begins.start()].rstrip().rstrip(",")
            await self._make(_object(f"{head}}}"))
        said = _so_far(self._raw, begins.end())
        if len(said) > self._said:
            fresh, self._said = said[self._said :], len(said)
            await self._heard.piece(fresh)

    async def _make(self, value: dict[str, Any] | None) -> None:
        if value and not self._calls:
            self._calls += calls_in(value, self._tools)
            for each in self._calls:
                await self._call(each)

    async def _read(self, reply: ChatReply) -> str:
        """Take what the finished answer has beyond its pieces; return what is wrong with it."""
        if self._heard.circles:
            return _CIRCLES
        value = _object(json_of(reply.text))
        if value is not None:
            await self._make(value)
            said = value.get(SAY)
            if isinstance(said, str) and not self._heard.text:
                await self._whole(said)
        elif not self._heard.text and _is_prose(reply):
            await self._whole(reply.text[:LONGEST_SAID])
        if self._heard.text.strip() or self._calls:
            return ""
        return "the answer was cut off" if reply.cut else 'it is no JSON object with "say" in it'

    async def _whole(self, text: str) -> None:
        with suppress(EnoughError):
            await self._heard.piece(text)
            await self._heard.end()


def _spoken(reply: ChatReply, text: str, calls: Sequence[ToolCall]) -> Spoken:
    return Spoken(
        text=text.strip(),
        calls=tuple(calls),
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        return shape.decode(text, dict[str, Any])
    except InvalidInput:
        return None


def _is_prose(reply: ChatReply) -> bool:
    """Return whether an answer is plain words instead of JSON."""
    words = any(char.isalpha() for char in reply.text)
    return words and not reply.cut and not _JSON.search(reply.text)


def _so_far(raw: str, start: int) -> str:
    """Return the text of a JSON string that begins at `start` and may not have ended yet."""
    body = _BODY.match(raw, start)
    assert body is not None
    whole = _HALF.sub("", body[0]) if body.end() == len(raw) else body[0]
    try:
        return shape.decode(f'"{whole}"', str)
    except InvalidInput:
        return ""


def _properties(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = tool.parameters.get("properties", {})
    return found
