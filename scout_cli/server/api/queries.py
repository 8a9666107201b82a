"""The query parameters that listings share, and their pages as answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.server.calls import Call, Reply
from scout_cli.service.paging import MOST, Asked, Paged

T = TypeVar("T")

Limit = Annotated[int, Meta(ge=1, le=MOST, description="Rows of one page.")]
Cursor = Annotated[
    str,
    Meta(max_length=2_000, pattern="^[A-Za-z0-9_-]+$", description="`next` of the page before."),
]

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, with its time zone.")]


class PageQuery(shape.Shape, frozen=True, kw_only=True):
    """Which page of a listing."""

    limit: Limit = 50
    cursor: Cursor | None = None


def asked(query: Any) -> Asked:
    """Return which page a query asks for."""
    return Asked(limit=query.limit, sort=query.sort, cursor=query.cursor)


def listed(call: Call[Any, Any], found: Paged[T]) -> Reply:
    """Return a page with the link to the next one (RFC 8288)."""
    if found.next is None:
        return Reply(value=found)
    url = call.request.rel_url.update_query(cursor=found.next)
    return Reply(value=found, headers={"Link": f'<{url}>; rel="next"'})
