"""What is queued, for whom and for when: news, notices, digests, quiet hours, signs of life."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace

from scout_cli.core.models import Counts
from scout_cli.errors import Conflict, FenceLost, InvalidInput, NotFound
from scout_cli.notify import describe
from scout_cli.service.deliveries import Delivered
from scout_cli.service.desk import Desk
from scout_cli.store import channels, executions, outbox, queue, scouts, users
from tests.contract import rows
from tests.contract.post import ONE, REFUSED, RETRY, SENT, TWO, Office, result

BERLIN = "Europe/Berlin"


@pytest.fixture
def office(database, clock) -> Office:
    """Return a post office at noon UTC on a Monday, 13:00 in Berlin."""
    clock.moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    return Office(database, clock)


def at(text: str) -> datetime:
    """Return a moment written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def held(office) -> channels.ChannelRow:
    """Claim a channel."""
    now = office.clock.now()
    found = await channels.claim(office.db, now, now + timedelta(seconds=60))
    assert found is not None
    return found


async def test_one_row_per_channel(office):
    """A scout's own channels and those for all, each once."""
    office.settings["notify"] = (TWO, "ntfy://ntfy.example/three")
    assert await office.news(await office.scout(notify=[ONE, TWO, ONE])) == 3
    found = await office.rows()
    assert len({row.channel_id for row in found}) == 3
    assert {(row.state, row.kind, row.attempt) for row in found} == {("pending", "news", 0)}
    assert all(row.batch == str(row.id) for row in found)


async def test_the_same_news_is_queued_once(office):
    """The key follows from execution and channel: a second telling adds nothing."""
    scout = await office.scout()
    run = rows.execution(scout, completed_at=office.clock.now())
    await queue.start(office.db, run)
    for expected in (1, 0):
        async with office.db.transaction() as tx:
            assert await office.outbox().tell(tx, scout, run, result("News")) == expected
    assert len(await office.rows()) == 1


@pytest.mark.parametrize("outcome", ["nothing_new", "degraded", "could_not_look", "failed"])
async def test_silence_when_nothing_is_new(office, outcome):
    """Only news is news."""
    assert await office.news(await office.scout(), of=result(outcome=outcome)) == 0
    assert await office.rows() == []


async def test_nobody_to_tell(office):
    """A scout without channels queues nothing."""
    assert await office.news(await office.scout(notify=[])) == 0


async def test_news_and_run_are_stored_together_or_not_at_all(office):
    """When the fence has moved, no news is queued."""
    scout = await office.scout()
    run = rows.execution(scout, completed_at=office.clock.now())
    await queue.start(office.db, run)

    async def store() -> None:
        async with office.db.transaction() as tx:
            assert await office.outbox().tell(tx, scout, run, result("News")) == 1
            await executions.finish(tx, replace(run, fence=99))

    with pytest.raises(FenceLost):
        await store()
    assert await office.rows() == []


async def test_what_news_says(office):
    """Lines with the pages that prove them, what was kept silent, what could not be read."""
    found = result("The ferry\u202e is\nback.\0", repeats=2, unread=3)
    odd = replace(found.sources[0], url="javascript:alert(1)", number=2)
    item = replace(found.items[0], sources=(1, 2, 3), possible_repeat=True)
    repeat = replace(found.facts[0], novelty="repeat")
    found = replace(
        found,
        items=(item,),
        facts=(*found.facts, repeat),
        sources=(*found.sources, odd),
        counts=Counts(new=1, repeats=2, unread=3),
    )
    await office.news(await office.scout(title="Fer\x1bries"), of=found)
    ((row,),) = [await office.rows()]
    (news,) = row.message.news
    assert row.message.subject == "Ferries: The ferry is back."
    assert news.items[0].text == "The ferry is back."
    assert news.items[0].possible_repeat
    assert [link.url for link in news.items[0].links] == ["https://a.example/x"]
    assert news.finding_ids == (found.facts[0].id,)
    assert (news.repeats, news.unread, news.at) == (2, 3, office.clock.now())
    assert (news.scout_id, news.execution_id) == (row.scout_id, row.execution_id)


async def test_a_url_that_cannot_be_used_fails_no_run(office):
    """It is queued; whoever delivers says what is wrong."""
    assert await office.news(await office.scout(notify=[f"{ONE}?digest=hourly"])) == 1
    await office.deliveries().deliver_due()
    (row,) = await office.rows()
    assert (row.state, row.last_error) == ("pending", "notify: no such channel here")


async def test_deleting_a_scout_takes_its_messages(office):
    """No message about what is no more."""
    office.box()
    scout = await office.scout()
    await office.news(scout)
    await scouts.delete(office.db, scout.id)
    assert await office.rows() == []
    assert await office.deliveries().deliver_due() == Delivered()


async def test_a_paused_scout_is_told(office):
    """Why, and what to type; once for one pause."""
    scout = await office.scout(title="Ferries", digest="daily")
    for expected in (1, 0):
        async with office.db.transaction() as tx:
            told = await office.outbox().tell_paused(tx, scout, "it failed 3 times in a row: x")
            assert told == expected
    box = office.box()
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    (notice,) = box.got
    assert (notice.kind, notice.subject) == ("paused", "Paused: Ferries")
    lines = [item.text for item in notice.news[0].items]
    assert lines[0] == "It failed 3 times in a row: x"
    assert f"scout resume {str(scout.id)[:8]}" in lines[1]


async def test_a_late_scout_is_told_once_for_a_slot(office):
    """In its own zone, with what to look at."""
    scout = await office.scout(timezone=BERLIN)
    slot = at("2026-03-01 08:00")
    for expected in (1, 0):
        async with office.db.transaction() as tx:
            now = office.clock.now()
            assert await office.outbox().tell_late(tx, scout, slot, now) == expected
    (row,) = await office.rows()
    assert row.kind == "late"
    assert "2026-03-01 at 09:00 (Europe/Berlin)" in row.message.news[0].items[0].text


@pytest.mark.parametrize("where", ["scout", "url", "setting"])
async def test_a_daily_digest_is_one_message(office, clock, where):
    """Whatever asks for it: the news of a day goes out at eight, local time, under one key."""
    url = f"{ONE}?digest=daily" if where == "url" else ONE
    box = office.box(url)
    office.settings["digest"] = "daily" if where == "setting" else None
    more = {"digest": "daily"} if where == "scout" else {}
    scout = await office.scout(timezone=BERLIN, notify=[url], **more)
    other = await office.scout(timezone=BERLIN, notify=[url], title="Buses", **more)
    for each in (scout, other, scout):
        await office.news(each, "one", "two")
        clock.forward(3_600)
    assert {row.next_attempt_at for row in await office.rows()} == {at("2026-03-03 07:00")}
    assert await office.deliveries().deliver_due() == Delivered()
    assert await office.deliveries().next_due() == at("2026-03-03 07:00")
    clock.moment = at("2026-03-03 07:00")
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    (notice,) = box.got
    assert notice.subject == "6 new: Ferries, Buses"
    assert [news.title for news in notice.news] == ["Ferries", "Buses", "Ferries"]
    assert {row.state for row in await office.rows()} == {"sent"}


async def test_a_weekly_digest_waits_for_monday(office):
    """The scout's own word counts more than the setting's."""
    office.settings["digest"] = "daily"
    await office.news(await office.scout(timezone=BERLIN, digest="weekly"))
    (row,) = await office.rows()
    assert row.next_attempt_at == at("2026-03-09 07:00")
    assert row.batch == "weekly:2026-03-09T07:00Z"


async def test_a_digest_is_the_same_on_every_attempt(office, clock):
    """News that comes between two attempts is a message of its own, with an id of its own."""
    box = office.box(says=[RETRY, SENT])
    scout = await office.scout(digest="daily")
    await office.news(scout, "one")
    clock.moment = at("2026-03-03 08:00")
    assert await office.deliveries().deliver_due() == Delivered(retried=1)
    (first,) = await office.rows()
    await office.news(scout, "late", "later")
    await office.db.execute(
        "UPDATE notification_outbox SET batch = $1, next_attempt_at = $2 WHERE id <> $3",
        first.batch,
        clock.now(),
        first.id,
    )
    clock.forward(30)
    assert await office.deliveries().deliver_due() == Delivered(sent=2)
    tried, again, late = box.got
    assert tried == again
    assert late.id != again.id
    assert late.news[0].summary == "late"


async def test_quiet_hours_hold_new_messages_and_retries(office, clock):
    """What is due at night waits for the morning, in the scout's own zone."""
    office.settings["quiet_hours"] = "22:00-07:00"
    box = office.box(says=[RETRY, SENT])
    scout = await office.scout(timezone=BERLIN)
    clock.moment = at("2026-03-02 20:59")
    await office.news(scout, "one")
    await office.deliveries().deliver_due()
    clock.forward(60)
    await office.news(scout, "two")
    second = (await office.rows())[1]
    assert second.next_attempt_at == at("2026-03-03 06:00")
    assert await office.deliveries().deliver_due() == Delivered()
    assert await office.deliveries().next_due() == at("2026-03-03 06:00")
    assert len(box.got) == 1
    clock.moment = at("2026-03-03 06:00")
    assert await office.deliveries().deliver_due() == Delivered(sent=2)


async def test_a_digest_in_the_quiet_hours_waits_for_their_end(office):
    """Quiet wins over punctual."""
    office.settings |= {"quiet_hours": "22:00-09:30"}
    await office.news(await office.scout(timezone=BERLIN, digest="daily"))
    (row,) = await office.rows()
    assert row.next_attempt_at == at("2026-03-03 08:30")


@pytest.mark.parametrize("given", [{"quiet_hours": "22-7"}, {"digest_at": "25:00"}])
async def test_times_that_are_none_are_refused(office, given):
    """Before anything is queued."""
    with pytest.raises(InvalidInput):
        office.outbox(**given)


async def looks(office, scout, **times: int) -> None:
    """Store runs of a scout that ended so, with `queued` ones left out."""
    for outcome, number in times.items():
        for _ in range(number):
            now = office.clock.now()
            run = rows.execution(scout, started_at=now, completed_at=now)
            await queue.start(office.db, run)
            sql = """UPDATE scout_executions SET state = 'completed', status = 'completed',
                outcome = $2 WHERE id = $1"""
            await office.db.execute(sql, run.id, outcome)


async def test_a_week_without_news_has_a_sign_of_life(office, clock):
    """One line for each channel that heard nothing, once, however often it is asked."""
    office.settings |= {"heartbeat": "weekly", "digest_at": "08:00"}
    silent = await office.scout(notify=[ONE])
    loud = await office.scout(notify=[TWO], title="Buses")
    clock.moment = at("2026-03-09 07:59")
    assert await office.outbox().beat(clock.now()) == 0  # the channels are new
    clock.moment = at("2026-03-16 07:59")
    await looks(office, silent, nothing_new=1)
    await looks(office, loud, nothing_new=1)
    clock.moment = at("2026-03-16 08:00")
    assert await office.outbox().beat(clock.now()) == 2
    clock.moment = at("2026-03-18 12:00")
    await looks(office, silent, nothing_new=6, degraded=1, could_not_look=2)
    await office.news(loud)
    clock.moment = at("2026-03-23 07:59")
    assert await office.outbox().beat(clock.now()) == 0
    clock.moment = at("2026-03-24 10:00")
    beats = await asyncio.gather(*(office.outbox().beat(clock.now()) for _ in range(3)))
    assert beats.count(0) < 3
    assert await office.outbox().beat(clock.now()) == 0
    found = [row for row in await office.rows() if row.kind == "heartbeat"]
    assert [row.message.subject for row in found] == [
        *["scout looked once in the last 7 days; nothing new in 1"] * 2,
        "scout looked 7 times in the last 7 days; nothing new in 6",
    ]
    assert [item.text for item in found[-1].message.news[0].items] == [
        "In 1 not everything could be read.",
        "It could not look 2 times: scout history says why.",
    ]


async def test_no_sign_of_life_without_the_setting(office, clock):
    """Silence is the default."""
    await office.scout()
    clock.forward(30 * 86_400)
    assert await office.outbox().beat(clock.now()) == 0
    assert await office.rows() == []


async def test_a_channel_is_one_row_however_often_it_is_named(office):
    """By user and hash of its URL; two at once make one."""
    owner = await users.local_owner(office.db)

    async def ensure():
        async with office.db.transaction() as tx:
            return await channels.ensure(tx, owner.id, [ONE])

    made = await asyncio.gather(*(ensure() for _ in range(4)))
    assert len({row.id for (row,) in made}) == 1
    assert made[0][0].url_key == sha256(ONE.encode()).hexdigest()


async def test_a_claim_is_one_processs_alone(office):
    """Until it is released or its lease ends; each claim has a new fence."""
    await office.news(await office.scout())
    first = await held(office)
    now = office.clock.now()
    assert await channels.claim(office.db, now, now + timedelta(seconds=60)) is None
    office.clock.forward(60)
    second = await held(office)
    assert (second.id, second.fence) == (first.id, first.fence + 1)
    with pytest.raises(FenceLost):
        await channels.renew(office.db, first, office.clock.now() + timedelta(seconds=60))
    await channels.release(office.db, first, office.clock.now())
    assert not await channels.any_due(office.db, office.clock.now())
    await channels.release(office.db, second, office.clock.now())
    assert await channels.any_due(office.db, office.clock.now())


async def test_a_stale_write_changes_nothing(office):
    """Every write of a message names the claim it was made under."""
    await office.news(await office.scout())
    first = await held(office)
    office.clock.forward(60)
    await held(office)
    (row,) = await office.rows()
    with pytest.raises(FenceLost):
        await office.db.together(channels.held(office.db, first), outbox.sending(row, 1))
    assert (await office.rows())[0] == row


async def test_a_person_may_hold_and_retry(office, clock):
    """Held it waits; retried it goes, its attempts begun anew."""
    box = office.box(says=[REFUSED, SENT])
    desk = Desk(office.db, describe)
    await office.news(await office.scout())
    (row,) = await office.rows()
    (posted,) = await desk.hold([str(row.id)[:8]])
    assert (posted.row.state, posted.channel) == ("held", "ntfy ntfy.example/one")
    assert await office.deliveries().deliver_due() == Delivered()
    with pytest.raises(Conflict, match="held already"):
        await desk.hold([str(row.id)])
    (posted,) = await desk.retry([str(row.id)])
    assert posted.row.state == "pending"
    assert await office.deliveries().deliver_due() == Delivered(dead=1)
    clock.forward(1)
    await desk.retry([str(row.id)])
    assert await office.deliveries().deliver_due() == Delivered(sent=1)
    assert len(set(box.ids)) == 1
    with pytest.raises(Conflict, match="was sent"):
        await desk.retry([str(row.id)])


async def test_retrying_is_all_or_none(office):
    """One unknown id, and nothing moves."""
    office.box(says=[REFUSED])
    await office.news(await office.scout())
    await office.deliveries().deliver_due()
    (row,) = await office.rows()
    desk = Desk(office.db, describe)
    with pytest.raises(NotFound):
        await desk.retry([str(row.id), "ffffffff"])
    assert await office.states() == ["dead"]


async def test_a_disabled_channel_must_be_enabled_first(office):
    """The refusal says how; afterwards it hears again."""
    office.box(says=[replace(REFUSED, outcome="gone"), SENT])
    scout = await office.scout()
    await office.news(scout)
    await office.deliveries().deliver_due()
    (row,) = await office.rows()
    desk = Desk(office.db, describe)
    with pytest.raises(Conflict) as refused:
        await desk.retry([str(row.id)])
    assert refused.value.hint == f"scout notify enable {str(row.channel_id)[:8]}"
    await desk.enable(str(row.channel_id)[:8])
    await desk.retry([str(row.id)])
    assert await office.news(scout) == 1
    assert await office.deliveries().deliver_due() == Delivered(sent=2)
    (glance,) = await desk.channels()
    assert (glance.state, glance.reason, glance.failing_since) == ("active", "", None)
    assert (glance.pending, glance.dead, glance.unknown) == (0, 0, 0)
    assert glance.last_sent_at == office.clock.now()


async def test_messages_are_listed_by_state_and_scout(office, clock):
    """Newest first, at most so many."""
    office.box(says=[REFUSED, SENT])
    first, second = await office.scout(), await office.scout(title="Buses")
    for scout in (first, second, second):
        await office.news(scout)
        clock.forward(1)
    await office.deliveries().deliver_due()
    desk = Desk(office.db, describe)
    everything = await desk.messages(limit=10)
    assert [each.row.state for each in everything] == ["sent", "sent", "dead"]
    assert await desk.messages(limit=2) == everything[:2]
    assert await desk.messages(states=["dead"], limit=10) == everything[2:]
    assert await desk.messages(of=[second], limit=10) == everything[:2]
    assert await desk.messages(states=["dead"], of=[second], limit=10) == []
