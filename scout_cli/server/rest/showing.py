"""Rows as the web interface draws them: results with pictures of our own, briefs that are safe.

The interface puts briefs into the page as HTML, asks a third party for the icons of sites that
have none, and ends with an error on a result whose address is not absolute.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import quote
from zlib import crc32

from msgspec import Raw

from scout_cli.core import shape
from scout_cli.core.urls import host_of, is_web
from scout_cli.store.query.plan import Selection

Sign = Callable[[str], str]
"""Returns the address of a picture by its name."""

_LINK = re.compile(r"\[([^\]\n]*)\]\(([^)\s]*)\)")
_AMPERSAND = re.compile(r"&(?!(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});)")
_TAGS = str.maketrans({"<": "&lt;", ">": "&gt;", '"': "&quot;"})
_ENCODED = str.maketrans(
    {"_": "%5F", "*": "%2A", "`": "%60", '"': "%22", "<": "%3C", ">": "%3E", "'": "%27"}
)
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_LONGEST_TITLE = 46
_SHORT = 8_192
"""Bytes of a document that is remembered as it was drawn."""


def shown(rows: list[dict[str, Any]], chosen: Selection, sign: Sign) -> list[dict[str, Any]]:
    """Make rows that were read what the interface draws, and return them.

    Args:
        rows: as they are stored, JSON columns as text.
        chosen: what was selected, which names the table and the linked ones.
        sign: returns the address of a picture.
    """
    drawn = chosen.table.name in ("scout_executions", "scout_execution_steps")
    for name, column in chosen.columns:
        if drawn and column in _CHANGED:
            for row in rows:
                if row[name] is not None:
                    row[name] = _drawn(column, bytes(row[name]), sign)
    for embed in chosen.embeds:
        inside = [row[embed.name] for row in rows if row[embed.name]]
        several = chain.from_iterable(inside) if embed.link.many else inside
        shown(list(several), embed.selection, sign)
    return rows


def brief(markdown: str) -> str:
    """Return a brief that the interface's renderer draws as it is meant, and that runs nothing.

    What is escaped stays escaped; each line keeps its first web link, others become their text.
    """
    return "\n".join(_line(line) for line in markdown.split("\n"))


@lru_cache(maxsize=2_048)
def icon(url: str) -> str:
    """Return a tile with the first letter of a site, as a `data:` URI."""
    host = host_of(url)
    letter = (host[:1] or "?").upper().translate(_XML)
    return _svg(
        "0 0 32 32",
        f'<rect width="32" height="32" rx="7" fill="{_colour(host)}"/><text x="16" y="22"'
        ' font-family="sans-serif" font-size="18" fill="#fff" text-anchor="middle">'
        f"{letter}</text>",
    )


def card(title: str, url: str) -> str:
    """Return a card with title and site of a page that has no picture, as a `data:` URI."""
    host = host_of(url)
    short = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
    return _svg(
        "0 0 640 360",
        f'<rect width="640" height="360" fill="#fafafa"/><rect width="640" height="8"'
        f' fill="{_colour(host)}"/><g font-family="sans-serif" text-anchor="middle">'
        f'<text x="320" y="175" font-size="24" fill="#222">{short.translate(_XML)}</text>'
        f'<text x="320" y="215" font-size="18" fill="#777">{host.translate(_XML)}</text></g>',
    )


def _drawn(column: str, document: bytes, sign: Sign) -> Raw:
    # The address of a picture holds for an hour or two.
    if b'"screenshot"' in document or len(document) > _SHORT:
        return _changed(column, document, sign)
    return _remembered(column, document, str)


def _changed(column: str, document: bytes, sign: Sign) -> Raw:
    value: Any = shape.decode(document, Any)
    changed = _CHANGED[column](value, sign) if isinstance(value, dict) else value
    return Raw(document if changed is value else shape.encode(changed))


# Every event of a run lets the page read all steps of the run again.
_remembered = lru_cache(maxsize=512)(_changed)


def _input(value: dict[str, Any], _: Sign) -> dict[str, Any]:
    return {"query": value["feed"], **value} if "feed" in value and "query" not in value else value


def _output(output: dict[str, Any], sign: Sign) -> dict[str, Any]:
    if isinstance(results := output.get("searchResults"), list):
        return {**output, "searchResults": [_result(each) for each in results if _usable(each)]}
    if "response" in output:
        return _with_brief(output, sign)
    url = output.get("url")
    if isinstance(url, str) and is_web(url):
        made = {**output, "favicon": icon(url)}
        if name := output.get("screenshot"):
            return {**made, "screenshot": sign(str(name))}
        return {**made, "screenshot": card(str(output.get("title") or ""), url)}
    return output


def _usable(result: Any) -> bool:
    return isinstance(result, dict) and isinstance(result.get("url"), str) and is_web(result["url"])


def _result(result: dict[str, Any]) -> dict[str, Any]:
    url = result["url"].strip()
    title = result.get("title") or host_of(url)
    return {**result, "url": url, "title": title, "favicon": icon(url)}


def _with_brief(value: dict[str, Any], _: Sign) -> dict[str, Any]:
    response = value.get("response")
    return {**value, "response": brief(response)} if isinstance(response, str) else value


def _line(line: str) -> str:
    parts, at, linked = [], 0, False
    for found in _LINK.finditer(line):
        parts.append(_text(line[at : found.start()]))
        text, url, at = _text(found[1]), found[2], found.end()
        if linked or not is_web(url.replace("&amp;", "&")):
            parts.append(text)
        else:
            linked = True
            parts.append(f"[{text}]({_AMPERSAND.sub('&amp;', url.translate(_ENCODED))})")
    return "".join((*parts, _text(line[at:])))


def _text(text: str) -> str:
    return _AMPERSAND.sub("&amp;", text).translate(_TAGS)


def _colour(host: str) -> str:
    return f"hsl({crc32(host.encode()) % 360},45%,42%)"


def _svg(box: str, inside: str) -> str:
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{inside}</svg>'
    return "data:image/svg+xml," + quote(text, safe=" =:/,.()'-")


_CHANGED: dict[str, Callable[[dict[str, Any], Sign], dict[str, Any]]] = {
    "results_summary": _with_brief,
    "output_data": _output,
    "input_data": _input,
}
"""Columns whose objects are not drawn as they are stored."""
