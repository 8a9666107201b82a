"""`scout user`: the accounts of `scout serve`."""

from __future__ import annotations

import secrets
import sys

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.streams import ExitCode
from scout_cli.cli.tables import Column
from scout_cli.core.shape import plain
from scout_cli.errors import InvalidInput
from scout_cli.service.accounts import Person
from scout_cli.service.audit import COMMAND_LINE

_COLUMNS = (
    Column("id", rank=1),
    Column("email", wide=True),
    Column("role"),
    Column("state"),
    Column("last sign-in", rank=2),
)
_LONGEST = 10_000
"""Characters that are read of a password; more than are taken."""

_generate = click.option("--generate", is_flag=True, help="Make the password up and print it.")


@click.group("user", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, list and remove the accounts of the server.

    \b
    Example:
      scout user add ann@example.org
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("add")
@click.argument("email")
@click.option("--admin", is_flag=True, help="Let this account manage the others.")
@click.option("--owner", is_flag=True, help="Let it own the scouts made on the command line.")
@_generate
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@pass_session
def add(
    session: Session, email: str, *, admin: bool, owner: bool, generate: bool, as_json: bool
) -> None:
    """Make an account; the password is asked for, or read from stdin.

    The first account of all is an admin's. With --owner the scouts that were made on the command
    line, and those that will be, belong to this account, which is an admin's as well.

    \b
    Example:
      scout user add carl@example.org --owner --generate
    """  # noqa: D301 - see above
    password = _password(generate=generate)

    async def work(app: App) -> Person:
        people = (await app.accounts()).people
        if owner:
            return await people.own(email, password, COMMAND_LINE)
        made = await people.add(email, password, COMMAND_LINE, admin=admin)
        return await people.get(made.id)

    _told(session.run(work), "Made", as_json=as_json, password=password if generate else "")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the accounts.

    \b
    Example:
      scout user list
    """  # noqa: D301 - see above

    async def work(app: App) -> list[Person]:
        people, found = (await app.accounts()).people, list[Person]()
        while page := await people.all(after=found[-1].id if found else None):
            found += page
        return found

    found = session.run(work)
    if as_json:
        streams.put_json({"users": plain(found)})
    elif found:
        tables.show(_COLUMNS, [_row(each) for each in found])
    else:
        streams.say("No accounts yet: scout user add EMAIL makes the first, an admin's.")


@command.command("passwd")
@click.argument("email")
@_generate
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@pass_session
def passwd(session: Session, email: str, *, generate: bool, as_json: bool) -> None:
    """Give an account a new password, and sign it out everywhere.

    The password is asked for, or read from stdin.

    \b
    Example:
      scout user passwd ann@example.org --generate
    """  # noqa: D301 - see above
    password = _password(generate=generate)

    async def work(app: App) -> Person:
        people = (await app.accounts()).people
        found = await people.named(email)
        await people.set_password(found.id, password, COMMAND_LINE)
        return found

    done = "Gave a new password to"
    _told(session.run(work), done, as_json=as_json, password=password if generate else "")


@command.command("disable")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@pass_session
def disable(session: Session, email: str, *, as_json: bool) -> None:
    """Keep an account out; its scouts stay, and go on running.

    \b
    Example:
      scout user disable bob@example.org
    """  # noqa: D301 - see above

    async def work(app: App) -> Person:
        people = (await app.accounts()).people
        found = await people.named(email)
        await people.disable(found.id, COMMAND_LINE)
        return await people.get(found.id)

    _told(session.run(work), "Disabled", as_json=as_json)


@command.command("enable")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@pass_session
def enable(session: Session, email: str, *, as_json: bool) -> None:
    """Let a disabled account in again.

    \b
    Example:
      scout user enable bob@example.org
    """  # noqa: D301 - see above

    async def work(app: App) -> Person:
        people = (await app.accounts()).people
        found = await people.named(email)
        await people.enable(found.id, COMMAND_LINE)
        return await people.get(found.id)

    _told(session.run(work), "Enabled", as_json=as_json)


@command.command("rm")
@click.argument("email")
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
@pass_session
def rm(session: Session, email: str, *, yes: bool, as_json: bool) -> int:
    """Remove an account with its scouts and everything they found.

    \b
    Example:
      scout user rm bob@example.org --yes
    """  # noqa: D301 - see above

    async def look(app: App) -> Person:
        return await (await app.accounts()).people.named(email)

    async def remove(app: App) -> Person:
        return await (await app.accounts()).people.remove(found.id, COMMAND_LINE)

    found = session.run(look)
    if not yes and not _agreed(found):
        streams.say("Nothing was removed.")
        return ExitCode.FAILED
    _told(session.run(remove), "Removed", as_json=as_json)
    return ExitCode.OK


@command.command("signout")
@click.argument("email", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody, whatever secret signs.")
@click.option("--json", "as_json", is_flag=True, help="Print how many sessions ended as JSON.")
@pass_session
def signout(session: Session, email: str | None, *, everybody: bool, as_json: bool) -> None:
    """End all sessions of an account, or of all with --all.

    With --all the database takes the secret that is here (SCOUT_JWT_SECRET or the file of keys) as
    the one that signs: that is the way on when the old one is lost.

    \b
    Example:
      scout user signout ann@example.org
    """  # noqa: D301 - see above
    if (email is None) is not everybody:
        raise InvalidInput("name one account, or say --all", hint="scout user signout --all")

    async def work(app: App) -> int:
        accounts = await app.accounts()
        if email is None:
            return await accounts.sign_everybody_out()
        found = await accounts.people.named(email)
        return await accounts.people.sign_out(found.id, COMMAND_LINE)

    ended = session.run(work)
    if as_json:
        streams.put_json({"ended": ended})
        return
    streams.say("1 session has ended." if ended == 1 else f"{ended} sessions have ended.")


def _password(*, generate: bool) -> str:
    """Ask for a password on a terminal, twice; else read a line of stdin, or make one up."""
    if generate:
        return secrets.token_urlsafe(15)
    if streams.is_terminal(sys.stdin):
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    line = sys.stdin.readline(_LONGEST).rstrip("\r\n") if sys.stdin else ""
    if not line:
        raise InvalidInput(
            "there is no terminal to ask for the password",
            hint="give it on stdin, one line, or say --generate",
        )
    return line


def _agreed(found: Person) -> bool:
    """Ask.

    Raises:
        InvalidInput: nobody is there to be asked.
    """
    if not streams.is_terminal(sys.stdin):
        raise InvalidInput(
            f"this removes {found.email} with all scouts; it asks first, and there is no terminal",
            hint=f"scout user rm {found.email} --yes",
        )
    return click.confirm(f"Remove {found.email}, with all scouts and findings?", err=True)


def _told(found: Person, done: str, *, as_json: bool, password: str = "") -> None:
    """Say what was done; a password that was made up is data."""
    if as_json:
        made = {"password": password} if password else {}
        streams.put_json({"user": plain(found), **made})
        return
    if password:
        streams.put(password)
    role = "an admin's account" if found.role == "admin" else "a user's account"
    streams.say(f"{done} {streams.line(found.email or '')}, {role} ({str(found.id)[:8]}).")


def _row(each: Person) -> tuple[str, str, str, str, str]:
    state = "disabled" if each.disabled_at else "" if each.email_confirmed_at else "unconfirmed"
    last = f"{each.last_sign_in_at:%Y-%m-%d %H:%M}" if each.last_sign_in_at else "-"
    mail = f"{each.email}{' (owner)' if each.is_local else ''}"
    return str(each.id)[:8], mail, each.role, state or "active", last
