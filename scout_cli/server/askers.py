"""Who asks and from where, for limits and the log: the same for every surface of the server."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from scout_cli.server.calls import Call
from scout_cli.server.dispatch import ADDRESS, REQUEST_ID
from scout_cli.service.audit import Asker, user_actor
from scout_cli.service.callers import Caller

SERVICE = "service key"
"""The actor that holds the key which may do everything over the surfaces of the web interface."""


def asking(request: web.Request, actor: str = "") -> Asker:
    """Return from where a request comes.

    Args:
        request: as it came.
        actor: who it is from; empty for somebody unknown.
    """
    return Asker(
        address=request[ADDRESS] or "unknown",
        agent=request.headers.get("User-Agent", ""),
        request_id=request[REQUEST_ID],
        actor=actor,
    )


def actor_of(caller: Caller) -> str:
    """Return how the log names a caller."""
    return f"token {caller.token_id}" if caller.token_id else user_actor(caller.user_id)


def asker_of(call: Call[Any, Any]) -> Asker:
    """Return who calls, where somebody must be known.

    Raises:
        Unauthorized: nobody is.
    """
    return asking(call.request, actor_of(call.caller))


def stranger_of(call: Call[Any, Any]) -> Asker:
    """Return from where somebody calls who need not be known yet."""
    return asking(call.request)
