"""What was found, on every database: why, stories, opinions, full text and meaning."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from scout_cli.core.models import Near, Path, Rung
from scout_cli.core.ports import Background, Habits
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.llm.builtin import LexicalEmbedder, vector_of
from scout_cli.service import forgetting
from scout_cli.service.findings import Findings
from scout_cli.service.meaning import Meaning
from scout_cli.service.memory import StoredMemory
from scout_cli.store import findings, vectors, words
from tests.contract import rows
from tests.contract.databases import EVERY
from tests.contract.rows import AT

pytestmark = pytest.mark.databases(*EVERY)

FACTS = (
    "The ferry to Hollen Island returns on 14 May 2026.",
    "A ticket for the ferry costs 12.50 euros.",
    "Der Bahnhof Größe-Süd wird im Juni eröffnet.",
    "Власти откроют новый мост через реку в июне.",
    "東京で新しい美術館が開館する。",
)


class Place:
    """A database with one scout and what it found."""

    def __init__(self, db, scout):
        self.db, self.scout = db, scout
        self.found = Findings(db, self._embedder, Meaning())

    @staticmethod
    async def _embedder():
        return LexicalEmbedder()

    async def keep(self, *facts, **more):
        """Store findings with their vectors, one minute apart, and return them."""
        made = [
            rows.finding(
                self.scout,
                fact=fact,
                quote=fact,
                title="",
                canonical_url=f"https://a.example/{uuid4()}",
                **{"created_at": AT + timedelta(minutes=number), **more},
            )
            for number, fact in enumerate(facts)
        ]
        await findings.add_many(self.db, made)
        embedder = LexicalEmbedder()
        await vectors.put_many(
            self.db, [vectors.of_finding(f, embedder.name, vector_of(f.fact)) for f in made]
        )
        return made

    async def said(self, text, **more):
        """Search, and return the facts that came."""
        return [match.finding.fact for match in await self.found.search(text, **more)]


@pytest.fixture
async def place(database):
    """Give a database with a scout of the local owner."""
    return Place(database, await rows.stored_scout(database))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("ferry island", 0),
        ("TICKET", 1),
        ("12.50", 1),
        ("grosse", 2),
        ("größe", 2),
        ("мост", 3),
        ("美術館", 4),
    ],
)
async def test_any_language_is_found_by_its_words(place, text, fact):
    """Case, accents, numbers with a point and scripts without spaces: the fact comes first."""
    await place.keep(*FACTS)
    assert (await place.said(text))[0] == FACTS[fact]
    owner = await place.found.owner()
    assert await words.ranked(place.db, owner, text, limit=5)


async def test_a_plural_is_looked_for_as_it_was_once_stored(place):
    """Before scout knew what they are of, ferries were stored without their last letter."""
    await place.keep(*FACTS)
    assert await place.said("ferries") == await place.said("ferry")
    assert {"ferry", "ferrie"} <= {*words.asked("Ferries")}


@pytest.mark.parametrize(
    "text",
    ['"', "ferry AND (", "ferry* OR NEAR(", "terms:ferry", "'; DROP TABLE scouts; --", "a & | ! b",
     "ferry:* <-> x", "{ferry}", "^ferry", "-ferry", "ferry\\", "%", "\u202eferry", "key : a"],
)  # fmt: skip
async def test_no_query_is_anything_but_words(place, text):
    """Quotes, operators and SQL are text; what has no word in it is refused in words."""
    await place.keep(*FACTS)
    try:
        found = await place.said(text)
    except InvalidInput:
        assert not any(char.isalnum() for char in text)
    else:
        assert ("ferry" in text) == (FACTS[0] in found)


async def test_a_search_stays_with_its_user_scouts_and_kinds(place):
    """Nobody finds what is another's; a scout and a kind narrow it."""
    kept = await place.keep(FACTS[0])
    await place.keep(FACTS[0] + " Again.", novelty="repeat", same_as=kept[0].id)
    assert await place.said("ferry") == [FACTS[0]]
    assert len(await place.said("ferry", novelty=())) == 2
    assert await place.said("ferry", scout_ids=[uuid4()]) == []
    stranger = Findings(place.db, place._embedder, Meaning(), uuid4())
    assert await stranger.search("ferry") == []


async def test_what_was_told_is_found_behind_any_number_of_repeats(place):
    """Held back copies with more of the words are not in the way of the one that was told."""
    told = "The zebra crossing at Quayside reopens."
    (first,) = await place.keep(told)
    copies = [f"Zebra, zebra: crossing {n} at Quayside reopens." for n in range(200)]
    later = {"novelty": "repeat", "same_as": first.id, "created_at": AT + timedelta(days=1)}
    await place.keep(*copies, **later)
    (match,) = await place.found.search("zebra crossing", limit=5)
    assert (match.finding.fact, match.by_words, match.by_meaning) == (told, 1, 1)
    assert len(await place.said("zebra crossing", novelty=("repeat",), limit=150)) == 150


async def test_every_word_of_a_question_is_looked_for(place):
    """The last of a hundred counts; more than a question holds is refused in words."""
    await place.keep(*FACTS)
    many = " ".join(f"w{number}" for number in range(100))
    assert await place.said(f"{many} captain ticket") == [FACTS[1]]
    with pytest.raises(InvalidInput, match="1,000 characters"):
        await place.said("ticket " * 200)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("C++", "The C++ committee met in Hollen."),
        ("c#", "The C# committee met in Hollen."),
        ("C", "The C committee met in Hollen."),
        ("3.14", "Python 3.14 came out."),
        ("3.1", "Python 3.1 came out; 4 fixes."),
        ("12.50", "Die Karte kostet 12,50 Euro."),
        ("12,50", "Die Karte kostet 12,50 Euro."),
        ("1500", "They sold 1,500 seats."),
        ("1.500", "They sold 1,500 seats."),
        ("don’t", "Don't swim in the harbour."),
        ("wifi", "The boat has Wi-Fi."),
        ("Wi-Fi", "The boat has Wi-Fi."),
        ("nodejs", "A tool for Node.js is there."),
    ],
)
async def test_signs_and_decimals_are_part_of_words(place, text, fact):
    """What a sign or a decimal tells apart comes first, in any of its spellings."""
    await place.keep(
        "The C committee met in Hollen.",
        "The C++ committee met in Hollen.",
        "The C# committee met in Hollen.",
        "Python 3.14 came out.",
        "Python 3.1 came out; 4 fixes.",
        "Die Karte kostet 12,50 Euro.",
        "They sold 1,500 seats.",
        "Don't swim in the harbour.",
        "The boat has Wi-Fi.",
        "A tool for Node.js is there.",
    )
    owner = await place.found.owner()
    (first, *_) = await findings.by_ids(
        place.db, owner, await words.ranked(place.db, owner, text, limit=5)
    )
    assert first.fact == fact


async def test_a_search_sees_what_was_added_and_what_was_forgotten(place):
    """The vectors in memory and the full text follow the database."""
    (first,) = await place.keep(FACTS[0])
    assert await place.said("ferry") == [FACTS[0]]
    later = "The ferry has a new captain."
    await place.keep("Something else entirely.", later, created_at=AT + timedelta(days=1))
    assert set(await place.said("ferry")) == {FACTS[0], later}
    await forgetting.forget(place.db, [first])
    assert await place.said("ferry") == [later]
    if place.db.kind == "sqlite":
        assert await place.db.value(int, "SELECT count(*) FROM finding_words") == 2


async def test_meaning_finds_what_words_do_not(place):
    """A question without one right word is found by its letters."""
    await place.keep(*FACTS)
    (match, *_) = await place.found.search("The fery to Holen Iland retuns")
    assert (match.finding.fact, match.by_words, match.by_meaning) == (FACTS[0], None, 1)


async def test_a_story_is_found_by_each_of_its_findings(place):
    """Across outlets: its timeline in order, and its independent domains counted once."""
    (first,) = await place.keep(FACTS[0])
    story = {"story_id": first.id, "novelty": "repeat", "same_as": first.id}
    (copy,) = await place.keep(
        FACTS[0], host="news.gazette.co.uk", **story, created_at=AT + timedelta(hours=1)
    )
    await place.keep(
        FACTS[0], host="sport.gazette.co.uk", **story, created_at=AT + timedelta(hours=2)
    )
    await place.keep(FACTS[1])
    told = await place.found.story(str(copy.id)[:13])
    assert told.id == first.id
    assert [each.novelty for each in told.findings] == ["new", "repeat", "repeat"]
    assert told.domains == ("ferries.example", "gazette.co.uk")
    with pytest.raises(NotFound):
        await place.found.story("ffffffff-ffff")


async def test_why_tells_the_path_and_the_findings_on_it(place):
    """The stored decision comes back whole, with the earlier findings as far as they are there."""
    (first,) = await place.keep(FACTS[0])
    gone = UUID(int=5)
    path = Path(
        rungs=(Rung(name="cosine", outcome="the same", detail="0.98"),),
        near=(Near(id=first.id, cosine=0.98), Near(id=gone, cosine=0.4, differs="other numbers")),
        embedder="built-in/lexical-1",
        cutoffs=(0.5, 0.7),
        background=0.12,
        sample=30,
        judged="none",
        judged_by="model",
    )
    (copy,) = await place.keep(FACTS[0], novelty="repeat", same_as=first.id, path=path)
    told = await place.found.why(str(copy.id))
    assert told.finding.path == path
    assert [each.finding and each.finding.id for each in told.near] == [first.id, None]
    assert (told.opinion, told.shift_now) == (None, 0.0)


async def test_an_opinion_moves_the_cut_offs_and_can_be_taken_back(place):
    """A told repeat lowers them, a held back piece of news raises them, both are bounded."""
    told = await place.keep(*[f"The ferry has {n} seats." for n in range(5)])
    memory = StoredMemory(place.db, place.scout.id, LexicalEmbedder())
    for number, each in enumerate(told, 1):
        await place.found.feedback(str(each.id), "repeat")
        assert (await memory.habits()).shift == -min(0.02 * number, 0.06)
    for each in told:
        await place.found.feedback(str(each.id), None)
    assert await memory.habits() == Habits()
    (held,) = await place.keep("The ferry has 3 seats.", novelty="repeat", same_as=told[3].id)
    await place.found.feedback(str(held.id), "useful")
    habits = await memory.habits()
    assert habits.shift == 0.02
    assert habits.hosts["ferries.example"] > 0
    assert habits.terms["ferry"] > 0
    with pytest.raises(NotFound):
        await place.found.feedback(str(told[0].id), None)


async def test_why_shows_what_opinions_do_to_the_choice_of_what_is_read(place):
    """Of the finding that was judged, and of what is found later from its domain."""
    (first,) = await place.keep(FACTS[0])
    assert (await place.found.why(str(first.id))).liking_now == 0.0
    await place.found.feedback(str(first.id), "not_useful")
    told = await place.found.why(str(first.id))
    assert told.liking_then == 0.0
    assert told.liking_now < -0.02
    now = await place.db.now()
    (later, other) = await place.keep(FACTS[0], FACTS[4], created_at=now + timedelta(days=1))
    assert (await place.found.why(str(later.id))).liking_then == told.liking_now
    assert told.liking_now < (await place.found.why(str(other.id))).liking_then < 0.0
    await place.found.feedback(str(first.id), None)
    assert (await place.found.why(str(later.id))).liking_now == 0.0


async def test_the_background_is_the_scout_s_own(place):
    """From a dozen stories on, their median likeness replaces the embedder's."""
    names = "Arden Brink Corby Dunmore Elswick Farrow Garth Holby Ilford Jarrow Kelso Lorton"
    first, *others = [f"The weekly ferry report of {name} was published." for name in names.split()]
    await place.keep(first)
    memory = StoredMemory(place.db, place.scout.id, LexicalEmbedder())
    assert (await memory.background(vector_of("x"))) == Background()
    await place.keep(*others)
    memory = StoredMemory(place.db, place.scout.id, LexicalEmbedder())
    usual = await memory.background(vector_of("x"))
    assert usual.sample == 12
    assert usual.cosine > 0.5


async def test_suppressed_lists_all_that_was_held_back(place):
    """Repeats, stale and suppressed findings, newest first, and nothing that was told."""
    for number, novelty in enumerate(("new", "repeat", "stale", "suppressed", "update")):
        await place.keep(FACTS[number], novelty=novelty)
    held = await place.found.suppressed()
    assert {each.novelty for each in held} == {"repeat", "stale", "suppressed"}
