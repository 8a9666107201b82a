"""Who is behind a channel: nobody, a user, or the holder of the service key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.app import App
from scout_cli.core.models import Record
from scout_cli.errors import Unauthorized
from scout_cli.server.rest.plan import Viewer
from scout_cli.service.accounts.api_keys import role_of
from scout_cli.service.accounts.refusals import BadToken
from scout_cli.store import sessions

_BATCH = 500
"""Sessions that are asked for at once."""


class Identity(Record, frozen=True, kw_only=True):
    """A viewer, and what shows that it is one."""

    viewer: Viewer
    token: str = ""
    expires_at: datetime | None = None
    session_id: UUID | None = None
    """None for keys and for programs."""


ANON = Identity(viewer=Viewer(role="anon"))
SERVICE = Identity(viewer=Viewer(role="service"))


class Identities:
    """Looks them up.

    Args:
        app: has the accounts.
        secrets: sign the keys, newest first.
    """

    def __init__(self, app: App, secrets: Sequence[str]) -> None:
        self._app = app
        self._secrets = secrets

    def of_key(self, key: str) -> Identity | None:
        """Return who has a key; None when it is none of this server's."""
        role = role_of(key, self._secrets)
        return {"anon": ANON, "service_role": SERVICE}.get(role or "")

    async def of(self, token: str) -> Identity:
        """Return who has a key or a token.

        Raises:
            Unauthorized: it is not good.
        """
        if known := self.of_key(token):
            return known
        accounts = await self._app.accounts()
        caller = await accounts.caller(token)
        if "read" not in caller.scopes:
            raise BadToken
        ends = accounts.recognition.ends_at(token)
        if ends is not None and ends <= self._app.clock.now():
            raise BadToken
        return Identity(
            viewer=Viewer(role="user", user_id=caller.user_id),
            token=token,
            expires_at=ends,
            session_id=caller.session_id,
        )

    async def ended(self, identities: Sequence[Identity]) -> list[Identity]:
        """Return those that are over: expired, signed out or withdrawn, by any process.

        Raises:
            Unavailable: the database does not answer.
        """
        now = self._app.clock.now()
        expired = [each for each in identities if each.expires_at and each.expires_at <= now]
        others = [each for each in identities if each.token and each not in expired]
        wanted = [*{each.session_id for each in others if each.session_id}]
        living: set[UUID] = set()
        for at in range(0, len(wanted), _BATCH):
            db = await self._app.database()
            living.update(await sessions.living(db, wanted[at : at + _BATCH], now))
        gone = [each for each in others if each.session_id and each.session_id not in living]
        programs = [each for each in others if each.session_id is None]
        return [*expired, *gone, *[each for each in programs if not await self._counts(each)]]

    async def _counts(self, program: Identity) -> bool:
        try:
            await (await self._app.accounts()).caller(program.token)
        except Unauthorized:
            return False
        return True
