"""Same or new: numbers, dates, names and negation decide before any vector does."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from uuid import UUID

import pytest

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import signature
from scout_cli.core.differences import difference
from scout_cli.core.doubts import unsure
from scout_cli.core.memory import ListMemory
from scout_cli.core.novelty import decide, judge
from scout_cli.core.ports import Earlier, Neighbour
from scout_cli.core.signature import numbers
from scout_cli.core.verdicts import stale
from scout_cli.llm.builtin import LexicalEmbedder

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STORY = "Saltmere Ferries will open a new terminal on 3 May 2026 for 40 million euros."


def earlier(fact, *, number=1, url="https://a.example/old"):
    """Return a finding of an earlier run."""
    return Earlier(id=UUID(int=number), fact=fact, canonical_url=url, created_at=NOW)


async def verdict(fact, *known, url="https://b.example/new"):
    """Compare a fact with earlier ones by the built-in embedder."""
    embedder = LexicalEmbedder()
    texts = [finding.fact for finding in known]
    vectors = await embedder.embed([fact, *texts])
    memory = ListMemory(findings=list(zip(known, vectors[1:], strict=True)))
    return await judge(fact, url, vectors[0], memory=memory, embedder=embedder)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5,000 people", "5.000 Menschen"),
        ("5\u00a0000 people", "5000 people"),
        ("1,5 percent", "1.5 percent"),
        ("on 3 May 2026", "am 03.05.2026"),
        ("on 3 May 2026", "2026-05-03"),
        ("in August", "середина августа"),
        ("le 3 août", "am 3. August"),
        ("3 мая", "3. Mai"),
        ("at 09:00", "at 9:00"),
        ("three ships", "3 Schiffe"),
        ("zwölf Schiffe", "12 ships"),
        ("version 16.3", "Version 16.3"),
    ],
)
def test_one_number_in_several_spellings(one, other):
    """Separators, month names, date formats and small numbers in words are one spelling."""
    assert numbers(one) == numbers(other) != frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("16.3", "16.4"),
        ("port 8080", "port 8081"),
        ("starts in May", "starts in June"),
        ("starts in June", "starts in May"),
        ("3 May", "3 June"),
        ("1.5", "15"),
        ("2 million", "3 million"),
    ],
)
def test_other_numbers_are_others(one, other):
    """Versions, ports, months and amounts that differ are never one."""
    assert numbers(one) != numbers(other)


def test_may_is_a_month_only_where_it_is_one():
    """The verb `may` is no date."""
    assert numbers("It may open") == frozenset()
    assert numbers("It may open in May") == {"month 5"}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("Postgres 16.4 is out with fixes.", "Postgres 16.3 is out with fixes."),
        ("The server listens on port 8081 now.", "The server listens on port 8080 now."),
        ("The council approved the bridge.", "The council did not approve the bridge."),
        ("The event isn’t cancelled at all.", "The event takes place as it was planned."),
        ("The new mayor is Anna Berg of Hollen.", "The new mayor is Karl Lind of Hollen."),
        ("The fair opens on 4 June.", "The fair opens on 4 July."),
    ],
)
async def test_details_veto_a_repeat(new, old):
    """In one template, another number, name, date or a negation is news, however close."""
    found = await verdict(new, earlier(old))
    assert found.novelty in ("new", "update")
    assert "but" in found.reason or "nothing" in found.reason
    assert difference(signature(new), signature(old))


async def test_a_first_word_that_differs_is_shown_and_labelled():
    """`Berlin opens` and `Munich opens` differ in a word that is a name or is none."""
    found = await verdict(
        "Munich opens a new museum of modern art today.",
        earlier("Berlin opens a new museum of modern art today."),
    )
    assert found.novelty == "possible_repeat"
    assert unsure(signature("Munich opens it"), signature("Berlin opens it"))
    assert not unsure(signature("The pier opens"), signature("Saltmere opens the pier"))


@pytest.mark.parametrize(
    ("new", "old", "other"),
    [
        ("The bridge is closed to lorries.", "The bridge is not open to lorries.", False),
        ("Oakfield does not accept cash.", "Oakfield refuses cash.", False),
        ("Der Laden nimmt keine Karten.", "Der Laden verweigert Karten.", False),
        ("The bridge is not closed.", "The bridge is closed.", True),
        ("The court did not reject the plan.", "The court rejected the plan.", True),
        ("The bridge is not repaired.", "The bridge is repaired.", True),
        ("Der Rat lehnt den Plan im Mai ab.", "Der Rat genehmigt den Plan im Mai.", True),
    ],
)
def test_who_refuses_does_not_accept(new, old, other):
    """A word with a `not` in it stands for one, unless it is itself what is denied."""
    assert bool(difference(signature(new), signature(old))) == other


@pytest.mark.parametrize(
    "copy",
    [
        STORY,
        STORY.upper().capitalize(),
        f"{STORY[:-1]}, Reuters says.",
        "For 40 million euros, Saltmere Ferries will open a new terminal on 3 May 2026.",
        "On 3 May Saltmere Ferries will open a new terminal for 40 million euros.",
    ],
)
async def test_syndicated_copies_are_repeats(copy):
    """The same words elsewhere, turned round or with an attribution, are told once."""
    found = await verdict(copy, earlier(STORY))
    assert (found.novelty, found.same_as) == ("repeat", UUID(int=1))


async def test_the_same_words_on_the_same_page_need_no_vector():
    """A page that is read again repeats itself."""
    found = await verdict(
        STORY, earlier(STORY, url="https://a.example/x"), url="https://a.example/x"
    )
    assert (found.novelty, found.similarity) == ("repeat", 1.0)
    assert "same page" in found.reason


async def test_a_page_that_takes_back_what_it_said_is_no_repeat():
    """The same words with a "not" on the same page are news: common words alone do not decide."""
    page = "https://a.example/x"
    said = earlier("The ferry to Hollen will run on Sundays.", url=page)
    found = await verdict("The ferry to Hollen will not run on Sundays.", said, url=page)
    assert found.novelty in ("new", "update")


async def test_an_empty_memory_makes_everything_new():
    """The first run has nothing to compare with."""
    found = await verdict(STORY)
    assert (found.novelty, found.same_as, found.similarity) == ("new", None, None)


@pytest.mark.parametrize(
    ("cosine", "same_page", "novelty"),
    [
        (0.95, False, "repeat"),
        (0.90, False, "repeat"),
        (0.89, False, "possible_repeat"),
        (0.70, False, "possible_repeat"),
        (0.69, False, "new"),
        (0.75, True, "repeat"),
    ],
)
def test_the_two_cut_offs(cosine, same_page, novelty):
    """Above the upper a repeat, below the lower new, between them shown with a label."""
    near = Neighbour(finding=earlier("The terminal opens soon."), cosine=cosine)
    ids = {near.finding.id} if same_page else set()
    told = "The terminal opens soon, officials said."
    found = decide(told, [near], Cutoffs(lower=0.7, upper=0.9), same_page=ids)
    assert found.novelty == novelty


def test_a_vetoed_neighbour_does_not_hide_the_repeat_behind_it():
    """All close neighbours are asked, not only the closest."""
    near = [
        Neighbour(finding=earlier("The pier opens on 4 May.", number=1), cosine=0.99),
        Neighbour(finding=earlier("The pier opens on 3 May.", number=2), cosine=0.95),
    ]
    found = decide("The pier opens on 3 May.", near, Cutoffs(lower=0.7, upper=0.9))
    assert (found.novelty, found.same_as) == ("repeat", UUID(int=2))


def test_the_finding_that_decided_is_shown_wherever_it_stands():
    """Behind any number of closer ones in the same template, which differ."""
    fact = "The plant near Grenoble has 900 jobs."
    others = [
        Neighbour(
            finding=earlier(f"The plant near Lyon has {number} jobs.", number=number),
            cosine=0.95 - number / 1_000,
        )
        for number in range(100, 120)
    ]
    twin = Neighbour(finding=earlier(fact, number=7), cosine=0.75)
    found = decide(fact, [*others, twin], Cutoffs(lower=0.7, upper=0.9))
    assert (found.novelty, found.same_as) == ("repeat", UUID(int=7))
    assert [each.id for each in found.path.near] == [
        *(UUID(int=number) for number in range(100, 105)),
        UUID(int=7),
    ]


def test_only_what_is_known_to_be_old_is_stale():
    """A page without a date is never stale."""
    assert stale(datetime(2026, 1, 1, tzinfo=UTC), NOW)
    assert not stale(None, NOW)
    assert not stale(NOW, NOW)
    assert not stale(NOW, None)


async def test_vectors_of_another_length_are_not_compared():
    """A finding from before a change of embedder is no neighbour."""
    memory = ListMemory(findings=[(earlier(STORY), array("f", [1.0, 0.0]))])
    assert await memory.nearest(STORY, array("f", [1.0, 0.0, 0.0])) == []
