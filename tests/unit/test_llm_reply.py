"""A streamed answer is put together the same however its pieces break, and grammars stay legal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scout_cli.llm.grammar import for_grammar
from scout_cli.llm.reply import LONGEST_ANSWER, Collected

ANSWERS = st.sampled_from(
    ["<think>a b</think>\n{}", "  <think></think>x", "plain <think>x</think>", "<thinker>", " ", ""]
)


@given(ANSWERS, st.lists(st.integers(0, 25), max_size=6))
def test_breaks_do_not_matter(text, breaks):
    """The text does not depend on where the stream was cut into pieces."""
    ends = [0, *sorted(breaks), len(text)]
    whole, parts = Collected(), Collected()
    whole.add(text)
    for start, end in pairwise(ends):
        parts.add(text[start:end])
    assert parts.text == whole.text


@given(st.lists(st.text(max_size=50), max_size=20))
def test_what_was_shown_is_what_is_returned(pieces):
    """Shown pieces never say more than the text, for any text without a stray closing tag."""
    collected = Collected()
    shown = "".join(collected.add(piece) for piece in pieces)
    assert shown.strip() in collected.text or "</think>" in shown


def test_text_ends_at_its_limit():
    """One huge piece is cut at the limit."""
    collected = Collected()
    collected.add("x" * (LONGEST_ANSWER + 1))
    assert collected.cut
    assert len(collected.text) == LONGEST_ANSWER


def test_two_hundred_blanks_are_no_flood():
    """A table may be wide: the limit is beyond 200."""
    collected = Collected()
    collected.add("a" + " " * 200 + "b")
    assert not collected.cut
    collected.add(" " * 201)
    assert collected.cut


def test_grammar_loses_only_what_servers_refuse():
    """Patterns and huge repetitions go, at any depth; a field called `pattern` stays."""
    schema = {
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "pattern": "a+", "maxLength": 5_000},
            "list": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 5},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }
    assert for_grammar(schema) == {
        "type": "object",
        "properties": {
            "pattern": {"type": "string"},
            "list": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 5},
        },
        "required": ["pattern"],
        "additionalProperties": False,
    }
