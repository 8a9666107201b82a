"""Where a browser may be sent with a code: to pages that the settings name, nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


def allowed(wanted: str, site_url: str, origins: Iterable[str]) -> str:
    """Return where to send a browser.

    Args:
        wanted: what was asked for.
        site_url: where the web interface is; taken instead of what is not allowed.
        origins: `https://host[:port]` of further pages.
    """
    if any(c.isspace() or not c.isprintable() or c in "\\<>\"'" for c in wanted):
        return site_url
    ours = {origin_of(site_url), *map(origin_of, origins)} - {""}
    return wanted if origin_of(wanted) in ours else site_url


def origin_of(url: str) -> str:
    """Return scheme, host and port of a web page; nothing for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return ""
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}:{port or usual}"
