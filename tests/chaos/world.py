"""What chaos workers look at: each look of each scout finds one page with one fact of its own."""

from __future__ import annotations

import asyncio
import re
from uuid import uuid4

from scout_cli.core.ports import Feed, FetchRequest, Hit, Page, SearchAnswer, SearchQuery
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.service.kit import Kit
from scout_cli.testing import page

_NAME = re.compile(r"harbour\d+")


def name_of(number: int) -> str:
    """Return the name by which the world knows scout `number`."""
    return f"harbour{number:06d}"


def goal_of(number: int) -> str:
    """Return the goal of scout `number`."""
    return f"New ferry routes from {name_of(number)}"


class HarbourSearch:
    """Finds the page of the harbour that is asked about.

    Args:
        delay: seconds before each answer.
    """

    name = "harbours"

    def __init__(self, delay: float) -> None:
        self._delay = delay

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Find one page, or none without a harbour's name in the query."""
        await asyncio.sleep(self._delay)
        found = _NAME.search(query.text.lower())
        if found is None:
            return SearchAnswer(outcome="empty", engine=self.name)
        url = f"https://{found[0]}.example/news"
        return SearchAnswer(
            outcome="found", engine=self.name, hits=(Hit(url=url, title=f"News of {found[0]}"),)
        )


class HarbourWeb:
    """Serves for every harbour a page that tells something else each time it is fetched.

    Args:
        delay: seconds before each page.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay

    async def fetch(self, request: FetchRequest) -> Page:
        """Return the page of the moment."""
        await asyncio.sleep(self._delay)
        name = _NAME.search(request.url)
        ship = uuid4().int % 10**12
        text = f"The ferry company of {name and name[0]} opened a new route with ship {ship}."
        return page(request.url, f"# News\n\n{text}\n", title=f"News of {name and name[0]}")

    async def feed(self, url: str) -> Feed:
        """Have none."""
        return Feed(url=url, outcome="not_found", detail="HTTP 404")

    async def warm_up(self) -> None:
        """Have nothing to start."""


def kit(delay: float) -> Kit:
    """Return the built-in engine with this world around it.

    Args:
        delay: seconds before each answer of search engine and web.
    """
    return Kit(
        reasoner=BuiltIn(),
        embedder=LexicalEmbedder(),
        search=HarbourSearch(delay),
        fetcher=HarbourWeb(delay),
    )
