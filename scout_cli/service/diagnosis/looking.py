"""The way to the web: search engines one by one, and the page reader."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from scout_cli.core.ports import SearchEngine, SearchQuery
from scout_cli.errors import ScoutError
from scout_cli.plug import scheme_of
from scout_cli.service.checks import Check, Tell, attempt, failed
from scout_cli.service.diagnosis.subject import Subject

_QUERY = "news today"
_SENTENCE = "The ferry from Saltmere to Hollen Island sails again on 14 March 2026."
_PAGE = f"<!DOCTYPE html><html><head><title>Ferry</title></head><body><p>{_SENTENCE}</p></body>"


async def search(subject: Subject, tell: Tell) -> None:
    """Tell of every engine, side by side, and then whether there is one to rely on."""
    from scout_cli.search import open_search  # noqa: PLC0415 - only when asked

    sessions = await subject.open_sessions()
    engines: list[SearchEngine] = []
    wrong = False
    for url in subject.search_url:
        try:
            engines += [open_search(one, sessions) for one in one_by_one(url)]
        except ScoutError as error:
            wrong = True
            tell(failed(f"search {scheme_of(url)}", error))
    distinct = list({engine.name: engine for engine in engines}.values())
    bound = subject.bounds.search
    answered = await asyncio.gather(*(_ask(engine, bound, tell) for engine in distinct))
    if distinct or not wrong:
        tell(_together(answered))


def one_by_one(url: str) -> list[str]:
    """Return a URL for each engine that `url` names: `ddgs://` stands for several."""
    if scheme_of(url) != "ddgs":
        return [url]
    from scout_cli.search.ddgs import DEFAULT_ENGINES  # noqa: PLC0415 - only when asked

    parts = urlsplit(url)
    named = [name.strip(" /") for name in (parts.netloc + parts.path).split(",")]
    query = f"?{parts.query}" if parts.query else ""
    return [f"ddgs://{name}{query}" for name in [*filter(None, named)] or DEFAULT_ENGINES]


async def _ask(engine: SearchEngine, bound: float, tell: Tell) -> bool:
    """Tell of one engine; return whether it answered. One of several is a warning at most."""
    name, began = f"search {engine.name}", time.monotonic()
    try:
        async with asyncio.timeout(bound):
            answer = await engine.search(SearchQuery(text=_QUERY, limit=3))
    except TimeoutError:
        late = {"outcome": "timeout", "bound_seconds": bound}
        detail = f"no answer within {bound:g} s"
        tell(Check(name=name, ok=True, warn=True, detail=detail, data=late))
        return False
    seconds = round(time.monotonic() - began, 3)
    data: dict[str, object] = {"outcome": answer.outcome, "results": len(answer.hits)}
    data["seconds"] = seconds
    works = answer.outcome == "found"
    detail = f"{len(answer.hits)} results" if works else answer.detail or "found nothing for news"
    tell(
        Check(
            name=name,
            ok=True,
            warn=not works,
            detail=f"{detail}, {seconds:.1f} s" if works else detail,
            # What helps against ddgs stands once, below the line for all engines together.
            hint="" if works or engine.name.startswith("ddgs/") else answer.hint,
            data=data,
        )
    )
    return works


def _together(answered: Sequence[bool]) -> Check:
    working = sum(answered)
    data = {"engines": len(answered), "working": working}
    detail = f"{working} of {len(answered)} engines answer"
    hint = (
        ""
        if working
        else "wait some minutes, or scout config set search_url searxng+http://HOST:PORT"
    )
    return Check(name="search", ok=working > 0, detail=detail, hint=hint, data=data)


async def reader(subject: Subject, tell: Tell) -> None:
    """Tell whether pages can be read: the child process starts and reads one."""
    # Reader has bounds of its own; the outer one covers the end of the child too.
    bound = subject.bounds.reader + 10.0
    await attempt("fetching", tell, bound, lambda: _read(subject, tell))


async def _read(subject: Subject, tell: Tell) -> None:
    from scout_cli import fetch  # noqa: PLC0415 - only when asked
    from scout_cli.fetch.reader import Reader, ReaderFailed  # noqa: PLC0415 - see above
    from scout_cli.fetch.wire import ReadPage  # noqa: PLC0415 - see above

    fetcher = fetch.open_fetcher(subject.fetch_url, await subject.open_sessions())
    await fetcher.close()  # it started nothing: its URL is right, which is all it was asked
    child, began = Reader(start_seconds=subject.bounds.reader), time.monotonic()
    try:
        await child.warm_up()
        started = time.monotonic()
        page = ReadPage(
            body=_PAGE.encode(),
            media_type="text/html",
            content_type="text/html; charset=utf-8",
            url="https://harbour.example/",
        )
        text = (await child.page(page)).text
        ended = time.monotonic()
    except ReaderFailed as error:
        data = {"code": error.kind, "bound_seconds": subject.bounds.reader}
        hint = "pip install --upgrade --force-reinstall crawl4ai"
        tell(Check(name="fetching", ok=False, detail=error.detail, hint=hint, data=data))
        return
    finally:
        await child.close()
    tell(_judged(subject.fetch_url, text, started - began, ended - started))


def _judged(url: str, text: str, start: float, read: float) -> Check:
    data = {"url": url, "start_seconds": round(start, 3), "read_seconds": round(read, 3)}
    if _SENTENCE not in text:
        detail = "the page reader starts, but does not read a plain page rightly"
        hint = "pip install --upgrade --force-reinstall crawl4ai"
        return Check(name="fetching", ok=False, detail=detail, hint=hint, data=data)
    detail = f"{url}: the page reader starts in {start:.1f} s and reads a page in {read:.2f} s"
    return Check(name="fetching", ok=True, detail=detail, data=data)
