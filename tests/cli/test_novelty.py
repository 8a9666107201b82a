"""`why`, `suppressed`, `feedback`, `search` and `show STORY`: what a person sees of novelty."""

from __future__ import annotations

import json

import pytest

from tests.cli import planted, stage
from tests.cli.planted import FERRY, call
from tests.cli.stage import add

TOLD, DOUBTFUL, REPEATED, STALE = (f"f00{n}" for n in range(4))


@pytest.fixture
def there():
    """Plant two scouts and a finding of each kind."""
    planted.plant()


def test_why_tells_fact_quote_page_date_and_reason(there):
    """Everything a person needs to judge it stands on one screen."""
    said = call("why", TOLD)
    assert said.code == 0
    for part in ("The ferry sails at nine.", "sails at nine", "https://ferries.example", "new"):
        assert part in said.out
    assert "published" in said.out


def test_why_shows_each_rung_with_its_numbers():
    """A finding of a real run has its path: rungs, cut-offs, background, embedder."""
    name = add()
    stage.call("run", name)
    (first, *_) = json.loads(stage.call("findings", "--json").out)["findings"]
    said = stage.call("why", first["id"])
    own = "the embedder's own below 12 stories"
    for part in ("likeness", "nothing to compare with", "cut-offs", "built-in/lexical-1", own):
        assert part in said.out
    told = json.loads(stage.call("why", first["id"], "--json").out)
    assert told["finding"]["path"]["embedder"] == "built-in/lexical-1"
    assert told["finding"]["story_id"] == first["id"]


def test_suppressed_lists_what_was_held_back_and_nothing_else(there):
    """Repeats and old news with their reasons; the told ones are elsewhere."""
    listed = json.loads(call("suppressed", "--json").out)["suppressed"]
    assert {each["novelty"] for each in listed} == {"repeat", "stale"}
    assert call("suppressed", str(FERRY)[:8]).out.count("f00") == 2
    assert "Nothing was held back" in call("suppressed", "Night buses").err


def test_feedback_says_what_it_changes_and_is_undone(there):
    """The effect is told, `why` shows it, and --undo leaves nothing of it."""
    said = call("feedback", TOLD, "repeat")
    assert "go down by 0.02" in said.out
    assert "repeat" in call("why", TOLD).out.split("you said")[1].splitlines()[0]
    assert json.loads(call("why", TOLD, "--json").out)["shift_now"] == -0.02
    assert call("feedback", TOLD, "--undo").code == 0
    assert json.loads(call("why", TOLD, "--json").out)["shift_now"] == 0
    again = call("feedback", TOLD, "--undo")
    assert (again.code, "nothing was said" in again.err) == (3, True)


@pytest.mark.parametrize("word", ["not-useful", "not_useful"])
def test_why_shows_that_results_like_it_are_read_later(there, word):
    """Of the finding itself and of others of its domain, with what was said of it."""
    said = call("feedback", TOLD, word)
    assert "ferries.example and with these words are read later" in said.out
    assert "Noted: not-useful." in said.out
    for each in (TOLD, DOUBTFUL):
        row = call("why", each).out.split("from now on")[1].splitlines()[0]
        assert "results like it are read later" in row
        assert ("closely follows it is held back" in row) == (each == TOLD)
        assert "cut-offs" not in row


@pytest.mark.parametrize("words", [(), ("great",), ("useful", "--undo")])
def test_feedback_needs_one_word(there, words):
    """No opinion, an unknown one, or one that is taken back at once: two lines say what to type."""
    said = call("feedback", TOLD, *words)
    assert said.code == 2
    assert "useful" in said.err


def test_search_finds_what_was_told_and_with_all_what_was_not(there):
    """Held back findings stay out unless they are asked for."""
    told = json.loads(call("search", "ferry", "--json").out)["matches"]
    assert {each["finding"]["novelty"] for each in told} == {"new", "possible_repeat"}
    everything = json.loads(call("search", "ferry", "--all", "--json").out)["matches"]
    assert len(everything) == 4
    assert "Nothing was found" in call("search", "quetzal").err
    assert call("search", '"').code == 2


def test_show_knows_stories_beside_scouts(there):
    """A scout is meant first; the id of a finding shows its story; neither is not found."""
    assert "next run" in call("show", "Hollen ferry").out
    story = call("show", TOLD)
    assert "1 independent domain: ferries.example" in story.out
    told = json.loads(call("show", TOLD, "--json").out)["story"]
    assert [each["id"][:4] for each in told["findings"]] == [TOLD]
    unknown = call("show", "eeee")
    assert (unknown.code, "no scout" in unknown.err) == (3, True)


@pytest.mark.parametrize("command", ["why", "feedback"])
def test_a_finding_that_is_not_there_is_not_found(there, command):
    """Exit code 3 and where the ids stand."""
    said = call(command, "eeee", *(["useful"] if command == "feedback" else []))
    assert said.code == 3
    assert "scout findings shows the ids" in said.err
