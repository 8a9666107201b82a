"""E-mail: `mailto://me@example.org`, through the SMTP server of the setting `smtp_url`."""

from __future__ import annotations

from scout_cli.core.models import Record
from scout_cli.core.ports import Channel
from scout_cli.errors import ConfigError
from scout_cli.notify import ChannelSettings, address
from scout_cli.notify.mailbox import mailbox, server

_EXAMPLE = "mailto://me@example.org"


class Target(Record, frozen=True, kw_only=True):
    """A recipient that was read."""

    recipient: str

    @property
    def name(self) -> str:
        """Return the address."""
        return f"e-mail {self.recipient}"

    def open(self, settings: ChannelSettings) -> Channel:
        """Return the channel.

        Raises:
            ConfigError: `smtp_url` or `mail_from` is missing or broken.
        """
        if not settings.smtp_url or not settings.mail_from:
            raise ConfigError(
                "notify: mailto: scout has no mail server",
                hint="set smtp_url (smtp+starttls://user:password@host:587) and mail_from",
            )
        # Here, because reading a URL, which every command may do, needs no SMTP.
        from scout_cli.notify.smtp import MailChannel  # noqa: PLC0415 - see above

        return MailChannel(
            mailbox(self.recipient, what="notify: mailto"),
            server(settings.smtp_url),
            mailbox(settings.mail_from, what="mail_from"),
            host=settings.host,
            timeout=settings.mail_timeout,
            guard=settings.sessions.guard,
        )


def read(url: str) -> Target:
    """Read `mailto://me@example.org` or `mailto:me@example.org`.

    Raises:
        ConfigError: not one address.
    """
    where = address.read(url, example=_EXAMPLE)
    if where.password or where.port or where.path.strip("/"):
        raise ConfigError(
            "notify: mailto: names the recipient only",
            hint=f"For example: {_EXAMPLE}; the mail server is the setting smtp_url",
        )
    return Target(recipient=mailbox(f"{where.user}@{where.host}", what="notify: mailto").addr_spec)
