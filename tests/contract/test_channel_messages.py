"""What arrives through each channel, and what single providers answer."""

from __future__ import annotations

import asyncio
import logging

import pytest

from scout_cli.errors import ConfigError
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelSettings, open_channel
from tests.channel_servers import MailServer, Says
from tests.channels import KEY, PASSWORD, TOKEN, WORD, World, opened, silent, world
from tests.notices import ID, OTHER, item, link, news, notice

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"  # of Apprise, on Pythons that still have it
)


@pytest.mark.parametrize(
    ("answers", "outcome", "commits"),
    [
        ({"MAIL": "451 4.7.1 try later"}, "retry", 0),
        ({"MAIL": "550 5.7.1 not from you"}, "refused", 0),
        ({"RCPT": "450 4.2.0 greylisted"}, "retry", 0),
        ({"RCPT": "550 5.1.1 no such user"}, "gone", 0),
        ({"RCPT": "550 no such user"}, "gone", 0),
        ({"RCPT": "550 5.7.1 relaying denied"}, "refused", 0),
        ({"RCPT": "552 5.2.2 mailbox full"}, "refused", 0),
        ({"DATA": "451 4.3.0 disk full"}, "retry", 1),
        ({"DATA": "554 5.6.0 looks like spam"}, "refused", 1),
        ({"RCPT": "hang"}, "retry", 0),
        ({"DATA": "hang"}, "retry", 1),
    ],
)
async def test_what_mail_servers_say(answers, outcome, commits):
    """4xx is tried again, 5xx never, an unknown mailbox ends the channel; silence is bounded."""
    patience = 0.5 if "hang" in answers.values() else 20.0
    async with (
        asyncio.timeout(30),
        MailServer(answers, login=("me", PASSWORD)) as server,
        opened("mail", server.host, lambda: server.got, mail_timeout=patience) as made,
    ):
        told = await made.send()
        assert (told.outcome, made.commits, made.arrived()) == (outcome, commits, [])


async def test_a_wrong_mail_password(caplog):
    """It is told that logging in failed, and with what it is not."""
    caplog.set_level(logging.DEBUG)
    async with MailServer(login=("me", "another")) as server:
        async with opened("mail", server.host, lambda: server.got) as made:
            told = await made.send()
        assert (told.outcome, made.commits) == ("refused", 0)
        assert "535" in told.detail
        silent(caplog, told)


async def test_a_password_is_not_sent_in_the_clear():
    """STARTTLS that the server does not offer ends the attempt before the password."""
    async with MailServer(login=("me", PASSWORD)) as server, Sessions(Guard(), "t") as sessions:
        settings = ChannelSettings(
            sessions=sessions,
            smtp_url=f"smtp+starttls://me:{PASSWORD}@{server.host}",
            mail_from="scout@example.org",
        )
        made = World(open_channel("mailto:me@example.org", settings), list)
        assert (await made.send()).outcome == "retry"
        assert (server.seen, made.commits) == ([], 0)
        with pytest.raises(ConfigError, match="without encryption"):
            open_channel(
                "mailto:me@example.org",
                ChannelSettings(
                    sessions=sessions,
                    smtp_url=f"smtp://me:{PASSWORD}@mail.example.org",
                    mail_from="scout@example.org",
                ),
            )


async def test_a_busy_idempotency_key():
    """Resend's answer that the same key is being worked on means: later."""
    busy = {"name": "concurrent_idempotent_requests", "message": "wait"}
    async with world("resend", Says.json(busy, 409)) as made:
        assert (await made.send()).outcome == "retry"


async def test_what_arrives_by_resend():
    """Sender, recipient, both bodies and the key of the account; ids stay where they belong."""
    async with world("resend") as made:
        told = await made.send()
        got = made.arrived()[0]
        assert told.provider_id == "provider-1"
        assert (got.path, got.headers["authorization"]) == ("/emails", f"Bearer {KEY}")
        assert got.headers["idempotency-key"] == ID
        assert (got.json["from"], got.json["to"]) == ("scout@example.org", ["me@example.org"])
        assert "14 March" in got.json["html"]
        assert "https://news.example/ferry" in got.json["text"]


async def test_what_arrives_by_ntfy():
    """Title, plain text, a link to click on, and the token as a header."""
    async with world("ntfy") as made:
        await made.send(notice(subject="Fähre – wieder da"))
        got = made.arrived()[0]
        assert got.headers["authorization"] == f"Bearer {WORD}"
        assert got.json["title"] == "Fähre – wieder da"
        assert (got.json["click"], got.json["markdown"]) == ("https://news.example/ferry", False)
        assert "14 March" in got.json["message"]


async def test_what_arrives_by_telegram():
    """The path holds the token, the text is HTML with a short id at its end."""
    async with world("telegram") as made:
        told = await made.send()
        got = made.arrived()[0]
        assert got.path == f"/bot{TOKEN}/sendMessage"
        assert (got.json["chat_id"], got.json["parse_mode"]) == ("-1001234567890", "HTML")
        assert '<a href="https://news.example/ferry">news.example</a>' in got.json["text"]
        assert got.json["text"].splitlines()[-1].startswith("#")
        assert told.provider_id == "1"


async def test_what_arrives_by_mail():
    """Text and HTML, from and to the right ones, marked as sent by a program."""
    async with world("mail") as made:
        await made.send()
        got = made.arrived()[0]
        assert (got.sender, got.recipients) == ("scout@example.org", ["me@example.org"])
        mail = got.parsed
        assert mail["Message-ID"] == f"<{ID}@example.org>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "14 March" in mail.get_body(("plain",)).get_content()
        assert "14 March" in mail.get_body(("html",)).get_content()


async def test_what_arrives_at_a_terminal():
    """Scouts as headings, lines with their proofs, doubts and silences in words."""
    repeat = item("Tickets cost more.", possible_repeat=True, links=(link(5), link(6)))
    told = notice(
        news(items=(item(), repeat), repeats=2, unread=1),
        news(scout_id=OTHER, title="Museum", summary="", items=(item("It opens."),)),
        subject="2 scouts have news",
    )
    async with world("console") as made:
        await made.send(told)
        assert made.arrived() == [
            "2 scouts have news\n\n"
            "== Saltmere ferry ==\n\n"
            "The ferry sails again.\n\n"
            "- The ferry to Hollen sails again from 14 March.\n"
            "  [S3] https://news.example/ferry\n\n"
            "- Possible repeat: Tickets cost more.\n"
            "  [S5] https://news.example/ferry\n"
            "  [S6] https://news.example/ferry\n\n"
            "2 known facts were seen again. 1 page could not be read.\n\n"
            "== Museum ==\n\n"
            "- It opens.\n"
            "  [S3] https://news.example/ferry\n"
        ]


async def test_a_failing_apprise_service():
    """Apprise says only that it did not work: it is tried again."""
    async with world("apprise", Says(status=500)) as made:
        told = await made.send()
        assert (told.outcome, made.commits) == ("retry", 1)
        assert "through Apprise" in made.channel.name
