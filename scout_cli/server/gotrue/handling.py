"""`/auth/v1`: sign up, in and out, refresh, the user, and the links in mails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from scout_cli.errors import InvalidInput, ScoutError
from scout_cli.server.calls import APP
from scout_cli.server.dispatch import SECONDS
from scout_cli.server.gotrue import admin, shapes
from scout_cli.server.gotrue.asking import Asked, Credentials, Grant, UserChange
from scout_cli.service.accounts.codes import checked_challenge
from scout_cli.service.accounts.links import LinkKind
from scout_cli.service.accounts.refusals import BadCode

Handle = Callable[[Asked], Awaitable[web.Response]]


async def sign_up(asked: Asked) -> web.Response:
    """Make an account: a session, or a user whose address must be confirmed first."""
    given = await asked.body(Credentials)
    challenge = checked_challenge(given.code_challenge or "", given.code_challenge_method or "")
    signed_in = await asked.accounts.joining.sign_up(
        given.email,
        given.password,
        asked.asker,
        metadata=given.data,
        challenge=challenge,
        redirect_to=asked.target(),
    )
    if signed_in is None:
        return shapes.answer(_unconfirmed(given.email, asked))
    await (await asked.app.tables()).prepare(signed_in.user.id)
    return shapes.answer(shapes.session_of(signed_in))


def _unconfirmed(email: str, asked: Asked) -> dict[str, Any]:
    """Return a user as one looks who has to confirm; the same for an address that is taken."""
    now = asked.app.clock.now().isoformat()
    return {
        "id": str(asked.app.clock.uuid()),
        "aud": "authenticated",
        "role": "",
        "email": email.strip().lower(),
        "phone": "",
        "confirmation_sent_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {},
        "identities": [],
        "created_at": now,
        "updated_at": now,
        "is_anonymous": False,
    }


async def token(asked: Asked) -> web.Response:
    """Open a session by password or code, or go on with one by its refresh token."""
    given = await asked.body(Grant)
    grant = asked.request.query.get("grant_type", "")
    if grant == "password":
        signed_in = await asked.accounts.sign_in(given.email, given.password, asked.asker)
        await (await asked.app.tables()).prepare(signed_in.user.id)
    elif grant == "refresh_token":
        signed_in = await asked.accounts.sessions.refresh(given.refresh_token, asked.asker)
    elif grant == "pkce":
        signed_in = await asked.accounts.exchange(given.auth_code, given.code_verifier, asked.asker)
        await (await asked.app.tables()).prepare(signed_in.user.id)
    else:
        raise InvalidInput(f"unsupported_grant_type: {grant[:40]}")
    return shapes.answer(shapes.session_of(signed_in))


async def user(asked: Asked) -> web.Response:
    """Return who is signed in."""
    return shapes.answer(shapes.user_of(await asked.accounts.me(await asked.caller())))


async def change_user(asked: Asked) -> web.Response:
    """Set a new password, as after a recovery."""
    caller = await asked.caller()
    given = await asked.body(UserChange)
    if not given.password:
        return shapes.answer(shapes.user_of(await asked.accounts.me(caller)))
    links = await asked.links()
    return shapes.answer(
        shapes.user_of(await links.set_password(caller, given.password, asked.asker))
    )


async def log_out(asked: Asked) -> web.Response:
    """End this session, the others or all."""
    scopes = {"": "global", "global": "global", "local": "local", "others": "others"}
    scope = scopes.get(asked.request.query.get("scope", ""))
    if scope is None:
        raise InvalidInput("scope is global, local or others")
    await asked.accounts.sign_out(await asked.caller(), scope, asked.asker)  # type: ignore[arg-type]
    return shapes.answer(None, 204)


async def recover(asked: Asked) -> web.Response:
    """Mail a link for a new password; nobody can tell whether there is such an account."""
    given = await asked.body(Credentials)
    challenge = checked_challenge(given.code_challenge or "", given.code_challenge_method or "")
    await asked.accounts.recovery.ask(
        given.email, asked.asker, challenge=challenge, redirect_to=asked.target()
    )
    return shapes.answer({})


async def verify(asked: Asked) -> web.Response:
    """Follow the link of a mail, and go on to the page that asked for it."""
    query = asked.request.query
    kinds: dict[str, LinkKind] = {"signup": "confirm", "email": "confirm", "recovery": "recover"}
    kind = kinds.get(query.get("type", ""))
    try:
        # A kind of link that is not known is looked up all the same, and not found.
        token = query.get("token", "") if kind else ""
        followed = await (await asked.links()).follow(token, kind or "confirm", asked.asker)
    except BadCode as error:
        return _sent_on(asked.target(), error="access_denied", error_description=error.message)
    await (await asked.app.tables()).prepare(followed.user_id)
    more = {"code": followed.code} if followed.code else {}
    return _sent_on(followed.redirect_to or asked.target(), **more)


async def authorize(asked: Asked) -> web.Response:
    """Say politely that nobody else signs people in here."""
    provider = asked.request.query.get("provider", "")[:40]
    return _sent_on(
        asked.target(),
        error="server_error",
        error_code="provider_disabled",
        error_description=f"signing in with {provider or 'another provider'} is not offered here",
    )


def _sent_on(target: str, **more: str) -> web.Response:
    if not target:
        text = more.get("error_description", "Done. You may close this page, and sign in.")
        return web.Response(text=text, status=400 if "error" in more else 200)
    parts = urlsplit(target)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return web.Response(status=302, headers={"Location": urlunsplit(parts._replace(query=query))})


async def settings(asked: Asked) -> web.Response:
    """Say what is offered."""
    given = asked.app.settings
    return shapes.answer(
        {
            "external": {"email": True, "phone": False, "google": False},
            "disable_signup": given.signup == "closed",
            "mailer_autoconfirm": not given.confirm_email,
            "phone_autoconfirm": False,
        }
    )


async def health(_: Asked) -> web.Response:
    """Say that it works."""
    return shapes.answer({"name": "scout", "description": "accounts as GoTrue's clients know them"})


_OPEN = frozenset((verify, authorize, health))
"""What a browser opens by itself, without a key."""
_ROUTES: tuple[tuple[str, str, Handle], ...] = (
    ("POST", "/signup", sign_up),
    ("POST", "/token", token),
    ("GET", "/user", user),
    ("PUT", "/user", change_user),
    ("POST", "/logout", log_out),
    ("POST", "/recover", recover),
    ("GET", "/verify", verify),
    ("GET", "/authorize", authorize),
    ("GET", "/settings", settings),
    ("GET", "/health", health),
    ("GET", "/admin/users", admin.users),
    ("GET", "/admin/users/{user}", admin.one_user),
    ("DELETE", "/admin/users/{user}", admin.delete_user),
)


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the accounts of the web interface to an application."""
    for method, path, handle in _ROUTES:
        router.add_route(method, f"/auth/v1{path}", _handling(handle))


def _handling(handle: Handle) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(SECONDS):
                asked = Asked(request, await request.app[APP].accounts())
                if handle not in _OPEN:
                    asked.require_key()
                return await handle(asked)
        except ScoutError as error:
            return shapes.failed(error)

    return answer
