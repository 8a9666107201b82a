"""The options of `scout edit`: those of `add`, and those that take something out again."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

import click

from scout_cli.cli import streams, wishes
from scout_cli.core import schedule
from scout_cli.core.models import Scout, ScoutPatch
from scout_cli.errors import InvalidInput
from scout_cli.service.wishes import place

_LISTS = {
    "query": "search_queries",
    "url": "urls",
    "feed": "feeds",
    "include": "include_domains",
    "exclude": "exclude_domains",
    "notify": "notify",
}
"""Option -> the list that it adds to."""
_PLURALS = {"queries": "query", "urls": "url", "feeds": "feed", "language": "lang"}
_SINGLE = {"about": "description", "location": "location", "lang": "language", "digest": "digest"}
"""Option -> the one value that it sets and that may be missing."""


class _Cleared(click.Choice[str]):
    """What can be cleared, by the name of its option; its plural is understood too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(_PLURALS.get(value, value), param, ctx)


def edit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that change a scout."""
    clear = click.option(
        "--clear",
        type=_Cleared([*_LISTS, *_SINGLE]),
        multiple=True,
        help="Take this out, all of it, before anything is put in; may be given again.",
    )
    command = clear(command)
    for name, metavar in reversed(
        [("query", "Q"), ("url", "URL"), ("feed", "URL"), ("include", "DOMAIN"),
         ("exclude", "DOMAIN"), ("notify", "URL")]
    ):  # fmt: skip
        text = f"Take this one out of what --{name} put in; may be given again."
        command = click.option(f"--no-{name}", metavar=metavar, multiple=True, help=text)(command)
    for option in reversed(
        [
            click.option("--every", metavar="RHYTHM", help="hourly, daily, every_3_days, weekly."),
            click.option("--cron", metavar="LINE", help="Run at these times, such as '0 9 * * 1'."),
            click.option("--tz", metavar="ZONE", help="Time zone of the rhythm."),
            click.option(
                "--digest",
                type=click.Choice(["daily", "weekly"]),
                help="Gather its news into one message a day or a week.",
            ),
            click.option(
                "--notify",
                metavar="URL",
                multiple=True,
                help="Tell this channel too; - reads URLs from stdin.",
            ),
        ]
    ):
        command = option(command)
    command = wishes.wish_options(command)
    for name, metavar, text in (
        ("--about", "TEXT", "What it is about, in a sentence."),
        ("--title", "TITLE", "A name of two to four words."),
        ("--goal", "GOAL", "What to look for; queries planned for the old goal go."),
    ):
        command = click.option(name, metavar=metavar, help=text)(command)
    return command


def asked(scout: Scout, given: dict[str, Any]) -> ScoutPatch:
    """Return the change that the options ask for.

    Args:
        scout: as it is.
        given: the values of `edit_options`, `notify` already read.

    Raises:
        InvalidInput: a rhythm or zone that cannot be used, or something to take out that is not in.
    """
    found: dict[str, Any] = {name: given[name] for name in ("goal", "title") if given[name]}
    for option, field in _LISTS.items():
        if given[option] or given[f"no_{option}"] or option in given["clear"]:
            found[field] = _changed(option, list(getattr(scout, field)), given)
    for option, field in _SINGLE.items():
        if given[option]:
            found[field] = place(given[option]) if option == "location" else given[option]
        elif option in given["clear"]:
            found[field] = None
    if given["every"] or given["cron"] or given["tz"]:
        found |= _rhythm(scout, given)
    return ScoutPatch(**found)


def _rhythm(scout: Scout, given: dict[str, Any]) -> dict[str, str]:
    zone = given["tz"] or scout.timezone
    if given["every"] or given["cron"]:
        parsed = schedule.parse(given["every"], given["cron"], zone)
    else:
        parsed = schedule.parse(timezone=zone)
        return {"timezone": parsed.timezone}
    return {"schedule": parsed.text, "timezone": parsed.timezone}


def _changed(option: str, now: list[str], given: dict[str, Any]) -> list[str]:
    kept = [] if option in given["clear"] else now
    for value in given[f"no_{option}"]:
        kept.remove(_meant(option, kept, value))
    return list(dict.fromkeys([*kept, *given[option]]))


def _meant(option: str, kept: Sequence[str], value: str) -> str:
    """Return the one that a person means; a secret one may be named as it is shown."""
    found = [each for each in kept if value in (each, wishes.hidden(each))]
    if len(found) == 1 or value in found:
        return value if value in found else found[0]
    shown = [wishes.hidden(each) for each in kept]
    near = difflib.get_close_matches(wishes.hidden(value), shown, n=1)
    there = f"there: {', '.join(shown)}" if shown else "there is none"
    raise InvalidInput(
        f"--no-{option}: it has {'several' if found else 'no'} {streams.line(value)[:200]!r}",
        hint=f"did you mean {near[0]!r}?" if near and not found else there,
    )
