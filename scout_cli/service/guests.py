"""Channels of people who do not own this machine: what they may name, and what is refused.

Whoever runs scout may send messages wherever the machine reaches. An account on their server may
not: no private address, no service that dials past the guard, no stranger's mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from scout_cli.core.models import User
from scout_cli.store import users
from scout_cli.store.database import Connection

Check = Callable[[str, str], None]
"""Refuses a channel URL, given the account's confirmed e-mail address, empty for none."""


async def refuse(db: Connection, user_id: UUID | None, urls: Sequence[str]) -> None:
    """Refuse channels that a user may not name; the local owner may name any.

    Args:
        db: the database.
        user_id: who names them; None for the local owner.
        urls: of channels.

    Raises:
        ConfigError: one of them; the message holds no part of the URL but its scheme.
    """
    if user_id is None or not urls:
        return
    user = await users.get(db, user_id)
    if user is not None and user.is_local:
        return
    from scout_cli import notify  # noqa: PLC0415 - most wishes name no channel

    for url in urls:
        notify.check_guest(url, mailbox_of(user))


async def shared(db: Connection, user_id: UUID, urls: Sequence[str]) -> Sequence[str]:
    """Return the channels that hear of all scouts of a user: the operator's are their own.

    Args:
        db: the database.
        user_id: whose scouts.
        urls: the operator's channels.
    """
    if not urls:
        return ()
    owner = await users.local(db)
    return urls if owner is None or owner.id == user_id else ()


def mailbox_of(user: User | None) -> str:
    """Return the address to which mail about a user's scouts may go, empty for none."""
    confirmed = user is not None and user.email_confirmed_at is not None
    return (user.email or "") if user is not None and confirmed else ""
