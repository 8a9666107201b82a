"""The server's life: it listens, works beside it, and stops without losing anything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from scout_cli.core.models import Execution, Record
from scout_cli.errors import ConfigError, ScoutError
from scout_cli.server import logs, memory
from scout_cli.server.access import is_loopback
from scout_cli.server.calls import STOPPING
from scout_cli.server.door import Door, Limits
from scout_cli.server.under_way import UNDER_WAY
from scout_cli.service.listener import Ended
from scout_cli.service.scheduler import Planned
from scout_cli.service.worker import Worker

_CLOSE_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
"""Seconds that requests under way have to be answered once the server stops."""


class Place(Record, frozen=True, kw_only=True):
    """Where a server listens."""

    host: str
    port: int

    @property
    def private(self) -> bool:
        """Return whether only this machine reaches it."""
        return self.host == "localhost" or is_loopback(self.host)

    @property
    def url(self) -> str:
        """Return its address for a browser on this machine."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class Running(Record, frozen=True, kw_only=True):
    """A server that listens."""

    place: Place
    door: Door
    application: web.Application


@asynccontextmanager
async def listening(
    application: web.Application, place: Place, limits: Limits | None = None
) -> AsyncIterator[Running]:
    """Listen inside the block; afterwards take nothing new, and let what is under way be answered.

    Args:
        application: what answers.
        place: where; port 0 lets the system choose.
        limits: how many may come in.

    Raises:
        ConfigError: that address cannot be used, or something listens there.
    """
    runner = web.AppRunner(application, handle_signals=False, shutdown_timeout=_CLOSE_SECONDS)
    await runner.setup()
    assert runner.server is not None
    door = Door(runner.server, limits or Limits())
    try:
        server = await _bind(door, place)
        try:
            port = server.sockets[0].getsockname()[1]
            async with memory.giving_back():
                yield Running(
                    place=Place(host=place.host, port=port), door=door, application=application
                )
        finally:
            application[STOPPING].set()
            server.close()
            # aiohttp's own way to stop would hear nothing more of a body that is still coming.
            await application[UNDER_WAY].settle(_ANSWER_SECONDS)
            runner.server.pre_shutdown()  # those who wait between two requests are let go
            await runner.server.shutdown(_CLOSE_SECONDS)
    finally:
        await runner.cleanup()


async def _bind(door: Door, place: Place) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(door, place.host, place.port, backlog=512)
    except (OSError, socket.gaierror, OverflowError) as error:
        raise ConfigError(
            f"cannot listen on {place.host}:{place.port}: {getattr(error, 'strerror', error)}",
            hint="name another with --port or --host, or stop what listens there",
        ) from error


async def serve(running: Running, worker: Worker | None, stop: asyncio.Event) -> None:
    """Answer requests, and run what is due beside it, until `stop` is set.

    Args:
        running: the server.
        worker: the minute loop; None leaves it to another process.
        stop: set it to end: streams are told, runs have their grace, the rest is given back.
    """
    work: list[Callable[[asyncio.Event], Awaitable[Any]]] = [_until(running)]
    if worker is not None:
        work.append(worker.serve)
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(_ending_all(each, stop))


def _until(running: Running) -> Callable[[asyncio.Event], Awaitable[None]]:
    async def wait(stop: asyncio.Event) -> None:
        await stop.wait()
        running.application[STOPPING].set()

    return wait


async def _ending_all(work: Callable[[asyncio.Event], Awaitable[Any]], stop: asyncio.Event) -> None:
    """Do `work`; when it ends, whyever, the others end too."""
    try:
        await work(stop)
    finally:
        stop.set()


class LogListener:
    """Writes into the log what the worker of a server does."""

    async def planned(self, planned: Planned) -> None:
        """Say what a look at the clock found, if it found anything."""
        if planned != Planned():
            found = {name: getattr(planned, name) for name in planned.__struct_fields__}
            logs.note("planned", **{name: count for name, count in found.items() if count})

    async def started(self, execution: Execution, title: str) -> None:
        """Say that a run begins."""
        logs.note("run started", title=title, execution=str(execution.id))

    async def event(self, execution: Execution, event: object) -> None:
        """Pass over what agents say: it is in the database."""

    async def ended(self, ended: Ended) -> None:
        """Say how a run ended."""
        logs.note(
            "run ended",
            execution=str(ended.execution.id),
            scout=str(ended.execution.scout_id),
            outcome=ended.outcome,
            seconds=round(ended.seconds, 1),
            **({"why": ended.message} if ended.message else {}),
        )

    async def trouble(self, error: ScoutError) -> None:
        """Say what is tried again."""
        logs.warn(error.message, code=error.code)
