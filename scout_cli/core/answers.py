"""The shapes of a model's answers: flat, capped, self-explaining, as small models need them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from scout_cli.core.shape import Shape

QueryText = Annotated[str, Meta(min_length=2, max_length=120)]
ResultNumber = Annotated[int, Meta(ge=1, le=99)]

MAX_FACTS = 5
"""Facts taken from one page."""
MAX_QUERIES = 5
MAX_PAIRS = 4
"""Pairs of sentences in one question."""


class SetUpAnswer(Shape, frozen=True, kw_only=True):
    """A wish, filled in."""

    title: Annotated[str, Meta(min_length=2, max_length=60, description="2 to 4 words")]
    description: Annotated[str, Meta(max_length=240, description="one sentence")]
    queries: Annotated[list[QueryText], Meta(min_length=1, max_length=MAX_QUERIES)]


class PlanAnswer(Shape, frozen=True, kw_only=True):
    """Search queries."""

    queries: Annotated[list[QueryText], Meta(min_length=1, max_length=MAX_QUERIES)]


class Claim(Shape, frozen=True, kw_only=True):
    """One fact and the words that prove it."""

    fact: Annotated[str, Meta(max_length=300, description="one sentence")]
    quote: Annotated[str, Meta(max_length=500, description="copied word for word from the page")]
    date: Annotated[str, Meta(max_length=30, description="when it happens, if stated")] = ""


class ExtractAnswer(Shape, frozen=True, kw_only=True):
    """The facts of one page; an empty list says that it holds none."""

    facts: Annotated[list[Claim], Meta(max_length=MAX_FACTS)]


class FollowUpAnswer(Shape, frozen=True, kw_only=True):
    """What to look at next; two empty lists say that nothing is missing."""

    searches: Annotated[list[QueryText], Meta(max_length=2)] = field(default_factory=list)
    results: Annotated[list[ResultNumber], Meta(max_length=2)] = field(default_factory=list)


class WriteAnswer(Shape, frozen=True, kw_only=True):
    """A news brief: each item one sentence that ends with its sources, as in [S1]."""

    items: Annotated[list[Annotated[str, Meta(max_length=400)]], Meta(min_length=1, max_length=12)]


class JudgeAnswer(Shape, frozen=True, kw_only=True):
    """For each pair of sentences, in their order, what the later one tells that is new."""

    news: Annotated[
        list[Annotated[str, Meta(max_length=200, description='the new fact, or "none"')]],
        Meta(min_length=1, max_length=MAX_PAIRS),
    ]


class SummaryAnswer(Shape, frozen=True, kw_only=True):
    """The news in one sentence."""

    sentence: Annotated[str, Meta(min_length=10, max_length=150)]
