"""The port `SearchEngine` on the public search pages that the `ddgs` package can read.

The package (once called duckduckgo-search) asks the pages that people use, and its HTTP client
imitates the browsers that people use, chosen at random: their owners may not like it, limit it,
or change their pages. Nothing here makes that reliable; a SearXNG of one's own is.

That client looks up names and follows redirects by itself, so it gets no other way out than the
filtering proxy, whose guard looks at every address that is dialled. One proxy serves one question:
it is up in a fifth of a millisecond, counts for that question alone, and cuts what a question
still holds open when its time is over.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib.util
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from scout_cli.core.ports import SearchAnswer, SearchQuery
from scout_cli.core.urls import place_of
from scout_cli.errors import ConfigError, MissingPackage
from scout_cli.search import OutwardSessions, clean
from scout_cli.search.ddgs_engine import Ask, Told, ask
from scout_cli.search.region import region

if TYPE_CHECKING:
    from scout_cli.net.guard import Guard
    from scout_cli.net.traffic import Traffic

DEFAULT_ENGINES = ("duckduckgo", "brave", "startpage", "mojeek")
KNOWN_ENGINES = (*DEFAULT_ENGINES, "yahoo", "wikipedia", "grokipedia")
_HINT = "Wait some minutes, or use a SearXNG of your own: search_url = searxng+http://HOST:PORT"


def open_ddgs(url: str, sessions: OutwardSessions) -> DdgsSearch:
    """Return the search of `ddgs://` or `ddgs://ENGINE,ENGINE`.

    `?base=http://HOST:PORT` sends all requests there instead of to the engines, their path and
    query unchanged: for a proxy of one's own, or a test. That place may be a private one.

    Raises:
        ConfigError: an engine that does not exist, or a base that is no address.
        MissingPackage: `ddgs` is not installed.
    """
    parts = urlsplit(url)
    named = [name.strip().lower() for name in (parts.netloc + parts.path).split(",")]
    engines = [name.strip("/") for name in named if name.strip("/")]
    for name in engines:
        _check(name)
    if importlib.util.find_spec("ddgs") is None:
        raise MissingPackage(
            "search_url: ddgs:// needs the package 'ddgs', which is not installed",
            hint="pip install ddgs",
            retryable=False,
        )
    base = parse_qs(parts.query).get("base", [""])[0]
    if base and not place_of(base):
        raise ConfigError("search_url: the base of ddgs is no http address")
    chosen = engines or DEFAULT_ENGINES
    return DdgsSearch(chosen, sessions, bases=dict.fromkeys(chosen, base) if base else {})


def _check(name: str) -> None:
    if name in KNOWN_ENGINES:
        return
    near = difflib.get_close_matches(name, KNOWN_ENGINES, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"search_url: ddgs has no engine {name!r}", hint=f"{meant}Known: {', '.join(KNOWN_ENGINES)}"
    )


class DdgsSearch:
    """Named engines, asked one after the other until one really answers.

    "There is nothing" is an answer; limits and failures are not, and lead to the next engine. Each
    engine runs in a thread of its own with a hard deadline. A thread cannot be ended from outside:
    after the deadline, or when the search is cancelled, its connection is cut, and it ends soon
    after by itself, without holding up the program's exit.

    Args:
        engines: names of ddgs text engines, in order.
        sessions: whose guard says what may be dialled.
        bases: engine name to `http://host:port[/path]` that is asked in its place.
        timeout: seconds for one HTTP request.
        deadline: seconds for one engine, all its requests together.
    """

    def __init__(
        self,
        engines: Sequence[str],
        sessions: OutwardSessions,
        *,
        bases: Mapping[str, str] | None = None,
        timeout: float = 8.0,
        deadline: float = 12.0,
    ) -> None:
        self._engines = tuple(engines)
        self._sessions = sessions
        self._bases = bases or {}
        self._timeout = timeout
        self._deadline = deadline

    @property
    def name(self) -> str:
        """Return `ddgs/` and the engines in order."""
        return f"ddgs/{','.join(self._engines)}"

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Run one query; the first engine that answers ends it."""
        told: list[Told] = []
        for engine in self._engines:
            told.append(await self._ask(engine, query))
            if told[-1].outcome in ("found", "empty"):
                return SearchAnswer(
                    outcome=told[-1].outcome,
                    hits=clean.distinct(told[-1].hits, query.limit),
                    engine=f"ddgs/{engine}",
                    detail="; ".join(one.detail for one in told if one.detail),
                )
        return self._nobody(told)

    def _nobody(self, told: Sequence[Told]) -> SearchAnswer:
        waits = [one.retry_after for one in told if one.retry_after is not None]
        limited = any(one.outcome == "limited" for one in told)
        return SearchAnswer(
            outcome="limited" if limited else "unavailable",
            engine=self.name,
            detail=self._together(told),
            hint=_HINT,
            retry_after=max(waits, default=None),
        )

    def _together(self, told: Sequence[Told]) -> str:
        """Return what happened in one line; engines with the same fate share their words."""
        fates: dict[str, list[str]] = {}
        for engine, one in zip(self._engines, told, strict=True):
            fates.setdefault(one.detail.removeprefix(engine).strip(), []).append(engine)
        return "; ".join(f"{', '.join(engines)} {fate}" for fate, engines in fates.items())

    async def _ask(self, engine: str, query: SearchQuery) -> Told:
        base = self._bases.get(engine, "")
        try:
            async with asyncio.timeout(self._deadline), _way_out(self._guard(base)) as (way, seen):
                question = Ask(
                    engine=engine,
                    text=query.text,
                    region=_region(engine, query),
                    recency=query.recency,
                    timeout=self._timeout,
                    proxy=way,
                    base=base,
                )
                return _explained(await _in_thread(question), seen, engine)
        except TimeoutError:
            late = f"{engine} did not answer within {self._deadline:g} s"
            return Told(outcome="unavailable", detail=late)

    def _guard(self, base: str) -> Guard:
        guard: Guard = self._sessions.guard
        return guard.opening(place_of(base)) if base else guard


@asynccontextmanager
async def _way_out(guard: Guard) -> AsyncIterator[tuple[str, Traffic]]:
    """Open a proxy that lets out what `guard` lets out; yield its address and its account."""
    # Here, because opening an engine, which every command may do, needs no HTTP.
    from scout_cli.net.proxy import FilteringProxy  # noqa: PLC0415 - see above
    from scout_cli.net.traffic import Traffic  # noqa: PLC0415 - see above

    traffic = Traffic()
    async with FilteringProxy(guard) as proxy:
        proxy.begin(traffic)
        yield proxy.url, traffic


def _explained(told: Told, traffic: Traffic, engine: str) -> Told:
    """Return what became of a question; the proxy knows better than the client why it failed."""
    if told.outcome == "found" or not traffic.denials:
        return told
    reason = traffic.denials[-1].reason
    return Told(outcome="unavailable", detail=f"{engine} cannot be reached ({reason})")


def _region(engine: str, query: SearchQuery) -> str:
    pair = region(query.language, query.country)
    return pair.replace("gb-", "uk-") if engine == "duckduckgo" else pair


async def _in_thread(question: Ask) -> Told:
    """Run `ask` in a daemon thread; unlike a thread pool's, it never delays the exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Told] = loop.create_future()

    def settle(told: Told | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if told is not None:
            answer.set_result(told)
        elif error is not None:
            answer.set_exception(error)

    def work() -> None:
        told, error = None, None
        try:
            told = ask(question)
        except BaseException as raised:  # noqa: BLE001 - handed to the waiting coroutine as it is
            error = raised
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(settle, told, error)

    threading.Thread(target=work, name=f"ddgs-{question.engine}", daemon=True).start()
    return await answer
