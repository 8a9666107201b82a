"""What search engines send is markup by strangers: this makes plain text and plain URLs of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from urllib.parse import parse_qs, unquote, urlsplit

from scout_cli.core import base64url
from scout_cli.core.ports import Hit
from scout_cli.core.urls import belongs_to, host_of, is_web

_TAG = re.compile(r"<[/!a-zA-Z][^<>]*>")
# Controls, direction marks, zero-width space and tag characters: invisible, but not harmless.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_LONGEST_TITLE, _LONGEST_SNIPPET = 300, 1_000
_LONGEST_URL = 2_000
_WRAPPERS = (
    ("duckduckgo.com", "/l/", "uddg"),
    ("google.com", "/url", "q"),
    ("google.com", "/url", "url"),
    ("bing.com", "/ck/a", "u"),
    ("yahoo.com", "", "RU"),
)


def text(markup: str, longest: int = _LONGEST_SNIPPET) -> str:
    """Return `markup` without tags, entities and invisible characters, in one line."""
    bare = html.unescape(_TAG.sub(" ", markup))
    line = " ".join(_HIDDEN.sub("", _TAG.sub(" ", bare)).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def title(markup: str) -> str:
    """Return a title as text."""
    return text(markup, _LONGEST_TITLE)


def link(href: str) -> str:
    """Return the http(s) URL behind `href`, or an empty string when there is none.

    Addresses that only lead through the engine's own counter are unwrapped.
    """
    url = html.unescape(href).strip().replace(" ", "%20")
    if url.startswith("//"):
        url = f"https:{url}"
    for _ in range(2):
        url = _unwrapped(url)
    plain = not re.search(r"[\s\x00-\x1f\x7f<>\"]", url)
    return url if is_web(url) and plain and len(url) <= _LONGEST_URL else ""


def distinct(hits: Iterable[Hit], limit: int) -> tuple[Hit, ...]:
    """Return the first `limit` hits that have a URL, each URL once."""
    seen: dict[str, Hit] = {}
    for hit in hits:
        if hit.url:
            seen.setdefault(hit.url, hit)
    return tuple(seen.values())[:limit]


def _unwrapped(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = host_of(url)
    for domain, path, key in _WRAPPERS:
        if not belongs_to(host, (domain,)) or not parts.path.startswith(path):
            continue
        if key == "RU" and (found := re.search(r"/RU=([^/]+)", parts.path)):
            return unquote(found[1])
        if values := parse_qs(parts.query).get(key):
            inner = _from_base64(values[0]) if key == "u" else values[0]
            if is_web(inner):
                return inner
    return url


def _from_base64(value: str) -> str:
    """Return the URL in Bing's `a1` + base64; empty when it is something else."""
    try:
        return base64url.decode(value[2:].rstrip("=")).decode()
    except ValueError:
        return ""
