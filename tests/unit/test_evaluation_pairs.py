"""The labelled pairs, and what the ladder makes of the half that nothing was fitted to."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import get_args
from uuid import UUID

import pytest

from scout_cli.core import novelty
from scout_cli.core.cutoffs import Cutoffs, cutoffs_of
from scout_cli.core.ports import Earlier, Habits, Neighbour
from scout_cli.core.words import words
from scout_cli.evaluation import calibration, report, rules
from scout_cli.evaluation.history import History, Past
from scout_cli.evaluation.pairs import Kind, all_pairs, half
from scout_cli.evaluation.scores import score
from scout_cli.llm.builtin import LexicalEmbedder
from scout_cli.testing import FrozenClock

PAIRS = all_pairs()
MUST_BE = {
    "copy": {"same"},
    "outlet": {"same"},
    "template": {"different"},
    "update": {"update"},
    "topic": {"different"},
}


@pytest.fixture(scope="module")
def held_out():
    """Return what three rules make of the held-out half, with the built-in embedder."""
    made = asyncio.run(report.pairs(LexicalEmbedder()))
    return {rule.rule.partition(",")[0]: rule for rule in made.rules}


def test_there_are_enough_pairs_of_every_kind():
    """At least 400 pairs, and every kind of them often enough to count for something."""
    counts = Counter(pair.kind for pair in PAIRS)
    assert len(PAIRS) >= 400
    assert set(counts) == set(get_args(Kind))
    assert min(counts.values()) >= 20


def test_every_pair_is_a_case_of_its_own():
    """No pair is there twice, and two different sentences are compared but for copies."""
    assert len({(pair.earlier, pair.later) for pair in PAIRS}) == len(PAIRS)
    assert [p for p in PAIRS if p.earlier == p.later and p.kind != "copy"] == []


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_pair_is_well_formed(kind):
    """Both sides are tidy headlines or sentences, and the label is one that the kind allows."""
    for pair in (each for each in PAIRS if each.kind == kind):
        for sentence in (pair.earlier, pair.later):
            assert 2 < len(words(sentence)) <= 45, sentence
            assert sentence == " ".join(sentence.split())
        assert pair.label in MUST_BE.get(pair.kind, {"same", "different"}), pair


def test_what_is_measured_was_not_tuned_to():
    """The two parts share nothing, and each has both labels, and every kind at least ten times."""
    tuning, held = half("tuning"), half("held-out")
    assert len(tuning) + len(held) == len(PAIRS)
    known = {sentence for pair in tuning for sentence in (pair.earlier, pair.later)}
    assert [pair for pair in held if {pair.earlier, pair.later} & known] == []
    for side in (tuning, held):
        assert min(Counter(pair.kind for pair in side).values()) >= 10
        assert {pair.same for pair in side} == {True, False}


def test_the_ladder_beats_the_original_rule_by_fifteen_points(held_out):
    """F1 on the held-out half, with the same embedder."""
    assert held_out["ladder"].f1 >= held_out["one cosine"].f1 + 0.15


def test_no_single_cosine_that_tells_the_news_comes_near(held_out):
    """The best threshold hides most of the news; of those that do not, none finds the repeats."""
    assert held_out["best single cosine"].held_back > 0.5
    assert held_out["ladder"].f1 >= held_out["best careful cosine"].f1 + 0.25


def test_hardly_any_news_is_held_back(held_out):
    """At most 2 % of the new facts are taken for repeats."""
    assert held_out["ladder"].held_back <= 0.02


async def test_no_single_cosine_is_better_than_the_best():
    """What is called the best threshold is it, on every pair's own cosine."""
    given = await rules.cases(half("held-out"), LexicalEmbedder())
    best = rules.by_threshold(given, rules.best_threshold(given)).f1
    assert best == max(rules.by_threshold(given, case.cosine).f1 for case in given)


def test_a_score_counts_what_it_says():
    """Two of three repeats held back, and one of four new facts with them."""
    cases = [(True, True), (True, True), (True, False), (False, True), *[(False, False)] * 3]
    made = score(cases)
    assert (made.precision, made.recall, made.held_back) == (2 / 3, 2 / 3, 0.25)
    assert made.f1 == pytest.approx(2 / 3)


async def test_fitted_cutoffs_lose_little_and_catch_more():
    """The fit stays within its loss, and is no worse than what it replaces."""
    embedder = LexicalEmbedder()
    table = calibration.Table(await rules.cases(PAIRS, embedder))
    current = cutoffs_of(embedder)
    fitted = calibration.fit(table, History(), current.background)
    assert table.score(fitted).held_back <= calibration.LOSS
    assert table.score(fitted).f1 >= table.score(current).f1
    assert current.background < fitted.lower <= fitted.upper


async def test_the_bar_of_a_pair_says_what_the_ladder_does():
    """The short cut of the fit agrees with the ladder itself, at any cut-offs."""
    given = await rules.cases(half("tuning")[::3], LexicalEmbedder())
    table = calibration.Table(given)
    for lower, upper in ((0.3, 0.4), (0.46, 0.66), (0.7, 0.95)):
        levels = Cutoffs(lower=lower, upper=upper)
        said = [rules.verdict(case, levels) == "repeat" for case in given]
        assert table.held_back(levels).tolist() == said


def beside(cosine, **more):
    """Return a finding beside an earlier one that is so close, in some other words."""
    earlier = Earlier(
        id=UUID(int=1),
        fact="The festival of lights attracted 95,000 visitors in three days.",
        canonical_url="https://a.example/",
        created_at=FrozenClock().now(),
    )
    said = "Over three days 95,000 people came to see the festival of lights."
    near = (Neighbour(finding=earlier, cosine=cosine),)
    return Past(fact=said, near=near, **more)


def held_back(past, levels):
    """Return whether the ladder itself would keep a finding silent."""
    return novelty.decide(past.fact, past.near, levels, past.habits).novelty == "repeat"


def test_an_opinion_does_not_move_the_cutoffs_twice():
    """Whether a case is held back is asked of the cut-offs as its shift has moved them."""
    levels = Cutoffs(lower=0.46, upper=0.66, background=0.1)
    ((_, bar),) = beside(0.5).bars().beside
    short = bar.at(levels) - 0.01
    assert not held_back(beside(short, opinion="repeat"), levels)
    assert held_back(beside(short, opinion="repeat", habits=Habits(shift=-0.06)), levels)


def test_the_bars_of_a_finding_say_what_the_ladder_does():
    """The short cut of the fit agrees with the ladder, whatever the shift and the background."""
    for cosine in (0.3, 0.5, 0.55, 0.65, 0.8):
        for habits in (Habits(), Habits(shift=-0.04), Habits(background=0.4, sample=12)):
            past = beside(cosine, habits=habits)
            for lower, upper in ((0.3, 0.4), (0.46, 0.66), (0.7, 0.95)):
                levels = Cutoffs(lower=lower, upper=upper, background=0.1)
                assert past.bars().held_back(levels) == held_back(past, levels)


@pytest.mark.parametrize("background", [0.451, 1.0])
async def test_any_background_can_be_fitted_to(background):
    """Where all findings are alike there is room above the background still, and no row twice."""
    made = await calibration.calibrate(LexicalEmbedder(), History(background=background))
    fitted = made.fitted
    assert fitted.background < fitted.lower <= fitted.upper < 1
    shown = [(each.name, each.lower, each.upper) for each in made.outcomes[1:]]
    assert len({(lower, upper) for _, lower, upper in shown}) == len(shown)
    for name, lower, upper in shown[1:]:
        laxer = lower <= fitted.lower and upper <= fitted.upper
        stricter = lower >= fitted.lower and upper >= fitted.upper
        assert laxer if name == "laxer" else stricter
        assert fitted.background < lower


def test_an_opinion_labels_a_finding():
    """What the user called a repeat is one, what was useful is none, the rest says nothing."""
    said = [Past(fact="a", near=(), opinion=each).repeat for each in ("repeat", "useful", None)]
    assert said == [True, False, None]
