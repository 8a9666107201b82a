"""What a scout tells day after day, on every database: what was never told is no repeat."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from scout_cli.core.job import Window
from scout_cli.llm.builtin import LexicalEmbedder, vector_of
from scout_cli.service import outcome
from scout_cli.service.clocks import SeededClock
from scout_cli.service.findings import Findings
from scout_cli.service.meaning import Meaning
from scout_cli.service.memory import StoredMemory
from scout_cli.store import embedders, findings, health, vectors
from scout_cli.testing import page
from tests import agent_world as world
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

ROUTE = "Saltmere Ferries will open a new route to Hollen on 3 May 2026, the company said."
AGAIN = "On 3 May 2026 Saltmere Ferries will open a new route to Hollen, the company said."
FARE = "Saltmere Ferries will raise the fare for cars on the Hollen route to 30 euros in May."
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def fare(euros):
    """Return the same news with another number."""
    return FARE.replace("30", str(euros))


class Days:
    """A scout that looks once a day."""

    def __init__(self, db, scout):
        self.db, self.scout, self.now = db, scout, START
        self.embedder = LexicalEmbedder()
        self.thinker = world.model(JudgeAnswer={"news": ["unsure"]})
        self.findings = Findings(db, self.opened, Meaning())

    async def opened(self):
        """Return the embedder, as the application opens it."""
        return self.embedder

    async def look(self, *told, published=None):
        """Read a page for each sentence, store what was found, and return the result."""
        self.now += timedelta(days=1)
        memory = StoredMemory(self.db, self.scout.id, self.embedder)
        pages = [
            page(
                f"https://paper{number}.example/{self.now:%d}",
                f"# Harbour\nEdition of {self.now:%d} March.\n{sentence}",
                title="Saltmere Ferries today",
                published_at=(published or {}).get(sentence),
            )
            for number, sentence in enumerate(told)
        ]
        ran = await world.run(
            world.job(first=False, window=Window(since=self.now - timedelta(days=2))),
            pages=pages,
            thinker=self.thinker,
            memory=memory,
            embedder=self.embedder,
            clock=SeededClock(str(self.now)),
        )
        await self.keep(ran.result.facts, memory.kept)
        return ran.result

    async def keep(self, facts, made):
        """Store findings and their vectors, as the end of a run does."""
        execution = rows.execution(self.scout)
        kept = [
            replace(outcome.finding(fact, execution, self.now), execution_id=None) for fact in facts
        ]
        await findings.add_many(self.db, kept)
        name = self.embedder.name
        await vectors.put_many(
            self.db, [vectors.of_finding(each, name, made[each.id]) for each in kept]
        )

    async def statuses(self, *told, **more):
        """Look, and return what became of each fact."""
        result = await self.look(*told, **more)
        return {fact.fact: fact.novelty for fact in result.facts}


@pytest.fixture
async def days(database):
    """Give a scout of the local owner that has found nothing yet."""
    return Days(database, await rows.stored_scout(database))


async def test_a_stale_finding_silences_no_fresh_page(days):
    """What only an old page said was never told: a fresh one is, in the same run and later."""
    old = dict.fromkeys((ROUTE, world.SHIPS), START - timedelta(days=100))
    found = await days.statuses(ROUTE, world.SHIPS, published=old)
    assert found == {ROUTE: "stale", world.SHIPS: "stale"}
    assert await days.statuses(world.SHIPS) == {world.SHIPS: "new"}
    found = await days.statuses(ROUTE, AGAIN, published=old)
    assert found == {ROUTE: "stale", AGAIN: "new"}
    assert await days.statuses(ROUTE) == {ROUTE: "repeat"}
    assert len(await days.findings.stories()) == 2


async def test_an_opinion_taken_back_has_never_been(days):
    """What was held back stays so while the opinion stands, and is told when it comes again."""
    first = (await days.look(FARE)).facts[0]
    await days.findings.feedback(str(first.id), "not_useful")
    for _ in range(3):
        assert await days.statuses(fare(32)) == {fare(32): "suppressed"}
    await days.findings.feedback(str(first.id), None)
    (told,) = (await days.look(fare(32))).facts
    assert (told.novelty, told.changed) == ("update", "32 instead of 30")
    assert await days.statuses(fare(32)) == {fare(32): "repeat"}


async def test_what_follows_what_was_held_back_is_held_back(days):
    """An unwanted matter stays silent step after step; later the last told state is compared."""
    first = (await days.look(FARE)).facts[0]
    await days.findings.feedback(str(first.id), "wrong")
    for euros in (32, 34, 36):
        (held,) = (await days.look(fare(euros))).facts
        assert (held.novelty, held.changed) == ("suppressed", f"{euros} instead of 30")
    await days.findings.feedback(str(first.id), None)
    (told,) = (await days.look(fare(38))).facts
    assert (told.novelty, told.changed) == ("update", "38 instead of 30")


async def test_the_last_opinion_on_a_matter_counts(days, clock):
    """Whoever calls a finding that was held back useful hears of what follows it."""
    first = (await days.look(FARE)).facts[0]
    await days.findings.feedback(str(first.id), "not_useful")
    (held,) = (await days.look(fare(32))).facts
    clock.moment += timedelta(seconds=1)
    await days.findings.feedback(str(held.id), "useful")
    assert await days.statuses(fare(34)) == {fare(34): "update"}


async def test_any_number_of_facts_in_one_template_hides_no_retelling(days):
    """The other telling is found behind sixty closer facts, and behind any number of repeats."""
    told = "Near Grenoble, Solenne is going to build a chip plant that employs 9000 people."
    ends = ("by", "cott", "dale", "ford", "ham", "mouth", "ness", "sted", "ton", "wick")
    towns = [f"{name}{end}" for name in ("Ald", "Ben", "Cor", "Dun", "Es", "Fal") for end in ends]
    template = "The chip maker Solenne builds a plant with {} jobs near {}."
    others = [template.format(number, town) for number, town in enumerate(towns, 100)]
    kept = [rows.finding(days.scout, fact=fact, created_at=START) for fact in (told, *others)]
    kept += [
        rows.finding(days.scout, fact=others[0], novelty="repeat", same_as=kept[1].id)
        for _ in range(60)
    ]
    await findings.add_many(days.db, kept)
    await vectors.put_many(
        days.db,
        [vectors.of_finding(each, days.embedder.name, vector_of(each.fact)) for each in kept],
    )
    memory = StoredMemory(days.db, days.scout.id, days.embedder)
    fact = template.format(9000, "Grenoble")
    near = await memory.nearest(fact, vector_of(fact))
    assert told in [each.finding.fact for each in near]
    assert len({each.finding.fact for each in near}) == len(near) == 30
    assert [each.cosine for each in near] == sorted((e.cosine for e in near), reverse=True)


class Replaced(LexicalEmbedder):
    """A model that was pulled again: the same name, vectors of another length."""

    async def embed(self, texts):
        """Return the first half of each vector, at unit length."""
        made = [vector[: len(vector) // 2] for vector in await super().embed(texts)]
        return [array("f", [x / math.sqrt(sum(y * y for y in v)) for x in v]) for v in made]


async def test_vectors_of_another_length_are_made_again_and_the_run_says_so(days):
    """A model that was replaced under its name costs no run and no memory."""
    await days.look(ROUTE, FARE)
    days.embedder = Replaced()
    result = await days.look(ROUTE, fare(32))
    assert {fact.fact: fact.novelty for fact in result.facts} == {
        ROUTE: "repeat",
        fare(32): "update",
    }
    (problem,) = [each for each in result.problems if each.code == "vectors_remade"]
    assert "2 earlier findings" in problem.message
    (held,) = await embedders.holdings(days.db)
    assert (await health.vectors(days.db, days.embedder.name, held.dimension)).odd == 0
    assert not (await days.look(ROUTE)).problems


async def test_a_story_begins_with_the_finding_that_began_it(days):
    """Two pages of one run have one time; the title is that of the first all the same."""
    for sentence in (ROUTE, world.SHIPS, world.PRICE):
        first, second = (await days.look(sentence, f"{sentence[:-1]}, a paper says.")).facts
        assert second.same_as == second.story_id == first.id
        assert (await days.findings.story(str(second.id))).title == first.fact
