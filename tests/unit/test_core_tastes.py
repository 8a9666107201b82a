"""What opinions mean: bounded, plain, and gone when they are taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from scout_cli.core.cutoffs import Cutoffs
from scout_cli.core.details import signature
from scout_cli.core.differences import compare
from scout_cli.core.doubts import unsure
from scout_cli.core.novelty import decide
from scout_cli.core.ports import Earlier, Habits, Hit, Neighbour
from scout_cli.core.ranking import fuse, rank
from scout_cli.core.tastes import Said, effect, habits_of, opinion_of
from scout_cli.core.urls import registrable
from scout_cli.core.verdicts import NONE, UNSURE, settle
from scout_cli.errors import InvalidInput

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CUTOFFS = Cutoffs(lower=0.6, upper=0.8, background=0.2)


def said(opinion, novelty="new", host="a.example", fact="The ferry sails."):
    """Return one opinion."""
    return Said(opinion=opinion, novelty=novelty, host=host, fact=fact)


def near(fact, cosine, **more):
    """Return an earlier finding and how close it is."""
    row = {"id": UUID(int=1), "canonical_url": "https://old.example", "created_at": NOW}
    return Neighbour(finding=Earlier(fact=fact, **row, **more), cosine=cosine)


@pytest.mark.parametrize(
    ("given", "shift"),
    [
        ([], 0.0),
        ([said("repeat")], -0.02),
        ([said("repeat")] * 9, -0.06),
        ([said("useful", "repeat")] * 9, 0.06),
        ([said("useful", "repeat"), said("repeat")], 0.0),
        ([said("useful", "stale"), said("useful", "suppressed")], 0.0),
        ([said("repeat", "repeat"), said("useful"), said("wrong")], 0.0),
    ],
)
def test_cut_offs_move_by_plain_counts_within_bounds(given, shift):
    """Told repeats lower them, wanted news that was held back raises them."""
    assert habits_of(given).shift == shift


SOONER = "Results from a.example and with these words are read sooner than before."
LATER = SOONER.replace("sooner", "later")
MORE, LESS = "it holds back more.", "it holds back less."


@pytest.mark.parametrize(
    ("others", "past", "now", "parts"),
    [
        ([], None, said("repeat"), ["down by 0.02 (to -0.02 in all)", MORE]),
        ([said("repeat")] * 2, None, said("repeat"), ["down by 0.02 (to -0.06 in all)", MORE]),
        ([said("repeat")] * 3, None, said("repeat"), ["stay at -0.06, the farthest"]),
        ([], None, said("useful", "repeat"), ["up by 0.02 (to +0.02 in all)", LESS, SOONER]),
        ([said("useful", "repeat")] * 3, None, said("useful", "repeat"), ["at +0.06", SOONER]),
        ([], None, said("useful"), [SOONER]),
        ([], None, said("useful", "stale"), [SOONER]),
        ([], said("useful", "stale"), said("repeat", "stale"), [LATER]),
        ([], None, said("repeat", "stale"), ["held back for its age", "Nothing changes."]),
        ([], None, said("repeat", "repeat"), ["as a repeat already", "Nothing changes."]),
        ([], said("repeat"), said("repeat"), ["Nothing changes."]),
        ([], said("repeat"), said("useful"), ["up by 0.02 (to +0.00 in all)", SOONER]),
        ([], None, said("wrong"), [LATER, "is held back."]),
        ([], said("wrong"), said("not_useful"), ["Nothing changes."]),
        ([], said("wrong"), None, ["It counts no more.", SOONER, "is no longer held back."]),
        ([said("repeat")] * 4, said("repeat"), None, ["It counts no more."]),
    ],
)
def test_an_opinion_tells_what_it_really_changed(others, past, now, parts):
    """At the cap nothing moves, age is not likeness, and what was said before counts no more."""
    before = habits_of([*others, *([past] if past else [])])
    after = habits_of([*others, *([now] if now else [])])
    told = effect(now, past, before, after)
    assert [part for part in parts if part not in told] == []
    about = {"cut-offs": ("0.0",), "are read": (SOONER, LATER), "What closely": ("held back.",)}
    for what, marks in about.items():
        assert (what in told) == any(mark in part for part in parts for mark in marks)


def test_an_opinion_may_be_written_in_two_ways():
    """With a dash or an underscore; anything else is refused with what there is."""
    assert opinion_of("not-useful") == opinion_of("not_useful") == "not_useful"
    for word in ("useful", "repeat", "wrong"):
        assert opinion_of(word) == word
    with pytest.raises(InvalidInput, match="no opinion"):
        opinion_of("great")


def test_what_is_liked_is_read_sooner():
    """Of two equal results the one from the liked domain comes first, and the other without."""
    hits = [Hit(url=f"https://{name}.example/x", title="Ferry news") for name in ("a", "b")]
    assert rank(fuse([hits]), "ferry", NOW)[0].hit == hits[0]
    habits = habits_of([said("useful", host="www.b.example", fact="Boats")])
    assert rank(fuse([hits]), "ferry", NOW, habits)[0].hit == hits[1]


@pytest.mark.parametrize("opinion", ["wrong", "not_useful"])
def test_what_follows_an_unwanted_finding_is_held_back(opinion):
    """An update close to it is silent and says why; one farther away is told."""
    new, old = "The ferry carries 9 cars.", "The ferry carries 8 cars."
    assert decide(new, [near(old, 0.9)], CUTOFFS).novelty == "update"
    held = decide(new, [near(old, 0.9, opinion=opinion)], CUTOFFS)
    assert held.novelty == "suppressed"
    assert "you called" in held.reason
    assert decide(new, [near(old, 0.7, opinion=opinion)], CUTOFFS).novelty == "update"


def test_what_was_never_told_is_neither_repeated_nor_updated():
    """A stale finding only gives a fact its story; the number that was told is the other one."""
    new = "The ferry carries 9 cars."
    alone = decide(new, [near(new, 1.0, told="never")], CUTOFFS)
    assert (alone.novelty, alone.story_id) == ("new", UUID(int=1))
    assert "never told" in alone.reason
    told = near("The ferry carries 8 cars.", 0.9)
    found = decide(new, [near("The ferry carries 7 cars.", 0.95, told="never"), told], CUTOFFS)
    assert (found.novelty, found.changed) == ("update", "9 instead of 8")
    assert [each.differs for each in alone.path.near] == ["never told"]


@pytest.mark.parametrize("cosine", [1.0, 0.7])
def test_what_was_held_back_is_held_back_again(cosine):
    """While the opinion stands; a telling that only resembles it is left to the model."""
    old, new = "The ferry carries 9 cars to Hollen.", "The ferry brings 9 cars to Hollen."
    held = near(old, cosine, told="never", opinion="wrong")
    found = decide(old if cosine == 1.0 else new, [held], CUTOFFS)
    said = found if found.ask is None else settle(found, NONE, "model")
    assert (said.novelty, said.same_as) == ("suppressed", UUID(int=1))
    if found.ask:
        assert settle(found, UNSURE, None).novelty == "new"
        assert settle(found, "to Hollen", "model").novelty == "new"


@pytest.mark.parametrize("last", ["useful", "not_useful"])
def test_the_last_of_several_opinions_counts(last):
    """What follows two findings closely follows the one that was spoken of last."""
    first = "not_useful" if last == "useful" else "useful"
    old = near("The ferry carries 8 cars.", 0.95, opinion=first, said_at=NOW)
    later = near("The ferry carries 7 cars.", 0.9, opinion=last, said_at=NOW + timedelta(days=1))
    found = decide("The ferry carries 9 cars.", [old, later], CUTOFFS)
    assert found.novelty == ("update" if last == "useful" else "suppressed")


def test_cut_offs_keep_their_place_on_another_background():
    """A narrow scout raises them; a background below the embedder's lowers them a little only."""
    assert CUTOFFS.on(Habits()) == CUTOFFS
    narrow = CUTOFFS.on(Habits(background=0.6, sample=30))
    assert (narrow.lower, narrow.upper) == (0.8, 0.9)
    wide = CUTOFFS.on(Habits(background=-0.5, sample=30))
    assert CUTOFFS.lower - 0.05 < wide.lower < CUTOFFS.lower
    assert CUTOFFS.on(Habits(shift=-0.02)).upper == 0.78


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("Der Zoo eröffnet am 4. Mai.", "Der Zoo eröffnet am 3. Mai."),
        ("Le pont ouvrira lundi.", "Le pont ouvrira mardi."),
        ("El tren no saldrá de Burgos.", "El tren saldrá de Burgos."),
        ("Мост не откроют в мае.", "Мост откроют в мае."),
        ("The fare is 3.5 million dollars.", "The fare is 3.5 billion dollars."),
        ("The pool closes in winter.", "The pool opens in winter."),
        ("Das Fest wurde verschoben.", "Das Fest findet statt."),
        ("It starts at 9 pm.", "It starts at 9 am."),
    ],
)
def test_details_of_five_languages_veto(new, old):
    """Dates, weekdays, denials, amounts, states and times of day tell two facts apart."""
    assert compare(signature(new), signature(old)).text


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("It cost 1.5 million.", "It cost 1,500,000."),
        ("Es kostet 40 Mio. Euro.", "It costs 40 million euros."),
        ("It opens at 9 pm.", "It opens at 21:00."),
        ("Музей в Москве открылся 3 мая.", "Das Museum in Moskau öffnete am 3. Mai 2026."),
        ("On 3 May the ECB met.", "On 3 May 2026 the European Central Bank met."),
    ],
)
def test_other_spellings_are_no_difference(new, old):
    """One amount, time, date or name in two spellings vetoes nothing."""
    assert compare(signature(new), signature(old)).text == ""


def test_one_exchanged_word_is_a_doubt():
    """`the bridge` or `the tunnel`: maybe a synonym, maybe another fact."""
    one = signature("The council approved the bridge.")
    assert unsure(one, signature("The council approved the tunnel."))
    assert not unsure(one, signature("The council has approved the bridge at last."))


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("news.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.com", "example.com"),
        ("someone.github.io", "someone.github.io"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("localhost", "localhost"),
    ],
)
def test_the_registrable_domain_of_a_host(host, domain):
    """Sections of one site are one; sites on shared hosts are not."""
    assert registrable(host) == domain
