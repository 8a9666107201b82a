"""What the rest of scout may ask of a database, the same for SQLite and PostgreSQL.

The adapters own the types: aware datetimes, UUIDs, booleans, bytes and JSON go in and come out the
same. SQL text is one for both, with `$1, $2, ...` for values, and these portable spellings:
`lower(x) LIKE lower($1)`, `CAST($1 AS TEXT) IS NULL`, `NULLS LAST` said aloud.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.errors import ScoutError

T = TypeVar("T")

Kind = Literal["sqlite", "postgresql"]


class Json(Record, frozen=True):
    """Marks an argument as a JSON document: an object, an array, or None for NULL."""

    value: Any


class Statement(Record, frozen=True):
    """One statement of several that belong together."""

    sql: str
    args: tuple[Any, ...] = ()
    otherwise: Callable[[], ScoutError] | None = None
    """Makes the error to raise when the statement neither returns nor changes a row."""


class Described(Record, frozen=True, kw_only=True):
    """What a database is, for people."""

    kind: Kind
    version: str
    location: str
    """A file or a URL, never with a password."""
    size_bytes: int | None = None


class Connection(Protocol):
    """A database, or one transaction of it: the functions of this package take either.

    `of` is what a row becomes: a Record whose field names are column names (further columns are
    ignored), or a scalar type for the first column. A field of a container, Struct or Any type is
    a JSON column.

    Every method raises `InvalidInput` for a value that cannot be stored (NUL or a lone surrogate
    in text, a naive datetime, NaN, an integer beyond 64 bits), `Conflict` for a second row with
    the same key, `NotFound` for a reference to a row that is not there, and `DatabaseUnavailable`
    when the database does not answer.
    """

    @property
    def kind(self) -> Kind:
        """Return which of the two it is; for migrations and messages, never for queries."""
        ...

    @property
    def vault(self) -> Any:
        """Return what seals and opens secrets (`sealing.Vault`); None without keys."""
        ...

    @property
    def skip_locked(self) -> str:
        """Return the suffix of a SELECT that claims rows, empty where writers are alone."""
        ...

    @property
    def share_lock(self) -> str:
        """Return the suffix of a SELECT whose rows must not change before the transaction ends."""
        ...

    @property
    def update_lock(self) -> str:
        """Return the suffix of a SELECT whose rows the transaction is about to change."""
        ...

    @property
    def present(self) -> str:
        """Return SQL for the present moment, empty where only `now` tells it."""
        ...

    async def rows(self, sql: str, args: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Return every row by column name, its values as the driver brings them."""
        ...

    async def all(self, of: type[T], sql: str, *args: Any) -> list[T]:
        """Return every row."""
        ...

    async def one(self, of: type[T], sql: str, *args: Any) -> T | None:
        """Return the first row, or None."""
        ...

    async def value(self, of: type[T], sql: str, *args: Any) -> T | None:
        """Return the first column of the first row, or None."""
        ...

    async def execute(self, sql: str, *args: Any) -> int:
        """Run one statement and return how many rows it changed."""
        ...

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of arguments, all or none."""
        ...

    async def together(self, *statements: Statement) -> None:
        """Run statements one after the other, all or none: a transaction known in advance.

        Cheaper than `transaction()` where nothing is decided in between: SQLite runs all of them
        in one turn of its thread, and commits what several tasks bring at the same time at once.

        Raises:
            ScoutError: what `otherwise` of the first statement without a row makes.
        """
        ...

    async def script(self, sql: str) -> None:
        """Run several statements without arguments."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Open a transaction; inside one, a savepoint.

        It commits at the end of the block and rolls back on any exception, cancellation included.
        On SQLite it is the only writer of this process until then: wait for nothing else inside.
        """
        ...

    async def now(self) -> datetime:
        """Return the present moment: PostgreSQL's clock there, else the injected one."""
        ...

    def uuid(self) -> UUID:
        """Return a fresh identifier from the injected clock."""
        ...

    async def has_table(self, name: str) -> bool:
        """Return whether a table of this name exists."""
        ...

    async def lock_schema(self) -> None:
        """Inside a transaction: wait until no other process migrates, and keep them waiting."""
        ...


class Watch(Protocol):
    """Notices commits of any process; a false alarm is possible, a missed one is not."""

    async def wait(self, seconds: float) -> None:
        """Return when something may have been committed, at the latest after so many seconds."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class Database(Connection, Protocol):
    """An open database; also a `Connection` that commits after every statement."""

    vault: Any

    async def describe(self) -> Described:
        """Return kind, version, place and size."""
        ...

    def watch(self) -> Watch:
        """Return what notices commits, on a connection of its own; the caller closes it."""
        ...

    async def close(self) -> None:
        """Give back every connection. Closing twice is harmless."""
        ...
