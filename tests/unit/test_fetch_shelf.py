"""Feeds between two looks."""

from __future__ import annotations

from scout_cli.core.ports import Feed
from scout_cli.fetch.shelf import KeptFeed, MemoryShelf, as_sent


def kept(name: str) -> KeptFeed:
    """Return a feed with a version."""
    return KeptFeed(feed=Feed(url=name, outcome="read"), etag=f'"{name}"')


async def test_the_feed_that_was_not_used_for_longest_goes():
    """A full shelf makes room, and what is used stays."""
    shelf = MemoryShelf(most=2)
    await shelf.put("a", kept("a"))
    await shelf.put("b", kept("b"))
    assert await shelf.get("a") == kept("a")
    await shelf.put("c", kept("c"))
    assert [await shelf.get(name) for name in "abc"] == [kept("a"), None, kept("c")]


async def test_a_feed_takes_its_own_place():
    """Keeping a feed again costs no other its place."""
    shelf = MemoryShelf(most=2)
    for name in "abb":
        await shelf.put(name, kept(name))
    assert await shelf.get("a") == kept("a")


def test_a_feed_without_a_version_is_not_kept():
    """Without a validator the server could never say that nothing changed."""
    feed = Feed(url="http://news.test/feed", outcome="read")
    assert as_sent(feed, {"content-type": "application/rss+xml"}) is None
    sent = as_sent(feed, {"last-modified": "Tue, 03 Mar 2026 08:30:00 GMT"})
    assert sent is not None
    assert (sent.etag, sent.feed) == (None, feed)
