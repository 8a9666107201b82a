"""A group that knows its commands by name and help line, and imports one only to run it."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scout_cli.cli import streams
from scout_cli.errors import InvalidInput

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SECRET_FLAG = re.compile(
    r"(?i)^--(?:.*-)?(?:(?P<password>password|passwd|passphrase)|api-?key|key|token|secret)s?$"
)


class LazyGroup(click.Group):
    """A click group over a static table.

    Args:
        table: command -> its first help line; `init-db` lives in `init_db.py`.
        **options: those of `click.Group`.
    """

    def __init__(self, *, table: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the table's order."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import and return one command; None for a name that is not in the table."""
        if cmd_name not in self.table:
            return None
        module = importlib.import_module(f"scout_cli.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the command list without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.table.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a first argument with a space in it is a wish to add and run.

        Raises:
            InvalidInput: no such command; the nearest one is offered.
        """
        name = args[0]
        if name not in self.table and len(name.split()) > 1:
            return "add", self.get_command(ctx, "add"), ["--run", *args[1:], "--", name]
        if name in self.table or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.table, n=1)
        hint = f"did you mean: scout {near[0]}" if near else "scout --help lists the commands"
        raise InvalidInput(f"no such command {name!r}", hint=hint)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names from the table, so that Tab imports nothing."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for Tab

        return [
            CompletionItem(name, help=text)
            for name, text in self.table.items()
            if name.startswith(incomplete)
        ]

    def main(  # type: ignore[override]  # click overloads on standalone_mode, which has no use here
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - click's signature; the name is fixed
        complete_var: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and exit; every error becomes two lines and an exit code."""
        streams.keep_standard_descriptors()
        given = list(sys.argv[1:] if args is None else args)
        self._main_shell_completion(extra, "scout", complete_var)
        extra.pop("standalone_mode", None)
        sys.exit(streams.guard(lambda: self._go(given, extra), given))

    def _go(self, given: list[str], extra: dict[str, Any]) -> object:
        _refuse_secrets(given)
        with self.make_context("scout", given, **extra) as ctx:
            return self.invoke(ctx)


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001 - click's signature
    """Print the version and exit; a checkout that was not installed has none."""
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 40 ms

    try:
        number = version("scout-watch")
    except PackageNotFoundError:
        number = "(not installed)"
    streams.put(f"scout {number}")
    ctx.exit()


def show_spec(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001 - click's signature
    """Print the whole command line as JSON and exit."""
    if not value or ctx.resilient_parsing:
        return
    from scout_cli.cli import spec  # noqa: PLC0415 - it imports every command

    assert isinstance(ctx.command, click.Group)
    streams.put_json(spec.document(ctx.command))
    ctx.exit()


def _refuse_secrets(given: Sequence[str]) -> None:
    """Refuse what `ps` and the shell's history would show to others, and text that is no text."""
    for argument in given:
        if any("\ud800" <= c <= "\udfff" for c in argument):
            raise InvalidInput(
                f"the argument {argument!r} is not UTF-8", hint="write it in a UTF-8 terminal"
            )
    flags = given[: given.index("--")] if "--" in given else given
    for argument in flags:
        flag = argument.partition("=")[0]
        if found := _SECRET_FLAG.match(flag):
            variable = "SCOUT_DATABASE_URL" if found["password"] else "OLLAMA_API_KEY"
            raise InvalidInput(
                f"{flag}: a secret does not belong on a command line, where others can read it",
                hint=f"set {variable} in the environment, or in scouts.toml after chmod 600",
            )
