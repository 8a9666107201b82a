"""What parent and reading child say to each other: length-prefixed JSON over two pipes."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import BinaryIO, Literal, TypeAlias, TypeVar

import msgspec

from scout_cli.core.models import DateOrigin, Record
from scout_cli.core.ports import Hit

MAX_FRAME = 64 * 1024 * 1024
"""Longest message, bytes."""

_LENGTH = struct.Struct(">I")
T = TypeVar("T")

Verdict = Literal[
    "page", "captcha", "blocked", "consent", "scripts", "empty", "binary", "unreadable"
]
"""What a document turned out to be; `scripts` is a page that shows nothing until its scripts run,
`binary` is no text at all, whatever its media type says."""


class ReadPage(Record, frozen=True, kw_only=True, tag="page"):
    """Turn a document into text."""

    body: bytes
    media_type: str
    content_type: str
    """The whole header, for its charset."""
    url: str
    status: int = 200
    language: str = ""
    """The header Content-Language."""
    last_modified: str = ""
    """The header Last-Modified: the last resort for a publish date."""
    scripts_ran: bool = False
    """It comes from a browser: what it does not say now, it never will."""


class ReadFeed(Record, frozen=True, kw_only=True, tag="feed"):
    """List the entries of a feed."""

    body: bytes
    content_type: str
    url: str


Task: TypeAlias = ReadPage | ReadFeed


class Order(Record, frozen=True, kw_only=True):
    """A task and the seconds it may take."""

    task: Task
    seconds: float


class Reading(Record, frozen=True, kw_only=True):
    """What a document says."""

    verdict: Verdict
    detail: str = ""
    title: str = ""
    text: str = ""
    language: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"


class Entries(Record, frozen=True, kw_only=True):
    """What a feed lists, newest first."""

    is_feed: bool
    hits: tuple[Hit, ...] = ()
    detail: str = ""


class Ready(Record, frozen=True, kw_only=True):
    """The child has imported what it needs."""

    version: str
    """Of Crawl4AI."""


Ending = Literal["page", "timeout", "failed", "download", "too_large", "crashed"]
"""How a page in the browser ended; `crashed` costs the browser, the others the page alone."""


class Begin(Record, frozen=True, kw_only=True):
    """How the browser is to be started: the first thing that its child is told."""

    program: str
    """A launcher, which becomes the browser."""
    arguments: tuple[str, ...]
    sandbox: bool
    agent: str
    """How scout introduces itself, beside the browser's own words."""


class Render(Record, frozen=True, kw_only=True):
    """Open a page in the browser and let its scripts run."""

    url: str
    language: str = ""
    """BCP 47 tag, empty for any."""
    picture: bool = False
    """Whether to take one."""


class Rendered(Record, frozen=True, kw_only=True):
    """What became of a page in the browser."""

    ending: Ending
    html: bytes = b""
    """The document as its scripts left it, UTF-8."""
    url: str = ""
    """Where the page ended up; of a page that failed, where it wanted to."""
    status: int = 0
    detail: str = ""
    picture: bytes = b""
    """JPEG."""


def pack(message: Record) -> bytes:
    """Return one frame."""
    payload = msgspec.json.encode(message)
    return _LENGTH.pack(len(payload)) + payload


def length(prefix: bytes) -> int:
    """Return the length that a frame's first four bytes name.

    Raises:
        ValueError: longer than `MAX_FRAME`.
    """
    (size,) = _LENGTH.unpack(prefix)
    if size > MAX_FRAME:
        raise ValueError("a frame that long was not written by us")
    return int(size)


def receive(stream: BinaryIO, of: type[T]) -> T | None:
    """Read one frame from a blocking stream; None at its end."""
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    return msgspec.json.decode(stream.read(length(prefix)), type=of)
