"""How often something may be tried, counted for all processes of a database together."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from scout_cli.errors import TooMany
from scout_cli.service.accounts.addresses import digest_of, network_of
from scout_cli.store import allowances
from scout_cli.store.allowances import Allowance
from scout_cli.store.database import Connection, Database

_MINUTES = 300.0
_HOUR = 3_600.0


def password(email: str, address: str) -> tuple[Allowance, ...]:
    """Return what a try with a password takes: 10 in 5 minutes by account, 30 by network."""
    return (
        Allowance(name=f"password/account/{digest_of(email)}", most=10, seconds=_MINUTES),
        *_by_network("password", address, most=30, seconds=_MINUTES),
    )


def refresh(address: str) -> tuple[Allowance, ...]:
    """Return what a refresh takes: 150 in 5 minutes by network."""
    return _by_network("refresh", address, most=150, seconds=_MINUTES)


def signup(address: str) -> tuple[Allowance, ...]:
    """Return what a sign-up takes: 30 in an hour by network."""
    return _by_network("signup", address, most=30, seconds=_HOUR)


def recover(email: str, address: str) -> tuple[Allowance, ...]:
    """Return what asking for a code takes: 1 in a minute by account, 30 in an hour by network."""
    return (
        Allowance(name=f"recover/account/{digest_of(email)}", most=1, seconds=60.0),
        *_by_network("recover", address, most=30, seconds=_HOUR),
    )


def codes(address: str) -> tuple[Allowance, ...]:
    """Return what trying a code takes: 30 in 5 minutes by network."""
    return _by_network("code", address, most=30, seconds=_MINUTES)


def mail() -> tuple[Allowance, ...]:
    """Return what a mail about an account takes: 30 in an hour, of all together."""
    return (Allowance(name="mail", most=30, seconds=_HOUR),)


def trigger(address: str) -> tuple[Allowance, ...]:
    """Return what asking for a run without saying who asks takes: 10 in a minute by network."""
    return _by_network("trigger", address, most=10, seconds=60.0)


def trial_mail(account: str, address: str) -> tuple[Allowance, ...]:
    """Return what a test mail takes: 1 in 2 minutes by account, 10 in a minute by network."""
    return (
        Allowance(name=f"trial/account/{digest_of(account)}", most=1, seconds=120.0),
        *_by_network("trial", address, most=10, seconds=60.0),
        *mail(),
    )


def _by_network(what: str, address: str, *, most: int, seconds: float) -> tuple[Allowance, ...]:
    """Return the allowance of a network; whoever runs the command line has no limit."""
    if not address:
        return ()
    return (Allowance(name=f"{what}/network/{network_of(address)}", most=most, seconds=seconds),)


class Limits:
    """The allowances of one database.

    Args:
        db: the database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, wanted: tuple[Allowance, ...]) -> None:
        """Take one of each, or none of any.

        Raises:
            TooMany: one of them is used up; `retry_after` says for how long.
        """
        if not wanted:
            return
        async with self._transaction() as tx:
            wait = await allowances.take(tx, wanted)
        if wait > 0:
            raise TooMany("too many tries", hint=_hint(wait), retry_after=wait)

    async def give_back(self, wanted: tuple[Allowance, ...]) -> None:
        """Give back one of each: the try was a good one."""
        if wanted:
            async with self._transaction() as tx:
                await allowances.give_back(tx, wanted)

    def _transaction(self) -> AbstractAsyncContextManager[Connection]:
        return self._db.transaction()


def _hint(seconds: float) -> str:
    return f"try again in {max(1, round(seconds))} s"
