"""How people say where: `in Bonn`, `près de Lyon`, `no matter where`. No model, no gazetteer."""

from __future__ import annotations

import re

from scout_cli.core.models import Location
from scout_cli.core.words import fold, folded_set, words

ANYWHERE = "any"
"""The city that stands for anywhere, as the web interface writes it."""

_LONGEST = 60
_NAME = r"[^\W\d_a-zа-яà-öø-ÿё][\w'’.]*"
_PLACE = re.compile(
    r"\b(?:[Ii]n|[Nn]ear|[Aa]round|[Bb]ei|[Uu]m|[Nn]ahe|[ÀàAa]|[Ee]n|[Dd]ans|[Pp]rès de|"
    r"[Cc]erca de|[Вв]|[Оо]коло)\s+"
    rf"({_NAME}(?:(?:[ -]|-(?:sur|am|an|der|la|le|les|upon|on)-){_NAME}){{0,3}}"
    rf"(?:,\s*{_NAME}(?: {_NAME})?)?)"
)
_ANYWHERE = re.compile(
    r"(?<!\w)(?:any(?:where|place| location| place)?|no matter|does(?:n't| not) matter|everywhere"
    r"|worldwide|global(?:ly)?|the (?:whole )?world|internet|online|egal|uberall|weltweit"
    r"|(?:spielt )?keine rolle|partout|n'importe ou|peu importe|monde entier"
    r"|cualquier (?:lugar|sitio|parte)"
    r"|en todas partes|da igual|no importa|todo el mundo|mundial|везде|где угодно|не ?важно"
    r"|весь мир|по всему миру|любо[ие])(?!\w)"
)
_HERE = re.compile(
    r"(?<!\w)(?:near me|around here|nearby|here|my (?:area|city|town)|where i live|in der nahe"
    r"|bei mir|hier|ma ville|pres de (?:moi|chez moi)|ici|cerca de mi|mi ciudad|aqui|рядом"
    r"|поблизости|в моем городе|здесь)(?!\w)"
)
_LOCAL = folded_set(
    "local concert concerts event events meetup meetups festival festivals exhibition restaurant "
    "restaurants cafe weather rain traffic apartment apartments flat flats rent rental house "
    "houses housing job jobs vacancy school schools market markets shop shops theatre theater "
    "cinema roadworks council neighbourhood neighborhood bus tram doctor doctors kindergarten "
    "konzert konzerte veranstaltung veranstaltungen ausstellung wetter verkehr wohnung wohnungen "
    "miete stelle stellen stellenangebote flohmarkt baustelle baustellen treffen arzt "
    "concerts evenement evenements exposition meteo circulation appartement appartements loyer "
    "emploi emplois marche spectacle concierto conciertos evento eventos exposicion tiempo trafico "
    "piso pisos alquiler empleo empleos mercado концерт концерты концертов мероприятия выставка "
    "выставки погода пробки квартира квартиры аренда работа вакансии рынок"
)
"""Words by which a wish is about one place."""
_NO_PLACE = folded_set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december english german french spanish russian "
    "python rust java javascript typescript linux ai it i the general particular short time order "
    "case montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar marz mai "
    "juni juli oktober dezember deutsch englisch bezug zukunft zusammenhang"
)
_NOT_A_CITY = folded_set(
    "yes no ok okay sure thanks thank hello hi hey ja nein danke hallo oui non merci bonjour si "
    "gracias hola да нет спасибо привет why what when who how was wer wie warum"
)


def place(text: str) -> str | None:
    """Return the place that a text names as in `in Bonn, Germany`; None for none."""
    for found in _PLACE.finditer(text[:4_000]):
        name = found[1].strip(" .,'’-")
        if name and fold(words(name)[0] if words(name) else name) not in _NO_PLACE:
            return name[:_LONGEST]
    return None


def answered_place(text: str) -> str | None:
    """Return the place in the answer to the question where; `any` for anywhere, None for none."""
    if anywhere(text):
        return ANYWHERE
    if found := place(text):
        return found
    said = words(text)
    plain = " ".join(text.split()).strip(" .!,;")
    if not 1 <= len(said) <= 4 or len(plain) > _LONGEST or "?" in text:
        return None
    if any(fold(word) in _NOT_A_CITY or word[0].isdigit() for word in said):
        return None
    return plain[:1].upper() + plain[1:]


def anywhere(text: str) -> bool:
    """Return whether a text says that the place does not matter."""
    return bool(_ANYWHERE.search(" ".join(fold(text).split())))


def here(text: str) -> bool:
    """Return whether a text means the place where its writer is."""
    return bool(_HERE.search(" ".join(fold(text).split())))


def matters(wish: str) -> bool:
    """Return whether a wish is of the kind that is about one place, such as concerts or flats."""
    return here(wish) or any(fold(word) in _LOCAL for word in words(wish))


def location_of(name: str, known: Location | None = None) -> Location:
    """Return a place that somebody named.

    Args:
        name: as in `Bonn, Germany`, or `any`.
        known: where they are; taken whole when it is the place that they name.
    """
    if anywhere(name) or not name.strip(" ,"):
        return Location(city=ANYWHERE)
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if known and known.city and fold(known.city) == fold(parts[0]):
        return known
    return Location(city=parts[0], country=parts[-1] if len(parts) > 1 else None)
