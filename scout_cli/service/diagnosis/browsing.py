"""The browser for pages that only their scripts make readable: is it there, does it start?"""

from __future__ import annotations

import asyncio
import os
import re
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

from scout_cli.fetch import launching
from scout_cli.fetch.show import HINT, Bounds
from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis.subject import Subject

_NAME = "browser"
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_NEVER = "crawl4ai://http"
_ALWAYS = "crawl4ai://browser"
_SKIPPED = "pages that show nothing without one are not read"
_SANDBOX = (
    "see docs/how-to/browser.md; a browser without its sandbox is started for nobody but root"
)


async def examine(subject: Subject, tell: Tell) -> None:
    """Tell whether the browser that `fetch_url` asks for is there and starts."""
    bound = subject.bounds.browser + subject.bounds.reader
    await attempt(_NAME, tell, bound, lambda: _look(subject, tell))


async def present(bound: float, tell: Tell) -> None:
    """Tell whether a browser is there, for when the settings cannot be read."""

    async def look() -> None:
        found = await asyncio.to_thread(launching.find, Path.home())
        tell(_missing("", needed=False) if found is None else await _there(found, bound))

    await attempt(_NAME, tell, bound + 5.0, look)


async def _look(subject: Subject, tell: Tell) -> None:
    url = subject.fetch_url.rstrip("/")
    if url == _NEVER:
        data = {"path": None, "version": None, "needed": False}
        tell(Check(name=_NAME, ok=True, detail=f"none is used: fetch_url is {url}", data=data))
        return
    found = await asyncio.to_thread(launching.find, Path.home(), subject.browser_path)
    if found is None:
        tell(_missing(subject.browser_path, needed=url == _ALWAYS))
        return
    there = await _there(found, subject.bounds.browser)
    tell(await _started(subject, found, there))


def _missing(path: str, *, needed: bool) -> Check:
    data = {"path": None, "version": None, "needed": needed}
    where = f"at {path}" if path else "here"
    detail = f"no Chromium {where}: {_SKIPPED}"
    hint = "scout config set browser_path PATH" if path else HINT
    wrong = needed or bool(path)
    return Check(name=_NAME, ok=not wrong, warn=not wrong, detail=detail, hint=hint, data=data)


async def _there(found: Path, bound: float) -> Check:
    version = await version_of(found, bound)
    data = {"path": str(found), "version": version, "needed": True}
    detail = f"Chromium {version or 'of unknown version'} at {found}"
    return Check(name=_NAME, ok=True, detail=detail, data=data)


async def _started(subject: Subject, found: Path, there: Check) -> Check:
    """Start the browser as for a page, and say how long it took."""
    from scout_cli.fetch.browser import Browser, BrowserFailed  # noqa: PLC0415 - only when asked
    from scout_cli.net.guard import Guard  # noqa: PLC0415 - see above

    browser = Browser(Guard(), "scout", found, bounds=Bounds(start=subject.bounds.reader))
    began = time.monotonic()
    try:
        await browser.warm_up()
    except BrowserFailed as failed:
        detail = f"{there.detail}: {failed.detail}"
        return Check(name=_NAME, ok=False, detail=detail, hint=_SANDBOX, data=there.data)
    finally:
        await browser.close()
    seconds = time.monotonic() - began
    data = {**there.data, "start_seconds": round(seconds, 3)}
    detail = f"{there.detail} starts in {seconds:.1f} s"
    if os.geteuid() != 0:
        return Check(name=_NAME, ok=True, detail=detail, data=data)
    detail += ", for root without its sandbox"
    hint = "run scout as a user of its own"
    return Check(name=_NAME, ok=True, warn=True, detail=detail, hint=hint, data=data)


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
