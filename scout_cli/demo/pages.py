"""The content of the demo web: invented sites and their pages, as files of this package.

A site is a folder `sites/HOST/` with a `site.toml`; a page is an HTML fragment whose first comment
holds its title, author and date, and the day of the demo from which it exists.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from scout_cli.core.models import Record
from scout_cli.core.shape import Shape, convert
from scout_cli.errors import InvalidInput

DAYS: Mapping[int, datetime] = {
    1: datetime(2026, 3, 2, 9, tzinfo=UTC),
    2: datetime(2026, 3, 3, 9, tzinfo=UTC),
    3: datetime(2026, 3, 4, 9, tzinfo=UTC),
}
"""The moment at which the scout of the demo looks, for each day."""

State = Literal["open", "gone", "consent"]
"""`gone` answers 404 and `consent` a cookie wall, though the search engine still knows the text."""

_FRONT = re.compile(r"\A<!--\n(?P<head>.*?)\n-->\n", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


class Site(Shape, frozen=True, kw_only=True):
    """What all pages of one host share, as its `site.toml` says."""

    name: str
    tagline: str
    dates: Literal["json-ld", "meta", "time"]
    """Where its pages state their publish date."""
    feed: bool = False
    """It has an RSS feed at `/feed.xml`."""
    language: str = "en"


class Front(Shape, frozen=True, kw_only=True):
    """The first comment of a page's file."""

    title: str
    author: str
    published: datetime | None = None
    day: int = 1
    """The page exists from this day of the demo on."""
    state: State = "open"


class Leaf(Record, frozen=True, kw_only=True):
    """One page of the demo web."""

    host: str
    path: str
    front: Front
    body: str
    """HTML fragment, without the frame of its site."""

    @property
    def text(self) -> str:
        """Return the body without tags, as a search engine stores it."""
        return " ".join(html.unescape(_TAG.sub(" ", self.body)).split())


class Library:
    """All sites and pages of a web in files; without arguments those of the demo.

    Args:
        sites: a folder with a folder for each site.
        days: the moment at which a scout looks, for each day.
    """

    def __init__(
        self, sites: Traversable | None = None, days: Mapping[int, datetime] = DAYS
    ) -> None:
        self._root = sites or files(__package__) / "sites"
        self.days = days

    @cached_property
    def sites(self) -> dict[str, Site]:
        """Return the sites by host name, in alphabetical order."""
        return {folder.name: _site(folder) for folder in self._folders()}

    @cached_property
    def leaves(self) -> dict[tuple[str, str], Leaf]:
        """Return the pages by host and path."""
        found = (leaf for folder in self._folders() for leaf in _walk(folder.name, "", folder))
        return {(leaf.host, leaf.path): leaf for leaf in found}

    def listing(self, host: str, day: int) -> list[Leaf]:
        """Return the readable pages of a host that exist on `day`, newest first, undated last."""
        shown = [
            leaf
            for leaf in self.leaves.values()
            if leaf.host == host and leaf.front.day <= day and leaf.front.state != "gone"
        ]
        epoch = datetime.min.replace(tzinfo=UTC)
        return sorted(shown, key=lambda leaf: leaf.front.published or epoch, reverse=True)

    def _folders(self) -> list[Traversable]:
        return sorted(self._root.iterdir(), key=lambda folder: folder.name)


def _site(folder: Traversable) -> Site:
    text = (folder / "site.toml").read_text("utf-8")
    return convert(tomllib.loads(text), Site, what=f"{folder.name}/site.toml")


def _walk(host: str, prefix: str, folder: Traversable) -> Iterator[Leaf]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(host, f"{prefix}/{entry.name}", entry)
        elif entry.name.endswith(".html"):
            yield _leaf(host, f"{prefix}/{entry.name.removesuffix('.html')}", entry)


def _leaf(host: str, path: str, file: Traversable) -> Leaf:
    text = file.read_text("utf-8")
    head = _FRONT.match(text)
    if head is None:
        raise InvalidInput(f"{host}{path}: the page does not begin with a comment")
    pairs = (line.partition(":") for line in head["head"].splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    front = convert(fields, Front, what=f"{host}{path}", strict=False)
    return Leaf(host=host, path=path, front=front, body=text[head.end() :].strip())
