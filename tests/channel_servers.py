"""What notifications are sent to: an HTTP receiver, a raw socket and a mail server on loopback.

    async with Receiver(Says(status=503, headers={"Retry-After": "7"}), Says()) as receiver:
        ...                       # the first message is answered 503, the others 200

The receiver keeps only messages that arrived whole.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


@dataclass(frozen=True, kw_only=True)
class Says:
    """One answer, good or bad."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Take the message and say nothing until the client goes away."""
    drip: bool = False
    """Send the body one byte at a time, for ever."""
    flood: bool = False
    """Send the body as fast as it goes, for ever."""

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Says:
        """Return an answer in JSON."""
        return cls(status=status, body=json.dumps(value).encode())


@dataclass(frozen=True, kw_only=True)
class Got:
    """One message that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body."""
        return json.loads(self.body)


class Receiver:
    """An HTTP server that takes messages and answers in turn; the last answer is repeated."""

    def __init__(self, *says: Says) -> None:
        self._says = list(says) or [Says()]
        self.got: list[Got] = []
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()
        """A client went away before it was answered in full."""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(path=request.path_qs, headers=headers, body=body))
        self.arrived.set()
        says = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        try:
            return await self._say(request, says)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise

    async def _say(self, request: web.Request, says: Says) -> web.StreamResponse:
        if says.hang:
            await asyncio.Event().wait()
        if not says.drip and not says.flood:
            return web.Response(status=says.status, body=says.body, headers=says.headers)
        response = web.StreamResponse(status=says.status, headers=says.headers)
        await response.prepare(request)
        while True:
            await response.write(b"{" * (65_536 if says.flood else 1))
            await asyncio.sleep(0 if says.flood else 0.02)


class Raw:
    """A socket that answers a request with bytes of its own making.

    Args:
        said: gives the pieces to send when something has arrived.
    """

    def __init__(self, said: Callable[[], AsyncIterator[bytes]]) -> None:
        self._said = said

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65_536)
            async for piece in self._said():
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message that a mail server took."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        """Return the message as mail programs read it."""
        return message_from_bytes(self.raw, policy=policy.default)  # type: ignore[return-value]


class MailServer:
    """An SMTP server that takes everything, or answers one command in its own way.

    Args:
        answers: reply to a command, such as `{"RCPT": "550 5.1.1 no such user"}`; the commands
            are MAIL, RCPT and DATA (after the message). "hang" says nothing.
        login: user and password to require.
        tls: offer STARTTLS with this; with `at_once` speak TLS from the first byte.
        at_once: see `tls`.
    """

    def __init__(
        self,
        answers: dict[str, str] | None = None,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
    ) -> None:
        self._answers = answers or {}
        self._login = login
        self._tls = tls
        self._at_once = at_once
        self.got: list[Mail] = []
        self.seen: list[str] = []
        """Commands, in order."""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._session, "127.0.0.1", 0, ssl=self._tls if self._at_once else None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _session(self) -> SMTP:
        with warnings.catch_warnings():
            # It warns of passwords without TLS, which never leave this machine here.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                self,
                hostname="mail.test",
                loop=asyncio.get_running_loop(),
                tls_context=None if self._at_once else self._tls,
                authenticator=self._authenticate if self._login else None,
                auth_required=bool(self._login),
                auth_require_tls=False,
            )

    def _authenticate(self, *given: Any) -> AuthResult:
        login = given[4]
        assert isinstance(login, LoginPassword)
        right = self._login == (login.login.decode(), login.password.decode())
        return AuthResult(success=right, handled=False)

    async def _reply(self, command: str, usual: str) -> str:
        self.seen.append(command)
        if self._answers.get(command) == "hang":
            await asyncio.Event().wait()
        return self._answers.get(command, usual)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, sender: str, _options: Any
    ) -> str:
        """Take a sender."""
        envelope.mail_from = sender
        return await self._reply("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, recipient: str, _options: Any
    ) -> str:
        """Take a recipient."""
        answer = await self._reply("RCPT", "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(recipient)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope
    ) -> str:
        """Take a message."""
        answer = await self._reply("DATA", "250 OK queued as 4711")
        if answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.got.append(
                Mail(
                    sender=envelope.mail_from or "",
                    recipients=list(envelope.rcpt_tos),
                    raw=envelope.content,
                )
            )
        return answer
