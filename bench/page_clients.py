"""What `fetching.py` measures: one round over all pages, in a process of its own.

Clients: scout's own fetcher without its reading child, and an HTTP client with nothing around it,
the floor. Both keep validators and hashes in a file between rounds. Last, the reading child alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from measure import ROOT

Known = dict[str, tuple[str, str, str]]
"""URL to ETag, Last-Modified and hash."""
Look = Callable[[str], Awaitable[str]]

HOST = "pages.test"
assert ROOT


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one process is to do."""

    client: str
    """`scout`, `bare` or `markdown`."""
    port: int
    pages: int
    connections: int
    known: str
    """The file between rounds."""


def main() -> None:
    """Do the round that the argument describes; print what came of it as JSON."""
    given = Round(**json.loads(sys.argv[1]))
    file = Path(given.known)
    known: Known = json.loads(file.read_text()) if file.exists() else {}
    clients = {"scout": _scout, "bare": _bare, "markdown": _markdown}
    outcome = asyncio.run(clients[given.client](given, known))
    file.write_text(json.dumps(known))
    print(json.dumps({**outcome, "megabytes": peak("self")}))


def peak(pid: int | str) -> float:
    """Return the most memory that a process held so far, in megabytes.

    The kernel's own mark where there is one: what `getrusage` says of a process begins with what
    the process before it held, the one that started it.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000


async def _bare(given: Round, known: Known) -> dict:
    import aiohttp  # noqa: PLC0415 - each client imports only its own

    connector = aiohttp.TCPConnector(limit=given.connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def look(url: str) -> str:
            etag, modified, before = known.get(url, ("", "", ""))
            asked = {"If-None-Match": etag, "If-Modified-Since": modified} if etag else {}
            async with session.get(url, headers=asked) as answer:
                if answer.status == 304:
                    return "unchanged"
                seen = hashlib.sha256(await answer.read()).hexdigest()
            known[url] = (answer.headers["ETag"], answer.headers["Last-Modified"], seen)
            return _compared(before, seen)

        return await _all(given, "127.0.0.1", look)


async def _scout(given: Round, known: Known) -> dict:
    async with _fetching(given) as (fetcher, _):
        return await _all(given, HOST, _scouts_look(fetcher, known))


async def _markdown(given: Round, known: Known) -> dict:
    """Fetch what has changed, then let the real child read it, timed apart from the network."""
    from scout_cli.fetch.reader import Reader  # noqa: PLC0415

    async with _fetching(given) as (fetcher, unread):
        await _all(given, HOST, _scouts_look(fetcher, known))
    reader = Reader()
    began = time.monotonic()
    await reader.warm_up()
    ready = time.monotonic()
    verdicts = Counter([(await reader.page(task)).verdict for task in unread.tasks])
    done = time.monotonic()
    child = peak(reader.pid or "self")
    await reader.close()
    return {"start": ready - began, "seconds": done - ready, "child": child, **verdicts}


def _scouts_look(fetcher, known: Known) -> Look:
    from scout_cli.core.ports import FetchRequest  # noqa: PLC0415

    async def look(url: str) -> str:
        etag, modified, before = known.get(url, (None, None, ""))
        page = await fetcher.fetch(FetchRequest(url=url, etag=etag, last_modified=modified))
        if page.outcome != "read":
            return page.outcome
        known[url] = (page.etag, page.last_modified, page.content_hash)
        return _compared(before, page.content_hash)

    return look


@asynccontextmanager
async def _fetching(given: Round) -> AsyncIterator[tuple]:
    """Open the real fetcher; one host stands for many, so the bounds per host are lifted."""
    from scout_cli.fetch.web import WebFetcher  # noqa: PLC0415
    from scout_cli.net.guard import Guard  # noqa: PLC0415
    from scout_cli.net.limits import Limits  # noqa: PLC0415
    from scout_cli.net.sessions import Sessions  # noqa: PLC0415

    guard = Guard({f"127.0.0.1:{given.port}"}, {HOST: "127.0.0.1"})
    unread = _Unread(keep=given.client == "markdown")
    many = given.connections
    sessions = Sessions(guard, "scout/bench", per_host=many, spacing=0, connections=many)
    async with sessions:
        yield WebFetcher(sessions, unread, limits=Limits()), unread


class _Unread:
    """Stands where the reading child stands, and gives the document back as it came."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self.tasks: list = []

    async def page(self, task):
        from scout_cli.fetch.wire import Reading  # noqa: PLC0415

        if self._keep:
            self.tasks.append(task)
        return Reading(verdict="page", text=task.body.decode())


async def _all(given: Round, host: str, look: Look) -> dict:
    """Look at every page, at most so many at once; return the seconds and what was found."""
    turns = asyncio.Semaphore(given.connections)

    async def one(number: int) -> str:
        async with turns:
            return await look(f"http://{host}:{given.port}/page/{number}")

    began = time.monotonic()
    found = await asyncio.gather(*(one(number) for number in range(given.pages)))
    return {"seconds": time.monotonic() - began, **Counter(found)}


def _compared(before: str, seen: str) -> str:
    return "new" if not before else "same" if before == seen else "changed"


if __name__ == "__main__":
    main()
