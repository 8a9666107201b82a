"""A hostile page in a real browser: nothing of this machine is reached, and nothing is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from scout_cli.core.ports import FetchRequest, Page
from scout_cli.fetch import OpenFetcher, launching, open_fetcher
from scout_cli.fetch.browser import Arguments, Browser
from scout_cli.fetch.show import Bounds, Show
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from tests import browsers
from tests.browsers import Trap
from tests.pages import HOSTS as HOSTS_OF_TEST
from tests.pages import PageServer, Visit, endless, head

HOSTS = (
    "localhost 127.0.0.1 [::1] 2130706433 0x7f000001 127.1 0.0.0.0 localhost. scout.localhost"
).split()
"""Nine spellings of this machine."""

PAGE = """<!doctype html><html><head><title>Ways</title></head><body><p id="said">Trying</p><script>
const hosts = HOSTS, port = PORT, body = document.body;
const add = (tag, more) => body.appendChild(Object.assign(document.createElement(tag), more));
const way = {
  fetch: u => fetch(u, {mode: "no-cors"}).catch(() => 0),
  img: u => add("img", {src: u}),
  iframe: u => add("iframe", {src: u}),
  socket: u => new WebSocket(u.replace("http", "ws")),
  events: u => new EventSource(u),
  beacon: u => navigator.sendBeacon(u, "x"),
  refresh: u => add("iframe", {srcdoc: `<meta http-equiv="refresh" content="0;url=${u}">`}),
  form: u => { const f = add("iframe", {name: "f" + Math.random()});
    const form = add("form", {action: u, method: "post", target: f.name}); form.submit(); },
  script: u => add("script", {src: u}),
  style: u => add("link", {rel: "stylesheet", href: u}),
  request: u => { const r = new XMLHttpRequest(); r.open("POST", u); r.send("x"); },
  video: u => add("video", {src: u, autoplay: true}),
  object: u => add("object", {data: u, type: "text/html"}),
  popup: u => window.open(u),
  link: u => add("a", {href: u, ping: u, target: "_blank"}).click(),
  prefetch: u => add("link", {rel: "prefetch", href: u}),
  connect: u => add("link", {rel: "preconnect", href: u}),
  worker: u => new Worker(URL.createObjectURL(
    new Blob([`fetch("${u}", {mode: "no-cors"}).catch(() => 0)`]))),
  transport: u => { const t = new WebTransport(u.replace("http:", "https:"));
    t.ready.catch(() => 0); t.closed.catch(() => 0); },
};
const tried = [];
for (const name in way) for (const host of hosts)
  try { way[name](`http://${host}:${port}/${name}`); tried.push(name); } catch (e) {}
for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
  const urls = [`stun:${host}:${port}`, `turn:${host}:${port}`,
    `turn:${host}:${port}?transport=tcp`, `turns:${host}:${port}?transport=tcp`];
  const peer = new RTCPeerConnection({iceServers: [
    {urls: urls[0]}, {urls: urls.slice(1), username: "u", credential: "p"}]});
  peer.createDataChannel("x");
  peer.createOffer().then(offer => peer.setLocalDescription(offer));
  tried.push("rtc");
}
setTimeout(() => { document.getElementById("said").textContent =
  "All ways were tried: " + new Set(tried).size + ", times " + tried.length; }, 1500);
</script></body></html>"""


def without(*switches: str) -> Arguments:
    """Return what makes the arguments of a browser, but for those that keep it in."""

    def arguments(proxy: str, *, pictures: bool) -> tuple[str, ...]:
        given = launching.arguments(proxy, pictures=pictures)
        kept = tuple(one for one in given if not one.startswith(switches))
        assert len(kept) == len(given) - len(switches)
        return kept

    return arguments


def trusting(server: PageServer) -> Arguments:
    """Return what makes the arguments of a browser that lets the test's pages do what https may."""

    def arguments(proxy: str, *, pictures: bool) -> tuple[str, ...]:
        trusted = f"--unsafely-treat-insecure-origin-as-secure={server.url('').rstrip('/')}"
        return (*launching.arguments(proxy, pictures=pictures), trusted)

    return arguments


module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a temporary folder that only this test's browsers use."""
    with browsers.own_place() as folder:
        yield folder


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    """Return the server of what this test calls the public web."""
    async with PageServer() as running:
        yield running


@pytest.fixture
async def trap() -> AsyncIterator[Trap]:
    """Return what listens where no page may get."""
    async with Trap() as waiting:
        yield waiting


@dataclass(frozen=True, kw_only=True)
class World:
    """A server, a trap, and a fetcher whose browser several tests share."""

    server: PageServer
    trap: Trap
    fetcher: OpenFetcher
    place: Path

    async def look(self, path: str, html: str) -> Page:
        """Serve a page and fetch it."""
        return await self.fetcher.fetch(FetchRequest(url=self.server.serve(path, html)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """Return what tests that leave the browser able to go on share; at the end nothing is left."""
    with browsers.own_place() as place:
        async with PageServer() as server, Trap() as trap:
            guard = Guard({f"127.0.0.1:{server.port}"}, dict.fromkeys(HOSTS_OF_TEST, "127.0.0.1"))
            async with fetching(server, guard=guard, mode="browser", page=15.0) as fetcher:
                yield World(server=server, trap=trap, fetcher=fetcher, place=place)
        assert await browsers.all_gone(place) == []


def browser(server: PageServer, *, arguments: Arguments = launching.arguments, **bounds) -> Browser:
    """Return a browser, images included, that reaches the test's own server alone."""
    return Browser(
        server.guard(),
        browsers.AGENT,
        browsers.chromium(),
        pictures=True,
        bounds=Bounds(**{"page": 30.0, "memory": 2**30, **bounds}),
        arguments=arguments,
    )


SENTENCE = "The bridge over the river opens in March, the town council of Lindental said."
WRITES = (
    "document.addEventListener('DOMContentLoaded', "
    f"() => {{ document.body.innerHTML = '<p>{SENTENCE}</p>' }})"
)
STORY = f"<p>{SENTENCE}</p>"


def page_of(head_part: str, *, after: str = "") -> str:
    """Return a page that says nothing until its scripts run."""
    return f"""<!doctype html><html><head><title>Shop</title>{head_part}</head>
<body><div id="root"></div><noscript>You need to enable JavaScript.</noscript>{after}
</body></html>"""


@asynccontextmanager
async def fetching(
    server: PageServer, *, guard: Guard | None = None, mode: str = "auto", **bounds: float
) -> AsyncIterator[OpenFetcher]:
    """Yield a fetcher with a browser, for thin pages or for all."""
    browsers.chromium()
    show = Show(bounds=Bounds(**{"page": 30.0, "memory": 2**30, **bounds}))
    async with Sessions(guard or server.guard(), browsers.AGENT, spacing=0) as sessions:
        opened = open_fetcher(f"crawl4ai://{mode}", sessions, show=show)
        try:
            yield opened
        finally:
            await opened.close()


def ways(trap: Trap) -> str:
    """Return a page that tries every way to every spelling of this machine."""
    return PAGE.replace("HOSTS", json.dumps(HOSTS)).replace("PORT", str(trap.port))


async def test_no_way_leads_to_this_machine(place, server, trap):
    """U40, U41: 20 ways, 9 spellings: nothing arrives, and the page is read."""
    url = server.serve("/ways", ways(trap))
    shown = browser(server, arguments=trusting(server))
    try:
        rendered, traffic = await shown.render(url)
    finally:
        await shown.close()
    assert rendered.ending == "page"
    assert b"All ways were tried: 20" in rendered.html
    assert b"SECRET" not in rendered.html
    assert trap.hits == []
    assert traffic.refused > 100
    assert {one.host for one in traffic.denials} >= {"localhost", "127.0.0.1", "::1"}
    assert await browsers.all_gone(place) == []


@pytest.mark.parametrize(
    ("switches", "kind"),
    [
        (("--proxy-bypass-list",), "tcp GET /"),
        (("--force-webrtc-ip", "--webrtc-ip"), "udp"),
    ],
    ids=["loopback goes around the proxy", "WebRTC goes around the proxy"],
)
async def test_each_switch_is_what_keeps_the_page_in(place, server, trap, switches, kind):
    """The test above can fail: with a switch taken out, what it holds back arrives."""
    url = server.serve("/ways", ways(trap))
    shown = browser(server, arguments=without(*switches))
    try:
        await shown.render(url)
    finally:
        await shown.close()
    assert [hit for hit in trap.hits if hit.startswith(kind)]


@module_loop
@pytest.mark.parametrize(
    "way",
    [
        '<meta http-equiv="refresh" content="0;url=TO">',
        "<script>location = 'TO'</script>",
        "<form method=post action='TO'><input name=x></form>"
        "<script>document.forms[0].submit()</script>",
    ],
    ids=["U39 refresh", "location", "form"],
)
async def test_a_page_that_goes_to_this_machine_is_refused(world, way):
    """U39: a page that leads the browser elsewhere is refused as such, with the reason."""
    to = f"http://127.0.0.1:{world.trap.port}/"
    html = f"<html><head>{way.replace('TO', to)}</head><body><div id=root></div></body></html>"
    page = await world.look("/away", html)
    assert (page.outcome, page.final_url) == ("refused", to)
    assert "not an address of the public internet" in page.detail
    assert world.trap.hits == []


@module_loop
async def test_a_name_that_leads_to_this_machine_tells_no_address(world):
    """U33 as a sub-resource: the proxy looks the name up, refuses, and keeps the address."""
    script = f"<script>location = 'http://other.test:{world.trap.port}/'</script>"
    page = await world.look("/away", page_of(script))
    assert page.outcome == "refused"
    assert "127" not in f"{page.detail} {page.hint} {page.final_url}"
    assert world.trap.hits == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "raw:<h1>x", "data:text/html,x", "about:"])
async def test_the_child_opens_nothing_but_the_web(place, server, url):
    """U42-U45: even if such a URL got as far as the browser, it is not opened."""
    shown = browser(server)
    try:
        rendered, traffic = await shown.render(url)
    finally:
        await shown.close()
    assert (rendered.ending, rendered.html, traffic.requests) == ("failed", b"", 0)


@module_loop
async def test_a_page_cannot_go_to_a_file(world):
    """A script that opens a file of this machine stays where it is."""
    script = "<script>location = 'file:///etc/passwd'; open('file:///etc/passwd')</script>"
    page = await world.look("/file", page_of(script + STORY))
    assert "root:" not in page.text
    assert page.final_url.endswith("/file")


@module_loop
async def test_loops_of_windows_hold_nobody_up(world):
    """H15, H17: alerts, questions before leaving, printing and a hundred popups."""
    script = """<script>
    window.onbeforeunload = e => { e.preventDefault(); return "stay" };
    for (let i = 0; i < 5; i++) { alert("x"); confirm("x"); prompt("x") }
    try { print() } catch (e) {}
    for (let i = 0; i < 100; i++) open("/popup" + i);
    document.body.insertAdjacentHTML("beforeend", "<p>The alerts are over, said the council.</p>")
    </script>"""
    page = await world.look("/loops", page_of("", after=script))
    assert page.outcome == "read"
    assert "The alerts are over" in page.text
    assert [visit for visit in world.server.visits if visit.path.startswith("/popup")] == []


@pytest.mark.parametrize(
    "script",
    ["while (true) {}", "setTimeout(() => { while (true) {} }, 200)"],
    ids=["at once", "after it has loaded"],
)
async def test_a_busy_loop_is_killed(place, server, script):
    """H16, F15: the whole group of processes is killed in time, and the next page is read."""
    busy = server.serve("/busy", page_of(f"<script>{script}</script>"))
    after = server.serve("/after", page_of(f"<script>{WRITES}</script>"))
    async with fetching(server, page=5.0) as fetcher:
        await fetcher.fetch(FetchRequest(url=after))  # the start of the browser is not timed
        began = asyncio.get_running_loop().time()
        hung = await fetcher.fetch(FetchRequest(url=busy))
        took = asyncio.get_running_loop().time() - began
        running = await browsers.all_gone(place, 5.0)
        read = await fetcher.fetch(FetchRequest(url=after))
    assert hung.outcome == "timeout"
    assert took < 5.0 + 4.0
    assert running == []
    assert (read.outcome, read.text) == ("read", SENTENCE)


async def test_no_service_worker_is_registered(place, server):
    """H18: what would outlive its page is refused, even where https would allow it."""
    server.serve("/worker.js", "self.addEventListener('fetch', () => 0)", kind="text/javascript")
    script = """<script>navigator.serviceWorker.register("/worker.js").then(
      r => { document.body.append("Registered " + (r && r.active || r && r.installing)) },
      e => { document.body.append("Refused by the browser, as it should be.") });
    setTimeout(() => document.body.append("The page of the worker is over."), 300)</script>"""
    url = server.serve("/service", page_of("", after=script))
    shown = browser(server, arguments=trusting(server))
    try:
        rendered, _ = await shown.render(url)
    finally:
        await shown.close()
    assert b"The page of the worker is over" in rendered.html
    assert [visit.path for visit in server.visits if visit.path == "/worker.js"] == []


@module_loop
async def test_a_flood_of_requests_is_cut(world):
    """H19: 5,000 sub-requests: the first thousand go out, and the page ends in time."""
    script = """<script>for (let i = 0; i < 5000; i++) fetch("/n" + i).catch(() => 0);
    document.body.insertAdjacentHTML("beforeend", "<p>The flood has begun, said the council.</p>")
    </script>"""
    before = len(world.server.visits)
    page = await world.look("/flood", page_of("", after=script))
    sent = len(world.server.visits) - before
    assert sent <= 2_002  # a browser that died had a second chance
    assert page.outcome in {"read", "timeout", "too_large", "unreadable"}
    # On a slow machine the page may be over before the thousandth has gone out.
    assert "1,000" in page.detail or page.outcome != "read" or sent < 1_000


@module_loop
async def test_a_flood_of_bytes_is_cut(world):
    """F15: an endless sub-resource ends with the page's allowance, and the page is read."""
    world.server.handle("/endless", endless(b"x" * 65_536, count=1_000_000, kind="text/plain"))
    script = f"<script>fetch('/endless').then(r => r.blob()).catch(() => 0);{WRITES}</script>"
    page = await world.look("/flood", page_of(script))
    assert (page.outcome, page.text) == ("read", SENTENCE)
    assert "32 MiB" in page.detail


@module_loop
async def test_an_endless_download_is_no_page(world):
    """F15: a page that turns into a file to download is an outcome, and no file is written."""
    plain = page_of(f"<script>{WRITES}</script>")

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        if "scout/test" in visit.headers["user-agent"].partition(" ")[0]:
            writer.write(head("200 OK", {"Content-Type": "text/html"}) + plain.encode())
            return
        said = {"Content-Type": "application/zip", "Content-Disposition": "attachment"}
        writer.write(head("200 OK", said))
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    page = await world.fetcher.fetch(FetchRequest(url=world.server.handle("/zip", answer)))
    assert (page.outcome, page.detail) == (
        "unsupported_type",
        "it is a file to download (in the browser)",
    )


@module_loop
async def test_redirects_without_end_are_an_outcome(world):
    """F15: by the server, the browser gives up; by scripts, time does."""
    plain = page_of(f"<script>{WRITES}</script>")

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        if visit.headers["user-agent"].startswith("scout/test"):
            writer.write(head("200 OK", {"Content-Type": "text/html"}) + plain.encode())
            return
        writer.write(head("302 Found", {"Location": f"/round?{len(world.server.visits)}"}))

    before = len(world.server.visits)
    page = await world.fetcher.fetch(FetchRequest(url=world.server.handle("/round", answer)))
    assert page.outcome == "unreachable"
    assert "circles" in page.detail
    assert len(world.server.visits) - before < 40


async def test_a_page_that_grows_without_end_is_killed(place, server):
    """F15, F16: memory beyond the bound ends the browser, once, and the next page is read."""
    script = """<script>const kept = [];
    const grow = () => { for (let i = 0; i < 8; i++) kept.push(new Uint8Array(4e6).fill(7)) };
    setInterval(grow, 10)</script>"""
    greedy = server.serve("/greedy", page_of(script))
    after = server.serve("/after", page_of(f"<script>{WRITES}</script>"))
    async with fetching(server, page=20.0, memory=200 * 2**20) as fetcher:
        grown = await fetcher.fetch(FetchRequest(url=greedy))
        read = await fetcher.fetch(FetchRequest(url=after))
    assert (grown.outcome, grown.detail) == (
        "too_large",
        "it takes the browser more than 200 MiB",
    )
    assert read.outcome == "read"
    assert [visit.path for visit in server.visits].count("/greedy") == 2  # plainly, and once shown


@module_loop
@pytest.mark.parametrize(
    "made",
    ["'<div>'.repeat(3e5)", "'<p>' + 'word '.repeat(2e6)", "'<img src=x '.repeat(1e5)"],
    ids=["H02 deep", "H01 long", "H03 attributes"],
)
async def test_a_document_that_scripts_blow_up_is_bounded(world, made):
    """H01-H03 made by scripts: an outcome in time, and the page reader lives."""
    script = f"<script>document.body.innerHTML = {made}</script>"
    page = await world.look("/huge", page_of("", after=script))
    assert page.outcome in {"too_large", "timeout", "unreadable", "empty", "read"}
    assert page.size <= 8 * 2**20


async def test_the_environment_holds_nothing_of_ours(place, server, monkeypatch):
    """E3: no setting, key, proxy or home of a person in any process of the browser."""
    for name in ("SCOUT_SMTP_URL", "OLLAMA_API_KEY", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary-7c1")
    shown = browser(server)
    await shown.warm_up()
    seen, commands = {}, browsers.processes(place)
    for pid in commands:
        with suppress(FileNotFoundError, ProcessLookupError):  # a helper that has done its work
            seen[pid] = Path(f"/proc/{pid}/environ").read_text()
    await shown.close()
    assert len(seen) >= 5
    told = [text for text in seen.values() if "canary" in text or "SCOUT_" in text]
    assert told == []
    assert not [command for command in commands.values() if "canary" in command]
    assert not [text for text in seen.values() if f"HOME={Path.home()}" in text]


async def test_certificates_are_verified(place, server):
    """A page whose certificate nobody vouches for is not read in the browser either."""
    async with browsers.self_signed("other.test") as port:
        allowed = {f"127.0.0.1:{server.port}", f"127.0.0.1:{port}"}
        guard = Guard(allowed, dict.fromkeys(HOSTS_OF_TEST, "127.0.0.1"))
        url = server.serve(
            "/to", page_of(f"<script>location = 'https://other.test:{port}/'</script>")
        )
        async with fetching(server, guard=guard) as fetcher:
            page = await fetcher.fetch(FetchRequest(url=url))
    assert page.outcome == "unreachable"
    assert "certificate" in page.detail
