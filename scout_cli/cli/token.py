"""`scout token`: keys for programs that call the server."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.core.shape import plain
from scout_cli.errors import InvalidInput
from scout_cli.service.accounts import NewToken
from scout_cli.service.accounts.tokens import Token
from scout_cli.service.audit import COMMAND_LINE

_COLUMNS = (
    Column("id"),
    Column("name", wide=True),
    Column("may"),
    Column("made", rank=2),
    Column("expires", rank=1),
    Column("last used", rank=3),
)
_DAYS = re.compile(r"([1-9]\d{0,3})([dwy])")
_UNITS = {"d": 1, "w": 7, "y": 365}
_OWNER = "The account whose token it is; the owner of the command line's scouts without it."


@click.group("token", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, list and withdraw tokens for programs.

    \b
    Example:
      scout token create --name dashboard --read-only
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("create")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--read-only", is_flag=True, help="It can look at everything and change nothing.")
@click.option("--expires", metavar="TIME", help="After this it ends: 30d, 12w, 1y.")
@click.option("--user", "email", metavar="EMAIL", help=_OWNER)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_session
def create(
    session: Session,
    *,
    name: str,
    read_only: bool,
    expires: str | None,
    email: str | None,
    as_json: bool,
) -> None:
    """Make a token and print it; nobody can see it again.

    A program sends it as `Authorization: Bearer sct_...`.

    \b
    Example:
      scout token create --name dashboard --read-only --expires 90d
    """  # noqa: D301 - see above
    life = _life(expires) if expires else None

    async def work(app: App) -> NewToken:
        accounts = await app.accounts()
        return await accounts.tokens.create(
            await _owner(app, email),
            name,
            COMMAND_LINE,
            scopes=("read",) if read_only else ("read", "write"),
            expires_at=app.clock.now() + life if life else None,
        )

    made = session.run(work)
    if as_json:
        streams.put_json(plain(made))
        return
    streams.put(made.token)
    streams.say(f"This is {streams.line(made.name)!r}; it is shown this once.")


@command.command("list")
@click.option("--user", "email", metavar="EMAIL", help=_OWNER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_(session: Session, *, email: str | None, as_json: bool) -> None:
    """List the tokens, never the tokens themselves.

    \b
    Example:
      scout token list
    """  # noqa: D301 - see above

    async def work(app: App) -> list[Token]:
        return await (await app.accounts()).tokens.all(await _owner(app, email))

    found = session.run(work)
    if as_json:
        streams.put_json({"tokens": plain(found)})
    elif found:
        tables.show(_COLUMNS, [_row(each) for each in found])
    else:
        streams.say("No tokens yet: scout token create makes one.")


@command.command("rm")
@click.argument("name", metavar="TOKEN")
@click.option("--user", "email", metavar="EMAIL", help=_OWNER)
@click.option("--json", "as_json", is_flag=True, help="Print what was withdrawn as JSON.")
@pass_session
def rm(session: Session, name: str, *, email: str | None, as_json: bool) -> None:
    """Withdraw a token; within five seconds it is good for nothing.

    TOKEN is an id as `scout token list` shows it, the beginning of one, or a name.

    \b
    Example:
      scout token rm dashboard
    """  # noqa: D301 - see above

    async def work(app: App) -> Token:
        tokens = (await app.accounts()).tokens
        owner = await _owner(app, email)
        found = await tokens.find(owner, name)
        await tokens.remove(owner, found.id, COMMAND_LINE)
        return found

    gone = session.run(work)
    if as_json:
        streams.put_json({"removed": plain(gone)})
    else:
        streams.say(f"Withdrew {streams.line(gone.name)!r} ({str(gone.id)[:8]}).")


async def _owner(app: App, email: str | None) -> UUID:
    if email is None:
        return await (await app.scouts()).owner()
    return (await (await app.accounts()).people.named(email)).id


def _life(text: str) -> timedelta:
    found = _DAYS.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidInput(f"--expires {text!r}: not a time", hint="such as 30d, 12w or 1y")
    return timedelta(days=int(found[1]) * _UNITS[found[2]])


def _row(each: Token) -> tuple[str, str, str, str, str, str]:
    ends = f"{each.expires_at:%Y-%m-%d}" if each.expires_at else "never"
    used = f"{each.used_at:%Y-%m-%d %H:%M}" if each.used_at else "-"
    may = ", ".join(each.scopes)
    return str(each.id)[:8], each.name, may, f"{each.created_at:%Y-%m-%d}", ends, used
