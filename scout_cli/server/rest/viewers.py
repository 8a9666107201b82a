"""Who asks over the interface's own surfaces: nobody, a user, or the holder of the service key."""

from __future__ import annotations

from aiohttp import web

from scout_cli.app import App
from scout_cli.errors import Unauthorized
from scout_cli.server.askers import SERVICE, actor_of
from scout_cli.server.calls import APP, SECRETS
from scout_cli.server.dispatch import WHO
from scout_cli.server.rest.failures import RestError
from scout_cli.server.rest.plan import Viewer
from scout_cli.service.accounts.api_keys import KeyRole, role_of


async def viewer_of(request: web.Request) -> Viewer:
    """Return who asks.

    Raises:
        RestError: no key, a key that is none, or a token that is not good any more.
    """
    app = request.app[APP]
    key = request.headers.get("apikey", "")
    given = request.headers.getall("Authorization", [])
    if len(given) > 1:
        raise _refused("two Authorization headers")
    bearer = given[0].partition(" ")[2].strip() if given else ""
    if not key and not bearer:
        raise RestError(
            401, "PGRST301", "No API key found in request", hint="send the apikey header"
        )
    if key and key_role(request, key) is None:
        raise RestError(401, "PGRST301", "Invalid API key")
    return await viewer_by(request, app, bearer or key)


async def viewer_by(request: web.Request, app: App, bearer: str) -> Viewer:
    """Return who holds a key or a token; see `viewer_of`."""
    role = key_role(request, bearer)
    if role == "service_role":
        request[WHO] = "service"
        return Viewer(role="service", actor=SERVICE)
    if role == "anon":
        return Viewer(role="anon")
    try:
        caller = await (await app.accounts()).caller(bearer)
    except Unauthorized as error:
        raise _refused(error.message) from None
    if "read" not in caller.scopes:
        raise _refused("this token may not read")
    request[WHO] = str(caller.user_id)
    return Viewer(
        role="user",
        user_id=caller.user_id,
        actor=actor_of(caller),
        writes="write" in caller.scopes,
    )


def key_role(request: web.Request, key: str) -> KeyRole | None:
    """Return what a key lets its holder do, None when it is none of this server's."""
    return role_of(key, request.app[SECRETS])


def _refused(why: str) -> RestError:
    code = "PGRST303" if "expired" in why else "PGRST301"
    return RestError(401, code, "JWT expired" if code == "PGRST303" else f"JWT invalid: {why}")
