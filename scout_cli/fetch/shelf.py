"""Feeds as they were last read, so that a server need not send the same one twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from scout_cli.core.models import Record
from scout_cli.core.ports import Feed


class KeptFeed(Record, frozen=True, kw_only=True):
    """A feed that was read, and what its server calls this version."""

    feed: Feed
    etag: str | None = None
    last_modified: str | None = None


def as_sent(feed: Feed, headers: Mapping[str, str]) -> KeptFeed | None:
    """Return `feed` with the validators of its answer; None when the server named none.

    Args:
        feed: what was read.
        headers: of the answer, names in lower case.
    """
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if not (etag or modified):
        return None
    return KeptFeed(feed=feed, etag=etag, last_modified=modified)


class Shelf(Protocol):
    """Where feeds are kept between two looks."""

    async def get(self, url: str) -> KeptFeed | None:
        """Return the feed kept for `url`, or None."""
        ...

    async def put(self, url: str, kept: KeptFeed) -> None:
        """Keep a feed, over what was kept for `url` before."""
        ...


class MemoryShelf:
    """Keeps feeds for as long as the process lives.

    A kept feed is given back whole when the server says 304: entries that an earlier run had no
    room to read stay candidates.

    Args:
        most: feeds that are kept; beyond it, the one that was not used for longest goes.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: dict[str, KeptFeed] = {}

    async def get(self, url: str) -> KeptFeed | None:
        """Return the feed kept for `url`, or None."""
        kept = self._kept.pop(url, None)
        if kept is not None:
            self._kept[url] = kept
        return kept

    async def put(self, url: str, kept: KeptFeed) -> None:
        """Keep a feed, over what was kept for `url` before."""
        self._kept.pop(url, None)
        self._kept[url] = kept
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
