"""The keys of the web interface: one for everybody, two for its server.

They follow from the secret that signs tokens, so they stay as long as it does, and there is
nothing to store. Clients treat them as opaque; here they are compared, never parsed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from scout_cli.core import base64url, shape

KeyRole = Literal["anon", "service_role"]

GATEWAY = "scout-"
"""How the key of the chat gateway begins."""

_FROM = 1_735_689_600  # 2025-01-01
_UNTIL = 4_102_444_800  # 2100-01-01: they end when the secret does


def api_key(role: KeyRole, secret: str) -> str:
    """Return the key of a role, a JSON Web Token (RFC 7519) signed with HS256.

    Args:
        role: what it lets its holder do.
        secret: one of the keyring's `jwt_secrets`.
    """
    header = _part({"alg": "HS256", "typ": "JWT"})
    claims = _part({"iss": "scout", "role": role, "iat": _FROM, "exp": _UNTIL})
    signed = f"{header}.{claims}"
    mac = hmac.new(secret.encode(), signed.encode(), sha256).digest()
    return f"{signed}.{base64url.encode(mac)}"


def role_of(key: str, secrets: Sequence[str]) -> KeyRole | None:
    """Return whose key this is; None when it is none.

    Args:
        key: what a client sent.
        secrets: the secrets that are good, newest first.
    """
    given = key.encode()
    found: KeyRole | None = None
    for role, good in _keys(tuple(secrets)):
        if hmac.compare_digest(given, good):
            found = role
    return found


@lru_cache(maxsize=4)  # each request compares with all of them
def _keys(secrets: tuple[str, ...]) -> list[tuple[KeyRole, bytes]]:
    roles: tuple[KeyRole, ...] = ("anon", "service_role")
    return [(role, api_key(role, secret).encode()) for secret in secrets for role in roles]


def gateway_key(secret: str) -> str:
    """Return the key of the chat gateway, which knows no user.

    Args:
        secret: one of the keyring's `jwt_secrets`.
    """
    mac = hmac.digest(secret.encode(), b"scout chat gateway", sha256)
    return f"{GATEWAY}{base64url.encode(mac)}"


def opens_gateway(key: str, secrets: Sequence[str]) -> bool:
    """Return whether a key lets its holder talk to the model: the gateway's, or the service key.

    Args:
        key: what a client sent.
        secrets: the secrets that are good, newest first.
    """
    given, good = key.encode(), False
    for secret in secrets:
        good |= hmac.compare_digest(given, gateway_key(secret).encode())
    return good or role_of(key, secrets) == "service_role"


def _part(value: dict[str, object]) -> str:
    return base64url.encode(shape.encode(value))
