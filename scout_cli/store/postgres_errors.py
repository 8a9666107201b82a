"""What PostgreSQL and its driver say, in scout's words; values and passwords never come along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from scout_cli.errors import (
    ConfigError,
    Conflict,
    DatabaseUnavailable,
    InvalidInput,
    NotFound,
    ScoutError,
)
from scout_cli.store.postgres_url import Address

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
    OSError,
)
_AWAY = (
    asyncpg.ObjectNotInPrerequisiteStateError,  # it takes no connections, or is being dropped
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.PostgresSystemError,
)
"""What a pool hears that connects again, although the first connection was made."""
_BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.TooManyConnectionsError,
)
_LOGIN = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)


@contextmanager
def translated() -> Iterator[None]:
    """Raise scout's own error for what the driver reports; a mistake in SQL text stays as it is."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *_LOST) as error:
        ours = _ours(error)
        if ours is None:
            raise
        raise ours from error


def _ours(error: Exception) -> ScoutError | None:
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError):
        return DatabaseUnavailable("the database took too long to answer", hint="try again")
    if isinstance(error, _BUSY):
        return DatabaseUnavailable("the database is too busy", hint="try again")
    if isinstance(error, asyncpg.DiskFullError):
        return DatabaseUnavailable(
            "the disk of the database is full", hint="free some space there", retryable=False
        )
    if isinstance(error, _AWAY):
        return DatabaseUnavailable("the database lets nobody in just now", hint="try again")
    if isinstance(error, _LOST) or _closed(error):
        return DatabaseUnavailable("the connection to the database was lost", hint="try again")
    return _refusal(error)


def _closed(error: Exception) -> bool:
    # The driver has no class of its own for a connection or pool that is closed or closing.
    return (
        isinstance(error, asyncpg.InterfaceError)
        and not isinstance(error, ValueError)
        and "clos" in str(error)
    )


def _refusal(error: Exception) -> ScoutError | None:
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return _constraint(error)
    if isinstance(error, asyncpg.DataError) or _beyond_the_column(error):
        return InvalidInput("the database cannot store a value of that form")
    if isinstance(error, asyncpg.ProgramLimitExceededError):
        return InvalidInput("a value is too big to be stored")
    return _schema(error)


def _beyond_the_column(error: Exception) -> bool:
    # The driver's own check of integers; its other complaints about types are mistakes of ours.
    return isinstance(error, ValueError) and "out of" in str(error)


def _constraint(error: asyncpg.PostgresError) -> ScoutError:
    if isinstance(error, asyncpg.UniqueViolationError):
        return Conflict(f"it is already there ({error.constraint_name})")
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return NotFound("it belongs to something that is not there (any more)")
    where = error.constraint_name or error.column_name
    return InvalidInput(f"the database refuses a value ({where})")


def _schema(error: Exception) -> ScoutError | None:
    if isinstance(error, asyncpg.UndefinedTableError):
        return DatabaseUnavailable(
            "the database has no tables of this version of scout",
            hint="run `scout init-db`",
            retryable=False,
        )
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return DatabaseUnavailable(
            "this user may not do that in the database",
            hint="make the user its owner: ALTER DATABASE name OWNER TO user",
            retryable=False,
        )
    return None


def unreachable(error: Exception, address: Address) -> ScoutError:
    """Return why a first connection failed, with what to do.

    Args:
        error: what the driver raised while connecting.
        address: where to.
    """
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return DatabaseUnavailable(
            f"{address.shown}: there is no such database",
            hint=f"create it: createdb {address.database}",
            retryable=False,
        )
    if isinstance(error, _LOGIN):
        return DatabaseUnavailable(
            f"{address.shown}: the server refuses this user or password",
            hint="check user and password in database_url",
            retryable=False,
        )
    if isinstance(
        error, ValueError | asyncpg.CantChangeRuntimeParamError | asyncpg.UndefinedObjectError
    ):
        return ConfigError(
            f"database_url: {address.shown} has a parameter that PostgreSQL does not know",
            hint="remove what follows the question mark",
        )
    return DatabaseUnavailable(
        f"{address.shown}: no PostgreSQL server answers there",
        hint="start it, or use a file: SCOUT_DATABASE_URL=sqlite:///scout.db",
    )
