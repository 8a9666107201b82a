"""Hostile receivers and forged messages: addresses, certificates, signatures, words said back."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address as Mailbox
from ipaddress import IPv4Address

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook, WebhookVerificationError

from scout_cli.errors import ScoutError
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelSettings, open_channel
from scout_cli.notify.mailbox import server
from scout_cli.notify.smtp import MailChannel
from tests.channel_servers import MailServer, Receiver, Says
from tests.notices import AT, ID, notice

SIGNING = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
OTHER_SIGNING = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVy"


async def posted(url, *, now, **more):
    """Send one message to a webhook receiver and return what arrived."""
    async with Receiver() as receiver, Sessions(Guard([receiver.host]), "t") as sessions:
        given = ChannelSettings(sessions=sessions, now=now.timestamp, **more)
        channel = open_channel(url.format(host=receiver.host), given)

        async def committing():
            pass

        await channel.send(notice(), committing)
        return receiver.got[0], channel.name


@pytest.mark.parametrize(
    "url",
    [
        f"webhook+http://{{host}}/a?x=1&secret={SIGNING}",
        f"webhook+http://{SIGNING}@{{host}}/a?x=1",
        f"webhook+http://{{host}}/a?x=1#secret={SIGNING}",
        f"webhook+http://{{host}}/a?secret={OTHER_SIGNING}&x=1&secret={SIGNING}",
        "webhook+http://{host}/a?x=1",
    ],
)
async def test_signatures_verify(url):
    """The reference library accepts our signature; the secret itself does not travel."""
    got, _ = await posted(url, now=datetime.now(UTC), webhook_secret=SIGNING)
    told = Webhook(SIGNING).verify(got.body, got.headers)
    assert got.path == "/a?x=1"
    assert SIGNING.removeprefix("whsec_") not in repr(got)
    assert (told["type"], told["version"], told["data"]["id"]) == ("scout.news", 1, ID)
    with pytest.raises(WebhookVerificationError):
        Webhook(SIGNING).verify(got.body.replace(b"14 March", b"15 March"), got.headers)


async def test_an_old_message_sent_again_is_noticed():
    """A receiver that checks the time refuses a message of six minutes ago."""
    url = f"webhook+http://{{host}}/?secret={SIGNING}"
    got, _ = await posted(url, now=datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError, match="old"):
        Webhook(SIGNING).verify(got.body, got.headers)


async def test_a_webhook_without_a_secret_says_so():
    """It is unsigned, and its name says that."""
    got, name = await posted("webhook+http://{host}/", now=AT)
    assert "webhook-signature" not in got.headers
    assert got.headers["webhook-id"] == ID
    assert name.endswith("(unsigned)")


async def test_the_form_of_a_webhooks_body():
    """Receivers are built on these names: they stay."""
    got, _ = await posted("webhook+http://{host}/", now=AT)
    assert got.json == {
        "type": "scout.news",
        "version": 1,
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "id": ID,
            "subject": "Saltmere ferry: sails again",
            "news": [
                {
                    "scout_id": "6f2b1c9e-0d3a-4b7e-9a51-7f3c2d1e0b9a",
                    "execution_id": None,
                    "title": "Saltmere ferry",
                    "summary": "The ferry sails again.",
                    "items": [
                        {
                            "text": "The ferry to Hollen sails again from 14 March.",
                            "links": [
                                {
                                    "number": 3,
                                    "url": "https://news.example/ferry",
                                    "title": "Ferry line reopens",
                                    "host": "news.example",
                                }
                            ],
                            "possible_repeat": False,
                        }
                    ],
                    "finding_ids": [],
                    "repeats": 0,
                    "unread": 0,
                    "at": "2026-03-02T09:00:00Z",
                }
            ],
        },
    }


PLACES = """127.0.0.1 localhost 0.0.0.0 127.1 2130706433 0x7f000001 10.0.0.1 192.168.0.1
169.254.169.254 100.64.0.1 [::1] [::] [::ffff:127.0.0.1] [fd00:ec2::254] [fe80::1]
metadata.google.internal printer.local 168.63.129.16 example.org:22 example.org:5432""".split()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "kind", ["webhook+https://{}/x", "ntfy://{}/t", "resend://k@{}?to=a@b.org"]
)
async def test_no_message_into_private_networks(kind, place):
    """Addresses that a page may not have, a channel may not have either."""
    commits = []

    async def committing():
        commits.append(1)

    def opener(info):
        raise AssertionError(info)

    async with Sessions(Guard(opener=opener), "t") as sessions:
        given = ChannelSettings(sessions=sessions, mail_from="scout@example.org")
        try:
            channel = open_channel(kind.format(place), given)
        except ScoutError:
            return
        assert (await channel.send(notice(), committing)).outcome == "refused"
    assert commits == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the path of a certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    private = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "self-signed.pem"
    path.write_bytes(made.public_bytes(form) + private)
    return path


def of_server(certificate):
    """Return the TLS of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_webhook_with_a_certificate_of_its_own_making(certificate):
    """It is told nothing."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=of_server(certificate)).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    commits = []

    async def committing():
        commits.append(1)

    async with Sessions(Guard([host]), "t") as sessions:
        channel = open_channel(f"webhook+https://{host}/", ChannelSettings(sessions=sessions))
        told = await channel.send(notice(), committing)
    await runner.cleanup()
    assert (told.outcome, commits) == ("retry", [])
    assert "certificate" in told.detail


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("trusted", [True, False])
async def test_mail_servers_must_prove_who_they_are(certificate, scheme, trusted):
    """Password and message go to a server whose certificate is good, and to no other."""
    given = of_server(certificate)
    login = ("me", "pw-of-mine")
    async with MailServer(login=login, tls=given, at_once=scheme == "smtps") as smtp:
        channel = MailChannel(
            Mailbox(addr_spec="me@example.org"),
            server(f"{scheme}://me:pw-of-mine@{smtp.host}"),
            Mailbox(addr_spec="scout@example.org"),
            tls=ssl.create_default_context(cafile=certificate) if trusted else None,
            timeout=5,
        )
        commits = []

        async def committing():
            commits.append(1)

        told = await channel.send(notice(), committing)
        assert told.outcome == ("sent" if trusted else "retry")
        assert (len(commits), len(smtp.got)) == ((1, 1) if trusted else (0, 0))
        assert trusted or "certificate" in told.detail
        assert trusted or smtp.seen == []


async def test_a_receiver_cannot_speak_through_us():
    """What a server answers reaches a person on one line, short and without control characters."""
    said = "no\r\n\x1b[2Jway \u202e" + "x" * 5_000

    async def committing():
        pass

    async with (
        Receiver(Says.json({"error": said}, 400)) as receiver,
        Sessions(Guard([receiver.host]), "t") as sessions,
    ):
        given = ChannelSettings(sessions=sessions)
        channel = open_channel(f"ntfy+http://{receiver.host}/t", given)
        told = await channel.send(notice(), committing)
    assert told.detail.isprintable()
    assert len(told.detail) < 300
