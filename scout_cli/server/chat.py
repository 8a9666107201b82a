"""`POST /api/chat`: the interview, as a stream.

By default the stream is the UI message stream of the AI SDK, so that its `useChat` can point here:
server-sent events, each a JSON part, with the header `x-vercel-ai-ui-message-stream: v1` and
`data: [DONE]` at the end. `Accept: text/plain` gives the text alone, `application/x-ndjson` the
events of `core/chatting.py`, one a line.

Source: https://ai-sdk.dev/v5/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta

from scout_cli.core import schedule
from scout_cli.core.models import Location, Record
from scout_cli.core.shape import Shape
from scout_cli.errors import InvalidInput
from scout_cli.server.askers import asker_of
from scout_cli.server.calls import RULES, STOPPING, Call
from scout_cli.server.chat_stream import Stream, kind_for
from scout_cli.server.dispatch import REQUEST_ID
from scout_cli.server.middleware import dress_stream
from scout_cli.server.routing import Route
from scout_cli.server.telling import in_stream
from scout_cli.service.chats import Conversation

_LOOK = 1.0
"""Seconds between two looks at whether somebody still listens."""
_BEAT = 15.0
"""Seconds of silence after which a stream says that it is alive."""


class Part(Record, frozen=True, kw_only=True):
    """A part of a message; only text is read."""

    type: str
    text: str = ""


class ChatTurn(Record, frozen=True, kw_only=True):
    """A message as the AI SDK has it, with parts, or a plain one with content."""

    role: str
    content: str | list[Part] | None = None
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """Return its text."""
        if isinstance(self.content, str) and not self.parts:
            return self.content
        parts = self.parts or (self.content if isinstance(self.content, list) else ())
        return "\n".join(part.text for part in parts if part.type == "text" and part.text)


class ChatBody(Shape, frozen=True, kw_only=True, rename="camel"):
    """What is asked: the last message of the user; what was said before is in the database."""

    messages: Annotated[list[ChatTurn], Meta(min_length=1, max_length=1_000)]
    scout_id: str | None = None
    """None makes a scout for this wish, that rests until somebody activates it."""
    location: Location | None = None
    """Where the person is, if that is known."""
    timezone: str = "UTC"
    """IANA name of the zone in which a new scout's rhythm is meant."""
    id: str | None = None
    """The AI SDK's name of the conversation; not read."""
    trigger: str | None = None
    """Of the AI SDK; not read."""
    message_id: str | None = None
    """Of the AI SDK; not read."""


async def chat(call: Call[ChatBody, None]) -> web.StreamResponse:
    """Answer one message of a person, while it is being thought of."""
    body = call.body
    kind = kind_for(call.request.headers.get("Accept", ""))
    zone = schedule.parse(timezone=body.timezone).timezone
    chats = await call.app.chats(call.user, asker_of(call), timezone=zone)
    said = _last_of_user(body)
    async with chats.begin(body.scout_id, said, location=body.location) as conversation:
        response = web.StreamResponse(
            headers={**kind.headers, "X-Request-Id": call.request[REQUEST_ID]}
        )
        dress_stream(call.request, response, call.request.app[RULES].origins)
        await response.prepare(call.request)
        stream = kind(response, call.request[REQUEST_ID])
        with suppress(ConnectionError, TimeoutError):  # whoever asked has gone, or reads no more
            await _answer(call.request, conversation, stream)
            await response.write_eof()
        return response


async def _answer(request: web.Request, conversation: Conversation, stream: Stream) -> None:
    """Answer, until that is done, or nobody listens, or the server stops."""
    turn = in_stream(conversation.go(stream.see), stream.trouble, "a conversation failed")
    work = asyncio.create_task(turn)
    stopping = asyncio.create_task(request.app[STOPPING].wait())
    try:
        since = 0.0
        while not work.done():
            await asyncio.wait({work, stopping}, timeout=_LOOK, return_when="FIRST_COMPLETED")
            if work.done():
                break
            if request.transport is None or request.transport.is_closing():
                return
            if stopping.done():
                await stream.trouble("the server is stopping; say it again in a moment")
                return
            since += _LOOK
            if since >= _BEAT:
                since = 0.0
                async with asyncio.timeout(_BEAT):
                    await stream.beat()
        await work
    finally:
        for task in (work, stopping):
            task.cancel()
        await asyncio.gather(work, stopping, return_exceptions=True)


def _last_of_user(body: ChatBody) -> str:
    said = next((each for each in reversed(body.messages) if each.role == "user"), None)
    if said is None or not said.text.strip():
        raise InvalidInput(
            "body: the last message of the user has no text",
            hint='messages: [{"role": "user", "content": "..."}]',
        )
    return said.text


_EXAMPLE: dict[str, Any] = {
    "scoutId": None,
    "messages": [{"role": "user", "content": "Concerts in Bonn, every week"}],
}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/chat",
        aliases=("/api/chat",),
        handler=chat,
        summary="Say something about a scout and hear the answer as a stream",
        tag="chat",
        body=ChatBody,
        content_type="text/event-stream",
        errors=(404, 409, 413, 415),
        stream=True,
        example=_EXAMPLE,
    ),
)
