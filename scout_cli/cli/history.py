"""`scout history`: past runs and how they ended."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import names, streams, tables, times
from scout_cli.cli.list import ended
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import Execution, Step
from scout_cli.core.shape import plain

_COLUMNS = (
    Column("run"),
    Column("scout", rank=6, wide=True, least=12),
    Column("started", rank=1),
    Column("took", rank=5, number=True),
    Column("outcome", rank=2),
    Column("new", rank=4, number=True),
    Column("repeats", rank=10, number=True),
    Column("pages", rank=8, number=True),
    Column("unread", rank=9, number=True),
    Column("tokens", rank=7, number=True),
    Column("summary", rank=3, wide=True, least=20),
)
_STEP_COLUMNS = (
    Column("step", number=True),
    Column("status", rank=2),
    Column("by", rank=3),
    Column("what", rank=1, wide=True),
    Column("error", rank=4, wide=True),
)


@click.command("history")
@click.argument("chosen", metavar="[SCOUT]...", nargs=-1, type=names.SCOUT)
@click.option("--limit", default=20, type=click.IntRange(1, 10_000), help="Runs shown, default 20.")
@click.option("--steps", is_flag=True, help="Show the steps of the newest run too.")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session, chosen: tuple[str, ...], *, limit: int, steps: bool, utc: bool, as_json: bool
) -> None:
    """List past runs, how they ended and why.

    SCOUT is an id, the beginning of one, or a title; without it the runs of all scouts are shown.

    \b
    Example:
      scout history 1a2b3c4d --steps
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        scouts = await app.scouts()
        found = await scouts.history(await scouts.find_all(chosen), limit + 1)
        shown = found[:limit]
        newest = await scouts.steps(shown[0]) if steps and shown else []
        if as_json:
            streams.put_json(_json(shown, newest, steps=steps))
        elif shown:
            _print(shown, newest, await scouts.titles(), Times(app.clock.now(), utc))
        else:
            streams.say("No runs yet. Start one with: scout run SCOUT")
        if len(found) > limit:
            tables.say_more(limit)

    session.run(work)


def _json(shown: list[Execution], newest: list[Step], *, steps: bool) -> dict[str, object]:
    executions = [plain(execution) for execution in shown]
    if steps and executions:
        executions[0]["steps"] = newest
    return {"executions": executions}


def _print(
    shown: list[Execution], newest: list[Step], titles: Mapping[UUID, str], when: Times
) -> None:
    tables.show(
        _COLUMNS,
        [
            (
                str(run.id)[:8],
                titles.get(run.scout_id, "-"),
                when.past(run.started_at),
                _took(run),
                ended(run),
                *_numbers(run),
                run.error_message or run.summary_text or "",
            )
            for run in shown
        ],
    )
    if newest:
        streams.put(f"\nSteps of {str(shown[0].id)[:8]}{_asked(shown[0])}:\n")
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


def _asked(run: Execution) -> str:
    if not run.model or not run.prompts:
        return ""
    return f" (model {streams.line(run.model)}, prompts {streams.line(run.prompts)})"


def _took(run: Execution) -> str:
    if run.completed_at is None:
        return "-"
    return times.lasted((run.completed_at - run.started_at).total_seconds())


def _numbers(run: Execution) -> tuple[str, ...]:
    """Return new, repeats, pages, unread and tokens."""
    counts, usage = run.counts, run.usage
    tokens = str(usage.prompt_tokens + usage.completion_tokens) if usage else "-"
    if counts is None:
        return "-", "-", "-", "-", tokens
    return (
        str(counts.reported),
        str(counts.repeats),
        str(counts.read + counts.unchanged + counts.unread),
        str(counts.unread),
        tokens,
    )
