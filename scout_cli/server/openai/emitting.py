"""An answer of the gateway on its way: kept under its ids first, then written.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import UUID

from scout_cli.core import shape
from scout_cli.core.ports import Clock, ToolCall
from scout_cli.service.gateway import Spent
from scout_cli.store import chat_items
from scout_cli.store.database import Database

Write: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
"""Takes one event of a stream; the last one of a response holds all of it."""


class Kept:
    """What was answered, by ids that clients may send back.

    Args:
        db: where it is kept.
        clock: identifiers.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def name(self, kind: str) -> str:
        """Return a fresh id of a kind, such as `msg`."""
        return f"{kind}_{_hex(self._clock.uuid())}"

    def seconds(self) -> int:
        """Return the present in seconds since 1970."""
        return int(self._clock.now().timestamp())

    async def keep(self, id_: str, item: dict[str, Any]) -> None:
        """Keep an item, over what was kept under this id."""
        await chat_items.put(self._db, id_, item, await self._db.now())

    async def keep_said(self, call_id: str, said: str) -> None:
        """Keep what is to be said after a call."""
        if said:
            await self.keep(f"said:{call_id}", {"said": said})


class Response:
    """The answer of `/responses`, written event by event.

    Args:
        kept: keeps its items.
        write: takes its events.
        model: as the client named it.
    """

    def __init__(self, kept: Kept, write: Write, model: str) -> None:
        self._kept = kept
        self._write = write
        self._number = 0
        self._text = ""
        self._open = ""
        self._items: list[dict[str, Any]] = []
        self.value: dict[str, Any] = {
            "id": kept.name("resp"),
            "object": "response",
            "created_at": kept.seconds(),
            "status": "in_progress",
            "model": model,
            "output": [],
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "parallel_tool_calls": True,
            "temperature": 0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1,
        }

    async def begin(self) -> None:
        """Write that the answer begins."""
        await self._event("response.created", response=dict(self.value))
        await self._event("response.in_progress", response=dict(self.value))

    async def hear(self, text: str) -> None:
        """Write a piece of text."""
        if not self._open:
            await self._begin_message()
        self._text += text
        await self._piece("response.output_text.delta", delta=text, logprobs=[])

    async def call(self, call: ToolCall, said: str) -> None:
        """Write a call."""
        await self._end_message()
        arguments = shape.encode(call.arguments).decode()
        item = {
            "type": "function_call",
            "id": self._kept.name("fc"),
            "call_id": self._kept.name("call"),
            "name": call.name,
            "arguments": arguments,
            "status": "completed",
        }
        await self._kept.keep_said(item["call_id"], said)
        await self._kept.keep(item["id"], item)
        at = {"item_id": item["id"], "output_index": len(self._items)}
        begun = {**item, "arguments": "", "status": "in_progress"}
        await self._event("response.output_item.added", output_index=len(self._items), item=begun)
        await self._event("response.function_call_arguments.delta", **at, delta=arguments)
        await self._event("response.function_call_arguments.done", **at, arguments=arguments)
        await self._done(item)

    async def end(self, spent: Spent) -> None:
        """Write that the answer is complete."""
        await self._end_message()
        self.value |= {
            "status": "completed",
            "output": self._items,
            "usage": {
                "input_tokens": spent.prompt_tokens,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": spent.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": spent.prompt_tokens + spent.completion_tokens,
            },
        }
        await self._event("response.completed", response=self.value)

    async def _begin_message(self) -> None:
        self._open, self._text = self._kept.name("msg"), ""
        item = self._message("in_progress")
        await self._kept.keep(self._open, item)
        begun = {**item, "content": []}
        await self._event("response.output_item.added", output_index=len(self._items), item=begun)
        await self._piece("response.content_part.added", part=_part(""))

    async def _end_message(self) -> None:
        if not self._open:
            return
        item = self._message("completed")
        await self._kept.keep(self._open, item)
        await self._piece("response.output_text.done", text=self._text, logprobs=[])
        await self._piece("response.content_part.done", part=_part(self._text))
        self._open = ""
        await self._done(item)

    async def _done(self, item: dict[str, Any]) -> None:
        index = len(self._items)
        self._items.append(item)
        await self._event("response.output_item.done", output_index=index, item=item)

    def _message(self, status: str) -> dict[str, Any]:
        return {
            "type": "message",
            "id": self._open,
            "role": "assistant",
            "status": status,
            "content": [_part(self._text)],
        }

    async def _piece(self, kind: str, **fields: Any) -> None:
        await self._event(
            kind, item_id=self._open, output_index=len(self._items), content_index=0, **fields
        )

    async def _event(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        await self._write(event)


class Completion:
    """The answer of `/chat/completions`, written chunk by chunk.

    Args:
        kept: keeps what is to be said after its calls.
        write: takes its chunks.
        model: as the client named it.
        usage: write what it took as a chunk of its own.
    """

    def __init__(self, kept: Kept, write: Write, model: str, *, usage: bool) -> None:
        self._kept = kept
        self._write = write
        self._usage = usage
        self._head = {
            "id": kept.name("chatcmpl"),
            "created": kept.seconds(),
            "model": model,
        }
        self._text = ""
        self._calls: list[dict[str, Any]] = []
        self.value: dict[str, Any] = {}

    async def begin(self) -> None:
        """Write that the answer begins."""
        await self._chunk({"role": "assistant", "content": ""})

    async def hear(self, text: str) -> None:
        """Write a piece of text."""
        self._text += text
        await self._chunk({"content": text})

    async def call(self, call: ToolCall, said: str) -> None:
        """Write a call."""
        made = {
            "id": self._kept.name("call"),
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": shape.encode(call.arguments).decode(),
            },
        }
        await self._kept.keep_said(str(made["id"]), said)
        await self._chunk({"tool_calls": [{"index": len(self._calls), **made}]})
        self._calls.append(made)

    async def end(self, spent: Spent) -> None:
        """Write that the answer is complete."""
        reason = "tool_calls" if self._calls else "stop"
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self._text or None,
            "refusal": None,
        }
        if self._calls:
            message["tool_calls"] = self._calls
        usage = {
            "prompt_tokens": spent.prompt_tokens,
            "completion_tokens": spent.completion_tokens,
            "total_tokens": spent.prompt_tokens + spent.completion_tokens,
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        self.value = {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage,
        }
        await self._chunk({}, reason)
        if self._usage:
            await self._write(
                {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage}
            )

    async def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        await self._write({**self._head, "object": "chat.completion.chunk", "choices": [choice]})


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _hex(id_: UUID) -> str:
    return id_.hex
