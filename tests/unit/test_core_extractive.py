"""The built-in engine: deterministic, word for word, in several languages, silent off topic."""

from __future__ import annotations

import time

import pytest

from scout_cli.core import extractive, passages
from scout_cli.core.words import sentences

GOALS = [
    "Tell me when Saltmere Ferries announces a new route",
    "New releases of PostgreSQL and their security fixes",
    "openings of vegan restaurants in Leipzig",
    "price changes of the Deutschlandticket",
    "research on solid-state batteries",
    "Changes to the opening hours of the city library",
    "concerts of Nils Frahm",
    "strikes at Charles de Gaulle airport",
    "CVE-2026-1234",
    "rust",
    "Sag mir, wenn die Fähre nach Hollen wieder fährt",
    "Neue Förderprogramme für Wärmepumpen in Bayern",
    "Streik der Lokführer",
    "Nouvelles lignes de tramway à Grenoble",
    "ouverture du musée de la mer",
    "Nuevas líneas de metro en Madrid",
    "apertura del puente de San Telmo",
    "новые станции метро в Казани",
    "открытие моста через Волгу",
    "横浜の新しいフェリー航路",
]

PAGE = """# Saltmere Ferries opens the Hollen route
Home | News | Contact
Saltmere Ferries will open a new route to Hollen on 3 May 2026, the company said.
It will cost 12 euros.
It will be served by two electric ships that were built for the company last year.
We use cookies to give you the best Saltmere Ferries route experience on this site.
Subscribe to our newsletter for all news about the new route of Saltmere Ferries.
The mayor of Hollen welcomed the route and said that it would bring many new visitors.
and the route of the ferries goes on in a line that a reader of files has broken apart.
Is the new route of Saltmere Ferries to Hollen really going to be open in three months?
Weather: sunny, 12 degrees, wind from the west with up to forty kilometres per hour today.
"""


@pytest.mark.parametrize("goal", GOALS)
def test_queries_of_a_goal(goal):
    """Every goal gives different, short queries of its own words, the same ones each time."""
    made = extractive.queries(goal)
    assert made == extractive.queries(goal)
    assert 1 <= len(made) <= 3
    assert len(set(made)) == len(made)
    assert all(0 < len(query) <= 120 for query in made)
    subject = extractive.topic(goal)
    assert any(subject[0] in query for query in made)


@pytest.mark.parametrize("goal", GOALS)
def test_title_of_a_goal(goal):
    """A title has at most four words and is never empty."""
    title = extractive.title(goal)
    assert 2 <= len(title) <= 60
    assert len(title.split()) <= 4


@pytest.mark.parametrize("goal", ["???", "the", "a" * 2_000, "to be or not to be", "🚢🚢🚢"])
def test_goals_without_a_topic(goal):
    """A goal that names nothing still gives a query and a title."""
    assert extractive.queries(goal)
    assert extractive.title(goal)
    assert extractive.excerpts(PAGE, goal) == extractive.excerpts(PAGE, goal)


def test_a_place_is_searched_for_once():
    """The place is added to queries unless the goal names it."""
    assert all("Hollen" in query for query in extractive.queries("new ferries", place="Hollen")[:2])
    assert extractive.queries("ferries to Hollen", place="Hollen")[0].count("Hollen") == 1


def test_the_sentences_that_say_most():
    """The best sentence comes first, word for word; chrome, questions and fragments never come."""
    found = [e.sentence for e in extractive.excerpts(PAGE, GOALS[0], page_title="Saltmere Ferries")]
    assert found[0].startswith("Saltmere Ferries will open a new route to Hollen")
    assert set(found) <= set(sentences(PAGE))
    unwanted = ("cookies", "newsletter", "Home |", "Is the new", "and the route", "Weather")
    assert not [s for s in found for word in unwanted if word in s]


@pytest.mark.parametrize("goal", GOALS[1:])
def test_a_page_about_something_else_gives_nothing(goal):
    """A page that does not speak of the goal has no facts."""
    if "Hollen" in goal:
        goal = "Streik der Lokführer am Bodensee"
    assert extractive.excerpts(PAGE, goal, page_title="Saltmere Ferries") == []


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        (GOALS[10], "Die Fähre nach Hollen fährt ab dem 3. Mai 2026 wieder zweimal am Tag."),
        (GOALS[13], "La nouvelle ligne de tramway de Grenoble ouvre au public le 3 mai 2026."),
        (GOALS[15], "La nueva línea de metro de Madrid abre sus puertas el 3 de mayo de 2026."),
        (GOALS[17], "Две новые станции метро в Казани откроются для пассажиров 3 мая 2026 года."),
        (GOALS[19], "横浜の新しいフェリー航路は2026年5月3日に開通すると市が発表した。"),
    ],
)
def test_facts_in_other_languages(goal, sentence):
    """The engine finds the sentence in the language of goal and page."""
    page = f"# Titel\n{sentence} 123 456.\nDas Wetter bleibt am Wochenende in allen Orten schön."
    found = extractive.excerpts(page, goal)
    assert [excerpt.sentence for excerpt in found] == [sentence]


def test_the_headline_is_short():
    """One sentence of at most 150 characters, or none."""
    assert len(extractive.headline([PAGE])) <= 150
    assert extractive.headline([]) == ""


def test_a_long_page_is_cut_to_its_best_passages():
    """The passages about the goal are kept whole, in order, within the limit."""
    noise = "\n".join(f"The weather of day {n} was fine and dry in all places." for n in range(900))
    needle = "Saltmere Ferries will open a new route to Hollen on 3 May."
    page = f"Opening line.\n{noise}\n{needle}\n{noise}"
    cut = passages.cut(page, GOALS[0], 3_000)
    assert len(cut) <= 3_000
    assert needle in cut
    assert cut.startswith("Opening line.")
    assert passages.GAP in cut
    assert passages.cut(page, GOALS[0], len(page)) == page


def test_a_long_paragraph_is_cut_between_words():
    """Joined pieces of one paragraph still hold its words, so quotes from them are found."""
    page = "Saltmere ferry routes open again. " * 400
    cut = passages.cut(page, "Saltmere ferry routes", 6_000)
    assert set(cut.split()) <= {*page.split(), passages.GAP}


@pytest.mark.parametrize("text", ["word " * 200_000, "Saltmere ferry. " * 60_000, "a" * 1_000_000])
def test_a_megabyte_takes_a_moment(text):
    """Neither cutting nor picking sentences grows faster than the page."""
    began = time.process_time()
    passages.cut(text, GOALS[0], 12_000)
    extractive.excerpts(text, GOALS[0])
    assert time.process_time() - began < 5
