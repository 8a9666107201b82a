"""One POST to a channel's server, within limits: guarded addresses, no redirects, little read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from aiohttp import ClientConnectorCertificateError, ClientError, ClientResponse, ClientTimeout
from yarl import URL

from scout_cli.core.news import Delivery, DeliveryOutcome
from scout_cli.errors import Refused
from scout_cli.net import faults, retry_after
from scout_cli.net.guard import Guard
from scout_cli.notify import ChannelSettings
from scout_cli.notify.posting import Answer, Committing

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read; what is beyond is left."""
_LONGEST_WAIT = 24 * 3_600.0


class Post:
    """One request, sent once.

    Args:
        settings: sessions and time limit.
        url: where to; checked by the guard.
        body: JSON, UTF-8.
        headers: besides those of the body.
    """

    def __init__(
        self, settings: ChannelSettings, url: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._url = url
        self._body = body
        self._headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            "Accept-Encoding": "identity",
            **headers,
        }
        self._committed = False
        self._stopped: BaseException | None = None

    async def send(self, committing: Committing) -> Answer:
        """Send it; `committing` is awaited when connected and before the body leaves.

        Whatever `committing` raises is raised from here. Failures of the far side are answers.
        """
        guard = self._settings.sessions.guard
        try:
            target = guard.check(self._url)
        except Refused as refused:
            return _failed("refused", f"{refused.message}. {refused.hint}".strip())
        if target.scheme == "http" and not _is_private(target, guard):
            return _failed("refused", f"{target.host}: plain http is for private networks only")
        why: Exception | str
        try:
            return await self._exchange(target, committing)
        except TimeoutError:
            why = f"{target.host} did not answer within {self._settings.timeout:g} s"
        except ClientConnectorCertificateError:
            # Before the others: it is a ValueError as well, which elsewhere means broken HTTP.
            why = f"{target.host} has no valid certificate"
        except (ClientError, OSError, ValueError) as error:
            why = faults.explain(error, target)
        # Outside of the handlers, so that no error of aiohttp's, with the URL, hangs on to ours.
        return self._broken(why)

    async def _exchange(self, target: URL, committing: Committing) -> Answer:
        async with asyncio.timeout(self._settings.timeout) as timer:
            response: ClientResponse = await self._settings.sessions.guarded().post(
                target,
                data=self._leaving(committing),
                headers=self._headers,
                timeout=ClientTimeout(total=None),
                allow_redirects=False,
            )
        try:
            if not self._committed:
                return _failed("retry", f"{target.host} answered before it was told anything")
            return Answer(
                status=response.status,
                body=await _beginning(response, timer.when()),
                retry_after=retry_after.seconds(
                    response.headers.get("Retry-After", ""), longest=_LONGEST_WAIT
                ),
            )
        finally:
            response.close()

    async def _leaving(self, committing: Committing) -> AsyncIterator[bytes]:
        # aiohttp asks for the body when it is connected and has at most written the headers.
        try:
            await committing()
        except BaseException as error:  # kept: the client would wrap it
            self._stopped = error
            raise
        self._committed = True
        yield self._body

    def _broken(self, why: Exception | str) -> Answer:
        if self._stopped is not None and not isinstance(self._stopped, asyncio.CancelledError):
            raise self._stopped
        if getattr(why, "kind", "") == "refused":
            return _failed("refused", f"{why}. {getattr(why, 'hint', '')}".strip())
        return _failed("retry", str(why))


def _is_private(target: URL, guard: Guard) -> bool:
    """Return whether only an opening of the guard's lets `target` pass."""
    if guard.address_of(target.host or "") is not None:
        return True
    try:
        Guard().check(str(target))
    except Refused:
        return True
    return False


def _failed(outcome: DeliveryOutcome, detail: str) -> Answer:
    return Answer(failure=Delivery(outcome=outcome, detail=detail))


async def _beginning(response: ClientResponse, deadline: float | None) -> bytes:
    """Return the first bytes of the body; the status counts even when they break off."""
    content = bytearray()
    with contextlib.suppress(ClientError, OSError):
        async with asyncio.timeout_at(deadline):
            async for piece in response.content.iter_any():
                content += piece
                if len(content) >= LARGEST_ANSWER:
                    break
    return bytes(content[:LARGEST_ANSWER])
