"""`scout feedback`: what a finding was worth, and what that changes."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.core import tastes
from scout_cli.errors import InvalidInput


@click.command("feedback")
@click.argument("name", metavar="FINDING")
@click.argument("word", metavar="[useful|not-useful|repeat|wrong]", required=False, default="")
@click.option("--undo", is_flag=True, help="Take back what was said of it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, name: str, word: str, *, undo: bool, as_json: bool) -> None:
    """Say what a finding was worth; scout follows.

    `useful` and `not-useful` change which results are read first, never whether; `repeat` and, for
    a finding that was held back as one, `useful` move the cut-offs; what closely follows a `wrong`
    or `not-useful` finding is held back. The last word counts, and --undo takes it back.

    \b
    Example:
      scout feedback 9f8e7d6c repeat
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if undo == bool(word):
        raise InvalidInput(
            "say what it was, or --undo", hint=f"scout feedback FINDING {'|'.join(tastes.WORDS)}"
        )
    opinion = tastes.opinion_of(word) if word else None

    async def work(app: App) -> None:
        told = await (await app.findings()).feedback(name, opinion)
        if as_json:
            streams.put_json(told)
            return
        said = (told.opinion or "nothing any more").replace("_", "-")
        streams.put(f"{str(told.finding.id)[:8]}  {streams.line(told.finding.fact)}")
        streams.put(f"Noted: {said}. {streams.line(told.effect)}")

    session.run(work)
