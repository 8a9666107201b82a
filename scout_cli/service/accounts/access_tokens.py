"""Access tokens: JSON Web Tokens of one hour, made and read here alone.

The claims are those of GoTrue, so that its clients understand them. Reading takes less than
PyJWT would: one algorithm, canonical base64, no repeated key, no header that names a key, whole
numbers for times, and an expiry by the injected clock.
Source: RFC 7519; RFC 8725 (best current practices).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import jwt

from scout_cli.core import base64url
from scout_cli.core.models import User
from scout_cli.core.ports import Clock
from scout_cli.service.accounts.refusals import BadToken
from scout_cli.store.sessions import Session

LIFETIME = timedelta(hours=1)
LONGEST = 4_096
"""Bytes of a token."""
ISSUER = "scout"
AUDIENCE = ROLE = "authenticated"
_LEEWAY = 10
_KEPT = 4_096
"""Tokens that are remembered at a time."""
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "iat", "iss", "sub", "aud", "role", "session_id"]
_OPTIONS: Any = {
    "require": _REQUIRED,
    "strict_aud": True,
    # By the injected clock, below: PyJWT has the machine's, and takes "12" for a number.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class Claims(NamedTuple):
    """What an access token says that matters; everything else is looked up."""

    user_id: UUID
    session_id: UUID
    begins_at: datetime
    expires_at: datetime


class Signed(NamedTuple):
    """A token and when it ends."""

    token: str
    expires_at: datetime


class AccessTokens:
    """Makes and reads access tokens.

    Args:
        secrets: sign and verify; the first signs.
        clock: tells whether a token has expired.
    """

    def __init__(self, secrets: Sequence[str], clock: Clock) -> None:
        self._secrets = tuple(secrets)
        self._clock = clock
        self._verified: dict[bytes, Claims] = {}

    def sign(self, user: User, session: Session, issued_at: datetime) -> Signed:
        """Return a token for a session; the same one for the same second."""
        begin = int(issued_at.timestamp())
        end = begin + int(LIFETIME.total_seconds())
        claims = {
            "iss": ISSUER,
            "sub": str(user.id),
            "aud": AUDIENCE,
            "role": ROLE,
            "exp": end,
            "iat": begin,
            "email": user.email or "",
            "phone": "",
            "app_metadata": app_metadata(user),
            "user_metadata": user.user_metadata,
            "session_id": str(session.id),
            "aal": "aal1",
            "amr": [{"method": session.method, "timestamp": int(session.created_at.timestamp())}],
            "is_anonymous": False,
        }
        token = jwt.encode(claims, self._secrets[0], algorithm=_ALGORITHM)
        return Signed(token, datetime.fromtimestamp(end, issued_at.tzinfo))

    def read(self, token: str) -> Claims:
        """Return what a token says.

        Raises:
            BadToken: not ours, altered, not for this, or expired.
        """
        if len(token) > LONGEST or not token.isascii():
            raise BadToken
        # A good signature stays good, and costs more than all else about a small request.
        name = sha256(token.encode()).digest()
        claims = self._verified.get(name) or self._keep(name, self._claims(token))
        now = self._clock.now()
        leeway = timedelta(seconds=_LEEWAY)
        if claims.begins_at > now + leeway or claims.expires_at + leeway <= now:
            raise BadToken
        return claims

    def _keep(self, name: bytes, claims: Claims) -> Claims:
        if len(self._verified) >= _KEPT:
            self._verified.clear()
        self._verified[name] = claims
        return claims

    def _claims(self, token: str) -> Claims:
        parts = token.split(".")
        if len(parts) != 3:
            raise BadToken
        header, body, _ = (_decoded(part) for part in parts)
        if _object(header) not in ({"alg": _ALGORITHM, "typ": "JWT"}, {"alg": _ALGORITHM}):
            raise BadToken
        _object(body)
        said = self._signed(token)
        if said["role"] != ROLE:
            raise BadToken
        zone = self._clock.now().tzinfo
        begins = max(_moment(said[each], zone) for each in ("iat", "nbf") if each in said)
        ends = _moment(said["exp"], zone)
        return Claims(_identifier(said["sub"]), _identifier(said["session_id"]), begins, ends)

    def _signed(self, token: str) -> dict[str, Any]:
        for secret in self._secrets:
            try:
                return jwt.decode(
                    token,
                    secret,
                    algorithms=[_ALGORITHM],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    options=_OPTIONS,
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.PyJWTError:
                raise BadToken from None
        raise BadToken


def app_metadata(user: User) -> dict[str, Any]:
    """Return what the server, not the user, says of an account."""
    return {"provider": "email", "providers": ["email"], "role": user.role}


def _moment(value: Any, zone: tzinfo | None) -> datetime:
    if type(value) is not int:
        raise BadToken
    try:
        return datetime.fromtimestamp(value, zone)
    except (OverflowError, ValueError, OSError):
        raise BadToken from None


def _identifier(value: Any) -> UUID:
    try:
        found = UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise BadToken from None
    if str(found) != value:
        raise BadToken
    return found


def _decoded(part: str) -> bytes:
    try:
        return base64url.decode(part)
    except ValueError:
        raise BadToken from None


def _object(data: bytes) -> dict[str, Any]:
    """Return a JSON object in which no key stands twice."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadToken from None
    if not isinstance(found, dict):
        raise BadToken
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
