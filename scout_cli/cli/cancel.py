"""`scout cancel`: end runs that wait or work, in whatever process."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import names, streams
from scout_cli.cli.session import Session, pass_session
from scout_cli.core.models import Execution
from scout_cli.core.shape import plain
from scout_cli.errors import Conflict


@click.command("cancel")
@click.argument("chosen", metavar="RUN|SCOUT...", nargs=-1, required=True, type=names.SCOUT)
@click.option("--json", "as_json", is_flag=True, help="Print the runs that were ended as JSON.")
@pass_session
def command(session: Session, chosen: tuple[str, ...], *, as_json: bool) -> int:
    """End runs that wait or work, in whatever process.

    RUN is an id as `scout history` shows it, or the beginning of one; SCOUT an id, the beginning
    of one, or a title, and means the run that it has now. Who works on a run stops at the next
    write, or sign of life; nothing of it is told. The scout runs again when it is due.

    \b
    Example:
      scout cancel 1a2b3c4d
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> int:
        scouts, runs = await app.scouts(), await app.runs()
        ended: list[Execution] = []
        code: int = streams.ExitCode.OK
        titles = await scouts.titles()
        for named in [await scouts.live_run(name) for name in chosen]:
            title = streams.line(titles.get(named.scout_id, "-"))
            if named.run is None:
                streams.say(f"{title} does not run, and does not wait to.")
                continue
            try:
                ended.append(await runs.cancel(named.run))
            except Conflict as error:  # it has ended; the others have not
                code = streams.tell(error, as_json=as_json)
                continue
            streams.say(f"Ended run {str(named.run.id)[:8]} of {title}.")
        if as_json:
            streams.put_json({"cancelled": [plain(run) for run in ended]})
        return code

    return session.run(work)
