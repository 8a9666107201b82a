"""How pages are shown in a browser: what can be set, and what a page may take."""

from __future__ import annotations

from collections.abc import Callable

from scout_cli.core.models import Record

KeepPicture = Callable[[bytes], str]
"""Takes a JPEG and returns the name it is kept under."""

HINT = "Install Chromium (apt install chromium, brew install chromium), then: scout doctor"
"""How to get a browser."""


class Bounds(Record, frozen=True, kw_only=True):
    """What a page in the browser may take, and how long a browser is used."""

    page: float = 45.0
    """Seconds for one page; then all processes of the browser are killed."""
    start: float = 90.0
    """Seconds until the browser can be used; three of them are spent importing Crawl4AI."""
    pages: int = 50
    """After so many the browser is replaced: what it leaks goes with it."""
    memory: int = 300 * 1024 * 1024
    """Bytes that a page may make the browser grow, all its processes together (Linux)."""
    idle: float = 60.0
    """Seconds after which a browser that nobody needs is closed."""


class Show(Record, frozen=True, kw_only=True):
    """How pages are shown."""

    path: str = ""
    """Of the browser; empty looks for one."""
    at_once: int = 1
    keep_picture: KeepPicture | None = None
    """None takes no pictures."""
    bounds: Bounds = Bounds()
