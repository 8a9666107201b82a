"""Deliveries: every way a message can go, on both databases, with a clock that only tests move."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from scout_cli.core.news import Delivery
from scout_cli.service.deliveries import Delivered
from scout_cli.store import channels, users
from tests.contract.post import GONE, ONE, REFUSED, RETRY, SENT, TWO, Office

WAITS = [30, 120, 600, 3_600, 14_400, 43_200]


@pytest.fixture
def office(database, clock) -> Office:
    """Return a post office at noon on a Monday."""
    clock.moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    return Office(database, clock)


async def test_news_arrives_once(office):
    """What waits is sent with what it says; a second round finds nothing to do."""
    box = office.box()
    await office.news(await office.scout(), "The ferry is back.", "A ticket costs 12 euros.")
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    assert await office.deliveries().deliver_due() == Delivered()
    (notice,) = box.got
    assert (notice.kind, notice.subject) == ("news", "Ferries: The ferry is back.")
    assert [item.text for item in notice.news[0].items] == [
        "The ferry is back.",
        "A ticket costs 12 euros.",
    ]
    (row,) = await office.rows()
    assert (row.state, row.attempt, row.provider_id, row.last_error) == ("sent", 1, "p-1", "")
    assert row.sent_at == office.clock.now()
    assert box.closed == 1


async def test_the_retry_table(office, clock):
    """Seven attempts with the waits of the table, the same id each time, then dead."""
    box = office.box(says=[RETRY])
    await office.news(await office.scout())
    for seconds in WAITS:
        assert await office.deliveries().deliver_due() == Delivered(retried=1)
        (row,) = await office.rows()
        assert row.next_attempt_at - clock.now() == timedelta(seconds=seconds)
        assert (row.state, row.last_error) == ("pending", "HTTP 503")
        clock.forward(seconds - 1)
        assert await office.deliveries().deliver_due() == Delivered()
        clock.forward(1)
    assert await office.deliveries().deliver_due() == Delivered(dead=1)
    assert await office.states() == ["dead"]
    assert len(box.got) == 7
    assert len(set(box.ids)) == 1


async def test_what_the_receiver_asks_for_counts(office, clock):
    """A Retry-After that is longer than the table's wait wins."""
    office.box(says=[Delivery(outcome="retry", retry_after=900.0), SENT])
    await office.news(await office.scout())
    await office.deliveries().deliver_due()
    (row,) = await office.rows()
    assert row.next_attempt_at - clock.now() == timedelta(minutes=15)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 24), (1.0, 36)])
async def test_waits_differ_by_a_fifth(office, clock, chance, seconds):
    """The jitter comes from outside and moves a wait by at most a fifth."""
    office.chance = chance
    office.box(says=[RETRY])
    await office.news(await office.scout())
    await office.deliveries().deliver_due()
    (row,) = await office.rows()
    assert row.next_attempt_at - clock.now() == timedelta(seconds=seconds)


async def test_what_is_refused_is_not_tried_again(office, clock):
    """A permanent error is the end of that message, and of no other."""
    box = office.box(says=[REFUSED, SENT])
    scout = await office.scout()
    await office.news(scout, "one")
    clock.forward(1)
    await office.news(scout, "two")
    assert await office.deliveries().deliver_due() == Delivered(sent=1, dead=1)
    assert await office.states() == ["dead", "sent"]
    assert (await office.rows())[0].last_error == "HTTP 422"
    clock.forward(10**6)
    assert await office.deliveries().deliver_due() == Delivered()
    assert len(box.got) == 2


async def test_messages_of_a_channel_keep_their_order(office, clock):
    """The oldest first, one after the other, however many there are."""
    box = office.box()
    scout = await office.scout()
    for number in range(25):
        await office.news(scout, f"news {number}")
        clock.forward(1)
    assert await office.deliveries().deliver_due() == Delivered(sent=25)
    told = [notice.news[0].summary for notice in box.got]
    assert told == [f"news {number}" for number in range(25)]


async def test_a_broken_channel_blocks_no_other(office):
    """One hangs, one raises, one cannot be opened; the fourth is served at once."""
    office.box(ONE).goes_on.clear()
    office.box("ntfy://h/raises", says=[RuntimeError("bug")])
    good = office.box(TWO)
    urls = [ONE, "ntfy://h/raises", "ntfy://h/unknown", TWO]
    await office.news(await office.scout(notify=urls))
    tally = await office.deliveries(seconds=0.2).deliver_due()
    assert tally == Delivered(sent=1, retried=3)
    assert len(good.got) == 1
    errors = {row.last_error for row in await office.rows() if row.state == "pending"}
    assert errors == {
        "no answer within 0.2 s",
        "unexpected: RuntimeError",
        "notify: no such channel here",
    }


async def test_a_channel_that_is_down_is_left_alone(office, clock):
    """After three failures in a row the rest waits as long, without an attempt counted."""
    box = office.box(says=[RETRY])
    scout = await office.scout()
    for number in range(10):
        await office.news(scout, f"news {number}")
        clock.forward(1)
    assert await office.deliveries().deliver_due() == Delivered(retried=3)
    found = await office.rows()
    assert [row.attempt for row in found] == [1, 1, 1, *[0] * 7]
    assert len({row.next_attempt_at for row in found}) == 1
    box.says = [SENT]
    clock.forward(30)
    assert await office.deliveries().deliver_due() == Delivered(sent=10)


async def test_two_deliverers_never_send_a_row_twice(office, clock):
    """Side by side they share the channels; each message arrives once."""
    urls = [f"ntfy://ntfy.example/{number}" for number in range(12)]
    boxes = [office.box(url) for url in urls]
    scout = await office.scout(notify=urls)
    for number in range(3):
        await office.news(scout, f"news {number}")
        clock.forward(1)
    tallies = await asyncio.gather(*(office.deliveries().deliver_due() for _ in range(4)))
    assert sum(tally.sent for tally in tallies) == 36
    assert [len(box.got) for box in boxes] == [3] * 12
    assert set(await office.states()) == {"sent"}


async def test_while_one_sends_another_finds_nothing(office):
    """A channel in use is nobody else's, and is said to be due when its lease ends."""
    box = office.box()
    box.goes_on.clear()
    await office.news(await office.scout())
    first = asyncio.create_task(office.deliveries().deliver_due())
    await box.arrived.wait()
    second = office.deliveries()
    assert await second.deliver_due() == Delivered()
    due = await second.next_due()
    assert due == office.clock.now() + timedelta(seconds=60)
    box.goes_on.set()
    assert await first == Delivered(sent=1)
    assert await second.next_due() is None


async def cut_short(office, box) -> None:
    """Leave a message as a process leaves it that is killed while it sends."""
    box.goes_on.clear()
    work = asyncio.create_task(office.deliveries().deliver_due())
    await box.arrived.wait()
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    box.goes_on.set()
    assert "sending" in await office.states()


async def test_in_doubt_it_is_sent_again_under_the_same_id(office):
    """A receiver that keeps ids is told once, whoever sends."""
    box = office.box()
    await office.news(await office.scout())
    await cut_short(office, box)
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    assert len(box.got) == 2
    assert len(set(box.ids)) == 1
    assert (await office.rows())[0].attempt == 2


@pytest.mark.parametrize(
    ("url", "promise", "state", "times"),
    [
        (ONE, "at_least_once", "sent", 2),
        (f"{ONE}?doubt=resend", "at_least_once", "sent", 2),
        (f"{ONE}?doubt=hold", "at_least_once", "unknown", 1),
        (f"{ONE}?doubt=hold", "once", "sent", 2),
    ],
)
async def test_what_a_doubtful_message_comes_to(office, url, promise, state, times):
    """Held only where its URL asks for it and the receiver would not notice the repeat."""
    box = office.box(url, promise=promise)
    await office.news(await office.scout(notify=[url]))
    await cut_short(office, box)
    await office.deliveries().deliver_due()
    assert await office.states() == [state]
    assert len(box.got) == times
    assert await office.deliveries().deliver_due() == Delivered()


async def test_a_timeout_after_the_commitment_is_doubt_as_well(office):
    """With doubt=hold it is left to a person; a certain refusal with a date is not."""
    url = f"{ONE}?doubt=hold"
    box = office.box(url, promise="at_least_once")
    box.goes_on.clear()
    scout = await office.scout(notify=[url])
    await office.news(scout, "one")
    assert await office.deliveries(seconds=0.1).deliver_due() == Delivered(unknown=1)
    box.goes_on.set()
    box.says = [Delivery(outcome="retry", detail="HTTP 429", retry_after=60.0)]
    await office.news(scout, "two")
    assert await office.deliveries().deliver_due() == Delivered(retried=1)


async def test_a_doubtful_message_stays_so_until_more_is_sent(office, clock):
    """What cannot be sent again now is neither pending nor dead: it may have arrived."""
    box = office.box()
    await office.news(await office.scout())
    await cut_short(office, box)
    box.commits, box.says = False, [RETRY]
    for seconds in WAITS[1:]:
        await office.deliveries().deliver_due()
        assert await office.states() == ["sending"]
        clock.forward(seconds)
    assert await office.deliveries().deliver_due() == Delivered(unknown=1)


async def test_who_lost_the_channel_sends_nothing(office, clock, database):
    """A process that slept past its lease is stopped before the first byte."""
    box = office.box()
    await office.news(await office.scout())
    held = await channels.claim(database, clock.now(), clock.now() + timedelta(seconds=60))
    assert held is not None
    clock.forward(61)
    sleeper = office.deliveries()
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    await office.news(await office.scout(title="Buses"))
    tally = await serve(sleeper, held)
    assert tally == {"lost": 1}
    assert len(box.got) == 1


async def serve(deliveries, held):
    """Let a process go on with a channel that it believes it holds."""
    tally: Counter[str] = Counter()
    await deliveries._serve(held, None, tally)
    return dict(tally)


async def test_who_is_overtaken_while_sending_changes_nothing_more(office, clock):
    """The one that took over says what became of the message; the other's word comes too late."""
    box = office.box(says=[REFUSED, SENT])
    box.goes_on.clear()
    await office.news(await office.scout())
    slow = asyncio.create_task(office.deliveries().deliver_due())
    await box.arrived.wait()
    clock.forward(61)
    box.arrived.clear()
    quick = asyncio.create_task(office.deliveries().deliver_due())
    await box.arrived.wait()
    box.goes_on.set()
    assert (await quick, await slow) == (Delivered(sent=1), Delivered(lost=1))
    assert await office.states() == ["sent"]
    assert len(set(box.ids)) == 1


async def test_a_channel_that_is_gone_is_disabled(office, clock):
    """Its messages are dead with the reason, and the owner hears of it elsewhere, once."""
    office.box(ONE, says=[GONE])
    other = office.box(TWO)
    scout = await office.scout(notify=[ONE, TWO])
    for number in range(3):
        await office.news(scout, f"news {number}")
        clock.forward(1)
    assert await office.deliveries().deliver_due() == Delivered(sent=4, dead=1)
    owner = await users.local_owner(office.db)
    (lost,) = [each for each in await channels.glances(office.db, owner.id) if each.url == ONE]
    assert (lost.state, lost.reason, lost.dead, lost.pending) == ("disabled", "HTTP 410", 3, 0)
    told = [notice for notice in other.got if notice.kind == "channel_lost"]
    assert [notice.subject for notice in told] == ["Channel lost: ntfy ntfy.example/one"]
    assert [notice.kind for notice in other.got].count("news") == 3
    assert await office.news(scout, "later") == 1
    await office.deliveries().deliver_due()
    assert [notice.kind for notice in other.got].count("channel_lost") == 1


async def test_without_another_channel_the_loss_is_in_the_outbox(office):
    """Nobody to tell: the channel and its messages say so themselves."""
    office.box(says=[GONE])
    await office.news(await office.scout())
    assert await office.deliveries().deliver_due() == Delivered(dead=1)
    (row,) = await office.rows()
    assert (row.state, row.last_error) == ("dead", "HTTP 410")


async def test_three_days_of_failures_disable_a_channel(office, clock):
    """A message given up three days after the first one ends it; one that got through resets."""
    box = office.box(says=[REFUSED])
    scout = await office.scout()
    await office.news(scout)
    await office.deliveries().deliver_due()
    box.says = [SENT]
    clock.forward(2 * 86_400)
    await office.news(scout)
    await office.deliveries().deliver_due()
    box.says = [REFUSED]
    for _ in range(3):
        clock.forward(2 * 86_400 - 3_600)
        assert await office.news(scout) == 1
        await office.deliveries().deliver_due()
    owner = await users.local_owner(office.db)
    (glance,) = await channels.glances(office.db, owner.id)
    assert glance.state == "disabled"
    assert glance.reason == "nothing got through since 2026-03-06: HTTP 422"
    assert await office.news(scout) == 0


async def test_no_message_is_begun_after_the_end(office):
    """`until` ends the work between two messages."""
    box = office.box()
    await office.news(await office.scout())
    now = office.clock.now()
    assert await office.deliveries().deliver_due(until=now) == Delivered()
    later = now + timedelta(seconds=1)
    assert await office.deliveries().deliver_due(until=later) == Delivered(sent=1)
    assert len(box.got) == 1


async def test_a_message_held_at_the_last_moment_is_not_sent(office):
    """Whoever holds it before the first byte wins."""
    box = office.box()
    await office.news(await office.scout())
    (row,) = await office.rows()

    async def send(notice, committing):
        await office.db.execute(
            "UPDATE notification_outbox SET state = 'held' WHERE id = $1", row.id
        )
        await committing()
        raise AssertionError(notice)

    box.send = send
    assert await office.deliveries().deliver_due() == Delivered()
    assert await office.states() == ["held"]


async def test_a_test_message_says_what_may_be_claimed(office):
    """It goes out at once, past outbox and quiet hours, and is stored nowhere."""
    box = office.box(promise="at_least_once")
    tested = await office.deliveries(quiet_hours="00:00-23:59").test(ONE)
    assert (tested.name, tested.promise, tested.delivery) == ("box", "at_least_once", SENT)
    assert box.got[0].kind == "test"
    assert await office.rows() == []
