"""How a scout is named on a command line, and what Tab offers for it.

`type=names.SCOUT` on an argument or option is all that a command needs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from scout_cli.cli import streams

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from scout_cli.store.names import Named

_ID_BEGINS = re.compile(r"[0-9a-f][0-9a-f-]*", re.IGNORECASE)
_SHORT = 8


class Offer(NamedTuple):
    """A word that Tab may put on the line, and what to say beside it."""

    word: str
    about: str


class ScoutName(click.types.StringParamType):
    """An id, the beginning of one, or a title; the service finds what it names."""

    name = "scout"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Offer the titles of the saved scouts, and ids where a title does not name one scout."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for Tab

        from scout_cli import config  # noqa: PLC0415 - only for Tab
        from scout_cli.errors import ScoutError  # noqa: PLC0415 - only for Tab
        from scout_cli.store import names  # noqa: PLC0415 - only for Tab

        given = ctx.find_root().params
        path = given.get("config")
        try:
            loaded = config.load(
                Path(path) if path else None, {"database_url": given.get("database")}
            )
        except ScoutError:
            return []
        found = names.saved(loaded.settings.database_url)
        return [CompletionItem(word, help=about) for word, about in offers(found, incomplete)]


SCOUT = ScoutName()


def scouts_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--scout SCOUT`, as often as wanted; the command takes them as `chosen`."""
    return click.option(
        "--scout",
        "chosen",
        metavar="SCOUT",
        multiple=True,
        type=SCOUT,
        help="Only of this scout; may be given again.",
    )(command)


def offers(saved: Iterable[Named], incomplete: str) -> list[Offer]:
    """Return what may stand for `incomplete`.

    Args:
        saved: the scouts there are.
        incomplete: what is typed so far, without quotes.

    Returns:
        Titles that begin so, in this spelling or else in any; ids that begin so; the ids of
        scouts whose title is shared, begins with a dash or cannot be typed.
    """
    saved = list(saved)
    shared = Counter(each.title.casefold() for each in saved)
    titled: list[Named] = []
    others: list[Named] = []
    for each in saved:
        by_title = shared[each.title.casefold()] == 1 and _nameable(each.title)
        (titled if by_title else others).append(each)
    exact = [each for each in titled if each.title.startswith(incomplete)]
    folded = incomplete.casefold()
    loose = [each for each in titled if each.title.casefold().startswith(folded)]
    found = [Offer(each.title, f"{each.id[:_SHORT]}, {_rhythm(each)}") for each in exact or loose]
    by_id = saved if _ID_BEGINS.fullmatch(incomplete) else [] if incomplete else others
    for each in by_id:
        if each.id.startswith(folded):
            word = each.id if len(incomplete) > _SHORT else each.id[:_SHORT]
            found.append(Offer(word, f"{streams.line(each.title)}, {_rhythm(each)}"))
    return found


def _nameable(title: str) -> bool:
    return streams.line(title) == title and not title.startswith("-")


def _rhythm(scout: Named) -> str:
    return scout.schedule if scout.active else "paused"
