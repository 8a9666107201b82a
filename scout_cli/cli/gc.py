"""`scout gc`: remove what is older than it is kept."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.core.shape import plain
from scout_cli.service.upkeep import Cleaned

_NAMES = {
    "pages": "texts of pages",
    "steps": "steps of runs",
    "executions": "runs",
    "outbox_sent": "messages that arrived",
    "outbox_dead": "messages that were given up",
    "searches": "answers of search engines",
    "answers": "recorded answers of ended runs",
    "screenshots": "pictures of pages",
    "events": "events of runs",
    "sessions": "sessions that ended",
    "tokens": "tokens that ended",
    "codes": "codes for one use",
    "chat_items": "items of the chat gateway",
    "audit": "lines of the audit log",
}


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Remove what is older than it is kept.

    `scout tick` and `scout worker` do so every hour by themselves. How long things are kept: the
    settings keep_pages, keep_steps, keep_executions, keep_outbox_sent, keep_outbox_dead and
    keep_audit.

    Findings with their vectors stay whatever their age, and so do the newest runs of each scout:
    `scout forget` deletes findings.

    \b
    Example:
      scout gc --dry-run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> Cleaned:
        upkeep = await app.upkeep()
        return await upkeep.preview() if dry_run else await upkeep.clean()

    done = session.run(work)
    if as_json:
        streams.put_json({"dry_run": dry_run, "removed": plain(done)})
        return
    rows = [(text, getattr(done, name)) for name, text in _NAMES.items()]
    tables.pairs([(text, str(number)) for text, number in rows if number])
    if not any(number for _, number in rows):
        streams.say("Nothing is older than it is kept.")
    elif dry_run:
        streams.say("Nothing was removed: it would be without --dry-run.")
    if done.freed_bytes:
        streams.say(f"The database file is {done.freed_bytes} bytes smaller.")
