"""What can be typed in a conversation beside messages: /show, /run, /activate, /title, /every."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from scout_cli.app import App
from scout_cli.cli import looking, streams, tables, talking, telling, times, wishes
from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.core.setting_up import missing, patch_of, read
from scout_cli.errors import InvalidInput
from scout_cli.service.scouts import Scouts

HELP = """\
/show        what the scout is so far
/title X     give it another title
/every X     give it a rhythm: daily, weekly, "every Monday at 9", a cron line
/activate    let it run
/run         run it now
/quit        end; Ctrl-D does too"""


class Typed(NamedTuple):
    """A command, and what it is about."""

    app: App
    saved: Scouts
    scout: Scout
    rest: str
    """What was typed after its name."""
    as_json: bool


Work = Callable[[Typed], Awaitable[tuple[Scout, int]]]


async def carry_out(app: App, name: str, text: str, *, as_json: bool) -> tuple[Scout, int]:
    """Carry out one command and return the scout as it is then, and an exit code.

    Args:
        app: the open app.
        name: the id of the scout.
        text: as typed, with its slash.
        as_json: print JSON.

    Raises:
        InvalidInput: an unknown command, or a value that cannot be used.
        NotFound: the scout is not there any more.
    """
    word, _, rest = text.partition(" ")
    work = _COMMANDS.get(word)
    if work is None:
        raise InvalidInput(f"there is no {streams.line(word)[:40]}", hint="/help lists what is")
    saved = await app.scouts()
    return await work(Typed(app, saved, await saved.find(name), rest.strip(), as_json))


async def _show(typed: Typed) -> tuple[Scout, int]:
    scout = typed.scout
    if typed.as_json:
        _print(scout)
    else:
        tables.pairs([("id", str(scout.id)[:8]), *wishes.described(scout)])
        streams.say(f"It is {talking.standing(scout)}.")
    return scout, streams.ExitCode.OK


async def _title(typed: Typed) -> tuple[Scout, int]:
    if not typed.rest:
        raise InvalidInput("which title?", hint="/title Concerts in Bonn")
    scout = await typed.saved.change(typed.scout, ScoutPatch(title=typed.rest))
    return _changed(scout, f"title: {scout.title}", as_json=typed.as_json)


async def _every(typed: Typed) -> tuple[Scout, int]:
    found = read({"schedule": typed.rest})
    if not typed.rest or found.problems:
        raise InvalidInput(
            f"not a rhythm: {streams.line(typed.rest)[:80]!r}",
            hint="/every weekly, /every Monday at 9, /every 0 9 * * 1",
        )
    patch = patch_of(found.update, typed.scout, typed.app.clock.now())
    scout = await typed.saved.change(typed.scout, patch)
    return _changed(scout, f"rhythm: {scout.schedule}", as_json=typed.as_json)


async def _activate(typed: Typed) -> tuple[Scout, int]:
    if lacking := missing(typed.scout):
        raise InvalidInput(
            f"it still needs {', '.join(lacking).replace('_', ' ')}", hint="say it in plain words"
        )
    (scout,) = await typed.saved.resume([typed.scout])
    due = times.upcoming(scout.next_run_at, typed.app.clock.now())
    return _changed(scout, f"It is active; next run: {due}", as_json=typed.as_json)


async def _run(typed: Typed) -> tuple[Scout, int]:
    app, scout = typed.app, typed.scout
    if not scout.goal:
        raise InvalidInput("there is nothing to look for yet", hint="say it in plain words")
    runs, view = await app.runs(), looking.View(as_json=typed.as_json)
    code = await looking.look(view, scout.title, lambda emit: runs.run(scout, emit), app.notes)
    await telling.send(app, view)
    return await typed.saved.find(str(scout.id)), code


def _changed(scout: Scout, text: str, *, as_json: bool) -> tuple[Scout, int]:
    if as_json:
        _print(scout)
    else:
        streams.say(streams.line(text))
    return scout, streams.ExitCode.OK


def _print(scout: Scout) -> None:
    streams.put_json({"event": "scout", "scout": wishes.shown(scout), "missing": missing(scout)})


_COMMANDS: dict[str, Work] = {
    "/show": _show,
    "/title": _title,
    "/every": _every,
    "/activate": _activate,
    "/run": _run,
}
