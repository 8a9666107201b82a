"""The options that describe a wish, shared by `add`, `once` and `edit`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from scout_cli.config import holds_secret
from scout_cli.core.models import Scout
from scout_cli.core.shape import plain
from scout_cli.errors import InvalidInput
from scout_cli.service.watching import searches
from scout_cli.service.wishes import Wish, place_text

_MAX_STDIN = 65_536


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says where and how to look."""
    for name, metavar, text in reversed(
        (
            ("--query", "Q", "Search for this; may be given again."),
            ("--url", "URL", "Always read this page; may be given again."),
            ("--feed", "URL", "Always read this RSS or Atom feed; may be given again."),
            ("--include", "DOMAIN", "Only read pages of this domain; may be given again."),
            ("--exclude", "DOMAIN", "Never read pages of this domain; may be given again."),
        )
    ):
        command = click.option(name, metavar=metavar, multiple=True, help=text)(command)
    for name, metavar, text in (
        ("--lang", "TAG", "Language of searches and brief, such as de or pt-BR."),
        ("--location", "PLACE", "Place to look in, such as 'Bonn, Germany'."),
    ):
        command = click.option(name, metavar=metavar, help=text)(command)
    return command


def channels(given: Sequence[str]) -> tuple[str, ...]:
    """Return the notification URLs; `-` stands for those on standard input, one a line.

    Raises:
        InvalidInput: a URL on the command line holds a secret, or nothing stands on stdin.
    """
    found: list[str] = []
    for url in given:
        if url == "-":
            found += _from_stdin()
        elif holds_secret(url):
            raise InvalidInput(
                "--notify: this URL holds a secret, and others can read a command line",
                hint="give it on standard input: --notify - < file-with-the-url",
            )
        else:
            found.append(url)
    return tuple(found)


def wish_of(given: dict[str, Any]) -> Wish:
    """Return the wish that the options shared by `add` and `once` describe."""
    return Wish(
        goal=given["goal"],
        queries=given["query"],
        location=given["location"],
        language=given["lang"],
        urls=given["url"],
        feeds=given["feed"],
        include_domains=given["include"],
        exclude_domains=given["exclude"],
    )


def described(scout: Scout) -> list[tuple[str, str]]:
    """Return what a scout is, as names and values for a person."""
    return [
        ("title", scout.title),
        ("about", scout.description or ""),
        ("goal", scout.goal or ""),
        *(("query", query) for query in _searched(scout)),
        ("place", place_text(scout.location)),
        ("language", scout.language or ""),
        ("rhythm", f"{scout.schedule}, {scout.timezone}"),
        *(("page", url) for url in scout.urls),
        *(("feed", url) for url in scout.feeds),
        ("only", ", ".join(scout.include_domains)),
        ("never", ", ".join(scout.exclude_domains)),
        *(("notify", hidden(url)) for url in scout.notify),
        ("digest", scout.digest or ""),
    ]


def _searched(scout: Scout) -> list[str]:
    if searches(scout):
        return scout.search_queries
    return ["none: the wish names no topic, so what it reads is its own pages and feeds"]


def shown(scout: Scout) -> dict[str, Any]:
    """Return a scout for `--json`, the secrets in its notification URLs hidden."""
    fields: dict[str, Any] = plain(scout)
    fields["notify"] = [hidden(url) for url in scout.notify]
    return fields


def hidden(url: str) -> str:
    """Return `url`, or only its scheme when it holds a secret."""
    return f"{url.partition('://')[0]}://***" if holds_secret(url) else url


def _from_stdin() -> list[str]:
    text = sys.stdin.read(_MAX_STDIN) if sys.stdin is not None and not sys.stdin.closed else ""
    urls = [row.strip() for row in text.splitlines() if row.strip()]
    if not urls:
        raise InvalidInput(
            "--notify -: no URL on standard input", hint="--notify - < file-with-the-url"
        )
    return urls
