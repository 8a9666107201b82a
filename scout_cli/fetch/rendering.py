"""Crawl4AI's browser with everything off that a hostile page could use. Runs in the child.

Crawl4AI drives: it opens the page, waits for it and takes its document. Two things are taken from
its hands, since it offers no setting for them: how the browser is started (it would always turn
the sandbox off, and finds no Chromium of the system's), and the context of a page (it would keep
one for many pages, with cookies and service workers).
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from crawl4ai import BrowserConfig, CacheMode, CrawlerRunConfig
from crawl4ai.async_crawler_strategy import AsyncPlaywrightCrawlerStrategy
from crawl4ai.async_logger import AsyncLogger, LogLevel
from crawl4ai.browser_manager import BrowserManager
from playwright.async_api import Browser, BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from scout_cli.fetch.settling import settle
from scout_cli.fetch.visit import Visit
from scout_cli.fetch.wire import Begin, Render, Rendered

_LONGEST = 5 * 1024 * 1024
"""Characters of a document, as with one that is fetched plainly."""
_TALLEST = 6_000
"""Pixels of a picture; a page without end has pictures without end."""
_LENGTH = "() => document.documentElement ? document.documentElement.outerHTML.length : 0"
_HEIGHT = "() => document.documentElement.scrollHeight"


class TooLarge(Exception):
    """The document that the scripts made is longer than one that would be fetched."""


class Crashed(Exception):
    """The browser, or the process of its page, is gone."""


class _Manager(BrowserManager):  # type: ignore[misc]
    """Starts our Chromium our way, and gives every page a context of its own."""

    def __init__(self, config: BrowserConfig, logger: AsyncLogger, begin: Begin) -> None:
        super().__init__(browser_config=config, logger=logger)
        self._begin = begin
        self.language = ""

    def _build_browser_args(self) -> dict[str, Any]:
        return {
            "executable_path": self._begin.program,
            "args": list(self._begin.arguments),
            "chromium_sandbox": self._begin.sandbox,
            "headless": True,
            # Chromium's own rule against popups, which Playwright switches off.
            "ignore_default_args": ["--disable-popup-blocking"],
            # Whoever ends this process ends the browser; Playwright must not.
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        }

    async def get_page(self, crawlerRunConfig: CrawlerRunConfig) -> tuple[Page, BrowserContext]:  # noqa: ARG002, N803 - Crawl4AI's
        browser: Browser = self.browser
        context = await browser.new_context(
            accept_downloads=False,
            ignore_https_errors=False,
            service_workers="block",
            locale=self.language or None,
            user_agent=_agent(browser.version, self._begin.agent),
            viewport={"width": 1280, "height": 900},
        )
        page = await context.new_page()
        context.on("page", _close)
        return page, context

    async def release_page_with_context(self, page: Page) -> None:
        await page.context.close()


class Rendering:
    """A browser that renders one page at a time; use as `async with`.

    Args:
        begin: how it is started.
    """

    def __init__(self, begin: Begin) -> None:
        silent = AsyncLogger(log_level=LogLevel.CRITICAL, verbose=False)
        # `text_mode` spares a script that measures images; what it would tell the browser is ours.
        config = BrowserConfig(headless=True, text_mode=True, verbose=False)
        self._strategy = AsyncPlaywrightCrawlerStrategy(config, logger=silent)
        self._manager = _Manager(config, silent, begin)
        self._strategy.browser_manager = self._manager
        self._strategy.set_hook("on_page_context_created", self._opened)
        self._strategy.set_hook("before_retrieve_html", self._settled)
        self._strategy.set_hook("before_return_html", self._photographed)
        self._crash: asyncio.Future[None]
        self._visit = Visit()
        self._wanted = Render(url="")
        self._picture = b""

    async def __aenter__(self) -> Self:
        await self._strategy.start()
        self._crash = asyncio.get_running_loop().create_future()
        self._manager.browser.on("disconnected", lambda _: self._gone())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._strategy.close()

    async def render(self, wanted: Render) -> Rendered:
        """Open a page; every failure but that of this process is an ending."""
        if not wanted.url.startswith(("http://", "https://")):
            return Rendered(ending="failed", url=wanted.url, detail="it is no address of the web")
        self._wanted, self._visit, self._picture = wanted, Visit(), b""
        self._manager.language = wanted.language
        config = CrawlerRunConfig(
            cache_mode=CacheMode.BYPASS,
            js_only=True,  # the page is opened by `_opened`, and not by Crawl4AI
            body_visibility_timeout=1_000,
            verbose=False,
        )
        crawl = asyncio.ensure_future(self._strategy.crawl(wanted.url, config))
        await asyncio.wait({crawl, self._crash}, return_when=asyncio.FIRST_COMPLETED)
        if self._crash.done():
            crawl.cancel()
            return Rendered(ending="crashed", detail="the browser broke off")
        return self._ended(wanted, crawl)

    def _ended(self, wanted: Render, crawl: asyncio.Future[Any]) -> Rendered:
        try:
            response = crawl.result()
        except TooLarge:
            detail = f"its scripts make it larger than {_LONGEST / 1024 / 1024:.3g} MiB"
            return Rendered(ending="too_large", url=wanted.url, detail=detail)
        except (PlaywrightError, RuntimeError) as error:
            return self._visit.explained(str(error), wanted.url)
        if str(response.redirected_url).startswith("chrome-error:"):
            return self._visit.explained("", wanted.url)
        return Rendered(
            ending="page",
            html=str(response.html).encode(errors="replace"),
            url=str(response.redirected_url),
            status=self._visit.status,
            picture=self._picture,
        )

    async def _opened(self, page: Page, **_: Any) -> Page:
        page.on("crash", lambda _: self._gone())
        await self._visit.open(page, self._wanted.url)
        return page

    async def _settled(self, page: Page, **_: Any) -> Page:
        await settle(page)
        if page.url.startswith(("http://", "https://")) and await page.evaluate(_LENGTH) > _LONGEST:
            raise TooLarge
        return page

    async def _photographed(self, page: Page, **_: Any) -> Page:
        if self._wanted.picture and page.url.startswith(("http://", "https://")):
            height = min(max(int(await page.evaluate(_HEIGHT)), 900), _TALLEST)
            self._picture = await page.screenshot(
                type="jpeg",
                quality=70,
                full_page=True,
                clip={"x": 0, "y": 0, "width": 1280, "height": height},
                timeout=10_000,
            )
        return page

    def _gone(self) -> None:
        if not self._crash.done():
            self._crash.set_result(None)


def _agent(version: str, ours: str) -> str:
    """Return what sites look at to choose their scripts, with our own name at its end."""
    major = version.partition(".")[0]
    return (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{major}.0.0.0 Safari/537.36 {ours}"
    )


async def _close(popup: Page) -> None:
    await popup.close()
