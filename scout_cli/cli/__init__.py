"""The command line: parse, call the app, print.

The table below is all that `scout --help` needs; a command's module is imported when it is run.
"""

from __future__ import annotations

import click

from scout_cli.cli.lazy import LazyGroup, show_spec, show_version

COMMANDS = {
    "add": "Save a wish as a scout, filling in what is missing.",
    "chat": "Set a scout up by talking about it.",
    "run": "Run scouts now and print what is new.",
    "once": "Look for something once, saving nothing.",
    "list": "List the scouts, when they ran and when they run next.",
    "show": "Show one scout, its last brief and its next run.",
    "edit": "Change a scout, with options or in your editor.",
    "cancel": "End runs that wait or work, in whatever process.",
    "pause": "Let scouts rest until they are resumed.",
    "resume": "Let paused scouts run again.",
    "rm": "Remove scouts with everything they found.",
    "history": "List past runs, how they ended and why.",
    "findings": "List the facts that were found, with their sources.",
    "why": "Say why a finding was told, or was held back.",
    "suppressed": "List what was held back: repeats, old and unwanted.",
    "feedback": "Say what a finding was worth; scout follows.",
    "search": "Search in everything that was found.",
    "due": "List the scouts that are due and those that come next.",
    "tick": "Run what is due, deliver the news and end: for cron.",
    "worker": "Run what is due and deliver the news, without end.",
    "serve": "Serve the API, and run what is due beside it.",
    "frontend-env": "Print the variables that the web interface needs.",
    "outbox": "List the messages on their way and what became of them.",
    "notify": "Try, list and enable the channels that hear of news.",
    "apply": "Make the scouts what a file says they are.",
    "export": "Write the scouts as a file that `scout apply` reads.",
    "import": "Take over what another watcher watches.",
    "demo": "Watch a scout work for three days on a small web of its own.",
    "doctor": "Check every part that scout works with, and say what helps.",
    "embeddings": "Count and rebuild the vectors that findings have.",
    "eval": "Measure models and the embedder on a labelled web.",
    "calibrate": "Fit the cut-offs of the embedder, and show the trade-off.",
    "config": "Show and change the settings, and where each comes from.",
    "completion": "Print the completion script for your shell.",
    "backup": "Write everything in the database into one file.",
    "restore": "Make the database what a backup says it was.",
    "keys": "List, show and change the keys of this machine.",
    "user": "Make, list and remove the accounts of the server.",
    "token": "Make, list and withdraw tokens for programs.",
    "audit": "List who did what with accounts, scouts and runs.",
    "gc": "Remove what is older than it is kept.",
    "forget": "Delete findings, as if they had never been found.",
    "init-db": "Create the database or bring it up to date.",
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    invoke_without_command=True,
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
@click.option(
    "--spec",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_spec,
    help="Print all commands and options as JSON and exit.",
)
def scout(**_given: object) -> None:
    """Tell it what you care about; it speaks only when something new is true.

    Without a command it shows what to do next.

    \b
    Example:
      scout add "Python meetups in Bonn" --every weekly --run
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if click.get_current_context().invoked_subcommand is None:
        from scout_cli.cli import home  # noqa: PLC0415 - the app stays out of `scout --help`

        home.show()


def main() -> None:
    """Run the `scout` command and end the process with its exit code."""
    scout()
