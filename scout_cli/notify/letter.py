"""A notice as an HTML page for e-mail: small, no images, nothing loaded from anywhere.

Colours come from the reader's own scheme, so that it is legible in the dark as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from scout_cli.core.news import Link, NewsItem, Notice
from scout_cli.notify.outline import REPEAT, Group, Part, groups

_PAGE = """\
<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 38em; margin: 1.5em auto; padding: 0 1em }}
h1 {{ font-size: 1.25em }}
h2 {{ font-size: 1.1em; margin: 1.5em 0 .25em }}
li {{ margin: 0 0 .6em }}
.by, .aside {{ font-size: .85em; opacity: .75 }}
.by {{ display: block }}
</style>
</head>
<body>
<h1>{title}</h1>
{content}
<p class="aside">Sent by scout.</p>
</body>
</html>
"""


def letter(notice: Notice) -> str:
    """Return `notice` as a page of HTML.

    Args:
        notice: one that `safe` made.
    """
    told = groups(notice)
    headed = len(told) > 1 or any(group.title != notice.subject for group in told)
    content = "\n".join(row for group in told for row in _group(group, headed=headed))
    return _PAGE.format(title=escape(notice.subject), content=content)


def anchor(link: Link, text: str) -> str:
    """Return a link as HTML that Telegram understands as well."""
    return f'<a href="{escape(link.url)}">{escape(text)}</a>'


def _group(group: Group, *, headed: bool) -> Iterator[str]:
    if headed and group.title:
        yield f"<h2>{escape(group.title)}</h2>"
    for part in group.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    head = [escape(text) for text in (part.day, part.summary) if text]
    if head:
        yield f"<p>{': '.join(head)}</p>"
    if part.items:
        yield "<ul>"
        yield from map(_item, part.items)
        yield "</ul>"
    if part.remarks:
        yield f'<p class="aside">{escape(" ".join(part.remarks))}</p>'


def _item(item: NewsItem) -> str:
    label = f"<em>{REPEAT.strip()}</em> " if item.possible_repeat else ""
    proofs = ", ".join(f"{anchor(link, link.host)} [S{link.number}]" for link in item.links)
    by = f'\n<span class="by">{proofs}</span>' if proofs else ""
    return f"<li>{label}{escape(item.text)}{by}</li>"
