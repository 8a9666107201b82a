"""One GET over HTTP, within limits: redirects by hand, every hop checked, every size counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urljoin

from aiohttp import ClientError, ClientResponse, ClientTimeout
from yarl import URL

from scout_cli.core.models import Record
from scout_cli.errors import Refused
from scout_cli.net import body, faults, retry_after
from scout_cli.net.decoding import ACCEPTED
from scout_cli.net.failure import FetchFailed
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Permit, Sessions

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_CONDITIONAL = frozenset({"if-none-match", "if-modified-since"})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
_LONGEST_WAIT = 900.0

Wanted = Callable[[str], bool]
"""Given a media type, whether a successful answer's body is worth reading."""


class Response(Record, frozen=True, kw_only=True):
    """The answer of the last hop."""

    status: int
    headers: dict[str, str]
    """Names are lower-case; of repeated headers, the first."""
    body: bytes
    """Decoded; empty when the type was not wanted."""
    final_url: str
    retry_after: float | None = None
    """Seconds, at most 15 minutes."""

    @property
    def media_type(self) -> str:
        """Return the type of Content-Type, lower-case, without parameters."""
        return _media_type(self.headers)


def _any_type(_: str) -> bool:
    return True


async def get(
    sessions: Sessions,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    wanted: Wanted = _any_type,
    polite: bool = False,
) -> Response:
    """Fetch `url` and return the last hop's answer, whatever its status.

    An answer of 429 or 503 that names a short wait is asked for once more after it.

    Args:
        sessions: where connections, guard and pace come from.
        url: http or https; checked by the guard, like every redirect.
        headers: sent with each hop; conditional ones stay with the first host, credentials too.
        limits: bounds of time and size.
        wanted: decides by media type whether to read the body of an answer below 400.
        polite: ask the host's robots.txt before each hop, where the sessions do so at all.

    Raises:
        FetchFailed: no complete answer within the limits, or an address that is refused.
    """
    permit = sessions.permit if polite else None
    call = _Call(sessions, limits or Limits(), wanted, headers or {}, permit)
    try:
        async with asyncio.timeout(call.limits.total) as call.timer:
            return await call.follow(url)
    except TimeoutError as error:
        raise FetchFailed(
            "timeout",
            f"no complete answer within {call.limits.total:g} s",
            final_url=call.current,
        ) from error


class _Call:
    timer: asyncio.Timeout

    def __init__(
        self,
        sessions: Sessions,
        limits: Limits,
        wanted: Wanted,
        headers: Mapping[str, str],
        permit: Permit | None,
    ) -> None:
        self.limits = limits
        self.current = ""
        self._sessions = sessions
        self._wanted = wanted
        self._permit = permit
        self._headers = {"Accept-Encoding": ACCEPTED, **headers}

    async def follow(self, url: str) -> Response:
        target = self._check(url)
        for _ in range(self.limits.redirects + 1):
            await self._ask_permission(target)
            answer = await self._patiently(target)
            location = answer.headers.get("location", "").strip()
            if answer.status not in _REDIRECTS or not location:
                return answer
            target = self._next(target, location)
        raise FetchFailed(
            "redirects",
            f"more than {self.limits.redirects} redirects",
            status=answer.status,
            final_url=self.current,
        )

    def _check(self, url: str) -> URL:
        self.current = self.current or url
        try:
            target = self._sessions.guard.check(url)
        except Refused as refused:
            raise FetchFailed(
                "refused", refused.message, hint=refused.hint, final_url=self.current
            ) from refused
        self.current = str(target)
        return target

    def _next(self, here: URL, location: str) -> URL:
        try:
            there = self._check(urljoin(str(here), location.replace(" ", "%20")))
        except ValueError as error:
            raise FetchFailed(
                "refused", "redirected to a URL that cannot be parsed", final_url=self.current
            ) from error
        if (here.scheme, there.scheme) == ("https", "http"):
            raise FetchFailed(
                "refused",
                "redirected from https to http, where anybody on the way can change the page",
                hint="If you trust the way, give the http:// address itself.",
                final_url=self.current,
            )
        if here.origin() != there.origin():
            self._drop(_CREDENTIALS)
        if here.host != there.host:
            self._drop(_CONDITIONAL)
        return there

    def _drop(self, names: frozenset[str]) -> None:
        self._headers = {k: v for k, v in self._headers.items() if k.lower() not in names}

    async def _ask_permission(self, target: URL) -> None:
        if self._permit is None:
            return
        going_on = self._pause()
        await self._permit(target)
        going_on()

    async def _patiently(self, target: URL) -> Response:
        answer = await self._once(target)
        if answer.status not in _BUSY or answer.retry_after is None:
            return answer
        self._sessions.pace.hold_back(_host(target), answer.retry_after)
        if answer.retry_after > self.limits.wait:
            return answer
        return await self._once(target)

    async def _once(self, target: URL) -> Response:
        async with self._turn(_host(target)):
            try:
                return await self._exchange(target)
            except (ClientError, OSError, ValueError) as error:
                raise faults.explain(error, target) from error

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        silence = self._sessions.pace.silence(host)
        if silence > self.limits.wait:
            raise FetchFailed(
                "asked_to_wait",
                f"{host} asked us to wait another {silence:.0f} s",
                hint="Try again later.",
                final_url=self.current,
                wait=silence,
            )
        going_on = self._pause()
        async with self._sessions.pace.turn(host):
            going_on()
            yield

    def _pause(self) -> Callable[[], None]:
        """Stop the clock of this request until the returned function is called."""
        now = asyncio.get_running_loop().time
        asked, deadline = now(), self.timer.when()
        self.timer.reschedule(None)
        return lambda: self.timer.reschedule((deadline or now()) + now() - asked)

    async def _exchange(self, target: URL) -> Response:
        timeout = ClientTimeout(
            total=None, sock_connect=self.limits.connect, sock_read=self.limits.idle
        )
        async with asyncio.timeout(self.limits.headers):
            response = await self._sessions.guarded().get(
                target, headers=self._headers, timeout=timeout, allow_redirects=False
            )
        try:
            return await self._read(response, target)
        finally:
            response.close()

    async def _read(self, response: ClientResponse, target: URL) -> Response:
        headers = _flat(response)
        content = b""
        if response.status >= 400:
            content = await body.read(response, self.limits, cut_at=self.limits.error_size)
        elif response.status not in _REDIRECTS and self._wanted(_media_type(headers)):
            content = await body.read(response, self.limits, cut_at=self.limits.cut)
        return Response(
            status=response.status,
            headers=headers,
            body=content,
            final_url=str(target),
            retry_after=retry_after.seconds(headers.get("retry-after", ""), longest=_LONGEST_WAIT),
        )


def _flat(response: ClientResponse) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in response.headers.items():
        # What is no UTF-8 arrives as halves of surrogate pairs, which nobody can encode again.
        readable = value.encode(errors="surrogateescape").decode(errors="replace")
        flat.setdefault(name.lower(), readable)
    return flat


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _host(target: URL) -> str:
    return target.raw_host or ""
