"""`/api/v1/findings`: what was found, why it was told or not, and what a user says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from msgspec import Meta

from scout_cli.core import shape, tastes
from scout_cli.core.models import REPORTED, Near, Novelty, Opinion, Path, Record
from scout_cli.server.api.queries import Limit, Moment, PageQuery, asked, listed
from scout_cli.server.calls import Call, Reply
from scout_cli.server.etags import tagged
from scout_cli.server.routing import Route
from scout_cli.service import matching
from scout_cli.service.paging import Paged
from scout_cli.service.views import FindingView, finding_view

_ONE = "/api/v1/findings/{finding_id}"


class FindingQuery(PageQuery, frozen=True, kw_only=True):
    """Which findings."""

    execution_id: UUID | None = None
    novelty: tuple[Novelty, ...] = ()
    since: Moment | None = None
    """Found at or after this moment."""
    until: Moment | None = None
    sort: Literal["created_at", "-created_at"] = "-created_at"


class SearchQuery(shape.Shape, frozen=True, kw_only=True):
    """What to search for."""

    q: Annotated[str, Meta(min_length=1, max_length=matching.LONGEST)]
    """Any words, in any language; none is an operator."""
    scout_id: tuple[UUID, ...] = ()
    novelty: tuple[Novelty, ...] = REPORTED
    limit: Limit = 20


class Found(Record, frozen=True, kw_only=True):
    """A finding that a search brought."""

    finding: FindingView
    score: float
    by_words: int | None
    """Its place among those that have the words, from 1."""
    by_meaning: int | None
    """Its place among those that mean something like it, from 1."""


class NearView(Record, frozen=True, kw_only=True):
    """An earlier finding that a fact was compared with."""

    near: Near
    finding: FindingView | None
    """Null after it was forgotten."""


class WhyView(Record, frozen=True, kw_only=True):
    """Why a finding was told, or was not."""

    finding: FindingView
    path: Path | None
    """How it was decided, step by step; null for findings from before scout kept it."""
    near: tuple[NearView, ...]
    opinion: Opinion | None
    shift_now: float
    """By how much all opinions on this scout move its cut-offs from now on."""
    liking_then: float
    """By how much what had been said moved results like this one when it was found: a part of the
    scale from 0 to 1 on which results are ranked. What was taken back since is not in it."""
    liking_now: float
    """The same of all opinions, from now on."""


class StoryView(Record, frozen=True, kw_only=True):
    """Findings of one event across runs and outlets."""

    id: UUID
    scout_id: UUID
    title: str
    """The fact that it began with."""
    first_at: datetime
    last_at: datetime
    domains: tuple[str, ...]
    """The independent registrable domains that told of it, in the order in which they did."""
    findings: tuple[FindingView, ...]
    """Oldest first."""


class FeedbackBody(shape.Shape, frozen=True, kw_only=True):
    """What the user says of a finding; null takes it back."""

    opinion: Annotated[str, Meta(extra_json_schema={"enum": sorted(get_args(Opinion))})] | None
    """`not-useful`, as the command line spells it, is taken too."""


class FeedbackView(Record, frozen=True, kw_only=True):
    """What was said of a finding, and what it changes."""

    finding: FindingView
    opinion: Opinion | None
    effect: str


async def list_findings(call: Call[None, FindingQuery]) -> Reply:
    """Answer a page of findings, of all scouts or of one."""
    query = call.query
    catalogue = await call.app.catalogue(call.user)
    found = await catalogue.findings(
        asked(query),
        scout_id=call.ids.get("scout_id"),
        execution_id=query.execution_id,
        novelty=query.novelty,
        since=query.since,
        until=query.until,
    )
    return listed(call, found)


async def search(call: Call[None, SearchQuery]) -> Reply:
    """Answer findings by words and meaning, best first."""
    query = call.query
    findings = await call.app.findings(call.user)
    scouts = await call.app.scouts(call.user)
    for scout_id in query.scout_id:
        await scouts.get(scout_id)
    matches = await findings.search(
        query.q, scout_ids=query.scout_id, novelty=query.novelty, limit=query.limit
    )
    found = [
        Found(
            finding=finding_view(each.finding),
            score=each.score,
            by_words=each.by_words,
            by_meaning=each.by_meaning,
        )
        for each in matches
    ]
    return Reply(value=Paged(items=found))


async def show(call: Call[None, None]) -> Reply:
    """Answer one finding."""
    catalogue = await call.app.catalogue(call.user)
    return tagged(call, await catalogue.finding(call.ids["finding_id"]))


async def why(call: Call[None, None]) -> Reply:
    """Answer how the novelty of a finding was decided."""
    told = await (await call.app.findings(call.user)).why(await _name(call))
    near = tuple(
        NearView(near=each.near, finding=finding_view(each.finding) if each.finding else None)
        for each in told.near
    )
    return Reply(
        value=WhyView(
            finding=finding_view(told.finding),
            path=told.finding.path,
            near=near,
            opinion=told.opinion,
            shift_now=told.shift_now,
            liking_then=told.liking_then,
            liking_now=told.liking_now,
        )
    )


async def story(call: Call[None, None]) -> Reply:
    """Answer the story that a finding belongs to."""
    told = await (await call.app.findings(call.user)).story(await _name(call))
    return Reply(
        value=StoryView(
            id=told.id,
            scout_id=told.scout_id,
            title=told.title,
            first_at=told.first_at,
            last_at=told.last_at,
            domains=told.domains,
            findings=tuple(map(finding_view, told.findings)),
        )
    )


async def feedback(call: Call[FeedbackBody, None]) -> Reply:
    """Store what a user says of a finding."""
    findings = await call.app.findings(call.user)
    word = call.body.opinion
    opinion = None if word is None else tastes.opinion_of(word)
    said = await findings.feedback(await _name(call), opinion)
    return Reply(
        value=FeedbackView(
            finding=finding_view(said.finding), opinion=said.opinion, effect=said.effect
        )
    )


async def _name(call: Call[Any, Any]) -> str:
    """Return the id of the finding that a path names, when it is this user's."""
    catalogue = await call.app.catalogue(call.user)
    return str((await catalogue.finding(call.ids["finding_id"])).id)


def _route(method: Any, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(method=method, path=path, handler=handler, summary=summary, tag="findings", **more)


ROUTES = (
    _route(
        "GET",
        "/api/v1/findings",
        list_findings,
        "List findings",
        query=FindingQuery,
        answer=Paged[FindingView],
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/v1/scouts/{scout_id}/findings",
        list_findings,
        "List the findings of a scout",
        aliases=("/scouts/{scout_id}/findings",),
        query=FindingQuery,
        answer=Paged[FindingView],
        errors=(404,),
    ),
    _route(
        "GET",
        "/api/v1/findings/search",
        search,
        "Search findings by words and meaning",
        query=SearchQuery,
        answer=Paged[Found],
        errors=(404,),
    ),
    _route("GET", _ONE, show, "Show a finding", answer=FindingView, errors=(404,)),
    _route(
        "GET", f"{_ONE}/why", why, "Show how its novelty was decided", answer=WhyView, errors=(404,)
    ),
    _route("GET", f"{_ONE}/story", story, "Show its story", answer=StoryView, errors=(404,)),
    _route(
        "POST",
        f"{_ONE}/feedback",
        feedback,
        "Say what you think of a finding",
        body=FeedbackBody,
        answer=FeedbackView,
        errors=(404,),
        example={"opinion": "useful"},
    ),
)
