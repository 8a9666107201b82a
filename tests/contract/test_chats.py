"""A conversation about a scout is stored, one turn at a time, the same on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.core.chatting import ChatFinished, ChatStarted, ConfigUpdated
from scout_cli.core.models import Location, User
from scout_cli.core.ports import ChatReply, ToolCall
from scout_cli.errors import Conflict, InvalidInput, ModelUnavailable, NotFound
from scout_cli.service.chats import Chats
from scout_cli.service.scouts import Scouts
from scout_cli.store import messages, scouts
from scout_cli.store.statements import insert, values
from scout_cli.testing import ScriptedModel


class Stage:
    """A database, the local owner's conversations, and the model that answers."""

    def __init__(self, db, clock) -> None:
        self.db = db
        self.clock = clock
        self.model: object = None
        self.heard: list[object] = []
        self.saved = Scouts(db, clock, self._open)
        self.chats = Chats(db, clock, self.saved, self._open, timezone="Europe/Berlin")

    async def _open(self):
        if isinstance(self.model, BaseException):
            raise self.model
        return self.model

    async def hear(self, event) -> None:
        """Keep what is said."""
        self.heard.append(event)

    async def say(self, text, name=None, **more) -> ChatFinished:
        """Take a turn; time goes on."""
        self.clock.forward(1)
        self.heard.clear()
        return await self.chats.talk(name, text, self.hear, **more)

    async def turns(self) -> int:
        """Return how many turns are held."""
        sql = "SELECT count(*) FROM chat_items WHERE id LIKE 'turn:%'"
        return await self.db.value(int, sql)


@pytest.fixture
def stage(database, clock) -> Stage:
    """Return conversations on a database."""
    return Stage(database, clock)


async def test_a_wish_becomes_a_scout_that_rests(stage):
    """The first message makes it, the interview fills it, nothing activates it."""
    ended = await stage.say("Concerts in Bonn")
    assert isinstance(stage.heard[0], ChatStarted)
    assert stage.heard[0].created
    assert ended.missing == ["frequency"]
    scout_id = str(ended.scout_id)
    ended = await stage.say("every Monday at 9", scout_id)
    assert ended.complete
    assert not ended.active
    scout = await stage.saved.find(scout_id)
    assert (scout.schedule, scout.frequency, scout.timezone) == (
        "0 9 * * 1",
        "weekly",
        "Europe/Berlin",
    )
    assert scout.location == Location(city="Bonn")
    assert not scout.is_active
    stage.clock.forward(1)
    (scout,) = await stage.saved.resume([scout])
    assert scout.next_run_at is not None


@pytest.mark.parametrize("rhythm", ["hourly", "daily", "every_3_days", "weekly"])
async def test_every_rhythm_is_stored(stage, rhythm):
    """Also the one that a scout has before anybody chose it, and one that replaces another."""
    first = await stage.say("Concerts in Bonn")
    spoken = rhythm.replace("_", " ").replace("hourly", "every hour")
    for said in (spoken, "every Friday at 7", spoken):
        ended = await stage.say(said, str(first.scout_id))
    scout = await stage.saved.find(str(first.scout_id))
    assert ended.complete
    assert scout.schedule == rhythm
    assert scout.frequency == ("daily" if rhythm == "hourly" else rhythm)


async def test_both_sides_are_stored_and_the_scout_moves_up(stage):
    """Messages come back in their order, also those of one moment; `updated_at` follows them."""
    ended = await stage.say("Concerts in Bonn")
    await stage.say("every week", str(ended.scout_id))
    told = await stage.chats.history(str(ended.scout_id))
    assert [each.role for each in told] == ["user", "assistant", "user", "assistant"]
    assert told[0].content == "Concerts in Bonn"
    assert told[1].content == ended.text
    scout = await stage.saved.find(str(ended.scout_id))
    assert scout.updated_at == told[-1].created_at
    assert len(await stage.chats.history(str(ended.scout_id), limit=2)) == 2


async def test_updates_pass_the_same_rules_as_everywhere(stage):
    """A model's goal drops what was planned for the old one; events name what changed."""
    ended = await stage.say("Concerts in Bonn, every week")
    scout = await stage.saved.find(str(ended.scout_id))
    planned = scouts.ScoutPatch(planned_queries=["old"], planned_for="old")
    await scouts.update(stage.db, scout.id, planned)
    call = ToolCall(name="update_scout_config", arguments={"goal": "Operas in Bonn"})
    replies = [ChatReply(text="", tool_calls=(call,)), ChatReply(text="Changed to operas.")]
    stage.model = ScriptedModel(lambda _: replies.pop(0), tools=True)
    ended = await stage.say("operas instead", str(scout.id))
    assert ended.text == "Changed to operas."
    after = await stage.saved.find(str(scout.id))
    assert (after.goal, after.planned_queries) == ("Operas in Bonn", [])
    (updated,) = [each for each in stage.heard if isinstance(each, ConfigUpdated)]
    assert updated.fields["goal"] == "Operas in Bonn"


async def test_an_absent_model_is_no_reason_to_stop(stage):
    """It is said in words, with the reason in the event, and the scout is written all the same."""
    stage.model = ModelUnavailable("nobody listens there")
    ended = await stage.say("Concerts in Bonn, every week")
    assert ended.complete
    assert (ended.answered_by, ended.note) == ("fallback", "nobody listens there")
    assert "model does not answer" in ended.text


async def test_where_the_person_is_fills_in_the_place(stage):
    """A known location is written whole when it is the one that is meant."""
    here = Location(city="Bonn", country="Germany", latitude=50.7, longitude=7.1)
    ended = await stage.say("Concerts near me, weekly", location=here)
    assert (await stage.saved.find(str(ended.scout_id))).location == here


async def test_one_turn_at_a_time(stage):
    """A second message about the same scout is refused until the first is answered."""
    first = await stage.say("Concerts in Bonn")
    scout_id = str(first.scout_id)
    async with stage.chats.begin(scout_id, "every week"):
        assert await stage.turns() == 1
        with pytest.raises(Conflict):
            await stage.say("every day", scout_id)
        other = await stage.say("Operas in Köln")
        assert other.scout_id != first.scout_id
    assert await stage.turns() == 0
    assert (await stage.say("every day", scout_id)).complete


async def test_a_turn_whose_process_died_is_over_after_a_while(stage):
    """Without a sign of life the next message is taken."""
    first = await stage.say("Concerts in Bonn")
    moment = await stage.db.now()
    assert await messages.claim_turn(stage.db, first.scout_id, uuid4(), moment)
    with pytest.raises(Conflict):
        await stage.chats.talk(str(first.scout_id), "every week", stage.hear)
    stage.clock.forward(messages.TURN.total_seconds() + 1)
    assert (await stage.say("every week", str(first.scout_id))).complete


async def test_a_turn_is_kept_by_its_holder_alone(stage):
    """Whoever holds it may renew it and end it; another token does neither."""
    ended = await stage.say("Concerts in Bonn")
    now, mine, other = await stage.db.now(), uuid4(), uuid4()
    assert await messages.claim_turn(stage.db, ended.scout_id, mine, now)
    assert await messages.claim_turn(stage.db, ended.scout_id, mine, now + timedelta(seconds=30))
    assert not await messages.claim_turn(stage.db, ended.scout_id, other, now)
    await messages.end_turn(stage.db, ended.scout_id, other)
    assert await stage.turns() == 1
    await messages.end_turn(stage.db, ended.scout_id, mine)
    assert await stage.turns() == 0


async def test_a_cancelled_turn_leaves_the_words_and_no_turn_held(stage):
    """What the person said stays, no answer is made up, and the next message is taken."""
    first = await stage.say("Concerts in Bonn")
    speaking = asyncio.Event()

    class Silent(ScriptedModel):
        async def chat(self, request, on_token=None):
            speaking.set()
            await asyncio.Event().wait()

    stage.model = Silent(lambda _: "")
    work = asyncio.create_task(stage.say("every week", str(first.scout_id)))
    await speaking.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await stage.turns() == 0
    told = await stage.chats.history(str(first.scout_id))
    assert [each.role for each in told] == ["user", "assistant", "user"]
    stage.model = None
    assert (await stage.say("every week", str(first.scout_id))).complete


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4_001])
async def test_what_cannot_be_a_message_makes_no_scout(stage, text):
    """Nothing, or too much, is refused before anything is stored."""
    with pytest.raises(InvalidInput):
        await stage.say(text)
    assert await stage.saved.all() == []


async def test_another_ones_scout_is_not_found(stage):
    """A conversation is about scouts of its own user."""
    ended = await stage.say("Concerts in Bonn")
    other = User(id=uuid4(), email="b@example.org", created_at=stage.clock.now())
    await stage.db.execute(insert("users", User), *values(other))
    theirs = Chats(
        stage.db, stage.clock, Scouts(stage.db, stage.clock, stage._open, other.id), stage._open
    )
    with pytest.raises(NotFound):
        await theirs.talk(str(ended.scout_id), "every day", stage.hear)
    with pytest.raises(NotFound):
        await theirs.history(str(ended.scout_id))


async def test_messages_go_with_their_scout(stage):
    """Removing a scout removes what was said; a turn that is under way then ends as not found."""
    ended = await stage.say("Concerts in Bonn")
    scout = await stage.saved.find(str(ended.scout_id))

    class Removing(ScriptedModel):
        async def chat(self, request, on_token=None):
            await stage.saved.remove(scout)
            return ChatReply(text="Where?")

    stage.model = Removing(lambda _: "")
    with pytest.raises(NotFound):
        await stage.say("operas", str(scout.id))
    assert await stage.db.value(int, "SELECT count(*) FROM scout_messages") == 0
    assert await stage.turns() == 0
