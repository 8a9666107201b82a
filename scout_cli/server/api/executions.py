"""`/api/v1/executions`: runs of scouts and their steps."""

from __future__ import annotations

from typing import Literal

from scout_cli.core.models import Outcome, State
from scout_cli.server.api.queries import Moment, PageQuery, asked, listed
from scout_cli.server.askers import asker_of
from scout_cli.server.calls import Call, Reply
from scout_cli.server.etags import tagged
from scout_cli.server.routing import Route
from scout_cli.service.paging import Paged
from scout_cli.service.views import ExecutionGlance, ExecutionView, StepView

_ONE = "/api/v1/executions/{execution_id}"


class ExecutionQuery(PageQuery, frozen=True, kw_only=True):
    """Which runs."""

    state: tuple[State, ...] = ()
    outcome: tuple[Outcome, ...] = ()
    since: Moment | None = None
    """Begun at or after this moment."""
    until: Moment | None = None
    """Begun before this moment."""
    sort: Literal["started_at", "-started_at"] = "-started_at"


async def list_executions(call: Call[None, ExecutionQuery]) -> Reply:
    """Answer a page of runs, of all scouts or of one."""
    query = call.query
    catalogue = await call.app.catalogue(call.user)
    found = await catalogue.executions(
        asked(query),
        scout_id=call.ids.get("scout_id"),
        states=query.state,
        outcomes=query.outcome,
        since=query.since,
        until=query.until,
    )
    return listed(call, found)


async def show(call: Call[None, None]) -> Reply:
    """Answer one run."""
    catalogue = await call.app.catalogue(call.user)
    return tagged(call, await catalogue.execution(call.ids["execution_id"]))


async def steps(call: Call[None, None]) -> Reply:
    """Answer every step of a run."""
    catalogue = await call.app.catalogue(call.user)
    return Reply(value=Paged(items=await catalogue.steps(call.ids["execution_id"])))


async def step(call: Call[None, None]) -> Reply:
    """Answer one step of a run."""
    catalogue = await call.app.catalogue(call.user)
    found = await catalogue.step(call.ids["execution_id"], call.ids["step_id"])
    return tagged(call, found)


async def cancel(call: Call[None, None]) -> Reply:
    """End a run."""
    execution = await (await call.app.scouts(call.user)).execution(call.ids["execution_id"])
    ended = await (await call.app.runs(asker_of(call))).cancel(execution)
    catalogue = await call.app.catalogue(call.user)
    return Reply(value=await catalogue.execution(ended.id))


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/executions",
        handler=list_executions,
        summary="List runs",
        tag="executions",
        query=ExecutionQuery,
        answer=Paged[ExecutionGlance],
    ),
    Route(
        method="GET",
        path="/api/v1/scouts/{scout_id}/executions",
        aliases=("/scouts/{scout_id}/executions",),
        handler=list_executions,
        summary="List the runs of a scout",
        tag="executions",
        query=ExecutionQuery,
        answer=Paged[ExecutionGlance],
        errors=(404,),
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show,
        summary="Show a run with its brief",
        tag="executions",
        answer=ExecutionView,
        errors=(404,),
    ),
    Route(
        method="GET",
        path=f"{_ONE}/steps",
        handler=steps,
        summary="Show the steps of a run",
        tag="executions",
        answer=Paged[StepView],
        errors=(404,),
    ),
    Route(
        method="GET",
        path=f"{_ONE}/steps/{{step_id}}",
        handler=step,
        summary="Show a step of a run",
        tag="executions",
        answer=StepView,
        errors=(404,),
    ),
    Route(
        method="POST",
        path=f"{_ONE}/cancel",
        handler=cancel,
        summary="End a run that waits or works",
        tag="executions",
        answer=ExecutionView,
        errors=(404, 409),
    ),
)
