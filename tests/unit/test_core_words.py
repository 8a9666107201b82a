"""Sentences as they stand in the page, words of five languages and of unspaced scripts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core.words import fold, language_of, sentences, shorten, terms, topic_terms

PIECES = (
    "The ferry|3.|Mr.|U.S.|e.g.|“No.”|¿Qué?|3,5|…|\n|- |# | |"
    "東京。|「はい。」|Äpfel|не|1) |!|.|\u2028"
).split("|")
TEXTS = st.text(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join)


@given(TEXTS)
def test_every_sentence_stands_in_the_text(text):
    """A sentence is a part of the page, character by character."""
    assert all(sentence in text for sentence in sentences(text))


@given(TEXTS)
def test_sentences_lose_no_word(text):
    """Cutting into sentences drops marks of lists and headings, and no letters."""
    kept = "".join(c for s in sentences(text) for c in s if c.isalpha())
    assert kept == "".join(c for c in text if c.isalpha())


@given(st.text(max_size=400), st.integers(1, 200))
def test_shorten_never_exceeds(text, limit):
    """A shortened text is one line and no longer than asked."""
    short = shorten(text, limit)
    assert len(short) <= limit
    assert "\n" not in short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opens in 2026. Tickets cost 5 euros.", ["It opens in 2026.", "Tickets cost 5 euros."]),
        ("Mr. Smith met Dr. Jones. They talked.", ["Mr. Smith met Dr. Jones.", "They talked."]),
        ("It rose by 3.5 percent. That is much.", ["It rose by 3.5 percent.", "That is much."]),
        ("Acme Inc. The firm grew.", ["Acme Inc.", "The firm grew."]),
        ("She came from the U.S. He did not.", ["She came from the U.S.", "He did not."]),
        ("J. K. Rowling wrote it. Good.", ["J. K. Rowling wrote it.", "Good."]),
        ('He said "Yes." Then he left.', ['He said "Yes."', "Then he left."]),
        ("Really? “No.” Fine!", ["Really?", "“No.”", "Fine!"]),
        ("Am 3. Mai öffnet es. Der Preis steigt.", ["Am 3. Mai öffnet es.", "Der Preis steigt."]),
        ("Das kostet z. B. 5 €. Mehr nicht.", ["Das kostet z. B. 5 €.", "Mehr nicht."]),
        ("Il ouvre demain. « Enfin ! » dit-on.", ["Il ouvre demain.", "« Enfin ! » dit-on."]),
        ("Abre hoy. ¿Cuánto cuesta? Nada.", ["Abre hoy.", "¿Cuánto cuesta?", "Nada."]),
        ("Мост открыт. Ещё вопрос.", ["Мост открыт.", "Ещё вопрос."]),
        ("大桥今天开通。票价五元。", ["大桥今天开通。", "票价五元。"]),
        ("彼は「はい。」と言った。終わり。", ["彼は「はい。」と言った。", "終わり。"]),
        (
            "# Head\n- One item\n2. Two items\n> Quoted.",
            ["Head", "One item", "Two items", "Quoted."],
        ),
        ("| a | b |\n| 1 | 2 |", ["| a | b |", "| 1 | 2 |"]),
        ("A heading\nIts first sentence.", ["A heading", "Its first sentence."]),
        ("\n \n", []),
    ],
)
def test_sentences(text, expected):
    """Abbreviations, ordinals, decimals, quotes, lists and scripts end where people say they do."""
    assert sentences(text) == expected


@pytest.mark.parametrize("pattern", ["A. ", "1. ", '."', "。", ". (((", "a.   ", "Dr. B! "])
def test_sentences_take_linear_time(pattern):
    """Four times the marks in one line cost about four times as much, not sixteen times."""

    def cost(marks: int) -> float:
        began = time.process_time()
        sentences(pattern * marks)
        return time.process_time() - began

    small, large = (min(cost(marks) for _ in range(3)) for marks in (10_000, 40_000))
    assert large < 10 * small + 0.05  # what costs a millisecond cannot be told from noise


def test_small_words_are_known_with_their_accents():
    """Accents and typographic apostrophes do not turn a small word into a topic."""
    assert terms("für más también über der Brücke") == ["uber", "brucke"]
    assert fold("isn’t") == fold("isn't")


def test_unspaced_scripts_are_cut_into_pairs():
    """A date inside a Chinese or Japanese sentence does not glue its words together."""
    assert terms("横浜港は2026年5月") == ["横浜", "浜港", "港は", "2026", "年", "5", "月"]


def test_the_topic_of_a_goal():
    """The words of asking are no topic, unless there is nothing else."""
    assert topic_terms("Tell me about new ferries of Saltmere") == ("ferry", "saltmere")
    assert topic_terms("news") == ("new",)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The ferry will open in the summer", "en"),
        ("Die Fähre öffnet im Sommer und ist neu", "de"),
        ("Le ferry ouvre en été et il est dans le port", "fr"),
        ("El puente abre con una fiesta para los vecinos", "es"),
        ("Мост открыт и он был в городе", "ru"),
        ("Saltmere 2026", ""),
    ],
)
def test_language_of(text, language):
    """A language is told by its small words, and left open without them."""
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("one", "more"),
    [("port", "ports"), ("ferry", "ferries"), ("company", "Companies"), ("movie", "movies")],
)
def test_a_plural_agrees_with_its_singular(one, more):
    """A wish for ferries is one for a ferry."""
    assert terms(one) == terms(more)


@pytest.mark.parametrize("word", ["series", "species", "Linus", "glass", "tennis", "die", "pie"])
def test_what_ends_like_a_plural_agrees_with_itself(word):
    """Cut or not, it is one word wherever it stands."""
    assert terms(f"{word} {word.upper()}") == terms(word) * 2
