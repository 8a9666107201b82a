"""One search with one engine of the `ddgs` package, watched closely enough to know what happened.

`DDGS.text()` says "No results found." for a rate limit, a challenge page, a changed layout and a
true lack of results alike. So the package's engine classes are used one by one, with its own HTTP
client behind a wrapper that notes the status and bounds the size.

Everything here is synchronous and runs in a thread: `ddgs` and its client know no asyncio.
"""

from __future__ import annotations

import html
import importlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from scout_cli.core.models import Record
from scout_cli.core.ports import Hit, SearchOutcome
from scout_cli.core.urls import belongs_to
from scout_cli.search import clean

LARGEST_PAGE = 3 * 1024 * 1024
"""Bytes of one result page; real ones stay below half a megabyte."""

_OK, _ACCEPTED, _FORBIDDEN, _TOO_MANY = 200, 202, 403, 429
_LIMITS = {
    _ACCEPTED: "is limiting this address (HTTP 202)",
    _FORBIDDEN: "has blocked this address (HTTP 403)",
    _TOO_MANY: "is limiting this address (HTTP 429)",
}
_CHALLENGE = re.compile(
    r"anomaly-modal|anomaly\.js|challenge-form|g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile"
    r"|challenge-platform|/captcha/|captcha-form|pow-captcha|unusual traffic",
    re.IGNORECASE,
)
_LINKED_HOST = re.compile(
    r"href=[\"'][^\"'>]{0,200}?https?(?::|%3A)(?://|%2F%2F)([\w.-]+)", re.IGNORECASE
)
_MOST_FOREIGN_HOSTS = 6
"""A page without results links to its owner and a few stores; one with results to many hosts."""


class Ask(Record, frozen=True, kw_only=True):
    """One question for one engine."""

    engine: str
    text: str
    region: str
    recency: str | None = None
    timeout: float
    """Seconds for one HTTP request; some engines make two."""
    proxy: str
    """URL of the only way out."""
    base: str = ""
    """URL to ask instead of the engine's own; its path comes before the engine's path."""


class Told(Record, frozen=True, kw_only=True):
    """What came of it."""

    outcome: SearchOutcome
    hits: tuple[Hit, ...] = ()
    detail: str = ""
    retry_after: float | None = None


def ask(question: Ask) -> Told:
    """Ask one engine. Blocks for as long as its HTTP requests take."""
    engines = importlib.import_module("ddgs.engines").ENGINES["text"]
    primp = importlib.import_module("primp")
    lxml_error: type[Exception] = importlib.import_module("lxml.etree").LxmlError
    if question.engine not in engines:
        return _failed(question, "is not in the installed version of ddgs")
    made = _untouched_links(engines[question.engine])
    engine = made(proxy=question.proxy, timeout=question.timeout)
    watched = _Watched(engine.http_client.client, question.base)
    engine.http_client = watched
    try:
        results = engine.search(question.text, region=question.region, timelimit=question.recency)
    except _TooLargeError:
        return _failed(question, f"sent a page larger than {LARGEST_PAGE} bytes")
    except primp.TimeoutError:
        return _failed(question, f"did not answer within {question.timeout:g} s")
    except primp.PrimpError as error:
        return _failed(question, f"cannot be reached ({_reason(error)})")
    except (lxml_error, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        # The engine classes read pages of others without a guard; what fails then is the page.
        results = None
    return _judged(question, watched, _hits(results or (), question.engine))


def _judged(question: Ask, watched: _Watched, hits: tuple[Hit, ...]) -> Told:
    """Return what a page with these hits means."""
    if hits:
        return Told(outcome="found", hits=hits)
    if watched.status in _LIMITS:
        return Told(
            outcome="limited",
            detail=f"{question.engine} {_LIMITS[watched.status]}",
            retry_after=watched.retry_after,
        )
    if watched.status != _OK:
        return _failed(question, f"answered HTTP {watched.status}")
    if _CHALLENGE.search(watched.page):
        asks = "asks for a proof of being human"
        return Told(outcome="limited", detail=f"{question.engine} {asks}")
    if not _is_result_page(watched, question.text):
        return _failed(question, "sent a page that is not understood; try: pip install -U ddgs")
    return Told(outcome="empty")


def _is_result_page(watched: _Watched, query: str) -> bool:
    """Return whether a page without hits may be believed.

    A page of results repeats the query in its search field; JSON has no field. Links to many
    strangers mean that there are results, which the installed engine class no longer recognises.
    """
    page = watched.page.strip()
    if page.startswith(("{", "[")):
        return True
    shown = " ".join(html.unescape(page).casefold().split())
    foreign = {
        host.lower()
        for host in _LINKED_HOST.findall(page)
        if not belongs_to(host.lower(), (watched.domain,))
    }
    return " ".join(query.casefold().split()) in shown and len(foreign) < _MOST_FOREIGN_HOSTS


def _hits(results: Sequence[Any], engine: str) -> tuple[Hit, ...]:
    return tuple(
        Hit(
            url=clean.link(result.href),
            title=clean.title(result.title),
            snippet=clean.text(result.body),
            engine=engine,
        )
        for result in results
        if clean.link(result.href)
    )


def _failed(question: Ask, what: str) -> Told:
    return Told(outcome="unavailable", detail=f"{question.engine} {what}")


def _reason(error: Exception) -> str:
    """Return the cause without the chain of URLs and libraries that the client wraps around it."""
    line = " ".join(str(error).split())
    if "certificate" in line.casefold():
        return "certificate not accepted"
    return f"{type(error).__name__}: {line[:120]}" if line else type(error).__name__


def _untouched_links(engine: Any) -> Any:
    """Return the engine class with results whose links stay as they are in the page.

    The package decodes percent signs in links and turns spaces into plus signs, which makes other
    addresses of them.
    """
    results = importlib.import_module("ddgs.results")
    cleaners = {**results.TextResult._normalizers, "href": str}  # noqa: SLF001 - see docstring
    result = type("Result", (results.TextResult,), {"_normalizers": cleaners})
    return type(engine.__name__, (engine,), {"result_type": property(lambda _: result)})


class _TooLargeError(Exception):
    """A page is larger than `LARGEST_PAGE`."""


class _Watched:
    """The HTTP client of one engine: notes what came back and bounds its size."""

    def __init__(self, client: Any, base: str) -> None:
        self.client = client
        self.status = 0
        self.page = ""
        self.domain = ""
        self.retry_after: float | None = None
        self._base = urlsplit(base)

    def request(self, method: str, url: str, **options: Any) -> _Seen:
        """Make one request; the engine classes call this."""
        response = self.client.request(method, self._address(url), stream=True, **options)
        with response:
            body = _bounded(response)
            self.status = response.status_code
            self.retry_after = _seconds(response.headers.get("retry-after", ""))
            self.page = body.decode(_known(response.encoding), "replace")
        return _Seen(status_code=self.status, text=self.page)

    def _address(self, url: str) -> str:
        parts = urlsplit(url)
        self.domain = ".".join((parts.hostname or "").split(".")[-2:])
        if not self._base.netloc:
            return url
        path = self._base.path.rstrip("/") + parts.path
        scheme, netloc = self._base.scheme, self._base.netloc
        return urlunsplit((scheme, netloc, path, parts.query, ""))


class _Seen(Record, frozen=True, kw_only=True):
    status_code: int
    text: str


def _bounded(response: Any) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes(65_536):
        body += chunk
        if len(body) > LARGEST_PAGE:
            raise _TooLargeError
    return bytes(body)


def _known(encoding: str | None) -> str:
    try:
        b"".decode(encoding or "utf-8")
    except LookupError:
        return "utf-8"
    return encoding or "utf-8"


def _seconds(header: str) -> float | None:
    return float(header) if re.fullmatch(r"\d{1,6}", header.strip()) else None
