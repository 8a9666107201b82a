"""Codes for one use: mailed to an address, or handed to a browser for another program.

Source: RFC 7636 for the proof that whoever brings a code is who asked for it (S256 alone).
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b32encode
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from scout_cli.core import base64url
from scout_cli.core.ports import Clock
from scout_cli.errors import InvalidInput
from scout_cli.service.accounts.refusals import BadCode
from scout_cli.store import codes
from scout_cli.store.codes import Code, Kind
from scout_cli.store.database import Connection, Database

LIFETIMES: dict[Kind, timedelta] = {
    "confirm": timedelta(days=1),
    "recover": timedelta(hours=1),
    "authorise": timedelta(minutes=5),
}
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST = 100


def checked_challenge(challenge: str, method: str) -> str:
    """Return the challenge that comes with a request for a code; empty for none.

    Raises:
        InvalidInput: another method than S256, or no SHA-256 in base64url.
    """
    if not challenge and not method:
        return ""
    if method.lower() != "s256" or not _CHALLENGE.fullmatch(challenge):
        raise InvalidInput(
            "the code challenge cannot be used", hint="code_challenge_method is s256"
        )
    return challenge


class Codes:
    """The codes of one database.

    Args:
        db: the database.
        clock: time.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def make(
        self,
        tx: Connection,
        user_id: UUID,
        kind: Kind,
        *,
        challenge: str = "",
        redirect_to: str = "",
    ) -> str:
        """Inside a transaction: return a new code; mailed ones replace those before them.

        Args:
            tx: the transaction.
            user_id: for whom.
            kind: what for.
            challenge: from `checked_challenge`.
            redirect_to: where to go with it, checked.
        """
        code = b32encode(secrets.token_bytes(20)).decode().lower()
        if kind != "authorise":
            await codes.forget(tx, user_id, kind)
        now = self._clock.now()
        row = Code(
            hash=_hash(code),
            user_id=user_id,
            kind=kind,
            challenge=challenge,
            redirect_to=redirect_to,
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
        await codes.add(tx, row)
        return code

    async def use(self, tx: Connection, code: str, kind: Kind) -> Code:
        """Inside a transaction: use a code up and return what it was made for.

        Raises:
            BadCode: it is unknown, too old or used.
        """
        text = code.strip().lower()
        found = None
        if 0 < len(text) <= _LONGEST:
            found = await codes.use(tx, _hash(text), kind, self._clock.now())
        if found is None:
            raise BadCode
        return found

    async def exchange(self, code: str, verifier: str) -> Code:
        """Use up a code that was handed to a browser; one wrong verifier uses it up as well.

        Raises:
            BadCode: it is unknown, too old or used, or the verifier is not its own.
        """
        async with self._db.transaction() as tx:
            found = await self.use(tx, code, "authorise")
        proof = sha256(verifier.encode(errors="surrogatepass")).digest()
        said = base64url.encode(proof)
        fits = _VERIFIER.fullmatch(verifier) and hmac.compare_digest(said, found.challenge)
        if not fits:
            raise BadCode
        return found


def _hash(code: str) -> str:
    return sha256(code.encode(errors="surrogatepass")).hexdigest()
