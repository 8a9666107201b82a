"""What every command shares: the global options, the settings, the app and the event loop."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import click

from scout_cli import config
from scout_cli.app import App
from scout_cli.config import Loaded

P = ParamSpec("P")
R = TypeVar("R")

Opener = Callable[..., AbstractAsyncContextManager[App]]
"""`App.open`, or what a test puts in its place as click's `obj`."""


class Session(NamedTuple):
    """One command line."""

    config: Path | None
    database: str | None
    opener: Opener

    def load(self) -> Loaded:
        """Return the settings and where they came from.

        Raises:
            ConfigError: a file, key or value that cannot be used.
        """
        return config.load(self.config, {"database_url": self.database})

    def run(self, work: Callable[[App], Awaitable[R]]) -> R:
        """Open the app, do `work` in it, close it.

        Args:
            work: receives the open app.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; `work` was cancelled and has cleaned up.
        """
        settings = self.load().settings

        async def with_app() -> R:
            async with self.opener(settings) as app:
                return await work(app)

        return drive(with_app)


def drive(work: Callable[[], Awaitable[R]]) -> R:
    """Run `work` in an event loop of its own; SIGTERM ends it as Ctrl-C does.

    Raises:
        KeyboardInterrupt: it was ended so; it was cancelled and has cleaned up.
    """

    async def cancellable() -> R:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work()

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def pass_session(
    command: Callable[Concatenate[Session, P], R],
) -> Callable[P, R]:
    """Hand the session to a command as its first argument."""

    @functools.wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        root = click.get_current_context().find_root()
        given: dict[str, Any] = root.params
        path = given["config"]
        session = Session(
            Path(path) if path is not None else None, given["database"], root.obj or App.open
        )
        return command(session, *args, **kwargs)

    return call
