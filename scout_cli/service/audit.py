"""The log of who did what, written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.store import audit
from scout_cli.store.audit import Line, Wanted
from scout_cli.store.database import Connection, Database

__all__ = [
    "COMMAND_LINE",
    "Asker",
    "Audit",
    "Deed",
    "Line",
    "Verdict",
    "Wanted",
    "user_actor",
    "write",
]

_EVERY = Wanted()
_PAGE = 1_000


class Asker(Record, frozen=True, kw_only=True):
    """From where something is asked, for limits and the log."""

    address: str = ""
    """An IP address; empty for the command line."""
    agent: str = ""
    """How the program introduces itself."""
    request_id: str = ""
    actor: str = ""
    """Who does it: `user ID`, `token ID`, `command line`; empty for somebody unknown."""


COMMAND_LINE = Asker(actor="command line")
"""Whoever may open the database."""


def user_actor(user_id: UUID) -> str:
    """Return how the log names somebody who signed in."""
    return f"user {user_id}"


class Deed(Record, frozen=True, kw_only=True):
    """One thing that was done, or was refused."""

    action: str
    """A short name, such as `login` or `scout.remove`."""
    user_id: UUID | None = None
    """Whose account or rows it is about."""
    target: str = ""
    """What it was done to, such as a scout's id; never a secret."""
    result: str = "done"
    """`done`, or why not."""


class Verdict(Record, frozen=True, kw_only=True):
    """Whether the log is whole."""

    lines: int
    broken_at: int | None = None
    """The first line that is not as it was written, or follows a gap; None when all is well."""

    @property
    def whole(self) -> bool:
        """Return whether nothing was changed, taken out or cut off at the end."""
        return self.broken_at is None


class Audit:
    """The log of one database.

    Args:
        db: the database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def write(
        self,
        tx: Connection,
        action: str,
        asker: Asker,
        *,
        user_id: UUID | None = None,
        target: str = "",
        result: str = "done",
    ) -> None:
        """Inside the transaction of a change: say who did what; see `Deed` and `write`."""
        deed = Deed(action=action, user_id=user_id, target=target, result=result)
        await write(tx, asker, [deed])

    async def note(
        self,
        action: str,
        asker: Asker,
        *,
        user_id: UUID | None = None,
        target: str = "",
        result: str = "done",
    ) -> None:
        """Write a line about something that changed nothing, in a transaction of its own."""
        async with self._db.transaction() as tx:
            await self.write(tx, action, asker, user_id=user_id, target=target, result=result)

    async def list(self, wanted: Wanted = _EVERY, *, limit: int = 100) -> Sequence[Line]:
        """Return at most `limit` lines, newest first."""
        return await audit.listing(self._db, wanted, limit)

    async def verify(self) -> Verdict:
        """Read the whole log again and tell whether it is as it was written.

        The oldest line that is left is believed: those before it went with their age.
        """
        last, newest = await audit.newest(self._db)
        before: str | None = None
        number = lines = 0
        while found := await audit.following(self._db, number, _PAGE):
            for line in found:
                first = before is None
                expected = line.hash if first and line.number > 1 else _hash(before or "", line)
                if expected != line.hash or not (first or line.number == number + 1):
                    return Verdict(lines=lines, broken_at=line.number)
                before, number, lines = line.hash, line.number, lines + 1
        if lines and (number, before) != (last, newest):
            return Verdict(lines=lines, broken_at=number + 1)
        return Verdict(lines=lines)


async def write(tx: Connection, asker: Asker, deeds: Iterable[Deed]) -> None:
    """Inside the transaction of a change: say who did what. Others who write wait for its end.

    Args:
        tx: the transaction; write last in it.
        asker: who, and from where.
        deeds: what was done; for none nothing is written.
    """
    deeds = list(deeds)
    if not deeds:
        return
    now = await tx.now()
    last, before = await audit.head(tx, now)
    lines = []
    for number, deed in enumerate(deeds, last + 1):
        line = _line(number, now, asker, deed)
        before = _hash(before, line)
        lines.append(replace(line, hash=before))
    await audit.add(tx, lines)


def _line(number: int, at: datetime, asker: Asker, deed: Deed) -> Line:
    return Line(
        number=number,
        at=at,
        user_id=deed.user_id,
        actor=asker.actor,
        action=deed.action,
        target=deed.target[:200],
        result=deed.result[:200],
        address=asker.address,
        request_id=asker.request_id,
        hash="",
    )


def _hash(before: str, line: Line) -> str:
    said = [
        before,
        line.number,
        line.at.isoformat(timespec="microseconds"),
        str(line.user_id or ""),
        *(line.actor, line.action, line.target, line.result, line.address, line.request_id),
    ]
    return sha256(shape.encode(said)).hexdigest()
