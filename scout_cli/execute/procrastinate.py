"""Procrastinate: a queue on the database's own PostgreSQL that spreads ids over many machines.

A job is the id of one execution and nothing else. The lease and the fence of the execution decide
who runs it; a job that comes twice, late, or to two workers does no harm, and one that is lost is
offered again. Its tables stand in a schema of their own, `scout_jobs`.

Source: https://procrastinate.readthedocs.io/ (version 3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit
from uuid import UUID

import procrastinate
import psycopg
from procrastinate import connector, exceptions, jobs, schema
from psycopg import pq

from scout_cli.errors import DatabaseUnavailable
from scout_cli.execute.address import concurrency_of

SCHEMA = "scout_jobs"
QUEUE = "scouts"
TASK = "scout"

_HEARTBEAT = 10.0
"""Seconds between two signs of life of a worker."""
_STALLED = 30.0
"""Seconds without one after which its jobs are forgotten."""
_POLL = 2.0
"""Seconds between two looks when no notification comes."""
_CONNECT = 10.0
_LEAVE = 0.2
"""Seconds for which a worker that lost its connection waits for its jobs: they run on alone."""
_BATCH = 200
_MISSING = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
)
_ALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""libpq's words for noticing within half a minute that the network was cut."""

_GONE = (exceptions.ConnectorException, exceptions.AppNotOpen)
"""What the queue raises while its connections are lost, and after they were given up."""

# What goes wrong is told in scout's own two lines; the packages would add tracebacks.
for _name in ("procrastinate", "psycopg", "psycopg.pool"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


def _told(record: logging.LogRecord) -> bool:
    """Return whether asyncio may print a record: not of jobs whose end could not be noted.

    Their executions ended by lease and fence, and a job that stays behind is forgotten.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, _GONE)


logging.getLogger("asyncio").addFilter(_told)


class _Connector(procrastinate.PsycopgConnector):
    """Gives its pool up with the connection that listens: the server has left all of them.

    The pool itself would look for the server at ever longer intervals, and let jobs wait for it.
    """

    @property
    def is_closed(self) -> bool:
        """Return whether the pool was given up, so that another one is needed."""
        try:
            return self.pool.closed
        except exceptions.AppNotOpen:
            return True

    async def listen_notify(
        self, on_notification: connector.Notify, channels: Iterable[str]
    ) -> None:
        """Tell of new jobs until the connection is lost."""
        try:
            await super().listen_notify(on_notification, channels)
        except exceptions.ConnectorException:
            await self.pool.close(timeout=0)
            raise


async def _one_statement_each(connection: psycopg.AsyncConnection) -> None:
    """Save the round trips around each statement: Procrastinate's are functions, all of them."""
    await connection.set_autocommit(True)


class Procrastinate:
    """The queue of one PostgreSQL database.

    Args:
        dsn: where it is.
        concurrency: executions at the same time in one worker; None for the setting's.
    """

    name = "procrastinate"

    def __init__(self, dsn: str, concurrency: int | None) -> None:
        self._concurrency = concurrency
        self._take: Callable[[UUID], Awaitable[None]] | None = None
        self._address = connection_of(dsn)
        self._connector = _Connector(
            conninfo=self._address,
            min_size=1,
            max_size=4,
            timeout=_CONNECT,
            reconnect_timeout=_CONNECT,
            configure=_one_statement_each,
        )
        self._app = procrastinate.App(connector=self._connector)
        self._app.task(name=TASK, queue=QUEUE)(self._do)
        self._opening = asyncio.Lock()
        self._open = False

    @property
    def concurrency(self) -> int | None:
        """Return how many executions a worker runs at the same time; None for the setting's."""
        return self._concurrency

    @property
    def tables(self) -> str:
        """Return the SQL that makes its tables, for a schema of their own."""
        text: str = schema.SchemaManager.get_schema()
        return text

    async def offer(self, ids: Sequence[UUID]) -> None:
        """Bring executions to the workers; one that is on its way already is not brought twice.

        Raises:
            DatabaseUnavailable: the database does not answer, or lacks the tables.
        """
        for at in range(0, len(ids), _BATCH):
            await self._offer([_job(each) for each in ids[at : at + _BATCH]])

    async def _offer(self, made: list[jobs.Job]) -> None:
        """Defer jobs in one statement, or singly where another process was faster with some."""
        async with self._connected():
            try:
                await self._app.job_manager.batch_defer_jobs_async(made)
            except exceptions.AlreadyEnqueued:
                if len(made) == 1:
                    return
            else:
                return
        for each in made:
            await self._offer([each])

    async def work(
        self, take: Callable[[UUID], Awaitable[None]], concurrency: int, *, stays: bool
    ) -> None:
        """Give `take` one execution after the other; see `core.ports.Executor`.

        Raises:
            DatabaseUnavailable: the database does not answer; call it again.
        """
        self._take = take
        # Without end, a queue that is gone ends the waiting; else its jobs do.
        more: dict[str, Any] = {"shutdown_graceful_timeout": _LEAVE} if stays else {}
        async with self._connected():
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                wait=stays,
                install_signal_handlers=False,
                delete_jobs="always",
                fetch_job_polling_interval=_POLL,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=_STALLED,
                **more,
            )

    async def tidy(self) -> None:
        """Forget the jobs of workers that went away.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        async with self._connected():
            left = await self._app.job_manager.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=_STALLED
            )
            for job in left:
                await self._forget(job)

    async def _forget(self, job: jobs.Job) -> None:
        try:
            await self._app.job_manager.finish_job(
                job=job, status=jobs.Status.FAILED, delete_job=True
            )
        except exceptions.ConnectorException as error:
            # Its worker was only slow, and has ended it a moment ago.
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise

    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""
        async with self._opening:
            if self._open:
                self._open = False
                await self._app.close_async()

    async def _do(self, execution_id: str) -> None:
        assert self._take is not None
        await self._take(UUID(execution_id))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        try:
            async with self._opening:
                if not self._open:
                    await self._reached()
                    self._open = True
                    await self._app.open_async()
            yield
        except (*_GONE, psycopg.Error, OSError) as error:
            if self._connector.is_closed:
                await self.close()
            raise _lost(error) from error

    async def _reached(self) -> None:
        """Fail at once where the server does not answer; a pool would go on trying."""
        async with await psycopg.AsyncConnection.connect(self._address):
            pass


def open_procrastinate(url: str, dsn: str) -> Procrastinate:
    """Return the executor of a `procrastinate://` URL on the database at `dsn`.

    Raises:
        ConfigError: the URL says more than a number of executions.
    """
    return Procrastinate(dsn, concurrency_of(url))


def connection_of(dsn: str) -> str:
    """Return a database URL as libpq reads it, its tables looked for in the schema of their own.

    Args:
        dsn: with parameters of libpq and, as the other driver has them, of the server.
    """
    known = {each.keyword.decode() for each in pq.Conninfo.get_defaults()}
    parts = urlsplit(dsn)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    of_server = {name: value for name, value in given.items() if name not in known}
    of_server["search_path"] = SCHEMA
    options = " ".join(f"-c {name}={_escaped(value)}" for name, value in of_server.items())
    kept = {name: value for name, value in given.items() if name in known}
    words = {**_ALIVE, "application_name": "scout/jobs", **kept}
    words["options"] = f"{kept.get('options', '')} {options}".strip()
    return str(urlunsplit(parts._replace(query=urlencode(words, quote_via=quote))))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _job(execution_id: UUID) -> jobs.Job:
    return jobs.Job(
        queue=QUEUE,
        lock=None,
        queueing_lock=str(execution_id),
        task_name=TASK,
        task_kwargs={"execution_id": str(execution_id)},
    )


def _lost(error: Exception) -> DatabaseUnavailable:
    cause = error.__cause__ if isinstance(error, exceptions.ConnectorException) else error
    if isinstance(cause, _MISSING):
        return DatabaseUnavailable(
            "the database has no tables for procrastinate://",
            hint="run `scout init-db`",
            retryable=False,
        )
    return DatabaseUnavailable("the queue's database does not answer", hint="scout tries again")
