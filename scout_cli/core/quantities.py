"""What numbers count: their units and signs. `£200` is not `$200`, and 5 degrees are not -5."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scout_cli.core.words import fold

_UNITS = {
    name: listed.split()
    for name, listed in {
        "euros": "€ eur euro euros евро",
        "dollars": "$ usd dollar dollars dolares доллар доллара долларов",
        "pounds": "£ gbp pound pounds pfund livres libras фунт фунта фунтов",
        "yen": "¥ jpy yen yens иен",
        "roubles": "₽ rub rubel rouble roubles rublos руб рубль рубля рублей",
        "francs": "chf franken franc francs francos",
        "cents": "¢ ct cent cents centimes centimos цент цента центов",
        "percent": "% percent prozent процент процента процентов",
        "degrees Celsius": "°c celsius",
        "degrees Fahrenheit": "°f fahrenheit",
        "metres": "m meter meters metre metres metros метр метра метров",
        "kilometres": "km kilometer kilometers kilometre kilometres kilometros км километр "
        "километра километров",
        "miles": "mi mile miles meilen millas миль",
        "grams": "g gram grams gramm grammes gramos",
        "kilograms": "kg kilo kilos kilogram kilograms кг",
        "tonnes": "t ton tons tonne tonnes tonnen toneladas тонн",
        "minutes": "min minute minutes minuten minutos минут",
        "hours": "h hour hours stunde stunden heures horas час часа часов",
        "days": "day days tag tage tagen jour jours dia dias день дня дней",
        "weeks": "week weeks woche wochen semaine semaines semana semanas неделя недели недель",
        "months": "month months monat monate monaten mois mes meses месяц месяца месяцев",
        "years": "year years jahr jahre jahren ans annees anos лет",
    }.items()
}
_UNIT = {fold(word): name for name, listed in _UNITS.items() for word in listed}
AMOUNTS = frozenset(
    word
    for word, name in _UNIT.items()
    if name in {"euros", "dollars", "pounds", "yen", "roubles", "francs", "percent"}
)
"""Words that a sign often stands for: `$5` is five dollars."""
_NUMBER = r"\d+(?:[.,:]\d+)*"
_BEFORE = re.compile(rf"([€$£¥₽])\s?({_NUMBER})")
_BEHIND = re.compile(rf"({_NUMBER})[\s\u00a0\u202f-]?([€$£¥₽¢%]|°\s?[CF]\b|[^\W\d_]+)")
_BELOW = re.compile(
    rf"(?:(?<![\w.,:)%])[-−–]|\b(?:minus|moins|menos|минус)\s)({_NUMBER})", re.IGNORECASE
)


def measured(text: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers of `text`, as they stand in it, with what they count."""
    for match in _BEFORE.finditer(text):
        yield match[2], _UNIT[fold(match[1])]
    for match in _BEHIND.finditer(text):
        if unit := _UNIT.get(fold(match[2].replace(" ", ""))):
            yield match[1], unit


def below_zero(text: str) -> Iterator[str]:
    """Yield the numbers of `text` that have a minus; a hyphen between two of them is none."""
    return (match[1] for match in _BELOW.finditer(text))
