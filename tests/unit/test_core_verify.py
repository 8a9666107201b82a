"""A claim without a quote is not reported: what counts as standing in a page, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core.grounds import supported, without_links
from scout_cli.core.verify import MAX_QUOTE, locate
from scout_cli.core.words import sentences, words
from scout_cli.evaluation.pairs import all_pairs

PAGE = """# Harbour news

Saltmere Ferries will open a new terminal on 3 May 2026 – the “blue pier”. A ticket costs 12.50
euros for adults.

The council did not approve the bridge. Officials denied that the tunnel will be closed in June.
The mayor said the works begin in autumn. Nobody knows what the party costs. It opens on May 25.
"""

WORD = st.text("abcdefgäößéñжя", min_size=1, max_size=8) | st.sampled_from(
    ["3", "12.50", "isn’t", "“so”", "—", "not", "2026", "A.", "U.S.", "東京"]
)
SENTENCE = st.lists(WORD, min_size=5, max_size=14).map(lambda ws: "Q" + " ".join(ws) + ".")
TEXT = st.lists(SENTENCE, min_size=1, max_size=6).map("\n".join)


def flat(text):
    """Return text with its white space folded."""
    return " ".join(text.split())


@given(TEXT, st.data())
def test_every_sentence_of_a_page_is_found_in_it(text, data):
    """What a model copies word for word is found, and stored in the page's own words."""
    found = [s for s in sentences(text) if len(words(s)) >= 4 and len(s) <= MAX_QUOTE]
    quote = data.draw(st.sampled_from(found or ["none"]))
    located = locate(quote, text)
    if found:
        assert located is not None
        assert located.quote in flat(text)
        assert flat(quote).strip("\"'“”„«»‘’") in located.quote


@given(st.text(max_size=200), st.text(max_size=400))
def test_whatever_is_located_stands_in_the_page(quote, text):
    """No quote is ever made up, whatever model and page say."""
    located = locate(quote, text)
    assert located is None or located.quote in flat(text)


@pytest.mark.parametrize(
    ("quote", "stored"),
    [
        ("The mayor said the works begin in autumn.", "The mayor said the works begin in autumn."),
        ('"the works begin in autumn"', "the works begin in autumn"),
        ("THE MAYOR SAID THE WORKS", "The mayor said the works"),
        ("A ticket   costs 12.50\neuros", "A ticket costs 12.50 euros"),
        ('on 3 May 2026 - the "blue pier".', "on 3 May 2026 – the “blue pier”."),
        ("the works\u200b begin in autumn", "the works begin in autumn"),
    ],
)
def test_copied_words_are_found(quote, stored):
    """Case, white space, typography and invisible characters do not hide a copied quote."""
    located = locate(quote, PAGE)
    assert located is not None
    assert (located.quote, located.repaired) == (stored, False)


@pytest.mark.parametrize(
    ("quote", "stored"),
    [
        (
            "The mayor has said the works begin in autumn.",
            "The mayor said the works begin in autumn.",
        ),
        (
            "Saltmere Ferries will … on 3 May 2026",
            "Saltmere Ferries will open a new terminal on 3 May 2026",
        ),
        (
            "Saltmere Ferries [...] open a new terminal",
            "Saltmere Ferries will open a new terminal",
        ),
        (
            "the tunnel will be closed in June",
            "Officials denied that the tunnel will be closed in June.",
        ),
    ],
)
def test_near_misses_become_the_page_s_words(quote, stored):
    """A small slip, an ellipsis, and a clause that its sentence denies are repaired."""
    located = locate(quote, PAGE)
    assert located is not None
    assert (located.quote, located.repaired) == (stored, True)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "works begin in",
        "Saltmere Ferries will open a new terminal on 4 May 2026",
        "The council did approve the bridge.",
        "The mayor said the works do not begin in autumn.",
        "A ticket costs 12 euros for adults.",
        "A ticket costs 12",
        "50 euros for adults.",
        "It opens on May 2",
        "ayor said the works begin",
        "The council did ... approve the bridge",
        "Saltmere Ferries will open … begin in autumn",
        "The mayor said … what the party costs",
        "Aliens have landed in the harbour of Saltmere",
        "…",
        "... ... ... ...",
    ],
)
def test_what_the_page_does_not_say(quote):
    """Other numbers, cut numbers and words, lost or added negations and splices are refused."""
    assert locate(quote, PAGE) is None


def test_a_quote_is_not_a_whole_page():
    """A copied text beyond the limit proves nothing."""
    assert locate(PAGE * 3, PAGE * 3) is None


def test_unspaced_scripts_can_be_quoted():
    """Four words make no sense where words have no spaces; width does."""
    text = "据市政府消息，新的渡轮航线将于五月三日正式开通。票价五元。"
    assert locate("新的渡轮航线将于五月三日正式开通", text) is not None
    assert locate("新的渡轮", text) is None


def spent(work) -> float:
    """Return the processor seconds of one call, whatever else the machine does."""
    began = time.process_time()
    work()
    return time.process_time() - began


def test_the_first_quote_of_a_page_pays_for_the_others():
    """A megabyte is read once; fifty more quotes that are not in it cost less than that did."""
    page = "".join(f"The ferry number {i} opens in May. It takes cars.\n" for i in range(21_000))
    assert locate("the ferry number 20999 opens in May", page)
    fresh = f"{page}And that was all.\n"
    first = spent(lambda: locate("the ferry number seventy was painted blue last year", fresh))
    further = spent(
        lambda: [
            locate(f"the ferry number {n} was painted red last year", fresh) for n in range(50)
        ]
    )
    assert locate("the ferry number 7 was painted red last year", fresh) is None
    assert further < 3 * first


def test_a_hostile_page_takes_time_in_proportion():
    """One word repeated, a quote with an ellipsis: four times the page, not 16 times the work."""
    quote = "word word word ... wurd end"
    assert locate(quote, "word " * 1_000) is None
    small = spent(lambda: locate(quote, "word " * 50_000))
    large = spent(lambda: locate(quote, "word " * 200_000))
    assert large < 10 * small


@pytest.mark.parametrize(
    ("claim", "quote", "held"),
    [
        ("The bridge opens on 3 May.", "The bridge will open on 3 May 2026.", True),
        ("The bridge opens on 3 May 2026.", "The bridge will open on 2026-05-03.", True),
        ("The bridge opens on 4 May.", "The bridge will open on 3 May 2026.", False),
        ("The council approved the bridge.", "The council did not approve the bridge.", False),
        ("The council approved the plan.", "The council rejected the plan.", False),
        ("The council didn’t approve it.", "The council did approve the bridge.", False),
        ("HACKED by the pirates of the sea", "The bridge will open on 3 May 2026.", False),
        ("The bridge opens, see https://evil.test", "The bridge opens, see page 2.", False),
        ("[The bridge](x) will open", "The bridge will open on 3 May.", False),
        ("The bridge is opened on 3 May, officials said.", "The bridge opens on 3 May.", True),
        ("The bridge is bankrupt.", "The bridge will open on 3 May 2026.", False),
        ("The bank is bankrupt.", "The bank opens on 3 May.", False),
        ("The Elm bridge opens in Hollen.", "The Elm bridge opens in Holland.", False),
        ("The strike begins on Monday.", "The strike begins on Thursday.", False),
        ("The town opens a pool.", "The town plans to open a pool.", False),
        ("The town opens a pool.", "The town may open a pool.", False),
        ("The town may open a pool.", "The town may open a pool in May.", True),
        ("La piscine ferme pour entretien.", "La piscine ferme pour l'entretien.", True),
        ("The council fined the bakery.", "The council fined the butcher.", False),
        (
            "The council did not pay the bridge.",
            "The council paid the bridge, not the pool.",
            False,
        ),
        ("The opening is delayed to May.", "The opening was postponed to May.", True),
        ("Die Brücke wird am 3. Mai eröffnet.", "Am 3. Mai eröffnen sie die neue Brücke.", True),
        ("新航线五月开通。", "新航线将于五月三日正式开通。", False),
    ],
)
def test_a_claim_says_no_more_than_its_quote(claim, quote, held):
    """Numbers, days, names, denials, links and telling words that the quote lacks are refused."""
    assert supported(claim, quote) is held


@pytest.mark.parametrize(
    ("quote", "held"),
    [
        ("It will open a new route to Hollen.", True),
        ("The company will open a new route to Hollen.", True),
        ("Kelvin Boats will open a new route to Hollen.", False),
        ("It will open a new route.", False),
    ],
)
def test_the_title_of_a_page_may_name_what_it_is_about(quote, held):
    """What a quote calls `it` may have its name, but no name stands in the place of another."""
    claim = "Saltmere Ferries will open a new route to Hollen."
    assert supported(claim, quote, title="Saltmere Ferries: the news") is held
    assert not supported(claim, quote, title="Bankrupt, they say")


@pytest.mark.parametrize("label", ["different", "update"])
def test_no_other_fact_is_borne_out(label):
    """Of the labelled pairs, hardly one other fact passes for what the earlier sentence says."""
    others = [pair for pair in all_pairs() if pair.label == label]
    assert sum(supported(pair.later, pair.earlier) for pair in others) < 0.01 * len(others)


def test_light_edits_are_borne_out():
    """Most lightly edited copies are told in their own words, the others in the page's."""
    copies = [pair for pair in all_pairs() if pair.kind == "copy"]
    assert sum(supported(pair.later, pair.earlier) for pair in copies) > 0.5 * len(copies)


def test_links_are_taken_out_of_a_sentence():
    """A sentence of the page that is shown as it is loses its addresses."""
    assert without_links("Buy at https://x.test/?a=1 or www.y.test now") == "Buy at or now"
