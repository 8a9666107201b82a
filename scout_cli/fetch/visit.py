"""One page is opened, wherever it leads to, and what went wrong on the way is put in words."""

from __future__ import annotations

import re

from playwright.async_api import Download, Page, Request, Response
from playwright.async_api import Error as PlaywrightError

from scout_cli.fetch.tidy import one_line
from scout_cli.fetch.wire import Rendered

_LOAD = 20_000
"""Milliseconds in which the document itself must have come."""
_REASON = re.compile(r"net::(ERR_[A-Z0-9_]+)")
_ELSEWHERE = ("ERR_ABORTED", "interrupted by another navigation")
"""What is said of a page that sends its visitor on before it has loaded."""
_SAID: dict[str, str] = {
    "ERR_CERT": "it has no valid certificate",
    "ERR_SSL": "no encrypted connection could be agreed on",
    "ERR_TOO_MANY_REDIRECTS": "it redirects in circles",
    "ERR_TUNNEL": "it cannot be connected to",
    "ERR_PROXY": "it cannot be connected to",
    "ERR_EMPTY": "it broke off its answer",
    "ERR_HTTP_RESPONSE_CODE": "it answered with an error and no page",
    "ERR_INVALID_RESPONSE": "it answered with an error and no page",
}


class Visit:
    """What the browser meets on its way to a page and from there."""

    def __init__(self) -> None:
        self.status = 200
        """Of the last document that answered."""
        self._failed_at = ""
        self._failed_with = ""
        self._download = False

    async def open(self, page: Page, url: str) -> None:
        """Go to `url`, and on to wherever it sends its visitors while it loads.

        Raises:
            PlaywrightError: it is not to be had; `explained` says why.
        """
        page.on("response", lambda response: self._answered(page, response))
        page.on("requestfailed", lambda request: self._failed(page, request))
        page.on("download", self._offered)
        try:
            await page.goto(url, wait_until="domcontentloaded", timeout=_LOAD)
        except PlaywrightError as error:
            if self._download or not any(words in str(error) for words in _ELSEWHERE):
                raise
            await page.wait_for_load_state("domcontentloaded", timeout=_LOAD)
            if page.url == "about:blank":
                raise

    def explained(self, said: str, url: str) -> Rendered:
        """Return the ending of a page that could not be shown.

        Args:
            said: by the browser, if it said anything.
            url: where the visit began.
        """
        where = self._failed_at or url
        if self._download or "Download is starting" in said:
            return Rendered(ending="download", url=where, detail="it is a file to download")
        said = self._failed_with or said
        reason = found[1] if (found := _REASON.search(said)) else ""
        if "Timeout" in said and not reason:
            detail = f"it was not there within {_LOAD // 1_000} s"
            return Rendered(ending="timeout", url=where, detail=detail)
        if said and not reason:  # not the page is amiss, but the browser: half of it may be gone
            return Rendered(ending="crashed", url=where, detail=one_line(said, 120))
        words = (text for start, text in _SAID.items() if reason.startswith(start))
        return Rendered(ending="failed", url=where, detail=next(words, _plain(reason)))

    def _answered(self, page: Page, response: Response) -> None:
        if _leads(page, response.request):
            self.status = response.status

    def _failed(self, page: Page, request: Request) -> None:
        if _leads(page, request) and "ERR_ABORTED" not in str(request.failure):
            self._failed_at, self._failed_with = request.url, str(request.failure or "")

    def _offered(self, _: Download) -> None:
        self._download = True


def _leads(page: Page, request: Request) -> bool:
    """Return whether a request is for the page itself."""
    return request.is_navigation_request() and request.frame == page.main_frame


def _plain(reason: str) -> str:
    return f"the browser says {reason}" if reason else "the browser shows an error instead of it"
