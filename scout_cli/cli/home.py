"""`scout` alone: what to do next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import click

from scout_cli.app import App
from scout_cli.cli import streams, times
from scout_cli.cli.lazy import LazyGroup
from scout_cli.cli.session import Session, pass_session
from scout_cli.plug import scheme_of
from scout_cli.store import standing
from scout_cli.store.sqlite_file import path_of
from scout_cli.store.standing import Failed, Standing, Waiting

_LISTED = 5
"""Scouts that are named; the rest is a number, so that it stays a glance."""
_LATELY = timedelta(hours=24)
_NEWCOMER = """No scouts yet. A scout is a wish in plain words that looks again and again.

  scout demo                                watch one at work for three days, in seconds
  scout once "Python 3.15 release date"     look once, keep nothing
  scout add "Python meetups in Bonn" --run  keep the wish, and look now

All commands: scout --help"""


@pass_session
def show(session: Session) -> None:
    """Print what to do next; a database that is not there is not made."""
    url = session.load().settings.database_url
    if scheme_of(url) == "sqlite" and not _holds_anything(url):
        streams.put(_NEWCOMER)
        return
    root = click.get_current_context().command
    assert isinstance(root, LazyGroup)

    async def work(app: App) -> None:
        database = await app.database()
        now = await database.now()
        found = await standing.of_local_owner(database, now - _LATELY)
        streams.put("\n".join(_told(found, now, root.table)))

    session.run(work)


def _holds_anything(url: str) -> bool:
    path = path_of(url)
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _told(found: Standing, now: datetime, commands: Collection[str]) -> list[str]:
    if not found.scouts:
        return [_NEWCOMER]
    due = found.due(now)
    rows = _due(due, now, ticks="tick" in commands) if due else [_next(found, now)]
    if found.new:
        rows += ["", f"{_count(found.new, 'new finding')} in the last 24 hours."]
        rows += ["  scout findings --since 24h"]
    if found.failed:
        rows += ["", *_failed(found.failed, now)]
    return [*rows, "", *_also(found, commands)]


def _due(due: list[Waiting], now: datetime, *, ticks: bool) -> list[str]:
    rows = [f"{_count(len(due), 'scout')} {'is' if len(due) == 1 else 'are'} due:"]
    for each in due[:_LISTED]:
        waits = "" if times.relative(each.next_run_at, now) == "now" else _since(each, now)
        rows.append(f"  {str(each.id)[:8]}  {streams.line(each.title)}{waits}")
    rows += _more(len(due), "scout list")
    names = " ".join(str(each.id)[:8] for each in due[:_LISTED])
    command = "scout tick" if ticks else f"scout run {names}"
    return [*rows, f"Run {'it' if len(due) == 1 else 'them'} now:", f"  {command}"]


def _since(scout: Waiting, now: datetime) -> str:
    return f", since {times.relative(scout.next_run_at, now).removesuffix(' ago')}"


def _next(found: Standing, now: datetime) -> str:
    paused = sum(not each.is_active for each in found.scouts)
    resting = f", {paused} of them paused" if paused else ""
    head = f"{_count(len(found.scouts), 'scout')}{resting}."
    if not (upcoming := found.upcoming()):
        return f"{head} None of them will run by itself."
    first = upcoming[0]
    when = times.relative(first.next_run_at, now)
    return f"{head} Next: {streams.line(first.title)}, {when}."


def _also(found: Standing, commands: Collection[str]) -> list[str]:
    """Return what else can be done, with commands that can be typed as they stand."""
    name = str((found.upcoming() or found.scouts)[0].id)[:8]
    told = any(each.notify for each in found.scouts)
    known = [
        (f"scout show {name}", "its last brief and its next run", True),
        (f'scout edit {name} --goal "..."', "look for something else", True),
        (f"scout edit {name} --notify URL", "be told what is new", not told),
        ("scout tick --print-crontab", "the line for `crontab -e`, to run them when due", True),
        ("scout worker", "or run them from here, until it is stopped", True),
        ("scout export -o scouts.toml", "write all of them to a file", True),
    ]
    rows = [(line, why) for line, why, fits in known if fits and line.split()[1] in commands]
    width = max(len(line) for line, _ in rows)
    return ["What you can do:", *(f"  {line:<{width}}  {why}" for line, why in rows)]


def _failed(failed: list[Failed], now: datetime) -> list[str]:
    rows = [f"{_count(len(failed), 'scout')} failed at the last run:"]
    for each in failed[:_LISTED]:
        why = streams.line(each.error_message or each.outcome.replace("_", " "))
        when = times.relative(each.started_at, now)
        rows.append(f"  {str(each.id)[:8]}  {streams.line(each.title)}, {when}: {why}")
    rows += _more(len(failed), "scout history")
    return [*rows, "See why:", f"  scout history {str(failed[0].id)[:8]} --steps", "  scout doctor"]


def _more(total: int, command: str) -> list[str]:
    return [f"  and {total - _LISTED} more: {command}"] if total > _LISTED else []


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"
