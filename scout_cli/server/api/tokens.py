"""`/api/v1/auth/tokens`: keys for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from scout_cli.core.models import Record
from scout_cli.core.shape import Shape
from scout_cli.errors import Forbidden
from scout_cli.server.askers import asker_of
from scout_cli.server.auth import route
from scout_cli.server.calls import Call, Reply
from scout_cli.service.accounts import NewToken
from scout_cli.service.accounts.tokens import Token
from scout_cli.service.callers import Scope


class MakeToken(Shape, frozen=True, kw_only=True):
    """A key for a program."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: tuple[Scope, ...] = ("read", "write")
    expires_in_days: Annotated[int, Meta(ge=1, le=3_650)] | None = None
    """None for no end."""


class Tokens(Record, frozen=True, kw_only=True):
    """Keys, oldest first, without the keys themselves."""

    tokens: list[Token]


async def list_tokens(call: Call[None, None]) -> Reply:
    """List the keys of whoever asks."""
    tokens = (await call.app.accounts()).tokens
    return Reply(value=Tokens(tokens=await tokens.all(call.user)))


async def make_token(call: Call[MakeToken, None]) -> Reply:
    """Make a key; a key cannot make others, which would outlive it."""
    if call.caller.session_id is None:
        raise Forbidden("a token cannot make tokens", hint="sign in: POST /auth/login")
    days = call.body.expires_in_days
    made = await (await call.app.accounts()).tokens.create(
        call.user,
        call.body.name,
        asker_of(call),
        scopes=call.body.scopes,
        expires_at=call.app.clock.now() + timedelta(days=days) if days else None,
    )
    return Reply(value=made)


async def remove_token(call: Call[None, None]) -> Reply:
    """Withdraw a key."""
    accounts = await call.app.accounts()
    await accounts.tokens.remove(call.user, call.ids["token_id"], asker_of(call))
    accounts.forget()
    return Reply()


ROUTES = (
    route("GET", "/tokens", list_tokens, "List your tokens for programs.", answer=Tokens),
    route(
        "POST", "/tokens", make_token, "Make a token for a program; it is shown once.",
        body=MakeToken, answer=NewToken, status=201, errors=(409,),
        example={"name": "dashboard", "scopes": ["read"], "expires_in_days": 90},
    ),
    route(
        "DELETE", "/tokens/{token_id}", remove_token, "Withdraw a token.", status=204,
        errors=(404,),
    ),
)  # fmt: skip
