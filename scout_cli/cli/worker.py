"""`scout worker`: the loop of `tick`, without end and without an API."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, telling, working
from scout_cli.cli.session import Session, pass_session


@click.command("worker")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1_000),
    help="Scouts at the same time.  [env: SCOUT_CONCURRENCY]",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only what went wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@pass_session
def command(session: Session, *, concurrency: int | None, quiet: bool, as_json: bool) -> None:
    """Run what is due and deliver the news, without end.

    Ctrl-C or SIGTERM lets what runs finish within 20 seconds and gives the rest back to the queue;
    a second one ends at once. Any number of workers, on any number of machines, may share one
    PostgreSQL database.

    \b
    Example:
      scout worker --concurrency 4
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    teller = working.Teller(as_json=as_json, quiet=quiet)

    async def work(app: App) -> None:
        write = telling.writer(as_json=as_json)
        worker = await app.worker(teller, stays=True, write=write, concurrency=concurrency)
        described = await (await app.database()).describe()
        if not quiet:
            streams.say(f"working on {described.location}; Ctrl-C stops")
        await working.until_stopped(worker.serve)

    session.run(work)
