"""`scout calibrate`: fit the cut-offs of the embedder in use, show the trade-off, write them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from scout_cli.app import App
from scout_cli.cli import setting, streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import edit, levels
from scout_cli.config.levels import Levels
from scout_cli.core.shape import plain
from scout_cli.errors import InvalidInput
from scout_cli.evaluation import calibration
from scout_cli.evaluation.calibration import Calibration, Outcome
from scout_cli.evaluation.history import history

_SETTING = "cutoffs"
_COLUMNS = (
    Column("cut-offs"),
    Column("lower", number=True),
    Column("upper", number=True),
    Column("repeats held back", rank=1, number=True),
    Column("news lost", number=True),
    Column("F1", rank=2, number=True),
    Column("of your findings held back", rank=3, number=True),
)


@click.command("calibrate")
@click.option("--write", is_flag=True, help="Write the fitted cut-offs to the configuration.")
@click.option("--unset", is_flag=True, help="Take this embedder's cut-offs out of it again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, write: bool, unset: bool, as_json: bool) -> None:
    """Fit the cut-offs of the embedder, and show the trade-off.

    From the upper cut-off on, two facts count as one; below the lower one they are different. The
    cut-offs are fitted to labelled pairs that come with scout and to your own findings, as far as
    you said of them `useful` or `repeat`. What is shown was measured on other pairs.

    Your opinions move the cut-offs of their scout without this as well. The fit knows by how much,
    so that none counts twice.

    At a terminal it asks whether to write them. `--unset` takes back those of the embedder in use;
    `scout config unset cutoffs` those of all embedders.

    \b
    Examples:
      scout calibrate --write
      scout calibrate --unset
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if write and unset:
        raise InvalidInput("--write and --unset exclude each other", hint="scout calibrate --help")
    if unset:
        _take_back(session, as_json=as_json)
    else:
        _fit(session, write=write, as_json=as_json)


def _fit(session: Session, *, write: bool, as_json: bool) -> None:
    async def work(app: App) -> Calibration:
        embedder = await app.embedder()
        return await calibration.calibrate(embedder, await history(await app.database(), embedder))

    made = session.run(work)
    if not as_json:
        _show(made)
    target = _write(session, made) if write or _wanted(made, as_json=as_json) else None
    if as_json:
        streams.put_json({**plain(made), "written": target and str(target)})
    elif target is None:
        streams.say("Nothing was written: scout calibrate --write")


def _take_back(session: Session, *, as_json: bool) -> None:
    async def work(app: App) -> str:
        return (await app.embedder()).name

    embedder = session.run(work)
    given = _given(session)
    left = levels.without(given, embedder)
    target = _keep(session, left, done="unset") if left != given else None
    if as_json:
        streams.put_json({"embedder": embedder, "written": target and str(target)})
    elif target is None:
        streams.say(f"{_SETTING}: {streams.line(embedder)} has none in the configuration")


def _show(made: Calibration) -> None:
    streams.put(f"Embedder {streams.line(made.embedder)}, your findings: {made.findings}, of them")
    streams.put(f"labelled by you: {made.labelled}. Measured on pairs that nothing was fitted to:")
    tables.show(_COLUMNS, [_row(each) for each in made.outcomes])


def _row(each: Outcome) -> list[str]:
    return [
        each.name,
        f"{each.lower:.2f}",
        f"{each.upper:.2f}",
        f"{100 * each.caught:.1f} %",
        f"{100 * each.lost:.1f} %",
        f"{100 * each.f1:.1f} %",
        "" if each.history is None else f"{100 * each.history:.1f} %",
    ]


def _wanted(made: Calibration, *, as_json: bool) -> bool:
    """Ask a person at a terminal; nobody else is asked, and nothing is written."""
    if as_json or not (streams.is_terminal(sys.stdin) and streams.is_terminal(sys.stderr)):
        return False
    streams.flush()
    fitted = made.fitted
    return click.confirm(f"Write {fitted.lower:.2f} and {fitted.upper:.2f}?", err=True)


def _write(session: Session, made: Calibration) -> Path:
    fitted = Levels(made.fitted.lower, made.fitted.upper, made.fitted.background)
    given = levels.replaced(_given(session), made.embedder, fitted)
    return _keep(session, given, done="set")


def _given(session: Session) -> list[str]:
    """Return what the file says, not what a variable makes of it: others' lines stay."""
    return edit.listed(edit.read(setting.file_of(session)), _SETTING)


def _keep(session: Session, given: list[str], *, done: str) -> Path:
    """Put the cut-offs into the file that is read, or into a new one.

    Raises:
        ConfigError: the file cannot be changed.
    """
    target = setting.file_of(session)
    text = edit.read(target)
    setting.keep(
        target, edit.set_value(text, _SETTING, given) if given else edit.unset(text, _SETTING)
    )
    streams.say(f"{_SETTING} {done} in {streams.line(shlex.quote(str(target)))}")
    setting.warn_if_overruled(session, _SETTING)
    return target
