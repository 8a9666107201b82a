"""A notice made safe to show: every adapter renders this one, none the raw one.

What is left is plain text on single lines, without control, invisible and direction characters,
and links that are absolute http(s) addresses. Escaping for a format is the adapter's.
"""

from __future__ import annotations

import re
import unicodedata

from msgspec.structs import replace

from scout_cli.core.news import Link, News, NewsItem, Notice
from scout_cli.core.report import clean
from scout_cli.core.urls import host_of, is_web

LONGEST_SUBJECT = 150
"""Characters; what is beyond becomes an ellipsis."""
_LONGEST_SUMMARY = 300
_LONGEST_TEXT = 2_000
_NEVER_IN_URL = re.compile(r"[\s\x00-\x20\x7f-\xa0\"<>`\\\u2028\u2029\ud800-\udfff]")


def safe(notice: Notice) -> Notice:
    """Return `notice` with every text cleaned and only the links that lead to the web."""
    return replace(
        notice,
        subject=header(notice.subject) or "News from scout",
        news=tuple(map(_news, notice.news)),
    )


def header(text: str) -> str:
    """Return `text` as one line that is safe in a mail header and short enough for any title.

    `=?` opens an encoded word (RFC 2047), in which old parsers find line breaks.
    """
    return cut(line(text, LONGEST_SUBJECT).replace("=?", "= ?"), LONGEST_SUBJECT)


def line(text: str, longest: int) -> str:
    """Return `text` on one line of at most `longest` characters, nothing invisible in it."""
    return cut(unicodedata.normalize("NFC", clean(text)), longest)


def cut(text: str, longest: int) -> str:
    """Return `text`, its end replaced by an ellipsis when it is longer than `longest`."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _news(news: News) -> News:
    return replace(
        news,
        title=line(news.title, LONGEST_SUBJECT),
        summary=line(news.summary, _LONGEST_SUMMARY),
        items=tuple(map(_item, news.items)),
    )


def _item(item: NewsItem) -> NewsItem:
    links = tuple(_link(link) for link in item.links if _leads_to_the_web(link.url))
    return replace(item, text=line(item.text, _LONGEST_TEXT), links=links)


def _link(link: Link) -> Link:
    """Return `link` with the host that its address really has, whatever it claims."""
    return replace(link, title=line(link.title, LONGEST_SUBJECT), host=host_of(link.url))


def _leads_to_the_web(url: str) -> bool:
    return is_web(url) and not _NEVER_IN_URL.search(url)
