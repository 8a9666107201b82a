"""Calibrating on one's own findings: what is usual for a scout, what opinions did already."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.evaluation.history import history
from scout_cli.llm.builtin import LexicalEmbedder, vector_of
from scout_cli.service.memory import StoredMemory
from scout_cli.store import findings, opinions, scouts, users, vectors
from scout_cli.store.opinions import OpinionRow
from tests.contract import rows
from tests.contract.rows import AT

ONE = "Saltmere Ferries will open a new route to Hollen on 3 May 2026."
PLACES = "harbour bakery library museum orchard quarry station theatre viaduct windmill".split()
DEEDS = ("opens in June", "closes for good")
OTHERS = [f"The {place} of the town {deed}." for place in PLACES for deed in DEEDS]


@pytest.fixture
async def keep(database):
    """Return a function that stores facts of one scout, each in the story that it is given."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)

    async def keep(told):
        made = [
            rows.finding(
                scout,
                fact=fact,
                story_id=story,
                novelty="new",
                canonical_url=f"https://a.example/{uuid4()}",
                created_at=AT + timedelta(minutes=number),
            )
            for number, (fact, story) in enumerate(told)
        ]
        await findings.add_many(database, made)
        name = LexicalEmbedder().name
        put = [vectors.of_finding(each, name, vector_of(each.fact)) for each in made]
        await vectors.put_many(database, put)
        return made

    return keep


async def test_repeats_of_one_fact_are_no_background(database, keep):
    """Thirty-one tellings of one story and nine others: too few stories to tell what is usual."""
    story = uuid4()
    await keep([(ONE, story)] * 31 + [(fact, uuid4()) for fact in OTHERS[:9]])
    found = await history(database, LexicalEmbedder())
    assert (len(found.past), found.background) == (40, None)


async def test_the_background_is_that_of_the_scouts_own_stories(database, keep):
    """The same figure that a run goes by, however often one story was told."""
    story = uuid4()
    await keep([(fact, uuid4()) for fact in OTHERS] + [(ONE, story)] * 60)
    (scout_id,) = {each.id for each in await scouts.owned(database, await _owner(database))}
    memory = StoredMemory(database, scout_id, LexicalEmbedder())
    usual = await memory.background(vector_of(ONE))
    found = await history(database, LexicalEmbedder())
    assert usual.sample == len(OTHERS) + 1
    assert found.background == pytest.approx(usual.cosine, abs=0.001)
    assert found.background < 0.9


async def test_what_opinions_moved_already_is_known_to_the_fit(database, keep):
    """A case is judged with the cut-offs of its scout, moved by the very opinion that makes it."""
    first, again = await keep([(ONE, None), (f"{ONE[:-1]}, the company said.", None)])
    said = OpinionRow(
        finding_id=again.id,
        user_id=again.user_id,
        scout_id=again.scout_id,
        opinion="repeat",
        created_at=AT,
    )
    await opinions.put(database, said)
    found = await history(database, LexicalEmbedder())
    assert [past.repeat for past in found.past] == [None, True]
    assert {past.habits.shift for past in found.past} == {-0.02}
    (near,) = found.past[1].near
    assert near.finding.id == first.id


async def test_only_what_was_told_makes_a_repeat(database, keep):
    """A finding that nobody heard of is no case against a later one, as it is in a run."""
    first, _ = await keep([(ONE, None), (ONE, None)])
    await database.execute("UPDATE scout_findings SET novelty = 'stale' WHERE id = $1", first.id)
    found = await history(database, LexicalEmbedder())
    assert [past.near for past in found.past] == [(), ()]


async def _owner(database):
    return (await users.local_owner(database)).id
