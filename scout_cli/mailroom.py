"""Outbox, deliveries and channels, put together from the settings.

Nothing here is imported by a command that sends no news and looks at none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from scout_cli import notify
from scout_cli.config import Settings, machine_timezone
from scout_cli.core.ports import Channel, Clock
from scout_cli.errors import ConfigError
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelOptions, ChannelSettings
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.desk import Desk
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.turn import Rules
from scout_cli.store.database import Database

_MAIL_STEP = 25.0
"""Seconds for each of the two steps with a mail server; both fit into the bound of an attempt."""


class Mailroom:
    """The messages of one database, in and out.

    Args:
        settings: who is told, when, and through which servers.
        db: where messages wait.
        clock: time and identifiers.
        sessions: opens the HTTP sessions, when the first channel needs them.
        guest_sessions: opens those of people who do not own this machine.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        clock: Clock,
        sessions: Callable[[], Awaitable[Sessions]],
        guest_sessions: Callable[[], Awaitable[Sessions]],
    ) -> None:
        self._settings = settings
        self._db = db
        self._clock = clock
        self._sessions = sessions
        self._guest_sessions = guest_sessions

    def outbox(self) -> Outbox:
        """Return what queues news and notices.

        Raises:
            InvalidInput: times of day in the settings that are none.
        """
        given = self._settings
        settings = OutboxSettings(
            terms=_terms,
            describe=notify.describe,
            notify=given.notify,
            digest=given.digest or None,
            digest_at=given.digest_at,
            quiet_hours=given.quiet_hours,
            heartbeat=given.heartbeat,
            late=given.late_notices,
            timezone=_timezone(),
        )
        return Outbox(self._db, self._clock, settings)

    def deliveries(self, write: Callable[[str], object] | None = None) -> Deliveries:
        """Return what sends them.

        Args:
            write: takes the text of `console://`; without it that channel cannot be opened.

        Raises:
            InvalidInput: times of day in the settings that are none.
        """

        async def open_channel(url: str) -> Channel:
            return notify.open_channel(url, await self._channel_settings(write))

        async def open_guest(url: str) -> Channel:
            return notify.open_channel(url, await self._guest_settings())

        return Deliveries(
            self._db,
            self._clock,
            open_channel,
            terms=_terms,
            tell_lost=self.outbox().tell_channel_lost,
            open_guest=open_guest,
            rules=Rules(
                lease=timedelta(seconds=self._settings.lease),
                quiet_hours=self._settings.quiet_hours,
                timezone=_timezone(),
            ),
        )

    def desk(self, user: UUID | None = None) -> Desk:
        """Return what a user sees of messages and channels; the local owner for None."""
        return Desk(self._db, notify.describe, user)

    async def _channel_settings(self, write: Callable[[str], object] | None) -> ChannelSettings:
        given = self._settings
        return ChannelSettings(
            sessions=await self._sessions(),
            smtp_url=given.smtp_url,
            mail_from=given.mail_from,
            webhook_secret=given.webhook_secret,
            apprise=True,
            write=write,
            mail_timeout=_MAIL_STEP,
        )

    async def _guest_settings(self) -> ChannelSettings:
        """Return what channels of other people get: no Apprise, no private network, no terminal.

        Nor is their URL signed with the operator's secret, which would let them forge its news.
        """
        given = self._settings
        return ChannelSettings(
            sessions=await self._guest_sessions(),
            smtp_url=given.smtp_url,
            mail_from=given.mail_from,
            mail_timeout=_MAIL_STEP,
        )


def _terms(url: str) -> ChannelOptions:
    return notify.split_url(url)[1]


def _timezone() -> str:
    """Return the zone of messages that are about no scout."""
    try:
        return machine_timezone()
    except ConfigError:
        # A TZ that names no zone stops `scout add`, which says so; news goes out all the same.
        return "UTC"
