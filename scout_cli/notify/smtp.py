"""The sending of e-mail to one recipient through one SMTP server.

Connecting, TLS, logging in and naming both ends come before the commitment, so that only the
moment between DATA and its answer is in doubt after a crash.

Source: RFC 5321; RFC 3463 for enhanced status codes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from email.headerregistry import Address as Mailbox

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from scout_cli.core.news import Delivery, DeliveryOutcome, Notice
from scout_cli.core.ports import Promise
from scout_cli.errors import Refused
from scout_cli.net.dialling import dial
from scout_cli.net.guard import Barred, Guard
from scout_cli.notify.mailbox import Server
from scout_cli.notify.message import compose
from scout_cli.notify.posting import Committing
from scout_cli.notify.safe import line

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BYE = 2.0
_PATIENCE = 10.0
"""Seconds to look up the server's name, and again for one of its addresses."""
_FAULTS = (SMTPException, OSError, ValueError)


class MailChannel:
    """One recipient, reached through one server.

    Args:
        recipient: who is told.
        relay: the SMTP server; the operator names it, so it may be in a private network.
        sender: stands in From and is told of bounces.
        host: in Message-ID; empty for the sender's domain.
        timeout: seconds to name both ends, and again to hand over the message.
        tls: trusts other certificates than the system's.
        guard: says what else may be dialled; one that opens nothing when None.
    """

    promise: Promise = "at_least_once"
    pause = 0.0

    def __init__(
        self,
        recipient: Mailbox,
        relay: Server,
        sender: Mailbox,
        *,
        host: str = "",
        timeout: float = 60.0,
        tls: ssl.SSLContext | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._recipient = recipient
        self._relay = relay
        self._sender = sender
        self._host = host or sender.domain
        self._timeout = timeout
        self._tls = tls
        self._guard = (guard or Guard()).opening(f"{relay.host}:{relay.port}")
        self.name = f"e-mail {recipient.addr_spec}"

    async def send(self, notice: Notice, committing: Committing) -> Delivery:
        """Hand one message to the server."""
        try:
            raw = compose(notice, sender=self._sender, recipient=self._recipient, host=self._host)
        except Refused as refused:
            return Delivery(outcome="refused", detail=refused.message)
        client = self._client()
        try:
            failure = await self._prepare(client)
            if failure is not None:
                return failure
            await committing()
            return await self._hand_over(client, raw)
        finally:
            client.close()

    async def close(self) -> None:
        """Have nothing to close: each message has a connection of its own."""

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self._relay.host,  # which TLS asks for; the connection is made by `_dial`
            use_tls=self._relay.tls,
            start_tls=self._relay.starttls,
            tls_context=self._tls,
            local_hostname=self._host,
            timeout=self._timeout,
        )

    async def _prepare(self, client: SMTP) -> Delivery | None:
        """Connect, log in and name sender and recipient; return why that failed."""
        try:
            async with asyncio.timeout(self._timeout):
                await client.connect(sock=await self._dial())
                if self._relay.user:
                    await client.login(self._relay.user, self._relay.password)
                await client.mail(self._sender.addr_spec)
                await client.rcpt(self._recipient.addr_spec)
        except _FAULTS as error:
            return self._failed(error)
        return None

    async def _dial(self) -> socket.socket:
        where = self._relay
        patience = min(_PATIENCE, self._timeout)
        return await dial(self._guard, where.host, where.port, patience=patience)

    async def _hand_over(self, client: SMTP, raw: bytes) -> Delivery:
        try:
            async with asyncio.timeout(self._timeout):
                taken = await client.data(raw)
        except _FAULTS as error:
            return self._failed(error)
        with contextlib.suppress(*_FAULTS):
            async with asyncio.timeout(_BYE):
                await client.quit()
        return Delivery(outcome="sent", provider_id=line(taken.message, 100))

    def _failed(self, error: Exception) -> Delivery:
        host = self._relay.host
        if isinstance(error, Barred):
            return Delivery(outcome="refused", detail=f"{host} is where scout may not connect to")
        if isinstance(error, SMTPResponseException) and error.code > 0:
            said = self._without_secrets(line(str(error.message), 300))
            return Delivery(outcome=_outcome(error), detail=f"{host} said {error.code} {said}")
        return Delivery(outcome="retry", detail=f"{host} {_reason(error)}")

    def _without_secrets(self, text: str) -> str:
        secret = self._relay.password
        return text.replace(secret, "***") if secret else text


def _outcome(error: SMTPResponseException) -> DeliveryOutcome:
    if not 500 <= error.code < 600:
        return "retry"
    if isinstance(error, SMTPRecipientRefused) and _is_unknown(error):
        return "gone"
    return "refused"


def _is_unknown(error: SMTPRecipientRefused) -> bool:
    """Return whether the mailbox does not exist, which 550 alone says as well as 5.1.1."""
    found = _ENHANCED.search(str(error.message))
    if found is None:
        return error.code == 550
    return (found[1], found[2]) == ("5", "1") and found[3] in ("1", "2", "3", "6", "10")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has no valid certificate: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    cause = error.__cause__
    return _reason(cause) if isinstance(cause, Exception) else f"failed ({type(error).__name__})"
