"""Between the cut-offs: what a model may say, and what becomes of it."""

from __future__ import annotations

import pytest

from scout_cli.core.answers import JudgeAnswer
from scout_cli.core.judging import Judge, Pair
from scout_cli.core.models import Rung
from scout_cli.core.verdicts import NONE, UNSURE, Verdict, settle
from scout_cli.errors import InvalidInput
from scout_cli.testing import page
from tests.agent_world import COMPANY, PRICE, ROUTE, model, run
from tests.unit.test_agent import known

EARLIER = "The ferry from Saltmere to Hollen returns in May."
LATER = "The ferry from Saltmere to Hollen returns on 14 May with a new captain."
QUESTION = Judge(pairs=(Pair(earlier=EARLIER, later=LATER),))
AGAIN = "On 3 May 2026 Saltmere Ferries will open a new route to Hollen, the company said."
TURNED = page("https://turned.example/x", f"# News\n{AGAIN}", title="Saltmere Ferries news")
GREETED = "The mayor of Hollen greets the first guests of Saltmere Ferries on 3 May 2026."
SIMILAR = "Saltmere asks 12.50 euros for every crossing by boat."


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("none", NONE),
        ("None.", NONE),
        ('"none"', NONE),
        ("nothing new", NONE),
        ("Keine.", NONE),
        ("No.", NONE),
        ("n/a", NONE),
        ("Nichts Neues", NONE),
        ("Rien de nouveau.", NONE),
        ("Ничего нового", NONE),
        ("It is the same.", NONE),
        ("The later sentence tells nothing new.", NONE),
        ("returns on 14 May", "returns on 14 May"),
        ("a new captain", "a new captain"),
        ("returns on 15 May", UNSURE),
        ("the ferry returns", UNSURE),
        ("It sinks in a storm far away", UNSURE),
        ("a new captain https://evil.example", UNSURE),
        ("", UNSURE),
    ],
)
def test_what_a_model_says_is_checked_against_the_sentence(said, read):
    """Only what the later sentence says and the earlier does not is a new fact."""
    assert QUESTION.check(JudgeAnswer(news=[said])).news == [read]


@pytest.mark.parametrize(
    ("earlier", "later", "said"),
    [
        (
            "The Elm bridge collapsed on Monday.",
            "The Elm bridge collapsed on Monday; no injuries were reported.",
            "no injuries reported",
        ),
        (
            "The museum is closed for repairs.",
            "No new date is known for the museum, which is closed for repairs.",
            "no new date",
        ),
        ("Мост обрушился.", "Мост обрушился, нет пострадавших.", "Нет пострадавших"),
        ("Die Brücke fiel ein.", "Es ist nichts Genaues bekannt.", "Nichts Genaues bekannt"),
        ("The ferry sank.", "The ferry sank; no new details are known.", "no new details"),
    ],
)
def test_a_fact_that_says_no_is_news(earlier, later, said):
    """`No` at the beginning of what a model names is a word of the news, not the answer none."""
    question = Judge(pairs=(Pair(earlier=earlier, later=later),))
    assert question.check(JudgeAnswer(news=[said])).news == [said]


@pytest.mark.parametrize(
    "said",
    ["No idea.", "no answer possible", "No valid JSON", "Nothing (sorry)", "no casualties",
     "No, there is a new captain", "I cannot tell", "没有", "a new captain drowned"],
)  # fmt: skip
def test_what_is_no_answer_leaves_it_open(said):
    """Only an answer that clearly says none may silence; the rest is told, with a label."""
    assert QUESTION.check(JudgeAnswer(news=[said])).news == [UNSURE]


def test_what_is_denied_is_not_named_as_if_it_were_so():
    """`Injuries reported` is not what `no injuries were reported` says."""
    later = "The Elm bridge collapsed; no injuries were reported."
    question = Judge(pairs=(Pair(earlier="The Elm bridge collapsed.", later=later),))
    assert question.check(JudgeAnswer(news=["injuries reported"])).news == [UNSURE]


def test_an_answer_for_each_pair_is_needed():
    """One answer too many could belong to any of them."""
    with pytest.raises(InvalidInput, match="1 answers"):
        QUESTION.check(JudgeAnswer(news=["none", "none"]))


def test_lines_are_read_as_answers():
    """A model that writes no JSON is understood when it has one line for each pair."""
    assert QUESTION.from_lines("1. none") == JudgeAnswer(news=["none"])
    assert QUESTION.from_lines("Well,\nnone") is None


def test_what_the_model_says_settles_a_verdict():
    """None is a repeat, a new fact an update that names it, unsure stays as it was."""
    open_ = Verdict(novelty="possible_repeat")
    assert settle(open_, NONE, "model").novelty == "repeat"
    told = settle(open_, "a new captain", "model")
    assert (told.novelty, told.changed) == ("update", "a new captain")
    left = settle(open_, UNSURE, None)
    assert left.novelty == "possible_repeat"
    assert left.path.rungs[-1] == Rung(name="model", outcome="not asked")


@pytest.mark.parametrize(
    ("said", "novelty"),
    [("none", "repeat"), ("unsure", "possible_repeat"), ("for adults", "update")],
)
async def test_only_what_lies_between_is_asked_about(said, novelty):
    """One question for the one doubtful fact of a run, counted in its budget."""
    ran = await run(
        pages=(COMPANY,), memory=known(SIMILAR), thinker=model(JudgeAnswer={"news": [said]})
    )
    kinds = {fact.fact: fact.novelty for fact in ran.result.facts}
    assert kinds == {ROUTE: "new", PRICE: novelty}
    plain = await run(pages=(COMPANY,), thinker=model())
    assert ran.result.usage.calls == plain.result.usage.calls + 1


async def test_without_a_model_the_doubtful_is_told_and_labelled():
    """The built-in engine judges nothing."""
    ran = await run(pages=(COMPANY,), memory=known(SIMILAR))
    (doubtful,) = [fact for fact in ran.result.facts if fact.novelty == "possible_repeat"]
    assert doubtful.path.rungs[-1].outcome == "not asked"
    assert ran.result.usage.calls == 0


GREEN = "Saltmere Ferries will paint its old ships green in winter."
BLUE = "Saltmere Ferries will paint its old ships blue in winter."
TWO = tuple(
    page(f"https://{name}.example/x", f"# {name}\n{fact}", title="Saltmere Ferries ships")
    for name, fact in (("one", GREEN), ("two", BLUE))
)


@pytest.mark.parametrize(
    ("said", "novelty", "items", "sources"),
    [("none", "repeat", 1, 2), ("unsure", "possible_repeat", 2, 2), ("blue", "new", 2, 2)],
)
async def test_the_model_judges_what_resembles_within_one_run(said, novelty, items, sources):
    """One rule for two pages of one run and of two: nothing is told twice without a label."""
    ran = await run(pages=TWO, thinker=model(JudgeAnswer={"news": [said]}))
    assert [fact.novelty for fact in ran.result.facts] == ["new", novelty]
    assert len(ran.result.items) == items
    assert len(ran.result.sources) == sources
    assert [item.possible_repeat for item in ran.result.items][-1] == (said == "unsure")
    assert not any(item.changed for item in ran.result.items)


async def test_a_twin_within_a_run_tells_how_it_was_decided():
    """With its likeness, the cut-offs, the embedder, and the finding that it repeats."""
    ran = await run(pages=(COMPANY, TURNED), thinker=model())
    first, twin = (fact for fact in ran.result.facts if fact.fact in (ROUTE, AGAIN))
    assert (twin.novelty, twin.same_as, twin.story_id) == ("repeat", first.id, first.id)
    assert twin.similarity is not None
    assert twin.similarity > 0.9
    assert twin.path.cutoffs == first.path.cutoffs is not None
    assert twin.path.embedder == first.path.embedder != ""
    assert twin.path.near[0].id == first.id
    assert "words" not in [rung.name for rung in twin.path.rungs]
    assert "[S" not in twin.reason


async def test_two_facts_of_one_page_are_two():
    """They share its names and dates, which says nothing."""
    both = page(
        "https://one.example/x", f"# News\n{ROUTE}\n{GREETED}", title="Saltmere Ferries news"
    )
    ran = await run(pages=(both,), thinker=model())
    assert [fact.novelty for fact in ran.result.facts] == ["new", "new"]
    assert not [f for f in ran.result.facts if f.path.near]
