"""Who owns scouts, and what was said in a conversation about one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import field

from scout_cli.core.models.record import Record


class User(Record, frozen=True, kw_only=True):
    """Somebody who owns scouts. The command line acts for the local owner, who has no e-mail."""

    id: UUID
    email: str | None = None
    is_local: bool = False
    created_at: datetime
    role: Literal["user", "admin"] = "user"
    user_metadata: dict[str, Any] = field(default_factory=dict)
    email_confirmed_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    disabled_at: datetime | None = None
    updated_at: datetime | None = None


class ChatMessage(Record, frozen=True, kw_only=True):
    """One message of the conversation about a scout."""

    id: UUID
    scout_id: UUID
    user_id: UUID
    role: Literal["user", "assistant"]
    content: str
    created_at: datetime
