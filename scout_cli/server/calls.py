"""One request on its way through the server: who asks, with which values, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from aiohttp import web

from scout_cli.app import App
from scout_cli.core.models import Record
from scout_cli.errors import Forbidden, Unauthorized
from scout_cli.service.callers import Caller

B = TypeVar("B")
Q = TypeVar("Q")

APP: web.AppKey[App] = web.AppKey("APP", App)
"""The application that every handler works with."""
SECRETS: web.AppKey[Sequence[str]] = web.AppKey("SECRETS", Sequence[str])
"""What signs tokens and keys, newest first."""
STOPPING: web.AppKey[asyncio.Event] = web.AppKey("STOPPING", asyncio.Event)
"""Set when the server stops: streams say so and end."""


class Rules(Record, frozen=True, kw_only=True):
    """Who may call."""

    hosts: frozenset[str] = frozenset()
    """Names that the server is called by; empty for any."""
    origins: frozenset[str] = frozenset()
    """Web pages that may call, beside those of this machine."""


RULES: web.AppKey[Rules] = web.AppKey("RULES", Rules)


class Reply(Record, frozen=True, kw_only=True):
    """What a handler answers."""

    value: Any = None
    """Encoded as JSON; None for an empty body."""
    status: int | None = None
    """None for the one that the route names."""
    headers: Mapping[str, str] = {}


class Call(Generic[B, Q]):
    """A request whose path, query and body have been checked.

    Args:
        request: as it came.
        caller: who asks; None where nobody need be known.
        ids: the identifiers in the path, by name.
        query: of the type that the route names.
        body: of the type that the route names.
        address: where it comes from, proxies that are trusted left aside.
        request_id: names it in logs and errors.
    """

    def __init__(
        self,
        request: web.Request,
        *,
        caller: Caller | None,
        ids: Mapping[str, UUID],
        query: Q,
        body: B,
        address: str,
        request_id: str,
    ) -> None:
        self.request = request
        self._caller = caller
        self.ids = ids
        self.query = query
        self.body = body
        self.address = address
        self.request_id = request_id

    @property
    def app(self) -> App:
        """Return the application."""
        return self.request.app[APP]

    @property
    def caller(self) -> Caller:
        """Return who asks.

        Raises:
            Unauthorized: nobody is known.
        """
        if self._caller is None:
            raise Unauthorized("this needs a token", hint="sign in: POST /auth/login")
        return self._caller

    @property
    def user(self) -> UUID:
        """Return whose rows this is about."""
        return self.caller.user_id

    def require_admin(self) -> Caller:
        """Return who asks, when that is an admin.

        Raises:
            Forbidden: it is not.
        """
        if self.caller.role != "admin":
            raise Forbidden("only an admin may do this")
        return self.caller
