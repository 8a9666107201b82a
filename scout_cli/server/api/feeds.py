"""`/api/v1/scouts/{scout_id}/feed.atom`: what a scout reported, for feed readers.

A feed reader signs in nowhere: the token in the address says that it may read, and can be
withdrawn.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta, Raw

from scout_cli.core.models import Record
from scout_cli.core.shape import Shape
from scout_cli.server import atom
from scout_cli.server.askers import asker_of
from scout_cli.server.calls import Call, Reply
from scout_cli.server.etags import tagged
from scout_cli.server.routing import Route

_FEED = "/api/v1/scouts/{scout_id}/feed.atom"
_TOKEN = "/api/v1/scouts/{scout_id}/feed-token"  # noqa: S105 - a path


class FeedQuery(Shape, frozen=True, kw_only=True):
    """Who reads."""

    token: Annotated[str, Meta(max_length=200)] = ""
    """From `POST .../feed-token`."""


class FeedAddress(Record, frozen=True, kw_only=True):
    """Where a feed can be read; whoever has the address can read it."""

    token: str
    """Shown once."""
    url: str
    created_at: datetime


async def read(call: Call[None, FeedQuery]) -> Reply:
    """Answer the feed of a scout."""
    syndication = await call.app.syndication()
    feed = await syndication.read(call.ids["scout_id"], call.query.token)
    return tagged(call, Raw(atom.rendered(feed, _address(call, call.query.token))))


async def open_(call: Call[None, None]) -> Reply:
    """Make an address of the feed of a scout."""
    scout = await (await call.app.scouts(call.user)).get(call.ids["scout_id"])
    made = await (await call.app.syndication()).open(scout, asker_of(call))
    address = FeedAddress(
        token=made.token, url=_address(call, made.token), created_at=made.created_at
    )
    return Reply(value=address)


async def withdraw(call: Call[None, None]) -> Reply:
    """Make every address of the feed of a scout worthless."""
    scout = await (await call.app.scouts(call.user)).get(call.ids["scout_id"])
    await (await call.app.syndication()).withdraw(scout)
    return Reply()


def _address(call: Call[Any, Any], token: str) -> str:
    base = call.app.settings.public_url or str(call.request.url.origin())
    path = _FEED.format(scout_id=call.ids["scout_id"])
    return f"{base}{path}?{urlencode({'token': token})}"


ROUTES = (
    Route(
        method="GET",
        path=_FEED,
        handler=read,
        summary="Read the feed of a scout",
        tag="feeds",
        access="public",
        query=FeedQuery,
        answer=str,
        content_type=atom.CONTENT_TYPE,
        errors=(404,),
    ),
    Route(
        method="POST",
        path=_TOKEN,
        handler=open_,
        summary="Make an address of the feed of a scout",
        tag="feeds",
        answer=FeedAddress,
        status=201,
        errors=(404, 409),
    ),
    Route(
        method="DELETE",
        path=_TOKEN,
        handler=withdraw,
        summary="Withdraw the addresses of the feed of a scout",
        tag="feeds",
        status=204,
        errors=(404,),
    ),
)
