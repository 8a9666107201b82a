"""Messages about a scout, preferences, usage and the log: what belongs to a user beside scouts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.server.api.bodies import Where, location_of
from scout_cli.server.api.queries import PageQuery, asked, listed
from scout_cli.server.calls import Call, Reply
from scout_cli.server.etags import require, tagged
from scout_cli.server.routing import Route
from scout_cli.service.paging import Paged
from scout_cli.service.views import Day, MessageView, Preferences

_DAYS = timedelta(days=29)
_MESSAGES = "/api/v1/scouts/{scout_id}/messages"


class MessageQuery(PageQuery, frozen=True, kw_only=True):
    """Which messages."""

    sort: Literal["created_at", "-created_at"] = "created_at"


class NewMessage(shape.Shape, frozen=True, kw_only=True):
    """A message in the conversation about a scout; nobody answers it here, as `/api/chat` does."""

    content: Annotated[str, Meta(min_length=1, max_length=20_000)]
    role: Literal["user", "assistant"] = "user"


class PreferencesBody(shape.Shape, frozen=True, kw_only=True):
    """What holds for all scouts of a user."""

    location: Where


class UsageQuery(shape.Shape, frozen=True, kw_only=True):
    """Which days."""

    since: date | None = None
    """The first day (UTC); 29 days before the last one when left out."""
    until: date | None = None
    """The last day (UTC); today when left out."""
    scout_id: UUID | None = None


class UsageView(Record, frozen=True, kw_only=True):
    """What runs consumed, day by day; days without a run are left out."""

    since: date
    until: date
    items: list[Day]


async def list_messages(call: Call[None, MessageQuery]) -> Reply:
    """Answer a page of the conversation about a scout."""
    catalogue = await call.app.catalogue(call.user)
    return listed(call, await catalogue.messages(asked(call.query), call.ids["scout_id"]))


async def say(call: Call[NewMessage, None]) -> Reply:
    """Add a message."""
    scout = await (await call.app.scouts(call.user)).get(call.ids["scout_id"])
    household = await call.app.household(call.user)
    return Reply(value=await household.say(scout, call.body.content, call.body.role))


async def preferences(call: Call[None, None]) -> Reply:
    """Answer what the user prefers."""
    return tagged(call, await (await call.app.household(call.user)).preferences())


async def prefer(call: Call[PreferencesBody, None]) -> Reply:
    """Change what the user prefers."""
    household = await call.app.household(call.user)
    require(call, await household.preferences())
    return tagged(call, await household.prefer(location_of(call.body.location)))


async def usage(call: Call[None, UsageQuery]) -> Reply:
    """Answer what runs consumed."""
    query = call.query
    until = query.until or call.app.clock.now().date()
    since = query.since or max(until, date.min + _DAYS) - _DAYS
    if query.scout_id is not None:
        await (await call.app.scouts(call.user)).get(query.scout_id)
    household = await call.app.household(call.user)
    days = await household.usage(since, until, query.scout_id)
    return Reply(value=UsageView(since=since, until=until, items=days))


ROUTES = (
    Route(
        method="GET",
        path=_MESSAGES,
        aliases=("/scouts/{scout_id}/messages",),
        handler=list_messages,
        summary="List the conversation about a scout",
        tag="messages",
        query=MessageQuery,
        answer=Paged[MessageView],
        errors=(404,),
    ),
    Route(
        method="POST",
        path=_MESSAGES,
        aliases=("/scouts/{scout_id}/messages",),
        handler=say,
        summary="Add a message to the conversation about a scout",
        tag="messages",
        body=NewMessage,
        answer=MessageView,
        status=201,
        errors=(404,),
        idempotent_by_key=True,
        example={"content": "Weekly is enough."},
    ),
    Route(
        method="GET",
        path="/api/v1/preferences",
        handler=preferences,
        summary="Show what holds for all your scouts",
        tag="preferences",
        answer=Preferences,
    ),
    Route(
        method="PUT",
        path="/api/v1/preferences",
        handler=prefer,
        summary="Change what holds for all your scouts",
        tag="preferences",
        body=PreferencesBody,
        answer=Preferences,
        errors=(412,),
        example={"location": "Hamburg, Germany"},
    ),
    Route(
        method="GET",
        path="/api/v1/usage",
        handler=usage,
        summary="Show what runs consumed, by day",
        tag="usage",
        query=UsageQuery,
        answer=UsageView,
        errors=(404,),
    ),
)
