"""`scout history`: past runs and how they ended."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times
from scout_cli.cli.list import ended
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.core.models import Execution, Scout, Step
from scout_cli.core.shape import plain
from scout_cli.service.scouts import Scouts

_COLUMNS = (
    Column("run"),
    Column("scout"),
    Column("started"),
    Column("took", number=True),
    Column("outcome"),
    Column("new", number=True),
    Column("repeats", number=True),
    Column("unread", number=True),
    Column("summary", wide=True),
)
_STEP_COLUMNS = (
    Column("step", number=True),
    Column("status"),
    Column("by"),
    Column("what", wide=True),
    Column("error", wide=True),
)


@click.command("history")
@click.argument("name", metavar="[SCOUT]", required=False)
@click.option("--limit", default=20, type=click.IntRange(1, 10_000), help="Runs shown, default 20.")
@click.option("--steps", is_flag=True, help="Show the steps of the newest run too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, name: str | None, *, limit: int, steps: bool, as_json: bool) -> None:
    """List past runs, how they ended and why.

    SCOUT is an id, the beginning of one, or a title; without it the runs of all scouts are shown.

    \b
    Example:
      scout history 1a2b3c4d --steps
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        scout = await scouts.find(name) if name is not None else None
        found = await scouts.history(scout, limit + 1)
        shown = found[:limit]
        newest = await scouts.steps(shown[0]) if steps and shown else []
        if as_json:
            streams.put_json(_json(shown, newest, steps=steps))
        elif shown:
            await _print(app, scouts, shown, newest)
        else:
            streams.say("No runs yet. Start one with: scout run SCOUT")
        if len(found) > limit:
            streams.say(f"The newest {limit} are shown; more with --limit {limit * 5}")

    session.run(work)


def _json(shown: list[Execution], newest: list[Step], *, steps: bool) -> dict[str, object]:
    executions = [plain(execution) for execution in shown]
    if steps and executions:
        executions[0]["steps"] = newest
    return {"executions": executions}


async def _print(app: App, scouts: Scouts, shown: list[Execution], newest: list[Step]) -> None:
    names = {each.scout.id: each.scout for each in await scouts.all()}
    now = app.clock.now()
    tables.show(
        _COLUMNS,
        [
            (
                str(run.id)[:8],
                _title(names.get(run.scout_id)),
                times.relative(run.started_at, now),
                _took(run),
                ended(run),
                *_numbers(run),
                run.error_message or run.summary_text or "",
            )
            for run in shown
        ],
    )
    if newest:
        streams.put(f"\nSteps of {str(shown[0].id)[:8]}:\n")
        tables.show(
            _STEP_COLUMNS,
            [
                (
                    str(step.step_number),
                    step.status,
                    step.answered_by or "",
                    step.description,
                    step.error_message or "",
                )
                for step in newest
            ],
        )


def _title(scout: Scout | None) -> str:
    return scout.title if scout else "-"


def _took(run: Execution) -> str:
    if run.completed_at is None:
        return "-"
    return times.lasted((run.completed_at - run.started_at).total_seconds())


def _numbers(run: Execution) -> tuple[str, str, str]:
    if run.counts is None:
        return "-", "-", "-"
    counts = run.counts
    return str(counts.new + counts.possible_repeats), str(counts.repeats), str(counts.unread)
