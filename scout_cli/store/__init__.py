"""Where scout keeps what it knows: the only package with SQL text.

Functions live one module per aggregate (`scouts`, `executions`, `findings`, ...), take a
`Connection` first, and work the same on a database and inside one of its transactions. Importing
this package imports no driver; opening a URL imports the one it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scout_cli.plug import load

if TYPE_CHECKING:  # Tab, which only reads names, needs neither ciphers nor records
    from scout_cli.core.ports import Clock
    from scout_cli.store.database import Connection, Database, Described
    from scout_cli.store.sealing import Vault

__all__ = ["SCHEMES", "Connection", "Database", "Described", "open_database"]

SCHEMES = {
    "sqlite": "scout_cli.store.sqlite:open_sqlite",
    "postgresql": "scout_cli.store.postgres:open_postgres",
    "postgres": "scout_cli.store.postgres:open_postgres",
}


def __getattr__(name: str) -> Any:
    """Return a type of `database` when it is first asked for."""
    if name not in ("Connection", "Database", "Described"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from scout_cli.store import database  # noqa: PLC0415 - see above

    return getattr(database, name)


async def open_database(url: str, clock: Clock, vault: Vault | None = None) -> Database:
    """Connect to the database that `url` names; its tables are `migrate`'s business.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`.
        clock: tells SQLite the time and both databases their new identifiers. A clock with a true
            attribute `frozen` also overrides PostgreSQL's own.
        vault: seals and opens secrets; without one they are stored as they are.

    Raises:
        ConfigError: the URL cannot be used.
        MissingPackage: its driver is not installed.
        DatabaseUnavailable: it cannot be reached, opened or trusted.
    """
    factory = load(url, SCHEMES, setting="database_url")
    database: Database = await factory(url, clock)
    database.vault = vault
    return database
