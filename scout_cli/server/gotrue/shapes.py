"""Sessions, users and errors in the form that GoTrue's clients read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    ScoutError,
    TooMany,
    Unauthorized,
    Unavailable,
)
from scout_cli.server.problems import TooLarge
from scout_cli.service.accounts.people import Person
from scout_cli.service.accounts.refusals import (
    AccountExists,
    BadAddress,
    BadCode,
    BadRefreshToken,
    Disabled,
    InvalidCredentials,
    NotConfirmed,
    SessionGone,
    SignupClosed,
    WeakPassword,
)
from scout_cli.service.accounts.sessions import SignedIn

VERSION = {"X-Supabase-Api-Version": "2024-01-01"}
"""With it a client reads `code`; without, `error_code`."""

_KNOWN: tuple[tuple[type[ScoutError], int, str, str], ...] = (
    (InvalidCredentials, 400, "invalid_credentials", "Invalid login credentials"),
    (NotConfirmed, 400, "email_not_confirmed", "Email not confirmed"),
    (AccountExists, 422, "user_already_exists", "User already registered"),
    (WeakPassword, 422, "weak_password", ""),
    (
        BadRefreshToken,
        400,
        "refresh_token_not_found",
        "Invalid Refresh Token: Refresh Token Not Found",
    ),
    (SignupClosed, 422, "signup_disabled", "Signups not allowed for this instance"),
    (BadAddress, 400, "email_address_invalid", ""),
    (BadCode, 403, "otp_expired", "Token has expired or is invalid"),
    (Disabled, 403, "user_banned", "User is banned"),
    (SessionGone, 403, "session_not_found", "Session from session_id claim in JWT does not exist"),
    (Unauthorized, 401, "no_authorization", ""),
    (TooMany, 429, "over_request_rate_limit", "Request rate limit reached"),
    (NotFound, 404, "user_not_found", "User not found"),
    (TooLarge, 413, "validation_failed", ""),
    (InvalidInput, 400, "validation_failed", ""),
    (Forbidden, 403, "not_admin", ""),
    (Refused, 403, "not_admin", ""),
    (Unavailable, 503, "request_timeout", ""),
    (ScoutError, 409, "conflict", ""),
)


def user_of(person: Person) -> dict[str, Any]:
    """Return a user object."""
    confirmed = _moment(person.email_confirmed_at)
    created = _moment(person.created_at)
    seen = _moment(person.last_sign_in_at)
    identity = {
        "identity_id": str(person.id),
        "id": str(person.id),
        "user_id": str(person.id),
        "identity_data": {
            "email": person.email,
            "email_verified": confirmed is not None,
            "phone_verified": False,
            "sub": str(person.id),
        },
        "provider": "email",
        "last_sign_in_at": seen,
        "created_at": created,
        "updated_at": created,
        "email": person.email,
    }
    return {
        "id": str(person.id),
        "aud": "authenticated",
        "role": "authenticated",
        "email": person.email,
        "email_confirmed_at": confirmed,
        "confirmed_at": confirmed,
        "phone": "",
        "last_sign_in_at": seen,
        "app_metadata": {"provider": "email", "providers": ["email"], "role": person.role},
        "user_metadata": person.user_metadata,
        "identities": [identity],
        "created_at": created,
        "updated_at": seen or created,
        "is_anonymous": False,
        **({"banned_until": "2999-01-01T00:00:00+00:00"} if person.disabled_at else {}),
    }


def session_of(signed_in: SignedIn) -> dict[str, Any]:
    """Return a session object."""
    return {
        "access_token": signed_in.access_token,
        "token_type": "bearer",
        "expires_in": signed_in.expires_in,
        "expires_at": signed_in.expires_at,
        "refresh_token": signed_in.refresh_token,
        "user": user_of(signed_in.user),
    }


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer; None for an empty one."""
    return web.Response(
        status=status,
        body=b"" if value is None else shape.encode(value),
        headers={"Content-Type": "application/json", **VERSION, **(headers or {})},
    )


def failed(error: ScoutError) -> web.Response:
    """Return an error, in each of the spellings that clients look for."""
    status, code, message = next(
        (status, code, text or error.message)
        for kind, status, code, text in _KNOWN
        if isinstance(error, kind)
    )
    told: dict[str, Any] = {"code": code, "error_code": code, "message": message, "msg": message}
    if isinstance(error, WeakPassword):
        told["weak_password"] = {"reasons": list(error.reasons)}
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return answer(told, status, headers)


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
