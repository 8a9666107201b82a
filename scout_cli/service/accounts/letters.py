"""Mails about accounts: a code for a new password, a code that confirms an address."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from scout_cli.core.models import Record
from scout_cli.core.news import News, NewsItem, Notice
from scout_cli.errors import ConfigError

LOG = logging.getLogger("scout.accounts")

_SECONDS = 25.0


class Letter(Record, frozen=True, kw_only=True):
    """One mail."""

    id: str
    to: str
    subject: str
    lines: tuple[str, ...]
    at: datetime


Post = Callable[[Letter], Awaitable[None]]
"""Sends a letter; what goes wrong is told to the operator, never to whoever asked."""


def post(smtp_url: str, mail_from: str) -> Post:
    """Return what sends letters through the mail server of the settings.

    Args:
        smtp_url: the setting.
        mail_from: the setting.
    """

    async def send(letter: Letter) -> None:
        if not smtp_url or not mail_from:
            LOG.error(
                "a mail about an account was not sent: scout has no mail server;"
                " set smtp_url and mail_from"
            )
            return
        from scout_cli.notify.mailbox import mailbox, server  # noqa: PLC0415 - with the first mail
        from scout_cli.notify.smtp import MailChannel  # noqa: PLC0415 - see above

        try:
            channel = MailChannel(
                mailbox(letter.to, what="the account's address"),
                server(smtp_url),
                mailbox(mail_from, what="mail_from"),
                timeout=_SECONDS,
            )
        except ConfigError as error:
            LOG.error("a mail about an account was not sent: %s", error.message)  # noqa: TRY400 - a setting, not a fault
            return
        done = await channel.send(_notice(letter), _nothing)
        if done.outcome != "sent":
            LOG.error("a mail about an account was not sent: %s", done.detail)

    return send


def recovery(id_: str, to: str, code: str, base: str, at: datetime, *, link: bool) -> Letter:
    """Return the letter with a code for a new password, or with a link to the web interface."""
    typed = f'Send it to {base}/auth/reset as JSON: {{"code": "...", "password": "..."}}.'
    return Letter(
        id=id_,
        to=to,
        subject="A new password for scout",
        lines=(
            *((_link(base, code, "recovery"),) if link else (f"Code: {code}", typed)),
            "It is good for one hour and for one use.",
            "Did you not ask for it? Then do nothing: your password stays as it is.",
        ),
        at=at,
    )


def confirmation(id_: str, to: str, code: str, base: str, at: datetime, *, link: bool) -> Letter:
    """Return the letter with a code that confirms an address, or with a link that does."""
    typed = f'Send it to {base}/auth/confirm as JSON: {{"code": "..."}}.'
    return Letter(
        id=id_,
        to=to,
        subject="Confirm your address for scout",
        lines=(
            *((_link(base, code, "signup"),) if link else (f"Code: {code}", typed)),
            "It is good for one day and for one use.",
            "Did you not ask for it? Then do nothing.",
        ),
        at=at,
    )


def known_already(id_: str, to: str, base: str, at: datetime) -> Letter:
    """Return the letter to somebody who has an account, when their address signs up again."""
    return Letter(
        id=id_,
        to=to,
        subject="You have an account with scout",
        lines=(
            "Somebody asked for an account with this address, which has one already.",
            f"Did you forget the password? {base}/auth/recover sends a code for a new one.",
            "Was it somebody else? Then do nothing.",
        ),
        at=at,
    )


def _link(base: str, code: str, kind: str) -> str:
    return f"Open {base}/auth/v1/verify?token={code}&type={kind}"


def _notice(letter: Letter) -> Notice:
    first, *others = letter.lines
    news = News(
        title=letter.subject,
        summary=first,
        items=tuple(NewsItem(text=each) for each in others),
        at=letter.at,
    )
    return Notice(
        id=letter.id, kind="test", subject=letter.subject, news=(news,), created_at=letter.at
    )


async def _nothing() -> None:
    """Note nothing: a mail that a crash leaves in doubt is asked for again."""
