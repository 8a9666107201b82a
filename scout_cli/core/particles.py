"""Little words that turn a sentence round: before and after, for and against, from and to.

Every search leaves them out as words without a topic, and so do the terms that sentences are
compared by. Here they are compared where both sentences have them before the same word.
"""

from __future__ import annotations

from scout_cli.core.words import STOP_WORDS, fold, folded_set, words

_AXES = {
    axis: {side: folded_set(listed) for side, listed in sides.items()}
    for axis, sides in {
        "time": {
            "before": "before vor avant antes",
            "after": "after nach après después после",
            "since": "since from seit ab depuis dès desde с со",
            "until": "until till to bis jusqu'à jusqu'au jusque hasta до",
        },
        "direction": {
            "from": "from von vom aus",
            "to": "to into nach zum zur",
        },
        "support": {
            "for": "for für pour за",
            "against": "against gegen contre contra против",
        },
        "amount": {
            "by": "by um на",
            "to": "to auf до",
        },
        "place": {
            "over": "over above über sobre",
            "under": "under below unter sous bajo",
        },
        "sale": {"on": "on", "off": "off"},
        "comparison": {
            "more": "more over mehr plus más более больше",
            "less": "less fewer under weniger moins menos менее меньше",
        },
        "share": {
            "all": "all every alle jede tous toutes todos todas все",
            "half": "half hälfte moitié mitad половина половину",
            "some": "some einige manche certains quelques algunos algunas некоторые",
            "no": "no keine kein aucun aucune ningún ninguna",
        },
        "certainty": {
            "will": "will wird werden va van будет будут",
            "may": "may might could könnte könnten pourrait pourraient podría podrían может могут",
        },
        "person": {"he": "he er il él он", "she": "she sie elle ella она"},
    }.items()
}
_SIDES = {
    word: tuple(
        (axis, side)
        for axis, sides in _AXES.items()
        for side, listed in sides.items()
        if word in listed
    )
    for word in frozenset().union(*(w for sides in _AXES.values() for w in sides.values()))
}
_PASSED = folded_set("of than the a an von der die das de la le les los du des de los")

Led = frozenset[tuple[str, str, str]]
"""A word with what stands before it: (word, axis, side)."""


def led(text: str) -> Led:
    """Return the words of `text` with the little words before them."""
    found: set[tuple[str, str, str]] = set()
    waiting: list[tuple[str, str]] = []
    for word in map(fold, words(text)):
        sides = _SIDES.get(word, ())
        if not sides and word not in STOP_WORDS and word not in _PASSED:
            found.update((word, axis, side) for axis, side in waiting)
            waiting = []
        waiting += sides
    return frozenset(found)


def opposed(new: Led, earlier: Led) -> str:
    """Return which little words turn one of two sentences round, as `after instead of before`."""
    for axis in _AXES:
        now, before = _of(new, axis), _of(earlier, axis)
        for word in sorted(now.keys() & before.keys()):
            if now[word].isdisjoint(before[word]):
                return f"{min(now[word])} instead of {min(before[word])}"
    return ""


def _of(found: Led, axis: str) -> dict[str, set[str]]:
    by_word: dict[str, set[str]] = {}
    for word, its, side in found:
        if its == axis:
            by_word.setdefault(word, set()).add(side)
    return by_word
