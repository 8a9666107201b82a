"""The three forms in which a conversation is streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from aiohttp import web

from scout_cli.core import shape
from scout_cli.core.chatting import (
    ChatEvent,
    ChatFinished,
    ChatStarted,
    ConfigUpdated,
    TextDelta,
)
from scout_cli.core.setting_up import NAME


class Stream(Protocol):
    """Writes a conversation as it goes."""

    headers: ClassVar[Mapping[str, str]]
    """Of the response."""

    def __init__(self, response: web.StreamResponse, name: str) -> None:
        """Take a response that is prepared, and a name for the message."""
        ...

    async def see(self, event: ChatEvent) -> None:
        """Write one event."""
        ...

    async def trouble(self, message: str) -> None:
        """Say why the answer ends here."""
        ...

    async def beat(self) -> None:
        """Say that the stream is alive."""
        ...


class UiMessages:
    """The UI message stream of the AI SDK; `data-scout` is ours: what the scout still needs."""

    headers: ClassVar[Mapping[str, str]] = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "x-vercel-ai-ui-message-stream": "v1",
        "X-Accel-Buffering": "no",
        "Cache-Control": "no-store",
    }

    def __init__(self, response: web.StreamResponse, name: str) -> None:
        self._response = response
        self._name = name
        self._texts = 0
        self._text = ""
        self._open = False

    async def see(self, event: ChatEvent) -> None:
        """Write one event as the parts that it stands for."""
        match event:
            case ChatStarted():
                about = {"scoutId": str(event.scout_id), "created": event.created}
                await self._part("start", messageId=self._name, messageMetadata=about)
                await self._part("start-step")
            case ConfigUpdated():
                await self._updated(event)
            case TextDelta():
                await self._said(event.text)
            case ChatFinished():
                await self._finished(event)

    async def trouble(self, message: str) -> None:
        """End with an error part."""
        await self._end_text()
        await self._part("error", errorText=message)
        await self._response.write(b"data: [DONE]\n\n")

    async def beat(self) -> None:
        """Write a comment, which readers of server-sent events skip."""
        await self._response.write(b": alive\n\n")

    async def _updated(self, event: ConfigUpdated) -> None:
        await self._end_text()
        call = f"{self._name}-call-{event.number}"
        await self._part("tool-input-available", toolCallId=call, toolName=NAME, input=event.fields)
        output = {"success": True, "updatedFields": event.fields, "missing": event.missing}
        await self._part("tool-output-available", toolCallId=call, output=output)

    async def _said(self, text: str) -> None:
        if not self._open:
            self._texts += 1
            self._open, self._text = True, f"{self._name}-text-{self._texts}"
            await self._part("text-start", id=self._text)
        await self._part("text-delta", id=self._text, delta=text)

    async def _finished(self, event: ChatFinished) -> None:
        await self._end_text()
        about = {
            "scoutId": str(event.scout_id),
            "title": event.title,
            "missing": event.missing,
            "complete": event.complete,
            "active": event.active,
            "answeredBy": event.answered_by,
        }
        await self._part("data-scout", data=about, transient=True)
        await self._part("finish-step")
        await self._part("finish")
        await self._response.write(b"data: [DONE]\n\n")

    async def _end_text(self) -> None:
        if self._open:
            self._open = False
            await self._part("text-end", id=self._text)

    async def _part(self, kind: str, **fields: Any) -> None:
        data = shape.encode({"type": kind, **fields})
        await self._response.write(b"data: " + data + b"\n\n")


class JsonLines:
    """Our own events, one a line."""

    headers: ClassVar[Mapping[str, str]] = {
        "Content-Type": "application/x-ndjson",
        "Cache-Control": "no-store",
    }

    def __init__(self, response: web.StreamResponse, _name: str) -> None:
        self._response = response

    async def see(self, event: ChatEvent) -> None:
        """Write one event."""
        await self._response.write(shape.encode(event) + b"\n")

    async def trouble(self, message: str) -> None:
        """End with an event that says why."""
        told = {"event": "chat_failed", "message": message}
        await self._response.write(shape.encode(told) + b"\n")

    async def beat(self) -> None:
        """Write an empty line, which readers of JSON Lines skip."""
        await self._response.write(b"\n")


class Text:
    """What is said, and nothing else."""

    headers: ClassVar[Mapping[str, str]] = {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
    }

    def __init__(self, response: web.StreamResponse, _name: str) -> None:
        self._response = response

    async def see(self, event: ChatEvent) -> None:
        """Write the text of an event that has one."""
        if isinstance(event, TextDelta):
            await self._response.write(event.text.encode())

    async def trouble(self, message: str) -> None:
        """Say why the answer ends here."""
        await self._response.write(f"\n({message})\n".encode())

    async def beat(self) -> None:
        """Write nothing: there is nothing that a reader of plain text skips."""


_KINDS: tuple[tuple[str, type[Stream]], ...] = (
    ("application/x-ndjson", JsonLines),
    ("text/plain", Text),
)


def kind_for(accept: str) -> type[Stream]:
    """Return the form that an `Accept` header asks for; the AI SDK's where it names none."""
    named = [each.partition(";")[0].strip().lower() for each in accept.split(",")]
    for name in named:
        if name == "text/event-stream":
            return UiMessages
        for kind, stream in _KINDS:
            if name == kind:
                return stream
    return UiMessages
