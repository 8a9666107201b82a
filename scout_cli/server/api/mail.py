"""`/api/v1/channels` and `/api/v1/outbox`: where news goes, and the messages on their way."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.core.news import DeliveryOutcome, OutboxState
from scout_cli.core.ports import Promise
from scout_cli.server.api.bodies import Address
from scout_cli.server.api.queries import PageQuery, asked, listed
from scout_cli.server.calls import Call, Reply
from scout_cli.server.routing import Route
from scout_cli.service.deliveries import Tested
from scout_cli.service.paging import Paged
from scout_cli.service.views import ChannelView, PostView

_CHANNEL = "/api/v1/channels/{channel_id}"
_POST = "/api/v1/outbox/{message_id}"


class PostQuery(PageQuery, frozen=True, kw_only=True):
    """Which messages."""

    scout_id: UUID | None = None
    state: tuple[OutboxState, ...] = ()
    sort: Literal["created_at", "-created_at"] = "-created_at"


class Trial(shape.Shape, frozen=True, kw_only=True):
    """A channel to try."""

    url: Address
    """Such as `ntfy://ntfy.sh/my-topic`; it is not stored."""


class Tried(Record, frozen=True, kw_only=True):
    """What became of a test message."""

    channel: str
    outcome: DeliveryOutcome
    detail: str
    promise: Promise


async def list_channels(call: Call[None, None]) -> Reply:
    """Answer every channel that was used so far."""
    return Reply(value=Paged(items=await (await call.app.desk(call.user)).shown_channels()))


async def enable(call: Call[None, None]) -> Reply:
    """Use a channel again."""
    desk = await call.app.desk(call.user)
    await desk.enable(str(call.ids["channel_id"]))
    return Reply(value=await desk.shown_channel(call.ids["channel_id"]))


async def try_channel(call: Call[None, None]) -> Reply:
    """Send a test message to a channel that is in use."""
    channel = await (await call.app.desk(call.user)).channel(str(call.ids["channel_id"]))
    return Reply(value=await _tried(call, channel.url))


async def try_url(call: Call[Trial, None]) -> Reply:
    """Send a test message to a channel that may be used one day."""
    return Reply(value=await _tried(call, call.body.url))


async def _tried(call: Call[Any, Any], url: str) -> Tried:
    await (await call.app.desk(call.user)).allow_trial()
    tested: Tested = await (await call.app.deliveries()).test(url, call.user)
    return Tried(
        channel=tested.name,
        outcome=tested.delivery.outcome,
        detail=tested.delivery.detail,
        promise=tested.promise,
    )


async def list_posts(call: Call[None, PostQuery]) -> Reply:
    """Answer a page of the outbox."""
    query = call.query
    catalogue = await call.app.catalogue(call.user)
    found = await catalogue.posts(asked(query), scout_id=query.scout_id, states=query.state)
    return listed(call, found)


async def show(call: Call[None, None]) -> Reply:
    """Answer one message."""
    catalogue = await call.app.catalogue(call.user)
    return Reply(value=await catalogue.post(call.ids["message_id"]))


async def retry(call: Call[None, None]) -> Reply:
    """Send a message again."""
    await (await call.app.desk(call.user)).retry([str(call.ids["message_id"])])
    return await show(call)


async def hold(call: Call[None, None]) -> Reply:
    """Keep a message from being sent."""
    await (await call.app.desk(call.user)).hold([str(call.ids["message_id"])])
    return await show(call)


def _route(method: Any, path: str, handler: Any, summary: str, **more: Any) -> Route:
    tag = "channels" if "/channels" in path else "outbox"
    return Route(method=method, path=path, handler=handler, summary=summary, tag=tag, **more)


ROUTES = (
    _route("GET", "/api/v1/channels", list_channels, "List channels", answer=Paged[ChannelView]),
    _route(
        "POST",
        "/api/v1/channels/test",
        try_url,
        "Send a test message to a URL",
        body=Trial,
        answer=Tried,
        errors=(403,),
        example={"url": "ntfy://ntfy.sh/my-topic"},
    ),
    _route(
        "POST",
        f"{_CHANNEL}/test",
        try_channel,
        "Send a test message to a channel",
        answer=Tried,
        errors=(404,),
    ),
    _route(
        "POST",
        f"{_CHANNEL}/enable",
        enable,
        "Use a channel again that was disabled",
        answer=ChannelView,
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/v1/outbox",
        list_posts,
        "List messages",
        query=PostQuery,
        answer=Paged[PostView],
        errors=(404,),
    ),
    _route("GET", _POST, show, "Show a message", answer=PostView, errors=(404,)),
    _route("POST", f"{_POST}/retry", retry, "Send it again", answer=PostView, errors=(404, 409)),
    _route(
        "POST", f"{_POST}/hold", hold, "Keep it from being sent", answer=PostView, errors=(404, 409)
    ),
)
