"""Pages that need a browser: read, quoted, photographed; and when none is started at all."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from scout_cli.core import verify
from scout_cli.core.ports import FetchRequest, Page
from scout_cli.fetch import OpenFetcher, groups, launching, open_fetcher, scratch
from scout_cli.fetch.browser import Browser, BrowserFailed
from scout_cli.fetch.browsers import Browsers
from scout_cli.fetch.show import Bounds, Show
from scout_cli.net.sessions import Sessions
from tests import browsers, pages
from tests.pages import PageServer, Visit, head

SENTENCE = "The bridge over the river opens in March, the town council of Lindental said."
WRITES = """<script>fetch("/data").then(r => r.text()).then(text => {
document.getElementById("root").innerHTML = "<article><h1>News</h1><p>" + text + "</p></article>"
})</script>"""
SHELL = f"""<!doctype html><html lang="en"><head><title>Shell</title></head><body>
<div id="root"></div><noscript>You need to enable JavaScript.</noscript>{WRITES}</body></html>"""
module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a temporary folder that only this test's browsers use."""
    with browsers.own_place() as folder:
        yield folder


@asynccontextmanager
async def opened(server: PageServer, mode: str, show: Show | None = None):
    """Yield a fetcher for the pages of `server`."""
    async with Sessions(server.guard(), browsers.AGENT, spacing=0) as sessions:
        fetcher = open_fetcher(f"crawl4ai://{mode}", sessions, show=show or Show())
        try:
            yield fetcher
        finally:
            await fetcher.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    """Return a server with one page that needs its scripts."""
    async with PageServer() as running:
        running.serve("/data", SENTENCE, kind="text/plain")
        running.serve("/shell", SHELL, headers={"ETag": '"frame"'})
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fetcher(server: PageServer) -> AsyncIterator[OpenFetcher]:
    """Return a fetcher that starts a browser when a page needs one."""
    browsers.chromium()
    with browsers.own_place():
        async with opened(server, "auto") as fetcher:
            yield fetcher


async def look(fetcher: OpenFetcher, url: str, **more: str) -> Page:
    """Fetch one page."""
    return await fetcher.fetch(FetchRequest(url=url, **more))


@module_loop
async def test_a_page_that_needs_its_scripts_is_read_and_can_be_quoted(server, fetcher):
    """What scripts wrote is text like any other, and a quote is found in it word for word."""
    page = await look(fetcher, server.url("/shell"))
    assert (page.outcome, page.status, page.title) == ("read", 200, "News")
    located = verify.locate("opens in March, the town council of Lindental", page.text)
    assert located is not None
    assert located.quote in SENTENCE
    assert "enable JavaScript" not in page.text
    assert (page.etag, page.last_modified) == (None, None)  # they are the frame's
    assert len(page.content_hash) == 64


@module_loop
async def test_sites_are_told_who_comes(server, fetcher):
    """The browser's name ends with scout's, and the language is the one asked for."""
    await look(fetcher, server.url("/shell"), language="de")
    shown = [visit for visit in server.visits if visit.path == "/data"][-1]
    assert shown.headers["user-agent"].startswith("Mozilla/5.0 ")
    assert shown.headers["user-agent"].endswith(browsers.AGENT)
    assert shown.headers["accept-language"].startswith("de")


@module_loop
async def test_pages_share_nothing(server, fetcher):
    """A cookie, a stored word or a cached answer of one page is not there for the next."""
    script = """<script>
    document.body.insertAdjacentHTML("beforeend", "<p>It knew: " + (document.cookie || "no cookie")
      + " and " + (localStorage.getItem("word") || "no word") + " of an earlier page.</p>");
    document.cookie = "who=me"; localStorage.setItem("word", "said")</script>"""
    url = server.serve(
        "/memory", f"<html><head><title>M</title></head><body>{script}</body></html>"
    )
    first, second = [await look(fetcher, url) for _ in range(2)]
    assert "no cookie and no word" in first.text
    assert second.text == first.text


@module_loop
async def test_scripts_that_lead_on_are_followed(server, fetcher):
    """A page that sends its visitors elsewhere while it loads is read where they end up."""
    server.serve("/end", SHELL)
    url = server.serve("/start", "<html><body><script>location = '/end'</script></body></html>")
    page = await look(fetcher, url)
    assert (page.outcome, page.final_url) == ("read", server.url("/end"))
    assert page.url == url


@module_loop
async def test_a_page_that_stays_empty_is_empty(server, fetcher):
    """Scripts that never write anything leave no text, and that is said."""
    page = await look(fetcher, server.serve("/still", pages.THIN))
    assert page.outcome == "empty"


@module_loop
async def test_a_wall_is_a_wall_in_the_browser_too(server, fetcher):
    """A captcha that scripts put up is told as one, and not read."""
    script = """<script>document.body.innerHTML = "<h1>Verify you are human</h1>" +
      "<p>Please complete the captcha to go on.</p><div class='g-recaptcha'></div>"</script>"""
    page = await look(fetcher, server.serve("/wall", f"<html><body>{script}</body></html>"))
    assert (page.outcome, page.text) == ("captcha", "")


@module_loop
async def test_a_status_that_only_the_browser_gets(server, fetcher):
    """A site that lets the plain visitor in and not the browser is blocked, not read."""

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        plain = visit.headers["user-agent"].startswith("scout/")
        writer.write(head("200 OK" if plain else "403 Forbidden", {"Content-Type": "text/html"}))
        writer.write(SHELL.encode())

    page = await look(fetcher, server.handle("/moody", answer))
    assert (page.outcome, page.status) == ("blocked", 403)


async def test_no_browser_is_started_for_pages_with_text(place):
    """`auto` reads what came; a browser is neither started nor imported."""
    async with PageServer() as server, opened(server, "auto") as fetcher:
        page = await look(fetcher, server.serve("/story", pages.article("A", SENTENCE * 5)))
        assert page.outcome == "read"
        assert browsers.leftovers(place) == []
        assert fetcher._showing is None


async def test_http_never_starts_a_browser(place):
    """`crawl4ai://http` calls a page that needs one empty, and starts nothing."""
    async with PageServer() as server, opened(server, "http") as fetcher:
        page = await look(fetcher, server.serve("/shell", SHELL))
        assert (page.outcome, page.text) == ("empty", "")
        assert browsers.leftovers(place) == []
    assert [visit.path for visit in server.visits] == ["/shell"]


def test_the_browser_is_not_imported_before_it_is_needed():
    """Opening a fetcher costs nothing of the browser: no proxy, no Playwright, no Crawl4AI."""
    code = """
import asyncio, sys
from scout_cli.fetch import open_fetcher
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
open_fetcher("crawl4ai://auto", Sessions(Guard(), "x"))
heavy = ("playwright", "crawl4ai", "scout_cli.net.proxy", "scout_cli.fetch.browser")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


async def test_browser_shows_every_page_and_keeps_a_picture(place):
    """`crawl4ai://browser` shows pages that have a text too; a picture is kept, the PDF is not."""
    browsers.chromium()
    kept: list[bytes] = []

    def keep(image: bytes) -> str:
        kept.append(image)
        return f"new/{len(kept)}.jpg"

    script = "<script>document.querySelector('h1').textContent = 'Changed by a script'</script>"
    show = Show(keep_picture=keep)
    async with PageServer() as server, opened(server, "browser", show) as fetcher:
        html = pages.article("A", SENTENCE * 5).replace("</body>", f"{script}</body>")
        page = await look(fetcher, server.serve("/story", html))
        minutes = server.serve("/minutes", pages.pdf("It met."), kind="application/pdf")
        paper = await look(fetcher, minutes)
        wall = await look(fetcher, server.serve("/wall", pages.CAPTCHA))
    assert "Changed by a script" in page.text
    assert page.screenshot == "new/1.jpg"
    assert kept[0].startswith(b"\xff\xd8\xff")
    assert (paper.outcome, paper.screenshot) == ("read", "")
    assert (wall.outcome, wall.screenshot, len(kept)) == ("captcha", "", 1)
    assert await browsers.all_gone(place) == []


@pytest.mark.parametrize(("mode", "thin"), [("auto", True), ("browser", True), ("browser", False)])
async def test_without_a_browser_pages_say_so(place, mode, thin):
    """A page that needs one says how to get it; a page with text is read, and says how."""
    html = SHELL if thin else pages.article("A", SENTENCE * 5)
    show = Show(path="/nowhere/chromium")
    async with PageServer() as server, opened(server, mode, show) as fetcher:
        page = await look(fetcher, server.serve("/page", html))
    assert page.outcome == ("needs_browser" if thin else "read")
    assert "no Chromium at /nowhere/chromium" in page.detail
    assert ("apt install chromium" in page.hint) is thin


async def test_a_browser_that_dies_gets_a_second_chance(place):
    """F16: `kill -9` of the browser, then of a page's process: shown in a fresh one each time."""
    shown = asyncio.Event()
    victims: list[int] = []

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        if len(victims) % 2 == 0:  # the first try of each page meets death
            pid = (browsers.main_process, lambda at: browsers.renderers(at)[-1])[len(victims) // 2](
                place
            )
            victims.append(pid)
            os.kill(pid, signal.SIGKILL)
            return
        victims.append(0)
        shown.set()
        writer.write(head("200 OK", {"Content-Type": "text/plain"}) + SENTENCE.encode())

    program = browsers.chromium()
    async with PageServer() as server:
        server.handle("/data", answer)
        url = server.serve("/shell", SHELL)
        browser = Browser(server.guard(), browsers.AGENT, program)
        try:
            for _ in range(2):
                rendered, _ = await browser.render(url)
                assert rendered.ending == "page"
                assert SENTENCE.encode() in rendered.html
        finally:
            await browser.close()
    assert len([pid for pid in victims if pid]) == 2
    assert await browsers.all_gone(place) == []


async def test_a_long_temporary_folder_hinders_no_browser(tmp_path, monkeypatch):
    """Chromium wants a short path for its socket; macOS's temporary folders are too long for it."""
    deep = tmp_path.joinpath(*"ABCDEFGHIJ" * 4)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    async with PageServer() as server:
        url = server.serve("/", f"<p>{SENTENCE}</p>")
        browser = Browser(server.guard(), browsers.AGENT, browsers.chromium())
        try:
            rendered, _ = await browser.render(url)
            folder = browser.folder
        finally:
            await browser.close()
    assert SENTENCE.encode() in rendered.html
    assert folder is not None
    assert not folder.exists()


async def test_why_a_browser_gave_up_is_told(tmp_path, monkeypatch):
    """Its last sentence is in the error, not what its driver said afterwards."""
    deep = tmp_path / ("T" * 99)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    monkeypatch.setattr(scratch, "_SHORT", tmp_path / "none")
    async with PageServer() as server:
        browser = Browser(server.guard(), browsers.AGENT, browsers.chromium())
        with pytest.raises(BrowserFailed, match=r"FATAL:.* Socket path too long"):
            await browser.warm_up()
    assert list(deep.iterdir()) == []


async def test_a_browser_that_dies_again_is_an_outcome(place):
    """Two deaths are enough: the page fails, the next one has a new browser."""
    deadly = True

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        if deadly:
            os.kill(browsers.main_process(place), signal.SIGKILL)
            return
        writer.write(head("200 OK", {"Content-Type": "text/plain"}) + SENTENCE.encode())

    browsers.chromium()
    async with PageServer() as server, opened(server, "auto") as fetcher:
        server.handle("/data", answer)
        url = server.serve("/shell", SHELL)
        lost = await look(fetcher, url)
        deadly = False
        read = await look(fetcher, url)
    assert lost.outcome == "unreadable"
    assert "broke off" in lost.detail
    assert read.outcome == "read"


async def test_a_worn_browser_is_replaced(place):
    """After its number of pages a browser goes, and the next page has another one."""
    program = browsers.chromium()
    async with PageServer() as server:
        url = server.serve("/page", f"<html><body><p>{SENTENCE}</p></body></html>")
        browser = Browser(server.guard(), browsers.AGENT, program, bounds=Bounds(pages=2))
        seen = []
        for _ in range(3):
            await browser.warm_up()
            seen.append(groups.recorded(browser.folder))
            await browser.render(url)
        await browser.close()
    assert seen[0] == seen[1] != seen[2]
    assert await browsers.all_gone(place) == []


async def test_browsers_run_side_by_side_and_rest(place):
    """Two pages at once have two browsers; when nobody needs them, they go."""
    program = browsers.chromium()
    both, waiting = asyncio.Event(), 0

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 2:
            both.set()
        await both.wait()
        writer.write(head("200 OK", {"Content-Type": "text/plain"}) + SENTENCE.encode())

    async with PageServer() as server:
        server.handle("/data", answer)
        url = server.serve("/shell", SHELL)
        pool = Browsers(lambda: Browser(server.guard(), browsers.AGENT, program), limit=2, idle=0.1)
        found = await asyncio.gather(*(pool.render(url) for _ in range(2)))
        assert [SENTENCE.encode() in rendered.html for rendered, _ in found] == [True, True]
        assert await browsers.all_gone(place) == []
        rendered, _ = await pool.render(url)
        assert rendered.ending == "page"
        await pool.close()
        with pytest.raises(BrowserFailed) as failed:
            await pool.render(url)
    assert failed.value.kind == "absent"
    assert await browsers.all_gone(place) == []


async def test_a_page_that_is_given_up_takes_its_browser_along(place):
    """A cancelled page leaves nothing running, and the next one works."""
    program = browsers.chromium()
    async with PageServer() as server:
        server.handle("/data", pages.silent)
        url = server.serve("/shell", SHELL)
        browser = Browser(server.guard(), browsers.AGENT, program)
        showing = asyncio.create_task(browser.render(url))
        await server.visited(2)
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing
        assert await browsers.all_gone(place) == []
        server.serve("/data", SENTENCE, kind="text/plain")
        rendered, _ = await browser.render(url)
        await browser.close()
    assert SENTENCE.encode() in rendered.html


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_the_sandbox_is_on_for_everybody_but_root(place):
    """What is started for an ordinary user has no `--no-sandbox`; for root Chromium has none."""
    program = browsers.chromium()
    async with PageServer() as server:
        browser = Browser(server.guard(), browsers.AGENT, program)
        await browser.warm_up()
        commands = browsers.processes(place).values()
        await browser.close()
    assert any("--no-sandbox" in command for command in commands)
    assert "--no-sandbox" not in launching.arguments("http://127.0.0.1:1", pictures=False)
