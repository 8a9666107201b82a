"""The parent's end of the browser: one page at a time, killed when late, replaced when it dies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from scout_cli.fetch import groups, launching, offspring
from scout_cli.fetch.offspring import Child
from scout_cli.fetch.show import Bounds
from scout_cli.fetch.wire import Begin, Ready, Render, Rendered
from scout_cli.net.guard import Guard
from scout_cli.net.proxy import FilteringProxy
from scout_cli.net.traffic import Traffic

Arguments = Callable[..., tuple[str, ...]]
"""Given the proxy's address and `pictures`, what the browser is started with."""

_MORE = {"died": 1, "absent": 1, "killed": 10}
"""Further tries for one page. Two deaths at work may be the page's doing, and a browser that cannot
start will not; but no page has killed what was still starting."""
_GLANCE = 0.2
"""Seconds between two looks at how much memory a page takes."""


class BrowserFailed(Exception):
    """The browser showed nothing.

    Args:
        kind: `timeout` it took too long, `died` it broke off, `absent` it did not start, `killed`
            something ended it while it started, `memory` the page wanted too much.
        detail: for people, one line.
    """

    def __init__(
        self, kind: Literal["timeout", "died", "absent", "killed", "memory"], detail: str
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class _Running:
    """A browser that is up."""

    def __init__(self, child: Child, proxy: FilteringProxy) -> None:
        self.child = child
        self.proxy = proxy
        self.pages = 0
        self.empty = 0
        """Bytes that it takes without a page."""
        self.excess = False

    @property
    def groups(self) -> list[int]:
        return groups.recorded(self.child.folder)

    async def end(self) -> None:
        self.child.kill()
        await self.child.collect()
        await self.proxy.__aexit__(None, None, None)


class Browser:
    """Renders pages in a browser that is started once and replaced when it fails or is worn.

    Args:
        guard: decides what the browser may reach.
        agent: how scout introduces itself.
        program: a Chromium.
        pictures: take one of each page; images are loaded for it.
        bounds: of pages and of browsers.
        arguments: makes what the browser is started with.
    """

    def __init__(
        self,
        guard: Guard,
        agent: str,
        program: Path,
        *,
        pictures: bool = False,
        bounds: Bounds | None = None,
        arguments: Arguments = launching.arguments,
    ) -> None:
        self._guard = guard
        self._agent = agent
        self._program = program
        self._pictures = pictures
        self._bounds = bounds or Bounds()
        self._arguments = arguments
        self._lock = asyncio.Lock()
        self._running: _Running | None = None
        self._closed = False

    @property
    def folder(self) -> Path | None:
        """Return the folder of the browser that runs, None when none does."""
        return self._running.child.folder if self._running else None

    async def render(self, url: str, *, language: str = "") -> tuple[Rendered, Traffic]:
        """Show one page and return its document, and what it asked of the network.

        When the browser breaks off, at work or while it starts, a fresh one has another try, as
        long as the time of one page, all tries together, is not over.

        Raises:
            BrowserFailed: nothing was shown.
        """
        order = Render(url=url, language=language, picture=self._pictures)
        async with self._lock:
            now = asyncio.get_running_loop().time
            until, left = now() + self._bounds.page, dict(_MORE)
            try:
                return await self._once(order)
            except BrowserFailed as failed:
                last = failed
            while left.get(last.kind) and not self._closed and now() < until:
                left[last.kind] -= 1
                try:
                    async with asyncio.timeout_at(until):
                        return await self._once(order)
                except BrowserFailed as failed:
                    last = failed
                except TimeoutError:
                    break
            raise last

    async def warm_up(self) -> None:
        """Start the browser.

        Raises:
            BrowserFailed: it does not start.
        """
        async with self._lock:
            if self._running is None:
                await self._begin()

    async def close(self) -> None:
        """End the browser; a page that is being shown fails, and no other is begun."""
        self._closed = True
        await self._end()

    async def rest(self) -> None:
        """End the browser for now; the next page starts another."""
        async with self._lock:
            await self._end()

    async def _once(self, order: Render) -> tuple[Rendered, Traffic]:
        running = self._running or await self._begin()
        if running.child.process.returncode is not None:
            await self._end()
            running = await self._begin()
        traffic = Traffic()
        running.proxy.begin(traffic)
        watch = asyncio.create_task(self._watch(running))
        answered = False
        try:
            rendered = await self._ask(running, order)
            answered = True
        finally:
            watch.cancel()
            await asyncio.wait({watch})
            running.proxy.end()
            running.pages += 1
            if not answered or running.pages >= self._bounds.pages:
                await self._end()
        return rendered, traffic

    async def _ask(self, running: _Running, order: Render) -> Rendered:
        bounds = self._bounds
        try:
            async with asyncio.timeout(bounds.page):
                rendered = await running.child.ask(order, Rendered)
        except TimeoutError as error:
            raise BrowserFailed(
                "timeout", f"the browser was not done with it after {bounds.page:g} s"
            ) from error
        except (EOFError, OSError, ValueError, msgspec.MsgspecError) as error:
            raise self._broken(running) from error
        if rendered.ending == "crashed":
            raise self._broken(running)
        return rendered

    def _broken(self, running: _Running) -> BrowserFailed:
        if running.excess:
            most = self._bounds.memory / 1024 / 1024
            return BrowserFailed("memory", f"it takes the browser more than {most:.0f} MiB")
        return BrowserFailed("died", f"the browser broke off{running.child.last_words()}")

    async def _begin(self) -> _Running:
        if self._closed:
            raise BrowserFailed("absent", "the browser is closed")
        proxy = await FilteringProxy(self._guard).__aenter__()
        try:
            child = await offspring.start("browser_child", kind="browser")
        except BaseException:  # a cancellation too: nobody else ends it
            await proxy.__aexit__(None, None, None)
            raise
        running = self._running = _Running(child, proxy)
        begun = False
        try:
            await self._told(running)
            begun = not self._closed
        except (EOFError, OSError, ValueError, msgspec.MsgspecError) as error:
            killed = not isinstance(error, TimeoutError) and await child.was_killed()
            said = child.last_words()
            raise BrowserFailed(
                "killed" if killed else "absent", f"the browser did not start{said}"
            ) from error
        finally:
            if not begun:
                await self._end()
        if self._closed:  # meanwhile
            raise BrowserFailed("absent", "the browser is closed")
        return running

    async def _told(self, running: _Running) -> None:
        """Tell the child how to start the browser, and wait until it has."""
        folder = running.child.folder
        groups.record(folder, running.child.process.pid)
        begin = Begin(
            program=str(launching.launcher(folder, self._program)),
            arguments=self._arguments(running.proxy.url, pictures=self._pictures),
            sandbox=os.geteuid() != 0,  # Chromium has none for root
            agent=self._agent,
        )
        async with asyncio.timeout(self._bounds.start):
            await running.child.ask(begin, Ready)
        running.empty = await asyncio.to_thread(groups.memory, *running.groups)

    async def _watch(self, running: _Running) -> None:
        """Kill the browser when its page makes it grow beyond bounds."""
        while True:
            await asyncio.sleep(_GLANCE)
            grown = await asyncio.to_thread(groups.memory, *running.groups) - running.empty
            if grown > self._bounds.memory:
                running.excess = True
                running.child.kill()
                await asyncio.to_thread(groups.end, running.child.folder)
                return

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await asyncio.shield(running.end())
