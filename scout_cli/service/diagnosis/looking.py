"""The way to the web: search engines one by one, the page reader, a browser."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from scout_cli.core.ports import SearchEngine, SearchQuery
from scout_cli.errors import ScoutError
from scout_cli.plug import scheme_of
from scout_cli.service.checks import Check, Tell, attempt, failed
from scout_cli.service.diagnosis.subject import Subject

_QUERY = "news today"
_SENTENCE = "The ferry from Saltmere to Hollen Island sails again on 14 March 2026."
_PAGE = f"<!DOCTYPE html><html><head><title>Ferry</title></head><body><p>{_SENTENCE}</p></body>"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_KEPT_BY_PLAYWRIGHT = (
    ".cache/ms-playwright/chromium-*/chrome-linux*/chrome",
    "Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
_VERSION = re.compile(r"\d+(?:\.\d+)+")


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


async def browser(bound: float, tell: Tell) -> None:
    """Tell whether a Chromium is there; nothing needs one yet."""
    found = await asyncio.to_thread(find_browser, Path.home())
    data: dict[str, object] = {"path": found and str(found), "version": None, "needed": False}
    if found is None:
        detail = "no Chromium here; none is needed: pages that show nothing without one are skipped"
        tell(Check(name="browser", ok=True, detail=detail, data=data))
        return
    data["version"] = version = await version_of(found, bound)
    detail = f"Chromium {version or 'of unknown version'} at {found}; not used yet"
    tell(Check(name="browser", ok=True, detail=detail, data=data))


def find_browser(home: Path, names: Sequence[str] = _BROWSERS) -> Path | None:
    """Return a Chromium or Chrome: one on the PATH, of macOS, or one that Playwright keeps.

    Args:
        home: in which Playwright's folder is looked for.
        names: of the program.
    """
    on_path = (shutil.which(name) for name in names)
    named = next((Path(path) for path in on_path if path), None)
    apps = Path("/Applications") if sys.platform == "darwin" else None
    if named is None and apps:
        known = apps.glob("*Chrom*.app/Contents/MacOS/*Chrom*")
        named = next(iter(sorted(known)), None)
    kept = (path for pattern in _KEPT_BY_PLAYWRIGHT for path in sorted(home.glob(pattern)))
    return named or next(kept, None)


async def version_of(path: Path, bound: float) -> str | None:
    """Return what the program says its version is; a hanging one is ended."""
    try:
        process = await asyncio.create_subprocess_exec(
            path, "--version", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(bound):
            said, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    found = _VERSION.search(said.decode(errors="replace"))
    return found[0] if found else None
