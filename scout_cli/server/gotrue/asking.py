"""A request over GoTrue's interface: its body, who asks, and where a browser may be sent."""

from __future__ import annotations

from typing import Any, TypeVar

from aiohttp import web

from scout_cli.app import App
from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import Unauthorized
from scout_cli.server.askers import SERVICE, actor_of, asking
from scout_cli.server.calls import APP
from scout_cli.server.dispatch import WHO
from scout_cli.server.middleware import is_local
from scout_cli.server.reading import bytes_of, refuse_unstorable
from scout_cli.server.rest.viewers import key_role
from scout_cli.service.accounts import Accounts
from scout_cli.service.accounts.links import Links
from scout_cli.service.accounts.redirects import allowed
from scout_cli.service.accounts.refusals import BadToken, SessionGone
from scout_cli.service.callers import Caller

B = TypeVar("B")
_BODY = 2**16
"""Bytes of a body."""


class Credentials(Record, frozen=True, kw_only=True):
    """Who signs up or in; what else clients send is passed over."""

    email: str = ""
    password: str = ""
    data: dict[str, Any] | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None


class Grant(Record, frozen=True, kw_only=True):
    """What a session is asked for with."""

    email: str = ""
    password: str = ""
    refresh_token: str = ""
    auth_code: str = ""
    code_verifier: str = ""


class UserChange(Record, frozen=True, kw_only=True):
    """What somebody changes of their account."""

    password: str = ""


class Asked:
    """One request."""

    def __init__(self, request: web.Request, accounts: Accounts) -> None:
        self.request = request
        self.app: App = request.app[APP]
        self.accounts = accounts
        self.asker = asking(request)

    async def body(self, to: type[B]) -> B:
        """Return the body; fields that are not known are passed over.

        Raises:
            InvalidInput: it is not JSON of that shape.
        """
        plain = shape.decode(await bytes_of(self.request, _BODY) or b"{}", Any, what="body")
        refuse_unstorable(plain, "body")
        return shape.convert(plain, to, what="body")

    def target(self) -> str:
        """Return where the browser is to be sent, if it may be."""
        given, wanted = self.app.settings, self.request.query.get("redirect_to", "")
        if is_local(wanted) and wanted.isprintable() and not {" ", "\\"} & {*wanted}:
            return wanted
        return allowed(wanted, given.site_url, given.allowed_origins)

    async def caller(self) -> Caller:
        """Return who asks.

        Raises:
            SessionGone: a token that is not good any more, or never was: the client drops it.
            Unauthorized: no token.
        """
        bearer = _bearer(self.request)
        if not bearer or key_role(self.request, bearer) is not None:
            raise Unauthorized("This endpoint requires a valid Bearer token")
        try:
            caller = await self.accounts.caller(bearer)
        except BadToken:
            raise SessionGone from None
        self.request[WHO] = str(caller.user_id)
        self.asker = asking(self.request, actor_of(caller))
        return caller

    def require_key(self) -> None:
        """Let in who knows one of the two keys.

        Raises:
            Unauthorized: the key is missing, or none of them.
        """
        key = self.request.headers.get("apikey", "") or self.request.query.get("apikey", "")
        if key_role(self.request, key) is None:
            raise Unauthorized("Invalid API key", hint="send the apikey header")

    async def links(self) -> Links:
        """Return what follows the links of mails."""
        return Links(await self.app.database(), self.app.clock, self.accounts)

    def require_service(self) -> None:
        """Let the holder of the service key in alone.

        Raises:
            NotAdmin: somebody else asks.
        """
        if key_role(self.request, _bearer(self.request)) != "service_role":
            raise NotAdmin
        self.request[WHO] = "service"
        self.asker = asking(self.request, SERVICE)


class NotAdmin(Unauthorized):
    """Accounts are managed with the service key alone."""

    code = "not_admin"

    def __init__(self) -> None:
        super().__init__("User not allowed")


def _bearer(request: web.Request) -> str:
    given = request.headers.getall("Authorization", [])
    return given[0].partition(" ")[2].strip() if len(given) == 1 else ""
