"""What every channel must do: one attempt, its outcome, and no secret told."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from scout_cli.core.news import Delivery
from scout_cli.testing import MemoryChannel
from tests.channel_servers import Raw, Receiver, Says
from tests.channels import (
    HTTP,
    KEY,
    SENDING,
    TOKEN,
    WORD,
    World,
    identity,
    opened,
    silent,
    world,
)
from tests.notices import ID, notice

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"  # of Apprise, on Pythons that still have it
)

each = pytest.mark.parametrize("kind", SENDING)
over_http = pytest.mark.parametrize("kind", HTTP)


@each
async def test_sent(kind, caplog):
    """A message arrives; the commitment came once and before it; nothing secret is told."""
    caplog.set_level(logging.DEBUG)
    async with world(kind) as made:
        told = await made.send()
        assert (told.outcome, told.detail) == ("sent", "")
        assert (made.commits, made.early) == (1, False)
        assert len(made.arrived()) == 1
        silent(caplog, told, made.channel.name, made.channel)


@each
async def test_the_same_on_every_attempt(kind):
    """Whoever keeps what it has seen can tell the second attempt from a second message."""
    async with world(kind) as made:
        await made.send()
        await made.send()
        seen = list(made.arrived())
        assert len({identity(kind, got) for got in seen}) == 1
        assert len(seen) == (1 if kind == "memory" else 2)


@each
async def test_whoever_raises_while_committing_stops_it(kind):
    """The error comes out as it is, and no message arrives."""

    class Stop(Exception):
        pass

    async def refusing():
        raise Stop

    async with world(kind) as made:
        with pytest.raises(Stop) as stopped:
            await made.channel.send(notice(), refusing)
        assert made.arrived() in ([], {})
        assert stopped.value.__context__ is None


@each
async def test_what_is_claimed(kind):
    """Promise and pause are known without a message, and closing twice is harmless."""
    async with world(kind) as made:
        assert made.channel.promise == (
            "once" if kind in ("webhook", "resend") else "at_least_once"
        )
        assert made.channel.pause == (1.0 if kind == "telegram" else 0.0)
        await made.channel.close()
        await made.channel.close()


@pytest.mark.parametrize("kind", [*HTTP, "mail"])
async def test_nobody_there(kind, caplog, unused_tcp_port):
    """A closed port is tried again later, and nothing was committed."""
    caplog.set_level(logging.DEBUG)
    async with opened(kind, f"127.0.0.1:{unused_tcp_port}", list) as made:
        told = await made.send()
    assert (told.outcome, made.commits) == ("retry", 0)
    silent(caplog, told)


STATUSES = [
    *((status, "refused") for status in (301, 308, 400, 403, 405, 409, 413, 415, 422)),
    *((status, "retry") for status in (302, 307, 408, 425, 429, 500, 502, 503, 504, 529)),
    (410, "gone"),
]


@over_http
@pytest.mark.parametrize(("status", "outcome"), STATUSES)
async def test_statuses(kind, status, outcome, caplog):
    """Every status is a class of its own: try again, never again, or the channel is no more."""
    caplog.set_level(logging.DEBUG)
    secrets = json.dumps({"message": KEY, "error": WORD, "description": TOKEN}).encode()
    says = Says(status=status, body=secrets, headers={"Location": "http://127.0.0.1:1/"})
    async with world(kind, says) as made:
        told = await made.send()
        assert told.outcome == outcome
        assert str(status) in told.detail
        assert len(made.arrived()) == 1
        silent(caplog, told)


@pytest.mark.parametrize(
    ("kind", "gone"), [("telegram", True), ("ntfy", False), ("webhook", False), ("resend", False)]
)
@pytest.mark.parametrize("status", [401, 404])
async def test_unknown_here(kind, status, gone):
    """A bot's token that is no more ends the channel; elsewhere 401 and 404 are refusals."""
    async with world(kind, Says.json({"ok": False, "description": "Unauthorized"}, status)) as made:
        assert (await made.send()).outcome == ("gone" if gone else "refused")


@over_http
async def test_named_wait(kind):
    """Retry-After is told to the outbox."""
    says = Says(status=429, headers={"Retry-After": "77"})
    async with world(kind, says) as made:
        told = await made.send()
        assert (told.outcome, told.retry_after) == ("retry", 77.0)


async def test_telegrams_own_wait():
    """Telegram names its wait in the answer's parameters."""
    flood = {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 31}}
    async with world("telegram", Says.json(flood, 429)) as made:
        assert (await made.send()).retry_after == 31


@over_http
async def test_silence_is_bounded(kind):
    """A server that takes the message and says nothing costs the time limit, no more."""
    async with world(kind, Says(hang=True), timeout=0.2) as made:
        async with asyncio.timeout(15):
            told = await made.send()
        assert (told.outcome, made.commits) == ("retry", 1)
        assert "0.2 s" in told.detail


@over_http
async def test_cancelled_while_waiting(kind):
    """Whoever is cancelled lets go of the connection at once."""
    async with Receiver(Says(hang=True)) as receiver, opened(kind, receiver.host, list) as made:
        sending = asyncio.create_task(made.send())
        await receiver.arrived.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        async with asyncio.timeout(15):
            await receiver.left.wait()


@over_http
async def test_an_answer_in_drops_is_bounded(kind):
    """One byte at a time does not hold the sender; the status counts for a webhook."""
    async with world(kind, Says(drip=True), timeout=0.2) as made:
        async with asyncio.timeout(15):
            told = await made.send()
        assert told.outcome == ("sent" if kind == "webhook" else "retry")


@over_http
async def test_a_huge_answer(kind):
    """Ten megabytes are not read to the end."""
    async with world(kind, Says(body=b"{" * 10_000_000)) as made:
        told = await made.send()
        assert told.outcome == ("sent" if kind == "webhook" else "retry")
        assert len(told.detail) < 300


@over_http
async def test_an_endless_answer(kind):
    """A flood is left after 64 KiB, long before the time limit."""
    async with world(kind, Says(flood=True), timeout=60) as made:
        async with asyncio.timeout(10):
            await made.send()
        assert made.commits == 1


@over_http
async def test_a_redirect_is_not_followed(kind):
    """The message goes where the URL says, nowhere else."""
    async with Receiver() as other:
        says = Says(status=307, headers={"Location": f"http://{other.host}/"})
        async with world(kind, says, private=True) as made:
            assert (await made.send()).outcome == "retry"
        assert other.got == []


async def _garbage():
    yield b"\x00\xff this is not HTTP \r\n\r\n"


async def _hints():
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50
        await asyncio.sleep(0)


@over_http
@pytest.mark.parametrize("said", [_garbage, _hints])
async def test_no_proper_http(kind, said):
    """Bytes that are no answer, and hints without end, are an attempt that failed."""
    async with Raw(said) as raw, opened(kind, raw.host, list, timeout=0.5) as made:
        async with asyncio.timeout(15):
            assert (await made.send()).outcome == "retry"


@over_http
async def test_private_addresses_are_barred(kind):
    """Without leave, no channel reaches this machine or its network."""
    async with world(kind, private=["nas.lan:5000"]) as made:
        told = await made.send()
        assert (told.outcome, made.commits, made.arrived()) == ("refused", 0, [])
        assert "allow_private_networks" in told.detail


@pytest.mark.parametrize("kind", ["webhook", "ntfy", "resend"])
async def test_plain_http_stays_at_home(kind):
    """The public internet is told over https only."""
    async with opened(kind, "example.org", list, private=False) as made:
        told = await made.send()
        assert (told.outcome, made.commits) == ("refused", 0)
        assert "plain http" in told.detail


async def test_the_memory_channel_fails_as_told():
    """The public fake refuses, is gone, is slow to come back, or crashes after the arrival."""
    crash = RuntimeError("killed")
    answers = [Delivery(outcome="retry"), Delivery(outcome="gone"), crash]
    made = World(channel := MemoryChannel(answers), lambda: channel.kept)
    assert [(await made.send()).outcome for _ in range(2)] == ["retry", "gone"]
    assert (made.commits, channel.kept) == (0, {})
    with pytest.raises(RuntimeError, match="killed"):
        await made.send()
    assert (made.commits, list(channel.kept)) == (1, [ID])
    assert (await made.send()).outcome == "sent"
    assert (len(channel.asked), len(channel.kept)) == (4, 1)
