"""Rows as the web interface draws them: results with pictures of our own, briefs that are safe.

The interface puts briefs into the page as HTML, asks a third party for the icons of sites that
have none, and ends with an error on a result whose address is not absolute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from zlib import crc32

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


def shown(rows: Sequence[dict[str, Any]], chosen: Selection, sign: Sign) -> list[dict[str, Any]]:
    """Return rows that were read, as the interface draws them.

    Args:
        rows: as they are stored.
        chosen: what was selected, which names the table and the linked ones.
        sign: returns the address of a picture.
    """
    changed = [_row(row, chosen, sign) for row in rows]
    for embed in chosen.embeds:
        for row in changed:
            inside = row[embed.name]
            if isinstance(inside, list):
                row[embed.name] = shown(inside, embed.selection, sign)
            elif inside is not None:
                (row[embed.name],) = shown([inside], embed.selection, sign)
    return changed


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


def _row(row: Mapping[str, Any], chosen: Selection, sign: Sign) -> dict[str, Any]:
    made = dict(row)
    table = chosen.table.name
    if table not in ("scout_executions", "scout_execution_steps"):
        return made
    for name, column in chosen.columns:
        value = made[name]
        if not isinstance(value, dict):
            continue
        if column == "results_summary":
            made[name] = _with_brief(value)
        elif column == "output_data":
            made[name] = _output(value, sign)
        elif column == "input_data" and "query" not in value and "feed" in value:
            made[name] = {"query": value["feed"], **value}
    return made


def _output(output: dict[str, Any], sign: Sign) -> dict[str, Any]:
    if isinstance(results := output.get("searchResults"), list):
        return {**output, "searchResults": [_result(each) for each in results if _usable(each)]}
    if "response" in output:
        return _with_brief(output)
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


def _with_brief(value: dict[str, Any]) -> dict[str, Any]:
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
