"""Rhythms and places are read from the words of five languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core import places, rhythms, schedule
from scout_cli.core.models import Location

SAID = {
    "hourly": "hourly; every hour; stündlich; jede Stunde; toutes les heures; cada hora; "
    "каждый час; раз в час",
    "daily": "daily; every day; once a day; täglich; jeden Tag; tous les jours; chaque jour; "
    "cada día; todos los días; diariamente; каждый день; ежедневно",
    "every_3_days": "every 3 days; every three days; alle drei Tage; tous les trois jours; "
    "cada 3 días; каждые три дня; раз в 3 дня",
    "weekly": "weekly; every week; once a week; wöchentlich; jede Woche; chaque semaine; "
    "toutes les semaines; cada semana; semanalmente; каждую неделю; раз в неделю",
    "0 9 * * 1": "every Monday; on Mondays; jeden Montag; tous les lundis; cada lunes; "
    "каждый понедельник; every Monday at 9; jeden Montag um 9 Uhr",
    "30 18 * * 5": "every Friday at 6:30 pm; jeden Freitag um 18:30; chaque vendredi à 18h30; "
    "cada viernes a las 18:30; каждую пятницу в 18:30",
    "0 9 * * 1-5": "on weekdays; every workday; werktags; entre semana; по будням",
    "0 8 * * *": "every morning; jeden Morgen; chaque matin; cada mañana; каждое утро",
    "0 */2 * * *": "every 2 hours; every two hours; every other hour; alle zwei Stunden; "
    "jede zweite Stunde; toutes les deux heures; cada 2 horas; раз в два часа",
    "*/30 * * * *": "every 30 minutes; every half hour; alle dreißig Minuten; "
    "toutes les demi-heures; cada media hora; каждые полчаса; каждые 30 минут",
    "0 9,18 * * *": "twice a day; zweimal täglich; deux fois par jour; dos veces al día; "
    "два раза в день",
    "0 */3 * * 1-5": "every three hours on weekdays; alle 3 Stunden werktags",
    "0 9 1 * *": "monthly; every month; jeden Monat; chaque mois; cada mes; каждый месяц",
}
PAIRS = [(words.strip(), found) for found, said in SAID.items() for words in said.split(";")]
CITIES = ["Bonn", "New York", "São Paulo", "Köln", "Москве", "Saint-Étienne", "Frankfurt"]


@pytest.mark.parametrize(("words", "found"), PAIRS)
def test_a_rhythm_is_read(words, found):
    """Also inside a sentence, and whatever the case; its words can be taken out again."""
    assert rhythms.rhythm(words) == found
    assert rhythms.rhythm(f"Ferry tickets, {words.upper()}, please") == found
    assert rhythms.without(f"Ferry {words} tickets").startswith("Ferry")


@pytest.mark.parametrize(
    "text",
    [
        *("the Daily Mail", "in a week", "Monday Times", "9 lives", ""),
        *("every 7 hours", "every 0 minutes", "every thirty hours", "every half minute"),
        *("every other day", "two hours late"),
    ],
)
def test_what_is_no_rhythm_is_none(text):
    """A word that also stands in a rhythm makes none."""
    assert rhythms.rhythm(text) is None


@given(st.text(max_size=400), st.booleans())
def test_any_text_gives_a_rhythm_that_works_or_none(text, asked):
    """Whatever is said, what comes out can be scheduled."""
    found = rhythms.rhythm(text, asked=asked)
    if found is not None:
        named = found in schedule.PERIODS
        schedule.parse(every=found if named else None, cron=None if named else found)
    assert rhythms.without(text) or not text.strip()


@given(st.integers(0, 30), st.integers(0, 80))
def test_times_of_day_are_read_or_left(hour, minute):
    """Hours and minutes that exist go into the cron line; others do not."""
    found = rhythms.rhythm(f"every Monday at {hour}:{minute:02}")
    exists = hour < 24 and minute < 60
    assert found == (f"{minute} {hour} * * 1" if exists else "0 9 * * 1")


@given(
    st.sampled_from(CITIES),
    st.sampled_from(
        ["Concerts in {}", "Konzerte in {}", "météo à {}", "pisos en {}", "Новости в {}"]
    ),
    st.sampled_from(["", ", every week", " jeden Tag", " and nothing else"]),
)
def test_a_place_is_read(city, sentence, rest):
    """The name after its preposition, and nothing behind it."""
    assert places.place(sentence.format(city) + rest) == city


@pytest.mark.parametrize(
    "text", ["news in Python", "in January", "in English", "in the morning", "concerts", "in AI"]
)
def test_what_is_no_place_is_none(text):
    """Months, languages and small words are no towns."""
    assert places.place(text) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bonn", "Bonn"),
        ("new york", "New york"),
        ("Paris, France", "Paris, France"),
        ("anywhere is fine", "any"),
        ("egal", "any"),
        ("partout", "any"),
        ("cualquier lugar", "any"),
        ("неважно", "any"),
        ("yes", None),
        ("why do you ask?", None),
        ("that depends on many things, I think", None),
    ],
)
def test_an_answer_about_the_place_is_read(text, found):
    """A bare name is a town when a place was asked for."""
    assert places.answered_place(text) == found


@given(st.text(max_size=300))
def test_any_text_gives_a_short_place_or_none(text):
    """Whatever is said, a place has a name of at most sixty characters."""
    for found in (places.place(text), places.answered_place(text)):
        assert found is None or 0 < len(found) <= 60
    places.matters(text)


def test_a_known_place_is_taken_whole():
    """The town that somebody is in keeps its coordinates."""
    here = Location(city="Köln", country="Germany", latitude=50.9, longitude=6.9)
    assert places.location_of("koln", here) is here
    assert places.location_of("Bonn, Germany", here) == Location(city="Bonn", country="Germany")
    assert places.location_of("anywhere", here) == Location(city="any")
