"""The labelled web, and the real agent on it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from scout_cli.config import Settings
from scout_cli.core.shape import plain
from scout_cli.evaluation import measures, report
from scout_cli.evaluation.trial import trial
from scout_cli.evaluation.world import DAYS, NEVER_NEWS, TOPICS, LabelledLibrary

GOLDEN = Path(__file__).parent / "golden" / "eval-builtin.json"
BUILT_IN = Settings(database_url="sqlite://", llm_url="builtin://", embed_url="builtin://")


class Quiet:
    """Shows nothing."""

    def run(self, model, topic, day):
        """Let it pass."""

    async def event(self, event):
        """Let it pass."""

    def done(self):
        """Let it pass."""


@pytest.fixture(scope="module")
def library() -> LabelledLibrary:
    """Return the pages and their labels."""
    return LabelledLibrary()


async def evaluated() -> dict:
    """Return the figures of the built-in engine, without the one that a clock makes."""
    made = measures.measure(await trial(BUILT_IN, Quiet()), LabelledLibrary())
    document = plain(report.engine(made))
    del document["seconds"]
    return document


def test_no_reader_sees_the_labels(library):
    """The pages are served without their marks."""
    assert all("data-" not in leaf.body for leaf in library.leaves.values())
    assert sum(len(found) for found in library.mentions.values()) >= 35


def test_every_topic_meets_every_kind_of_page(library):
    """News, repeats, templates, updates, negations, old news, lies and orders are all there."""
    for topic in TOPICS:
        found = [m for page in library.mentions.values() for m in page if m.topic == topic.name]
        assert {mention.how for mention in found} == {
            *("new", "template", "update", "negation", "words", "language"),
            *NEVER_NEWS,
        }
        assert {mention.day for mention in found} == set(DAYS)


def test_every_repeat_repeats_something(library):
    """What is marked as told in other words or another language was told on an earlier day."""
    first = {fact: day for topic in TOPICS for fact, day in library.news(topic.name).items()}
    repeats = [
        m for page in library.mentions.values() for m in page if m.how in ("words", "language")
    ]
    assert repeats
    assert [m.fact for m in repeats if first[m.fact] >= m.day] == []


def test_a_quote_finds_its_label(library):
    """A sentence, and a good part of it, are recognised on their page and on no other."""
    (host, path), found = next((place, m) for place, m in library.mentions.items() if m)
    url, text = f"http://{host}:8080{path}", found[0].text
    assert library.mention(url, text) == found[0]
    assert library.mention(url, " ".join(text.split()[:6])) == found[0]
    assert library.mention(f"http://{host}:8080/elsewhere", text) is None
    assert library.mention(url, "Nothing of this kind stands there.") is None


@pytest.fixture(scope="module")
def figures() -> dict:
    """Return what the built-in engine comes to."""
    return asyncio.run(evaluated())


def test_the_built_in_engine_does_what_it_did(figures):
    """It is deterministic; `python -m tests.unit.test_evaluation_trial` writes it anew."""
    assert figures == json.loads(GOLDEN.read_text("utf-8"))


def test_nothing_unproven_is_reported(figures):
    """Reported facts have their quotes in fetched pages, links were fetched, no news is lost."""
    counted = (figures["unproven"], figures["unfetched"], figures["news_held_back"])
    assert counted == (0, 0, 0.0)
    assert figures["duplicates_f1"] >= 0.75


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    document = asyncio.run(evaluated())
    GOLDEN.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
