"""How queued executions come to workers, chosen by the scheme of a URL; one file per provider.

Known are
local://                    workers claim from the database themselves
local://?concurrency=4      the same, four executions at a time
procrastinate://            a queue on the same PostgreSQL carries their ids to many machines
"""

from __future__ import annotations

from importlib.util import find_spec

from scout_cli import plug
from scout_cli.core.ports import Executor
from scout_cli.errors import ConfigError, MissingPackage

SCHEMES = {
    "local": "scout_cli.execute.local:open_local",
    "procrastinate": "scout_cli.execute.procrastinate:open_procrastinate",
}


def open_executor(url: str, dsn: str) -> Executor:
    """Return the executor that the setting `execute_url` names. Nothing is connected yet.

    Args:
        url: the value of the setting.
        dsn: the PostgreSQL URL of the database, for drivers; empty for SQLite.

    Raises:
        ConfigError: no such scheme, a URL that cannot be used, or a database that it cannot use.
        MissingPackage: its package is not installed.
    """
    if plug.scheme_of(url) == "procrastinate":
        if not dsn:
            raise ConfigError(
                "execute_url: procrastinate:// needs PostgreSQL, and database_url names a file",
                hint="execute_url = local://, or another database_url",
            )
        if find_spec("procrastinate") is None:
            raise MissingPackage(
                "execute_url: procrastinate:// needs a package that is not installed",
                hint="pip install 'scout-watch[distributed]'",
                retryable=False,
            )
    executor: Executor = plug.load(url, SCHEMES, setting="execute_url")(url, dsn)
    return executor
