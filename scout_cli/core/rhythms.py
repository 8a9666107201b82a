"""How people say how often: `every Monday at 9`, `jede Woche`, `раз в три дня`.

Five languages, no model: what cannot be read is None, and somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scout_cli.core.words import fold, folded_set

_LONGEST = 4_000
"""Characters that are looked at."""
_NAMED: tuple[tuple[str, str], ...] = (
    (
        "every_3_days",
        (
            "every (?:3|three) days|every third day|every_3_days|alle (?:3|drei) tage"
            "|jeden dritten tag|tous les (?:3|trois) jours|cada (?:3|tres) dias"
            "|(?:каждые|раз в) (?:3|три) дня"
        ),
    ),
    (
        "hourly",
        (
            "hourly|(?:every|each|per|once an?) hour|stundlich|jede stunde|toutes les heures"
            "|chaque heure|cada hora|todas las horas|каждыи час|ежечасно|раз в час"
        ),
    ),
    (
        "weekly",
        (
            "weekly|(?:every|each|per|once a) week|wochentlich|jede woche|pro woche|in der woche"
            "|chaque semaine|toutes les semaines|hebdomadaire|par semaine|cada semana"
            "|semanal(?:mente)?|(?:a la|por) semana|todas las semanas"
            "|каждую неделю|еженедельно|раз в неделю"
        ),
    ),
    (
        "daily",
        (
            "(?<!the )daily|(?:every|each|per|once a) day|everyday|every 24 hours|taglich"
            "|jeden tag|pro tag|am tag|tous les jours|chaque jour|quotidien(?:nement)?|par jour"
            "|cada dia|todos los dias|diari(?:o|amente)|al dia"
            "|каждыи день|ежедневно|раз в день|раз в сутки"
        ),
    ),
)
_SINGLE: tuple[tuple[str, str], ...] = (
    ("0 9 1 * *", ("monthly|(?:every|each|once a) month|monatlich|jeden monat|chaque mois"
     "|tous les mois|mensuel(?:lement)?|cada mes|mensual(?:mente)?|каждыи месяц|ежемесячно")),
    ("{time} * * 1-5", ("(?:every |on )?(?:weekdays?|workdays?|working days?)|werktags|wochentags"
     "|en semaine|entre semana|(?:по )?будн(?:им|ям|и)(?: дням)?")),
)  # fmt: skip
_DAYS = (
    "sundays?|sonntags?|dimanches?|domingos?|воскресень\\w+",
    "mondays?|montags?|lundis?|lunes|понедельник\\w*",
    "tuesdays?|dienstags?|mardis?|martes|вторник\\w*",
    "wednesdays?|mittwochs?|mercredis?|miercoles|сред[ауые]м?",
    "thursdays?|donnerstags?|jeudis?|jueves|четверг\\w*",
    "fridays?|freitags?|vendredis?|viernes|пятниц\\w+",
    "saturdays?|samstags?|sonnabends?|samedis?|sabados?|суббот\\w+",
)
_EACH = (
    "every|each|on|jeden|immer|am|tous les|toutes les|chaque|le|les|cada|todos los|los"
    "|каждыи|каждую|каждое|по|в|во"
)
_STEPS = {
    fold(word): number
    for number, listed in {
        2: "two other second zwei zweite deux dos два две", 3: "three third drei trois tres три",
        4: "four vier quatre cuatro четыре", 5: "five fünf cinq cinco пять",
        6: "six sechs seis шесть", 8: "eight acht huit ocho восемь",
        10: "ten zehn dix diez десять", 12: "twelve zwölf douze doce двенадцать",
        15: "fifteen fünfzehn quinze quince пятнадцать", 20: "twenty zwanzig vingt veinte двадцать",
        30: "thirty dreißig trente treinta тридцать",
    }.items()
    for word in listed.split()
}  # fmt: skip
_HALVES = folded_set("half halbe demi media пол")
_STEP = re.compile(
    r"(?<!\w)(?:every|alle|jede|toutes les|cada|каждые|раз в) "
    rf"(\d\d?|{'|'.join([*_STEPS, *_HALVES])})[ -]?"
    r"(?:(minut(?:e[sn]?|os?)|mins?|минут[аы]?)|hours?|stunden?|heures?|horas?|час(?:а|ов)?)(?!\w)"
)
_TWICE = re.compile(
    "twice (?:a|per|every) day|twice daily|(?:zweimal|2 mal|2x) (?:am tag|pro tag|taglich)"
    "|(?:deux|2) fois par jour|(?:dos|2) veces al dia|(?:два|2) раза в день|дважды в день"
)
_CLOCK = re.compile(
    r"(?:\bat|\bum|\bgegen|\bab|\ba las|\ba la|\ba|\bв)\s+(\d{1,2})(?:\s*(?:[:.h]|uhr)\s*(\d{2}))?"
    r"\s*(am\b|pm\b|a\.m\.|p\.m\.)?"
)
_MORNING = re.compile(
    "every morning|each morning|in the morning|jeden morgen|morgens|chaque matin|tous les matins"
    "|le matin|cada manana|por las? mananas?|каждое утро|по утрам|утром"
)
_EVENING = re.compile(
    "every (?:evening|night)|each evening|in the evening|jeden abend|abends|chaque soir"
    "|tous les soirs|le soir|cada (?:noche|tarde)|por las? (?:noches?|tardes?)|каждыи вечер"
    "|по вечерам|вечером"
)


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")


_NAMED_IN = tuple((name, _whole(pattern)) for name, pattern in _NAMED)
_SINGLE_IN = tuple((line, _whole(pattern)) for line, pattern in _SINGLE)
_DAY_IN = tuple(_whole(rf"(?:(?:{_EACH}) )(?:{pattern})") for pattern in _DAYS)
_DAY_ALONE = tuple(_whole(pattern) for pattern in _DAYS)


def rhythm(text: str, *, asked: bool = False) -> str | None:
    """Return the rhythm that a text names: one of the four names, or a cron line.

    Args:
        text: what somebody said.
        asked: they were asked how often, so that a bare day or time is one too.
    """
    folded = " ".join(fold(text[:_LONGEST]).split())
    step = _step(folded)
    time = step or _time(folded)
    if days := _days(folded, _DAY_ALONE if asked else _DAY_IN):
        return f"{time or '0 9'} * * {','.join(map(str, days))}"
    for line, pattern in _SINGLE_IN:
        if pattern.search(folded):
            return line.format(time=time or "0 9")
    if step:
        return f"{step} * * *"
    for name, pattern in _NAMED_IN:
        if pattern.search(folded):
            return f"{time} * * *" if name == "daily" and time else name
    return f"{time} * * *" if time and (asked or _part_of_day(folded)) else None


def without(text: str) -> str:
    """Return `text` without its words about how often, for a goal or a query."""
    kept = text
    for pattern in (
        _STEP,
        _TWICE,
        *(p for _, p in _NAMED_IN),
        *(p for _, p in _SINGLE_IN),
        *_DAY_IN,
    ):
        # Folding may change the length of a text; then the words stay.
        folded = fold(kept)
        if len(folded) == len(kept) and (found := pattern.search(folded)):
            kept = f"{kept[: found.start()]} {kept[found.end() :]}"
    if kept != text and len(fold(kept)) == len(kept) and (found := _CLOCK.search(fold(kept))):
        kept = f"{kept[: found.start()]} {kept[found.end() :]}"
    return " ".join(kept.split()).strip(" ,;-") or text


def _step(folded: str) -> str | None:
    """Return minute and hour of a cron line that fires several times a day, evenly, or None."""
    if _TWICE.search(folded):
        return "0 9,18"
    if (found := _STEP.search(folded)) is None:
        return None
    if found[1] in _HALVES:
        return None if found[2] else "*/30 *"
    number = int(found[1]) if found[1].isdecimal() else _STEPS.get(found[1], 0)
    whole = 60 if found[2] else 24
    if not 1 < number < whole or whole % number:
        return None
    return f"*/{number} *" if found[2] else f"0 */{number}"


def _days(folded: str, patterns: Iterable[re.Pattern[str]]) -> list[int]:
    return [number for number, pattern in enumerate(patterns) if pattern.search(folded)]


def _part_of_day(folded: str) -> bool:
    return bool(_MORNING.search(folded) or _EVENING.search(folded))


def _time(folded: str) -> str | None:
    """Return minute and hour as a cron line begins, or None when no time of day is named."""
    for found in _CLOCK.finditer(folded):
        hour, minute = int(found[1]), int(found[2] or 0)
        half = (found[3] or "")[:1]
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "p" else 0)
        if hour < 24 and minute < 60:
            return f"{minute} {hour}"
    if _MORNING.search(folded):
        return "0 8"
    return "0 18" if _EVENING.search(folded) else None
