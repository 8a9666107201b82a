"""A test mail to somebody's own address, and to no other."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from scout_cli.core.models import Record
from scout_cli.errors import ConfigError, Forbidden, NotFound, Unavailable
from scout_cli.service.accounts import limits
from scout_cli.service.accounts.limits import Limits
from scout_cli.service.deliveries import Deliveries
from scout_cli.store import accounts
from scout_cli.store.database import Database


class Sent(Record, frozen=True, kw_only=True):
    """A test mail that was handed over."""

    id: UUID
    email: str


class Trials:
    """Sends test mails.

    Args:
        db: where the accounts are.
        deliveries: sends.
        limits_: the allowances: whoever knows a user's id may ask.
        has_server: the settings name a mail server and a sender.
    """

    def __init__(
        self, db: Database, deliveries: Deliveries, limits_: Limits, *, has_server: bool
    ) -> None:
        self._has_server = has_server
        self._db = db
        self._deliveries = deliveries
        self._limits = limits_

    async def send(self, user_id: UUID, address: str) -> Sent:
        """Send a test mail to the address of an account.

        Args:
            user_id: whose.
            address: where the request is from.

        Raises:
            NotFound: no such account.
            Forbidden: its address is not confirmed.
            ConfigError: there is no mail server.
            TooMany: one was sent within the last 2 minutes.
            Unavailable: the mail server did not take it.
        """
        if not self._has_server:
            raise ConfigError("no mail server is configured", hint="set smtp_url and mail_from")
        account = await accounts.get(self._db, user_id)
        if account is None or not account.email or account.disabled_at:
            raise NotFound("there is no such account")
        if account.email_confirmed_at is None:
            raise Forbidden("confirm your e-mail address first")
        await self._limits.take(limits.trial_mail(str(user_id), address))
        tested = await self._deliveries.test(f"mailto://{quote(account.email, safe='@+')}")
        if tested.delivery.outcome != "sent":
            raise Unavailable(f"the mail was not sent: {tested.delivery.detail}")
        return Sent(id=self._db.uuid(), email=account.email)
