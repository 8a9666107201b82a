"""The command line: parse, call the app, print.

The table below is all that `scout --help` needs; a command's module is imported when it is run.
"""

from __future__ import annotations

import click

from scout_cli.cli.lazy import LazyGroup, show_version

COMMANDS = {
    "add": "Save a wish as a scout, filling in what is missing.",
    "run": "Run scouts now and print what is new.",
    "once": "Look for something once, saving nothing.",
    "list": "List the scouts, when they ran and when they run next.",
    "show": "Show one scout, its last brief and its next run.",
    "history": "List past runs, how they ended and why.",
    "findings": "List the facts that were found, with their sources.",
    "demo": "Watch a scout work for three days on a small web of its own.",
    "doctor": "Check database, model, search, fetching, configuration.",
    "init-db": "Create the database or bring it up to date.",
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A first argument with a space in it is a wish: scout 'Python meetups in Bonn' means "
    "scout add 'Python meetups in Bonn' --run.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="Read the settings from this file.  [env: SCOUT_CONFIG]",
)
@click.option(
    "--database",
    metavar="URL",
    help="Use this database; no password here.  [env: SCOUT_DATABASE_URL]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit.",
)
def scout(config: str | None, database: str | None, debug: bool) -> None:  # noqa: FBT001 - click passes them; session.py reads them from the context
    """Tell it what you care about; it speaks only when something new is true.

    \b
    Example:
      scout add "Python meetups in Bonn" --every weekly --run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


def main() -> None:
    """Run the `scout` command and end the process with its exit code."""
    scout()
