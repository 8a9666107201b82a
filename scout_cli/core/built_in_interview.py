"""The interview without a model: read the wish, place and rhythm in it, ask what is missing."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from scout_cli.core import places, rhythms, schedule
from scout_cli.core.extractive import topic
from scout_cli.core.models import Location, Record, Scout
from scout_cli.core.phrases import PHRASES, phrase, rhythm_in
from scout_cli.core.questions import SetUp
from scout_cli.core.report import clean
from scout_cli.core.setting_up import Place, Update, missing
from scout_cli.core.words import fold, folded_set, shorten, words

_ASKED = ("goal", "location", "frequency")
"""What a person is asked for; the rest follows from the goal."""
_SHORT = 8
"""Words of a message that names a rhythm and is surely an order."""
_GREETING = folded_set(
    "hi hello hey yo good morning evening help test please thanks hallo guten tag moin servus "
    "danke bitte bonjour salut merci hola buenos dias gracias привет здравствуйте спасибо yes no "
    "ok okay ja nein oui non si да нет"
)


class Found(Record, frozen=True, kw_only=True):
    """What the built-in engine makes of what a person said."""

    update: Update
    noted: tuple[str, ...] = ()
    """Place and rhythm, in words."""
    understood: bool = True


def answered(scout: Scout, asked: str, text: str, here: Location | None = None) -> Found:
    """Return what a person's words say about a scout.

    Args:
        scout: as it is.
        asked: what was said to them last.
        text: their words.
        here: where they are, if that is known.
    """
    if "goal" in missing(scout):
        return _wish(scout, text, here)
    open_question = next((name for name in _ASKED if name in missing(scout)), "")
    rhythm = rhythms.rhythm(text, asked=open_question == "frequency")
    place = _place_in(text, here, asked=open_question == "location" and rhythm is None)
    if place is None and rhythm is None:
        return _given_up(open_question) if _asked_twice(asked, open_question) else _nothing(scout)
    return _found(_fill_up(scout), place, rhythm)


def overheard(scout: Scout, text: str, here: Location | None = None) -> Update:
    """Return what a person said in so many words, and is missing: for a model that noted nothing.

    Args:
        scout: as it is after the model's turn.
        text: what the person said.
        here: where they are, if that is known.
    """
    lacking = missing(scout)
    if "goal" in lacking:
        return _wish(scout, text, here).update
    place = _place_in(text, here, asked=False) if "location" in lacking else None
    order = len(words(text)) <= _SHORT and "?" not in text
    rhythm = rhythms.rhythm(text) if "frequency" in lacking or order else None
    return _found({}, place, rhythm).update


def kept_to(update: Update, scout: Scout, text: str) -> Update:
    """Return a model's update without what contradicts the very words of the person.

    Args:
        update: what the model noted.
        scout: as it is.
        text: what the person said.
    """
    said = rhythms.rhythm(text)
    if said and update.frequency is not UNSET and update.schedule is UNSET:
        update = replace(update, **{"frequency": UNSET, **_as_rhythm(said)})
    place = update.location
    forgets = isinstance(place, Place) and places.anywhere(place.city) and scout.location
    if forgets and not places.anywhere(text):
        update = replace(update, location=UNSET)
    return update


def next_words(
    scout: Scout, language: str, *, noted: tuple[str, ...] = (), unclear: bool = False
) -> str:
    """Return what to say next: the next question, or that nothing is missing."""
    parts = []
    if unclear:
        parts.append(phrase("unclear", language))
    elif noted:
        shown = [_in_words(each, language) for each in noted]
        parts.append(phrase("noted", language, what=", ".join(shown)))
    lacking = missing(scout)
    question = next((name for name in _ASKED if name in lacking), "")
    if question:
        parts.append(phrase(question, language))
    else:
        rhythm = rhythm_in(language, scout.schedule)
        parts.append(phrase("complete", language, title=scout.title, rhythm=rhythm))
    return " ".join(parts)


def _wish(scout: Scout, text: str, here: Location | None) -> Found:
    """Take a first message as the wish, unless it is only a greeting."""
    said, text = words(text), clean(text)
    if (
        len(text) < 3
        or (len(said) < 2 and not topic(text))
        or all(fold(word) in _GREETING for word in said)
    ):
        return Found(update=Update(), understood=bool(said))
    rhythm = rhythms.rhythm(text)
    rest = rhythms.without(text)
    goal = shorten(rest if len(rest) > 2 else text, 600)
    place = _place_in(text, here, asked=False)
    if place is None and not places.matters(text):
        place = places.ANYWHERE
    named = "" if place in (None, places.ANYWHERE) else str(place)
    fields: dict[str, Any] = {"goal": goal, **_of_goal(scout, goal, named)}
    found = _found(fields, place, rhythm)
    # That the place does not matter was not said, only supposed.
    noted = tuple(each for each in found.noted if each != places.ANYWHERE)
    return Found(update=found.update, noted=noted)


def _of_goal(scout: Scout, goal: str, place: str) -> dict[str, Any]:
    made = SetUp(goal=goal, place=place).built_in()
    fields: dict[str, Any] = {
        "description": made.description,
        "search_queries": [query for query in made.queries if len(query) > 1] or [goal[:120]],
    }
    if len(made.title) > 1:
        fields["title"] = made.title
    return {name: value for name, value in fields.items() if name in (*missing(scout), "title")}


def _fill_up(scout: Scout) -> dict[str, Any]:
    """Return what follows from the goal of a scout and is not there yet."""
    lacking = missing(scout)
    made = _of_goal(scout, scout.goal or scout.title, "")
    return {name: value for name, value in made.items() if name in lacking}


def _found(fields: dict[str, Any], place: str | Location | None, rhythm: str | None) -> Found:
    noted = []
    if place is not None:
        fields["location"] = _as_place(place)
        noted.append(fields["location"].city)
    if rhythm is not None:
        fields |= _as_rhythm(rhythm)
        noted.append(rhythm)
    return Found(update=Update(**fields), noted=tuple(noted))


def _as_rhythm(rhythm: str) -> dict[str, Any]:
    return {"frequency" if rhythm in schedule.PERIODS else "schedule": rhythm}


def _place_in(text: str, here: Location | None, *, asked: bool) -> str | Location | None:
    if here and here.city and places.here(text):
        return here
    return places.answered_place(text) if asked else places.place(text)


def _as_place(place: str | Location) -> Place:
    found = places.location_of(place) if isinstance(place, str) else place
    return Place(
        city=(found.city or places.ANYWHERE)[:80],
        country=found.country,
        latitude=found.latitude,
        longitude=found.longitude,
    )


def _nothing(scout: Scout) -> Found:
    fields = _fill_up(scout)
    return Found(update=Update(**fields), understood=bool(fields))


def _given_up(question: str) -> Found:
    """Stop asking what was asked twice: anywhere, daily; both can be changed."""
    if question == "location":
        return _found({}, places.ANYWHERE, None)
    return _found({}, None, "daily") if question == "frequency" else Found(update=Update())


def _asked_twice(asked: str, question: str) -> bool:
    """Return whether the last words say that an answer to this very question was not clear."""
    if not question:
        return False
    return any(
        asked.startswith(each["unclear"]) and each[question] in asked for each in PHRASES.values()
    )


def _in_words(noted: str, language: str) -> str:
    if noted == places.ANYWHERE:
        return phrase("anywhere", language)
    is_rhythm = noted in schedule.PERIODS or (noted[:1].isdigit() and noted.count(" ") == 4)
    return rhythm_in(language, noted) if is_rhythm else noted
