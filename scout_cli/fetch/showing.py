"""From a page in the browser to what is kept of it: its outcome, its text, its picture."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace
from yarl import URL

from scout_cli.core.models import PageOutcome, Record
from scout_cli.core.ports import FetchRequest
from scout_cli.fetch import launching, outcomes
from scout_cli.fetch.browser import Browser, BrowserFailed
from scout_cli.fetch.browsers import Browsers
from scout_cli.fetch.reader import Reader, ReaderFailed
from scout_cli.fetch.show import HINT, Show
from scout_cli.fetch.wire import Reading, ReadPage, Rendered
from scout_cli.net.http import Response
from scout_cli.net.sessions import Sessions
from scout_cli.net.traffic import Traffic

_FAILED: dict[str, PageOutcome] = {
    "timeout": "timeout",
    "died": "unreadable",
    "killed": "unreadable",
    "absent": "needs_browser",
    "memory": "too_large",
}
_ENDED: dict[str, PageOutcome] = {
    "timeout": "timeout",
    "failed": "unreachable",
    "download": "unsupported_type",
    "too_large": "too_large",
}


class View(Record, frozen=True, kw_only=True):
    """A page as the browser showed it."""

    outcome: PageOutcome
    detail: str = ""
    hint: str = ""
    final_url: str
    status: int | None = None
    size: int = 0
    """Bytes of the document that the scripts made."""
    reading: Reading | None = None
    picture: str = ""
    """The name it is kept under."""


class Showing:
    """Shows pages in a browser, and reads what it shows like any other page.

    Nothing is started before the first page.

    Args:
        sessions: guard, pace and name are theirs.
        reader: turns documents into text.
        show: how.
    """

    def __init__(self, sessions: Sessions, reader: Reader, show: Show) -> None:
        self._sessions = sessions
        self._reader = reader
        self._show = show
        self._browsers = Browsers(self._make, limit=show.at_once, idle=show.bounds.idle)

    async def view(self, request: FetchRequest, response: Response) -> View:
        """Show the page that was fetched plainly as `response`; every failure is an outcome."""
        url = response.final_url
        try:
            async with self._sessions.pace.turn(URL(url).raw_host or ""):
                rendered, traffic = await self._browsers.render(url, language=request.language)
        except BrowserFailed as failed:
            hint = HINT if failed.kind == "absent" else ""
            outcome = _FAILED[failed.kind]
            return View(
                outcome=outcome,
                detail=failed.detail,
                hint=hint,
                final_url=url,
                status=response.status,
            )
        if rendered.ending != "page":
            return _unseen(rendered, traffic)
        return await self._read(response, rendered, traffic)

    async def close(self) -> None:
        """End the browsers."""
        await self._browsers.close()

    def _make(self) -> Browser:
        program = launching.find(Path.home(), self._show.path)
        if program is None:
            where = f"at {self._show.path}" if self._show.path else "here"
            raise BrowserFailed("absent", f"its scripts must run, and there is no Chromium {where}")
        return Browser(
            self._sessions.guard,
            self._sessions.user_agent,
            program,
            pictures=self._show.keep_picture is not None,
            bounds=self._show.bounds,
        )

    async def _read(self, response: Response, rendered: Rendered, traffic: Traffic) -> View:
        task = ReadPage(
            body=rendered.html,
            media_type="text/html",
            content_type="text/html; charset=utf-8",
            url=rendered.url,
            status=rendered.status,
            language=response.headers.get("content-language", ""),
            scripts_ran=True,
            last_modified="",  # of the frame, not of what the scripts put into it
        )
        seen = View(
            outcome="read",
            final_url=rendered.url,
            status=rendered.status,
            size=len(rendered.html),
        )
        try:
            reading = await self._reader.page(task)
        except ReaderFailed as failed:
            return replace(seen, outcome=outcomes.gave_up(failed), detail=failed.detail)
        outcome, detail, hint = _judged(reading, rendered.status)
        picture = self._keep(rendered) if outcome == "read" else ""
        detail = reading.detail or detail or _refusals(traffic)
        return replace(
            seen, outcome=outcome, detail=detail, hint=hint, reading=reading, picture=picture
        )

    def _keep(self, rendered: Rendered) -> str:
        keep = self._show.keep_picture
        return keep(rendered.picture) if keep is not None and rendered.picture else ""


def _judged(reading: Reading, status: int) -> tuple[PageOutcome, str, str]:
    if status >= 400:
        return outcomes.refusing(status)
    if reading.verdict == "scripts":
        return "empty", "the page shows nothing even after its scripts ran", ""
    return outcomes.JUDGED[reading.verdict]


def _unseen(rendered: Rendered, traffic: Traffic) -> View:
    """Say why there is no page: what the guard refused comes before what the browser says."""
    url = rendered.url
    denial = traffic.about((URL(url).raw_host or "").lower()) if url else None
    if denial is not None and denial.kind == "refused":
        return View(outcome="refused", detail=denial.reason, final_url=url)
    if traffic.spent:
        return View(outcome="too_large", detail=traffic.spent, final_url=url)
    detail = denial.reason if denial else f"{rendered.detail} (in the browser)"
    return View(outcome=_ENDED[rendered.ending], detail=detail, final_url=url)


def _refusals(traffic: Traffic) -> str:
    """Say what the guard kept a page from; the page itself was read."""
    if traffic.spent:
        return f"cut short: {traffic.spent}"
    first = next((one for one in traffic.denials if one.kind == "refused"), None)
    if first is None:
        return ""
    return f"{traffic.refused} of its requests refused: {first.reason}"
