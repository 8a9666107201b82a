"""From a language tag and a country to the `country-language` pairs that search pages use."""

from __future__ import annotations

ANYWHERE = "us-en"
"""What the engines assume when they are told nothing."""

_HOME = {
    "ar": "xa", "bg": "bg", "ca": "ct", "cs": "cz", "da": "dk", "de": "de", "el": "gr",
    "en": "us", "es": "es", "et": "ee", "fi": "fi", "fr": "fr", "he": "il", "hi": "in",
    "hr": "hr", "hu": "hu", "id": "id", "it": "it", "ja": "jp", "ko": "kr", "lt": "lt",
    "lv": "lv", "nl": "nl", "no": "no", "nb": "no", "pl": "pl", "pt": "pt", "ro": "ro",
    "ru": "ru", "sk": "sk", "sl": "sl", "sv": "se", "th": "th", "tr": "tr", "uk": "ua",
    "vi": "vn", "zh": "cn",
}  # fmt: skip
_SPOKEN = {
    "at": "de", "ch": "de", "be": "nl", "br": "pt", "mx": "es", "ar": "es", "cl": "es",
    "co": "es", "pe": "es", "tw": "zh", "hk": "zh", "in": "en", "lu": "fr",
}  # fmt: skip
_LANGUAGE_OF = {country: language for language, country in _HOME.items()} | _SPOKEN


def region(language: str, country: str) -> str:
    """Return a pair such as `de-de` for the ddgs engines.

    Args:
        language: BCP 47 tag such as `de` or `pt-BR`; empty for any.
        country: ISO 3166 alpha-2; empty for the one in the tag, else the language's own.
    """
    spoken, place = _split(language, country)
    if not spoken and not place:
        return ANYWHERE
    spoken = spoken or _LANGUAGE_OF.get(place, "en")
    place = place or _HOME.get(spoken, "us")
    return f"{place}-{spoken}"


def locale(language: str, country: str) -> str:
    """Return a tag such as `de` or `pt-BR` for SearXNG; `all` when no language is asked for."""
    spoken, place = _split(language, country)
    if not spoken:
        return "all"
    return f"{spoken}-{place.upper()}" if place else spoken


def _split(language: str, country: str) -> tuple[str, str]:
    spoken, _, rest = language.replace("_", "-").lower().partition("-")
    in_tag = rest.rpartition("-")[2]
    place = country.lower() or (in_tag if len(in_tag) == len("at") else "")
    return spoken, place
