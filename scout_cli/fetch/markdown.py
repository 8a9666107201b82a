"""Crawl4AI, used for what it is good at: HTML that is already here becomes Markdown.

Only `raw:` documents are given to it, so it fetches nothing and opens no browser.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from crawl4ai import AsyncWebCrawler, CacheMode, CrawlerRunConfig, DefaultMarkdownGenerator
from crawl4ai.async_crawler_strategy import AsyncHTTPCrawlerStrategy
from crawl4ai.async_logger import AsyncLogger, LogLevel
from crawl4ai.content_filter_strategy_lxml import PruningContentFilterLXML

_PLAIN = {
    "body_width": 0,
    "ignore_emphasis": True,
    "ignore_images": True,
    "ignore_links": True,
    "mark_code": False,
    "single_line_break": False,
    "unicode_snob": True,
}
_ENOUGH = 0.6
"""A filter that keeps less than this share has mistaken the page: a list of links, mostly."""

_FAILED = (
    "Error converting HTML to markdown: ",
    "Error generating fit markdown: ",
    "Error in markdown generation: ",
)
"""How Crawl4AI begins a text that is not the page's: it returns its errors as Markdown."""


class _Config(CrawlerRunConfig):  # type: ignore[misc]
    """Crawl4AI writes four fields of it per page, and looks at its signature for each."""

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


class Markdown:
    """Turns cleaned HTML into Markdown without links, images and emphasis."""

    def __init__(self) -> None:
        # Three lines a page into a log file that nobody reads.
        silent = AsyncLogger(log_level=LogLevel.CRITICAL, verbose=False)
        self._crawler = AsyncWebCrawler(AsyncHTTPCrawlerStrategy(), logger=silent)
        # Made once: its constructor looks at its own signature for every field, 13 ms each time.
        self._config = _Config(
            cache_mode=CacheMode.BYPASS,
            markdown_generator=DefaultMarkdownGenerator(
                content_filter=PruningContentFilterLXML(), options=_PLAIN
            ),
            verbose=False,
        )

    async def __aenter__(self) -> Self:
        await self._crawler.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._crawler.__aexit__(kind, error, trace)

    async def convert(self, html: str) -> tuple[str, str]:
        """Return the whole page as Markdown, and the part that a content filter would keep.

        The filter loses headlines and line breaks, so its part is only good for comparing. It is
        empty when the filter kept too little to be trusted.

        Raises:
            ValueError: Crawl4AI could not read the page.
        """
        result = await self._crawler.arun(f"raw:{html}", config=self._config)
        if not result.success or result.markdown is None:
            raise ValueError(str(result.error_message or "no Markdown")[:200])
        whole, kept = str(result.markdown.raw_markdown), str(result.markdown.fit_markdown)
        if whole.startswith(_FAILED):
            raise ValueError(whole[:200])
        if kept.startswith(_FAILED):
            kept = ""
        return whole, kept if len(kept) >= _ENOUGH * len(whole) else ""
