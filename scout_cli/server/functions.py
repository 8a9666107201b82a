"""`/functions/v1`: a run now, and a test mail, as the web interface asks for them.

It asks with the key that everybody knows. Whoever uses that key is answered the same at once,
whatever they ask for; what their request comes to shows in the interface, or in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

from aiohttp import web

from scout_cli.app import App
from scout_cli.core import shape
from scout_cli.errors import ConfigError, InvalidInput, ScoutError, TooMany, Unauthorized
from scout_cli.server.askers import SERVICE, actor_of, asking
from scout_cli.server.calls import APP
from scout_cli.server.dispatch import ADDRESS, SECONDS, WHO
from scout_cli.server.problems import status_of
from scout_cli.server.reading import bytes_of
from scout_cli.server.rest.viewers import key_role
from scout_cli.service.accounts.refusals import BadToken
from scout_cli.service.audit import Asker

LOG = logging.getLogger("scout.server")

Handler = Callable[[web.Request], Awaitable[web.Response]]

_BODY = 2**16
_MOST_BESIDE = 64
"""Requests of strangers that are looked at beside one another."""
_LONGEST_ID = 64


class Beside:
    """Work that goes on after its request was answered."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, unless too much is being done."""
        if len(self._tasks) >= _MOST_BESIDE:
            work.close()
            LOG.warning("a run was asked for and not looked at: %s others are", _MOST_BESIDE)
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self, _: object = None) -> None:
        """Wait until all of it is done."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


BESIDE: web.AppKey[Beside] = web.AppKey("BESIDE", Beside)
"""What goes on after its request was answered."""


def add_routes(server: web.Application) -> None:
    """Add the functions to an application."""
    server[BESIDE] = Beside()
    server.on_cleanup.append(_settle)
    server.router.add_route("POST", "/functions/v1/scout-cron", _told(scout_cron))
    server.router.add_route("POST", "/functions/v1/send-test-email", _told(send_test_email))
    server.router.add_route("*", "/functions/v1/{rest:.*}", nothing_here)


async def scout_cron(request: web.Request) -> web.Response:
    """Queue a run of a scout."""
    role, user_id, actor = await _asker(request)
    named = request.query.get("scoutId") or (await _body(request)).get("scoutId")
    if not isinstance(named, str) or not named:
        raise InvalidInput("scoutId is missing", hint="send ?scoutId=")
    if role == "anon":
        request.app[BESIDE].do(_for_anybody(request.app[APP], named, asking(request)))
        return _json(200, {"success": True})
    triggers = await request.app[APP].triggers(asking(request, actor))
    scout, execution = await triggers.by_owner(_id(named, "scout"), user_id)
    told = {"scoutId": str(scout.id), "title": scout.title, "executionId": str(execution.id)}
    return _json(200, {"success": True, **told})


async def send_test_email(request: web.Request) -> web.Response:
    """Send a test mail to a user's own address."""
    role, user_id, _ = await _asker(request)
    named = (await _body(request)).get("userId")
    if user_id is None:
        user_id = _id(named, "user") if isinstance(named, str) else None
    elif named not in (None, str(user_id)):
        raise InvalidInput("there is no such account")
    if user_id is None:
        raise InvalidInput("userId is missing")
    sent = await (await request.app[APP].trials()).send(user_id, request[ADDRESS])
    # Whoever knows a user's id need not know their address.
    to = "the address of this account" if role == "anon" else sent.email
    told = f"Test email sent to {to}"
    return _json(200, {"success": True, "message": told, "emailId": str(sent.id)})


async def nothing_here(_: web.Request) -> web.Response:
    """Say that there is no such function."""
    return _json(404, {"error": "there is no such function"})


async def _for_anybody(app: App, named: str, asker: Asker) -> None:
    """Queue a run, if that may be; whoever asked has been answered."""
    try:
        triggers = await app.triggers(asker)
        await triggers.by_anybody(_id(named, "scout"), asker.address)
    except ScoutError as error:
        LOG.info("a run was asked for and not queued: %s", error.message)
    except Exception:  # a task of its own: the log is all there is to tell
        LOG.exception("a run could not be queued")


async def _asker(request: web.Request) -> tuple[str, UUID | None, str]:
    """Return who asks: `anon`, `service_role` or `user`, which user, and how the log names them.

    Raises:
        Unauthorized: no key, a key that is none, or a token that is not good any more.
    """
    given = request.headers.getall("Authorization", [])
    bearer = given[0].partition(" ")[2].strip() if len(given) == 1 else ""
    if not bearer:
        raise Unauthorized("no key", hint="send Authorization: Bearer KEY")
    if (role := key_role(request, bearer)) is not None:
        return role, None, SERVICE if role == "service_role" else ""
    try:
        caller = await (await request.app[APP].accounts()).caller(bearer)
    except Unauthorized:
        raise BadToken from None
    request[WHO] = str(caller.user_id)
    if "write" not in caller.scopes:
        raise Unauthorized("this token may only read")
    return "user", caller.user_id, actor_of(caller)


async def _body(request: web.Request) -> dict[str, Any]:
    data = await bytes_of(request, _BODY)
    return shape.decode(data, dict[str, Any], what="body") if data.strip() else {}


def _id(text: str, kind: str) -> UUID:
    try:
        return UUID(text[:_LONGEST_ID])
    except ValueError:
        raise InvalidInput(f"that is not the id of a {kind}") from None


def _told(handler: Handler) -> Handler:
    """Return a handler whose errors have the form that the interface shows."""

    async def handle(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(SECONDS):
                return await handler(request)
        except ScoutError as error:
            status = 503 if isinstance(error, ConfigError) else status_of(error)
            return _failed(status, error)

    return handle


def _failed(status: int, error: ScoutError) -> web.Response:
    words = f"{error.message}: {error.hint}" if error.hint else error.message
    answer = _json(status, {"success": False, "error": words})
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return answer


async def _settle(server: web.Application) -> None:
    await server[BESIDE].settled()


def _json(status: int, value: dict[str, Any]) -> web.Response:
    return web.Response(
        status=status, body=shape.encode(value), headers={"Content-Type": "application/json"}
    )
