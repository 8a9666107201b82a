"""A web server of a few lines for pages that misbehave: every byte it sends is chosen by a test.

It speaks HTTP/1.1 by hand, one request per connection, on 127.0.0.1; host names come from a
Guard's `hosts`.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from scout_cli.net.guard import Guard

HOSTS = ("news.test", "other.test", "wall.test")
Handler = Callable[["Visit", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Visit:
    """One request as it came in."""

    path: str
    headers: dict[str, str]


class PageServer:
    """Serves what a test puts on it; use as `async with`."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []
        self._visited = asyncio.Condition()
        self._handlers: dict[str, Handler] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self.port = 0

    def url(self, path: str = "/", host: str = "news.test") -> str:
        """Return the address of `path` under one of the test hosts."""
        return f"http://{host}:{self.port}{path}"

    def guard(self) -> Guard:
        """Return a guard that knows the test hosts and opens this server only."""
        return Guard({f"127.0.0.1:{self.port}"}, dict.fromkeys(HOSTS, "127.0.0.1"))

    def handle(self, path: str, handler: Handler) -> str:
        """Let `handler` answer requests for `path`; return the URL."""
        self._handlers[path] = handler
        return self.url(path)

    def serve(
        self,
        path: str,
        body: str | bytes = b"",
        *,
        kind: str = "text/html; charset=utf-8",
        status: str = "200 OK",
        headers: dict[str, str] | None = None,
    ) -> str:
        """Answer requests for `path` with `body`; return the URL."""
        content = body.encode() if isinstance(body, str) else body
        said = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}

        async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
            writer.write(head(status, said) + content)

        return self.handle(path, answer)

    async def visited(self, times: int) -> None:
        """Wait until this many requests have come in."""
        async with self._visited:
            await self._visited.wait_for(lambda: len(self.visits) >= times)

    def redirect(self, path: str, location: str, status: str = "302 Found") -> str:
        """Send whoever asks for `path` to `location`; return the URL."""
        return self.serve(path, status=status, headers={"Location": location})

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a client that hangs up, or the end of the test
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        pairs = (line.partition(":") for line in lines[1:] if line)
        visit = Visit(path, {name.lower(): value.strip() for name, _, value in pairs})
        async with self._visited:
            self.visits.append(visit)
            self._visited.notify_all()
        handler = self._handlers.get(path.partition("?")[0])
        if handler is None:
            writer.write(head("404 Not Found", {"Content-Length": "0"}))
        else:
            await handler(visit, writer)
        await writer.drain()


def head(status: str, headers: dict[str, str]) -> bytes:
    """Return the head of an answer that closes the connection."""
    lines = [f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in headers.items()), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def endless(piece: bytes, *, count: int, kind: str = "text/html", encoding: str = "") -> Handler:
    """Return a handler that streams `piece` `count` times, without a Content-Length."""

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        said = {"Content-Type": kind, **({"Content-Encoding": encoding} if encoding else {})}
        writer.write(head("200 OK", said))
        for _ in range(count):
            writer.write(piece)
            await writer.drain()

    return answer


def dripping(first: bytes, *, every: float) -> Handler:
    """Return a handler that sends `first` and then one byte each `every` seconds, for ever."""

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            await writer.drain()
            await asyncio.sleep(every)
            writer.write(b"x")

    return answer


async def silent(visit: Visit, writer: asyncio.StreamWriter) -> None:
    """Answer nothing, until the server is closed."""
    await asyncio.Event().wait()


def bomb(megabytes: int) -> bytes:
    """Return a gzip body of a few kilobytes that inflates to `megabytes`."""
    once = gzip.compress(b"0" * (1024 * 1024), mtime=0)
    return once * min(megabytes, 60)


def article(title: str, *paragraphs: str, head_part: str = "", language: str = "en") -> str:
    """Return a news page with the chrome that such pages have."""
    body = "".join(f"<p>{one}</p>" for one in paragraphs)
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8">
<title>{title} | The Test Times</title>{head_part}<style>p {{ margin: 0 }}</style></head>
<body><header class="site"><a href="/">The Test Times</a></header>
<nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<div class="cookie-banner">We use cookies. <button>Accept all</button></div>
<main><article><h1>{title}</h1><div class="share">Share this on
all networks</div>{body}</article></main>
<aside><h2>Most read</h2><p>A list of ten other stories</p></aside>
<footer>Imprint and privacy</footer><script>track()</script></body></html>"""


def pdf(*lines: str) -> bytes:
    """Return a one-page PDF file that shows `lines` in Helvetica."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    stream = f"BT /F1 14 Tf 72 720 Td {shown} ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (Minutes of the meeting) /CreationDate (D:20261120083000Z) >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, size = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        start,
    )
    return bytes(out)


THIN = """<!doctype html><html><head><title>Shop</title><script src="/app.js"></script></head>
<body><div id="root"></div><noscript>You need to enable JavaScript to run this app.</noscript>
</body></html>"""
CAPTCHA = """<!doctype html><html><head><title>Human Verification</title></head><body>
<h1>Verify you are human</h1><p>Please complete the captcha to go on.</p>
<div class="g-recaptcha"></div><script src="/captcha.js"></script></body></html>"""
BLOCKED = """<!doctype html><html><head><title>Access denied</title></head><body>
<h1>Access denied</h1><p>You don't have permission to access this page. Ray ID 1234.</p>
</body></html>"""
CONSENT = """<!doctype html><html><head><title>Before you continue</title></head><body>
<h1>Before you continue</h1><p>We use cookies and our partners process your data.</p>
<button>Accept all cookies</button><button>Manage options</button></body></html>"""


def rss(*items: tuple[str, str, str]) -> str:
    """Return an RSS feed of (link, title, date as in mail headers)."""
    entries = "".join(
        f"<item><link>{link}</link><title>{title}</title><pubDate>{date}</pubDate>"
        f"<description>&lt;p&gt;About {title}&lt;/p&gt;</description></item>"
        for link, title, date in items
    )
    return f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>
<title>The Test Times</title><link>http://news.test/</link>{entries}</channel></rss>"""


def atom(*entries: tuple[str, str, str]) -> str:
    """Return an Atom feed of (link, title, date in ISO 8601)."""
    listed = "".join(
        f'<entry><id>{link}</id><link href="{link}"/><title>{title}</title>'
        f"<published>{date}</published><summary>About {title}</summary></entry>"
        for link, title, date in entries
    )
    return f"""<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">
<title>The Test Times</title><id>x</id>{listed}</feed>"""
