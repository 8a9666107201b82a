"""`/api/v1/scouts`: saved wishes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.server.api.bodies import NewScout, ScoutChange, Title
from scout_cli.server.api.queries import PageQuery, asked, listed
from scout_cli.server.askers import asker_of
from scout_cli.server.calls import Call, Reply
from scout_cli.server.etags import conditional, require, tagged
from scout_cli.server.routing import Route
from scout_cli.service.paging import Paged
from scout_cli.service.scouts import Scouts
from scout_cli.service.views import ExecutionView, ScoutView

ROOT = "/api/v1/scouts"
_PATIENCE = 15.0
"""Seconds for the model to fill in a wish; then the built-in engine does."""


class ScoutQuery(PageQuery, frozen=True, kw_only=True):
    """Which scouts."""

    active: bool | None = None
    q: Annotated[str, Meta(max_length=200)] = ""
    """Characters in the title."""
    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"] = (
        "-created_at"
    )


class Copy(shape.Shape, frozen=True, kw_only=True):
    """A copy of a scout."""

    title: Title | None = None


async def found(call: Call[Any, Any]) -> tuple[Scouts, Scout]:
    """Return the scout that a path names, and where it is from.

    Raises:
        NotFound: this user has none of that id.
    """
    scouts = await call.app.scouts(call.user, asker_of(call))
    return scouts, await scouts.get(call.ids["scout_id"])


async def view(call: Call[Any, Any], scout: Scout) -> ScoutView:
    """Return what is shown of a scout."""
    return (await call.app.catalogue(call.user)).view(scout)


async def list_scouts(call: Call[None, ScoutQuery]) -> Reply:
    """Answer a page of scouts."""
    query = call.query
    catalogue = await call.app.catalogue(call.user)
    return listed(call, await catalogue.scouts(asked(query), active=query.active, title=query.q))


async def create(call: Call[NewScout, None]) -> Reply:
    """Save a scout."""
    scouts = await call.app.scouts(call.user, asker_of(call))
    added = await scouts.add(call.body.wish(), active=call.body.is_active, patience=_PATIENCE)
    shown = await view(call, added.scout)
    return tagged(call, shown, at=f"{ROOT}/{added.scout.id}")


async def show(call: Call[None, None]) -> Reply:
    """Answer one scout."""
    catalogue = await call.app.catalogue(call.user)
    return tagged(call, await catalogue.scout(call.ids["scout_id"]))


async def change(call: Call[ScoutChange, None]) -> Reply:
    """Change a scout."""
    return await _changed(call, call.body.patch())


async def pause(call: Call[None, None]) -> Reply:
    """Let a scout rest."""
    return await _changed(call, ScoutPatch(is_active=False))


async def resume(call: Call[None, None]) -> Reply:
    """Let a scout run again, its failures forgotten."""
    return await _changed(call, ScoutChange(is_active=True).patch())


async def _changed(call: Call[Any, None], patch: ScoutPatch) -> Reply:
    scouts, scout = await found(call)
    require(call, await view(call, scout))
    changed = await scouts.change(scout, patch, unchanged=conditional(call))
    return tagged(call, await view(call, changed))


async def remove(call: Call[None, None]) -> Reply:
    """Remove a scout with everything it has."""
    scouts, scout = await found(call)
    require(call, await view(call, scout))
    await scouts.remove(scout, unchanged=conditional(call))
    return Reply(status=204)


async def duplicate(call: Call[Copy, None]) -> Reply:
    """Save a copy that rests."""
    scouts, scout = await found(call)
    copy = await scouts.duplicate(scout, title=call.body.title, patience=_PATIENCE)
    return tagged(call, await view(call, copy), at=f"{ROOT}/{copy.id}")


async def run(call: Call[None, None]) -> Reply:
    """Queue a run."""
    _, scout = await found(call)
    asked_for = await (await call.app.runs(asker_of(call))).request(scout)
    catalogue = await call.app.catalogue(call.user)
    at = f"/api/v1/executions/{asked_for.id}"
    return Reply(value=await catalogue.execution(asked_for.id), headers={"Location": at})


_ONE = f"{ROOT}/{{scout_id}}"


def _aliases(path: str) -> tuple[str, ...]:
    return (path.removeprefix("/api/v1"),)


def _route(method: Any, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        method=method,
        path=path,
        aliases=_aliases(path),
        handler=handler,
        summary=summary,
        tag="scouts",
        **more,
    )


_EXAMPLE = {
    "goal": "News about the ferry from Saltmere to Hollen Island",
    "title": "Hollen ferry",
    "search_queries": ["Hollen Island ferry timetable"],
    "schedule": "daily",
    "timezone": "Europe/London",
}
_CONDITIONAL = (404, 412)

ROUTES = (
    _route("GET", ROOT, list_scouts, "List scouts", query=ScoutQuery, answer=Paged[ScoutView]),
    _route(
        "POST",
        ROOT,
        create,
        "Save a scout",
        body=NewScout,
        answer=ScoutView,
        status=201,
        idempotent_by_key=True,
        example=_EXAMPLE,
    ),
    _route("GET", _ONE, show, "Show a scout", answer=ScoutView, errors=(404,)),
    _route(
        "PATCH",
        _ONE,
        change,
        "Change a scout",
        body=ScoutChange,
        answer=ScoutView,
        errors=_CONDITIONAL,
        example={"schedule": "weekly"},
    ),
    _route(
        "DELETE",
        _ONE,
        remove,
        "Remove a scout with its runs and findings",
        status=204,
        errors=(*_CONDITIONAL, 409),
    ),
    _route(
        "POST",
        f"{_ONE}/pause",
        pause,
        "Let a scout rest",
        answer=ScoutView,
        errors=_CONDITIONAL,
    ),
    _route(
        "POST",
        f"{_ONE}/resume",
        resume,
        "Let a scout run again",
        answer=ScoutView,
        errors=_CONDITIONAL,
    ),
    _route(
        "POST",
        f"{_ONE}/run",
        run,
        "Run a scout as soon as a worker is free",
        answer=ExecutionView,
        status=202,
        errors=(404, 409),
        idempotent_by_key=True,
    ),
    _route(
        "POST",
        f"{_ONE}/duplicate",
        duplicate,
        "Copy a scout; the copy rests",
        body=Copy,
        optional_body=True,
        answer=ScoutView,
        status=201,
        errors=(404,),
        idempotent_by_key=True,
        example={"title": "Hollen ferry, weekly"},
    ),
)
