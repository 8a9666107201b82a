"""`/api/v1/audit`: who did what with an account and its scouts; an admin sees all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.server.api.queries import Limit, Moment
from scout_cli.server.calls import Call, Reply
from scout_cli.server.routing import Route
from scout_cli.service.audit import Line, Wanted

Word = Annotated[str, Meta(max_length=100)]


class AuditQuery(shape.Shape, frozen=True, kw_only=True):
    """Which lines."""

    limit: Limit = 50
    before: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    """Lines before this number: `next` of the page before."""
    action: tuple[Word, ...] = ()
    """Such as `scout.remove` or `login`."""
    target: Annotated[str, Meta(max_length=200)] = ""
    """What it was done to: an id, or its beginning."""
    since: Moment | None = None
    everybody: bool = False
    """Of all accounts; for admins only."""


class AuditLine(Record, frozen=True, kw_only=True):
    """One thing that somebody did, or was refused."""

    number: int
    at: datetime
    user_id: UUID | None
    """Whose account it is about."""
    actor: str
    action: str
    target: str
    result: str
    address: str
    request_id: str


class AuditPage(Record, frozen=True, kw_only=True):
    """Lines, newest first."""

    items: list[AuditLine]
    next: int | None = None
    """`before` of the next page; null on the last one."""


async def list_lines(call: Call[None, AuditQuery]) -> Reply:
    """Answer a page of the log."""
    query = call.query
    if query.everybody:
        call.require_admin()
    wanted = Wanted(
        user_id=None if query.everybody else call.user,
        actions=query.action,
        target=query.target,
        since=query.since,
        before=query.before,
    )
    lines = await (await call.app.audit()).list(wanted, limit=query.limit + 1)
    shown = [_shown(line) for line in lines[: query.limit]]
    more = len(lines) > query.limit
    return Reply(value=AuditPage(items=shown, next=shown[-1].number if more else None))


def _shown(line: Line) -> AuditLine:
    return AuditLine(**{name: getattr(line, name) for name in AuditLine.__struct_fields__})


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/audit",
        handler=list_lines,
        summary="List what was done with your account and scouts",
        tag="audit",
        query=AuditQuery,
        answer=AuditPage,
    ),
)
