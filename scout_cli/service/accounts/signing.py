"""The secret that signs belongs to the database: another one would sign everybody out."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256

from scout_cli.core.ports import Clock
from scout_cli.errors import ConfigError
from scout_cli.service.vault import key_id
from scout_cli.store import accounts
from scout_cli.store.database import Database


async def check(db: Database, clock: Clock, secrets: Sequence[str]) -> None:
    """See that a secret of this process is the one that the database's tokens are signed with.

    The first process to ask decides; a newer secret takes over while the older is still there.

    Raises:
        ConfigError: it is not.
    """
    ids = [key_id(secret) for secret in secrets]
    known = await accounts.signing_key(db)
    if known is not None and known not in ids:
        raise ConfigError(
            f"tokens of this database are signed with secret {known}, which is not here"
            f" (here: {', '.join(ids)})",
            hint="put it back behind the new one (SCOUT_JWT_SECRET), or sign everybody out:"
            " scout user signout --all",
        )
    if known != ids[0]:
        await accounts.put_signing_key(db, ids[0], clock.now())


def setup_token(secrets: Sequence[str]) -> str:
    """Return the token for the first account: the same in all processes of an installation."""
    proof = hmac.digest(secrets[0].encode(), b"scout first account", sha256)
    return b32encode(proof[:15]).decode().lower()
