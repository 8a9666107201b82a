"""robots.txt: what the owners of a site let programs read (RFC 9309).

A missing file lets everything in; a host that cannot answer for it lets nothing in, for a while.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from protego import Protego
from yarl import URL

from scout_cli.core.models import Record
from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions

TOKEN = "scout"  # noqa: S105 - the product token of RFC 9309, no secret
"""The name that rules for scout begin with: `User-agent: scout`."""
SIZE = 512 * 1024
"""Bytes that are read of a file; what is beyond is ignored (RFC 9309, section 2.5)."""
LONGEST_DELAY = 10.0
"""Seconds between two requests that a site may ask for with Crawl-delay, which is no part of RFC
9309. More is meant for programs that take whole sites; scout reads a few pages of each."""
LONGEST_KEPT = 64 * 1024
"""Characters of a file that is kept for other processes; who writes more is asked by each."""
KEPT_SECONDS = 24 * 3_600.0
"""How long a file is good for (RFC 9309, section 2.4)."""
_UNREACHABLE_SECONDS = 300.0
_MOST_HOSTS = 512
_LIMITS = Limits(cut=SIZE, headers=10.0, total=15.0)
_LARGE = 20_000
"""Characters from which on parsing is left to a thread."""
_AGENT = re.compile(r"\s*user[\s-]*agent(?:\s*:|\s)\s*([^#]*)", re.IGNORECASE)
_HINT = "The site asks programs to stay away. Look for a feed of it, or exclude it."


class Kept(Record, frozen=True, kw_only=True):
    """A file that another process has asked for."""

    text: str
    """Empty where there is none."""
    age: float
    """Seconds since then."""


class Shelf(Protocol):
    """Where files outlive a process: whoever is started by cron would ask anew each time."""

    async def get(self, origin: str) -> Kept | None:
        """Return what `origin` said, None when nobody has asked lately."""
        ...

    async def put(self, origin: str, text: str) -> None:
        """Keep what `origin` said just now."""
        ...


class _Rules:
    """What one origin said.

    Args:
        parsed: its file; None for a host that could not answer.
        until: the moment, in monotonic seconds, from which it is asked again.
    """

    def __init__(self, parsed: Protego | None, until: float) -> None:
        self.parsed = parsed
        self.until = until

    @property
    def delay(self) -> float:
        """Return the seconds between two requests that it asks for, 0 when it does not."""
        asked = (self.parsed.crawl_delay(TOKEN) if self.parsed else None) or 0.0
        return min(max(0.0, asked), LONGEST_DELAY)


class Robots:
    """The rules of the sites that are read, each asked for once a day.

    Args:
        sessions: fetches the files, through the guard like everything else, and keeps the pace.
        now: monotonic seconds.
        shelf: keeps files beyond this process; None for nowhere.
    """

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], float] = monotonic,
        shelf: Shelf | None = None,
    ) -> None:
        self._sessions = sessions
        self._now = now
        self._shelf = shelf
        self._known: OrderedDict[str, _Rules] = OrderedDict()
        self._asking: dict[str, asyncio.Task[_Rules]] = {}

    async def permit(self, target: URL) -> None:
        """Return when `target` may be read.

        Raises:
            FetchFailed: kind `robots`: its site says no, or cannot say.
        """
        origin = str(target.origin())
        rules = await self._rules(origin)
        host = target.host or ""
        if rules.parsed is None:
            raise FetchFailed(
                "robots",
                f"{host} could not answer for its robots.txt, which means no",
                hint="Try again later.",
                final_url=str(target),
            )
        if not rules.parsed.can_fetch(str(target), TOKEN):
            raise FetchFailed(
                "robots",
                f"{host} lets no program read this page (robots.txt)",
                hint=_HINT,
                final_url=str(target),
            )
        if rules.delay:
            self._sessions.pace.space(target.raw_host or "", rules.delay)

    async def close(self) -> None:
        """Give up what is being asked."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _rules(self, origin: str) -> _Rules:
        known = self._known.get(origin)
        if known is not None and self._now() < known.until:
            self._known.move_to_end(origin)
            return known
        # One question per site, whoever asks meanwhile waits for it; a caller that is cancelled
        # does not take it away from the others.
        asking = self._asking.get(origin)
        if asking is None:
            asking = self._asking[origin] = asyncio.create_task(self._ask(origin))
            asking.add_done_callback(lambda _: self._asking.pop(origin, None))
        return await asyncio.shield(asking)

    async def _ask(self, origin: str) -> _Rules:
        rules = self._known[origin] = await self._kept(origin) or await self._fresh(origin)
        while len(self._known) > _MOST_HOSTS:
            self._known.popitem(last=False)
        return rules

    async def _kept(self, origin: str) -> _Rules | None:
        kept = await self._shelf.get(origin) if self._shelf else None
        if kept is None or not 0 <= kept.age < KEPT_SECONDS:
            return None
        return _Rules(await _parsed(kept.text), self._now() + KEPT_SECONDS - kept.age)

    async def _fresh(self, origin: str) -> _Rules:
        text = await self._fetched(origin)
        if text is None:
            return _Rules(None, self._now() + _UNREACHABLE_SECONDS)
        if self._shelf and len(text) <= LONGEST_KEPT:
            await self._shelf.put(origin, text)
        return _Rules(await _parsed(text), self._now() + KEPT_SECONDS)

    async def _fetched(self, origin: str) -> str | None:
        """Return the file of a site, empty when it has none; None when it could not be asked."""
        try:
            answer = await http.get(self._sessions, f"{origin}/robots.txt", limits=_LIMITS)
        except FetchFailed as failed:
            # More than five redirects are as good as no file (RFC 9309, section 2.3.1.2).
            return "" if failed.kind == "redirects" else None
        if answer.status >= 500:
            return None
        if not 200 <= answer.status < 300:
            return ""
        return answer.body[:SIZE].decode("utf-8-sig", "replace").replace("\0", "")


async def _parsed(text: str) -> Protego:
    return parse(text) if len(text) < _LARGE else await asyncio.to_thread(parse, text)


def parse(text: str) -> Protego:
    """Return the rules of a file.

    Groups that are for others are put under one name before: the parser keeps a copy of every rule
    for every name, and a file of half a megabyte could keep it busy for minutes.
    """
    return Protego.parse("\n".join(map(_shortened, text.splitlines())))


def _shortened(line: str) -> str:
    found = _AGENT.match(line)
    if found is None or not (name := found[1].strip().lower()):
        return line
    if name == "*":
        return "User-agent: *"
    ours = name.replace("*", "").partition("/")[0].strip() == TOKEN
    return f"User-agent: {TOKEN if ours else 'other'}"
