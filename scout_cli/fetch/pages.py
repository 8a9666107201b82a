"""What a fetch comes to, as the Page that the agent sees."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scout_cli.core.models import PageOutcome
from scout_cli.core.ports import FetchRequest, Page
from scout_cli.fetch import outcomes
from scout_cli.fetch.wire import Reading
from scout_cli.net.failure import FetchFailed
from scout_cli.net.http import Response

if TYPE_CHECKING:  # importing it imports the browser, which most runs do without
    from scout_cli.fetch.showing import View


def failed(request: FetchRequest, failure: FetchFailed) -> Page:
    """Return the page of a request that got no answer."""
    return Page(
        url=request.url,
        final_url=failure.final_url or request.url,
        outcome=outcomes.FAILED[failure.kind],
        status=failure.status,
        detail=failure.message,
        hint=failure.hint,
    )


def not_modified(request: FetchRequest, response: Response) -> Page:
    """Return the page of an answer that says that nothing has changed."""
    if not (request.etag or request.last_modified):
        return answered(request, response, "http_error", "HTTP 304 to a request without conditions")
    page = answered(request, response, "unchanged")
    return replace(
        page,
        etag=page.etag or request.etag,
        last_modified=page.last_modified or request.last_modified,
    )


def answered(
    request: FetchRequest,
    response: Response,
    outcome: PageOutcome,
    detail: str = "",
    hint: str = "",
    reading: Reading | None = None,
) -> Page:
    """Return the page of an answer; without `reading` it has no text."""
    page = Page(
        url=request.url,
        final_url=response.final_url,
        outcome=outcome,
        status=response.status,
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        detail=detail,
        hint=hint,
        size=len(response.body),
    )
    return _with(page, reading)


def shown(request: FetchRequest, view: View) -> Page:
    """Return the page that the browser showed.

    It has no ETag: what a server says of the frame is not true of what scripts put into it.
    """
    page = Page(
        url=request.url,
        final_url=view.final_url,
        outcome=view.outcome,
        status=view.status,
        detail=view.detail,
        hint=view.hint,
        size=view.size,
        screenshot=view.picture,
    )
    return _with(page, view.reading)


def _with(page: Page, reading: Reading | None) -> Page:
    """Return `page` with what was read in it; only a page that counts as read has a text."""
    if reading is None:
        return page
    text = reading.text if page.outcome == "read" else ""
    return replace(
        page,
        title=reading.title,
        text=text,
        content_hash=_hash(text) if text else "",
        published_at=reading.published_at,
        published_from=reading.published_from,
        language=reading.language,
    )


def _hash(text: str) -> str:
    return sha256(" ".join(text.split()).encode()).hexdigest()
