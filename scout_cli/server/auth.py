"""Signing up, in and out; and passwords."""

from __future__ import annotations

from typing import Any

from msgspec import field

from scout_cli.core.models import Record
from scout_cli.core.shape import Shape
from scout_cli.server.askers import asker_of, stranger_of
from scout_cli.server.calls import Call, Reply
from scout_cli.server.routing import Route
from scout_cli.service.accounts import Person, SignedIn
from scout_cli.service.accounts.sessions import Scope as LogoutScope

_TAG = "accounts"
_EMAIL = "ann@example.org"
_PASSWORD = "seven-green-otters"  # noqa: S105 - an example


class SignUp(Shape, frozen=True, kw_only=True):
    """A new account."""

    email: str
    password: str
    data: dict[str, Any] = field(default_factory=dict)
    """What the user says of themselves; 1 KiB as JSON."""
    setup_token: str = ""
    """For the first account, where `scout serve` printed one."""


class SignIn(Shape, frozen=True, kw_only=True):
    """Who, and what proves it."""

    email: str
    password: str


class Refresh(Shape, frozen=True, kw_only=True):
    """The newest refresh token of a session."""

    refresh_token: str


class SignOut(Shape, frozen=True, kw_only=True):
    """Which sessions end: this one, all others, or all."""

    scope: LogoutScope = "local"


class NewPassword(Shape, frozen=True, kw_only=True):
    """The password as it is and as it shall be."""

    current_password: str
    password: str


class Recover(Shape, frozen=True, kw_only=True):
    """Whose password is lost."""

    email: str


class Reset(Shape, frozen=True, kw_only=True):
    """A code from a mail, and the new password."""

    code: str
    password: str


class Confirm(Shape, frozen=True, kw_only=True):
    """A code from a mail."""

    code: str


class SignedUp(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A session, or the word that a mail must be answered first."""

    confirmation_sent: bool = False
    """A code is on its way to the address: POST /auth/confirm."""
    access_token: str = ""
    token_type: str = ""
    expires_in: int = 0
    expires_at: int = 0
    refresh_token: str = ""
    user: Person | None = None


async def sign_up(call: Call[SignUp, None]) -> Reply:
    """Make an account and sign in."""
    given = call.body
    signed_in = await (await call.app.accounts()).joining.sign_up(
        given.email,
        given.password,
        stranger_of(call),
        metadata=given.data,
        setup_token=given.setup_token,
    )
    if signed_in is None:
        return Reply(value=SignedUp(confirmation_sent=True), status=202)
    return Reply(value=_signed_up(signed_in))


async def sign_in(call: Call[SignIn, None]) -> Reply:
    """Sign in with a password."""
    found = await (await call.app.accounts()).sign_in(
        call.body.email, call.body.password, stranger_of(call)
    )
    return Reply(value=found)


async def refresh(call: Call[Refresh, None]) -> Reply:
    """Get new tokens."""
    sessions = (await call.app.accounts()).sessions
    return Reply(value=await sessions.refresh(call.body.refresh_token, stranger_of(call)))


async def sign_out(call: Call[SignOut, None]) -> Reply:
    """End sessions."""
    accounts = await call.app.accounts()
    await accounts.sign_out(call.caller, call.body.scope, asker_of(call))
    return Reply()


async def me(call: Call[None, None]) -> Reply:
    """Tell who asks."""
    return Reply(value=await (await call.app.accounts()).me(call.caller))


async def change_password(call: Call[NewPassword, None]) -> Reply:
    """Change the password and end the other sessions."""
    accounts = await call.app.accounts()
    given = call.body
    await accounts.recovery.change(
        call.caller, given.current_password, given.password, asker_of(call)
    )
    return Reply()


async def recover(call: Call[Recover, None]) -> Reply:
    """Ask for a code by mail."""
    await (await call.app.accounts()).recovery.ask(call.body.email, stranger_of(call))
    return Reply(status=202)


async def reset(call: Call[Reset, None]) -> Reply:
    """Set a new password with a code."""
    accounts = await call.app.accounts()
    await accounts.recovery.reset(call.body.code, call.body.password, stranger_of(call))
    return Reply()


async def confirm(call: Call[Confirm, None]) -> Reply:
    """Confirm an address with a code, and sign in."""
    return Reply(value=await (await call.app.accounts()).confirm(call.body.code, stranger_of(call)))


def _signed_up(given: SignedIn) -> SignedUp:
    return SignedUp(
        access_token=given.access_token,
        token_type=given.token_type,
        expires_in=given.expires_in,
        expires_at=given.expires_at,
        refresh_token=given.refresh_token,
        user=given.user,
    )


def route(method: Any, path: str, handler: Any, summary: str, **more: Any) -> Route:
    """Return a route below `/api/v1/auth`, which is at `/auth` as well."""
    return Route(
        method=method,
        path=f"/api/v1/auth{path}",
        aliases=(f"/auth{path}",),
        handler=handler,
        summary=summary,
        tag=_TAG,
        **more,
    )


_SIGN_IN = {"email": _EMAIL, "password": _PASSWORD}

ROUTES = (
    route(
        "POST", "/signup", sign_up, "Make an account and sign in.", access="public",
        body=SignUp, answer=SignedUp, status=201, also=(202,), errors=(409,), example=_SIGN_IN,
    ),
    route(
        "POST", "/login", sign_in, "Sign in with a password.", access="public",
        body=SignIn, answer=SignedIn, errors=(401,), example=_SIGN_IN,
    ),
    route(
        "POST", "/refresh", refresh, "Get new tokens for a refresh token.", access="public",
        body=Refresh, answer=SignedIn, example={"refresh_token": "scr_..."},
    ),
    route(
        "POST", "/logout", sign_out, "End this session, the others, or all.", scope="read",
        body=SignOut, optional_body=True, status=204, example={"scope": "global"},
    ),
    route("GET", "/me", me, "Tell who asks.", answer=Person),
    route(
        "PATCH", "/password", change_password, "Change the password and end the other sessions.",
        body=NewPassword, status=204,
        example={"current_password": _PASSWORD, "password": "nine-yellow-herons"},
    ),
    route(
        "POST", "/recover", recover, "Ask for a code for a new password, by mail.",
        access="public", body=Recover, status=202, example={"email": _EMAIL},
    ),
    route(
        "POST", "/reset", reset, "Set a new password with a code from a mail.", access="public",
        body=Reset, status=204, example={"code": "abc...", "password": "nine-yellow-herons"},
    ),
    route(
        "POST", "/confirm", confirm, "Confirm an address with a code from a mail, and sign in.",
        access="public", body=Confirm, answer=SignedIn, example={"code": "abc..."},
    ),
)  # fmt: skip
