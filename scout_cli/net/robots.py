"""robots.txt: what the owners of a site let programs read (RFC 9309).

A missing file lets everything in; a host that cannot answer for it lets nothing in, for a while.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from protego import Protego
from yarl import URL

from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions

TOKEN = "scout"  # noqa: S105 - the product token of RFC 9309, no secret
"""The name that rules for scout begin with: `User-agent: scout`."""
SIZE = 512 * 1024
"""Bytes that are read of a file; what is beyond is ignored (RFC 9309, section 2.5)."""
_KEPT_SECONDS = 24 * 3_600.0
_UNREACHABLE_SECONDS = 300.0
_MOST_HOSTS = 512
_LIMITS = Limits(cut=SIZE, headers=10.0, total=15.0)
_LARGE = 20_000
"""Characters from which on parsing is left to a thread."""
_AGENT = re.compile(r"\s*user[\s-]*agent(?:\s*:|\s)\s*([^#]*)", re.IGNORECASE)
_HINT = "The site asks programs to stay away. Look for a feed of it, or exclude it."


class _Rules:
    """What one origin said.

    Args:
        parsed: its file; None for a host that could not answer.
        until: the moment, in monotonic seconds, from which it is asked again.
    """

    def __init__(self, parsed: Protego | None, until: float) -> None:
        self.parsed = parsed
        self.until = until


class Robots:
    """The rules of the sites that one process reads, each asked for once a day.

    Args:
        sessions: fetches the files, through the guard like everything else.
        now: monotonic seconds.
    """

    def __init__(self, sessions: Sessions, now: Callable[[], float] = monotonic) -> None:
        self._sessions = sessions
        self._now = now
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
        parsed = await self._fetched(origin)
        kept = _UNREACHABLE_SECONDS if parsed is None else _KEPT_SECONDS
        rules = self._known[origin] = _Rules(parsed, self._now() + kept)
        while len(self._known) > _MOST_HOSTS:
            self._known.popitem(last=False)
        return rules

    async def _fetched(self, origin: str) -> Protego | None:
        """Return the rules of a site; None when it could not be asked."""
        try:
            answer = await http.get(self._sessions, f"{origin}/robots.txt", limits=_LIMITS)
        except FetchFailed as failed:
            # More than five redirects are as good as no file (RFC 9309, section 2.3.1.2).
            return Protego.parse("") if failed.kind == "redirects" else None
        if answer.status >= 500:
            return None
        if not 200 <= answer.status < 300:
            return Protego.parse("")
        text = answer.body[:SIZE].decode("utf-8-sig", "replace")
        if len(text) < _LARGE:
            return parse(text)
        return await asyncio.to_thread(parse, text)


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
