"""Who asks: a person with a session, or a program with a token of theirs."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from scout_cli.core.models import Record

Scope = Literal["read", "write"]
"""What a token is good for; a session is good for both."""


class Caller(Record, frozen=True, kw_only=True):
    """Somebody whose credentials were checked."""

    user_id: UUID
    email: str | None = None
    role: Literal["user", "admin"] = "user"
    scopes: frozenset[Scope] = frozenset({"read", "write"})
    session_id: UUID | None = None
    """None for a program with a token."""
    token_id: UUID | None = None
