"""One document of the web becomes a Reading. Runs in the child: everything here is hostile."""

from __future__ import annotations

import io
from time import monotonic

import pypdf
from pypdf.errors import PdfReadError, PyPdfError

from scout_cli.fetch import dates, decode, markup, tidy, verdicts
from scout_cli.fetch.markdown import Markdown
from scout_cli.fetch.wire import Reading, ReadPage

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_SEEN = 20_000
"""Characters of the visible text in which a wall is looked for."""


async def read(page: ReadPage, markdown: Markdown, *, seconds: float) -> Reading:
    """Return what `page` says; `seconds` bounds how long a PDF is read."""
    if decode.is_pdf(page.body):
        return _pdf(page, seconds)
    if decode.is_binary(page.body, page.content_type):
        return Reading(verdict="binary", detail="the server calls it text, but it is not")
    text = decode.text_of(page.body, page.content_type)
    if page.media_type in _HTML or (not page.media_type and "<html" in text[:2048].lower()):
        return await _html(page, text, markdown)
    return _plain(page, text)


async def _html(page: ReadPage, source: str, markdown: Markdown) -> Reading:
    tree = markup.parse(source)
    if tree is None:
        return Reading(verdict="empty", detail="the page is empty")
    title = markup.title(tree)
    language = markup.language(tree.get("lang"), tree.get("xml:lang"), page.language)
    moment, origin = dates.published(tree, url=page.url, last_modified=page.last_modified)
    scripts = markup.has_scripts(tree)
    noscript = "" if page.scripts_ran else markup.said_in_noscript(tree)
    markup.without_code(tree)
    seen = tidy.one_line(f"{tree.text_content()} {noscript}", _SEEN)
    whole, kept = await markdown.convert(markup.source(markup.without_chrome(tree)))
    text = tidy.prose(whole, kept)
    verdict = verdicts.judge(
        title=title,
        seen=seen,
        text=text,
        html=source,
        url=page.url,
        scripts=scripts,
        scripts_ran=page.scripts_ran,
        status=page.status,
    )
    return Reading(
        verdict=verdict,
        title=title,
        text=text,
        language=language,
        published_at=moment,
        published_from=origin,
    )


def _plain(page: ReadPage, source: str) -> Reading:
    text = tidy.plain(source)
    first = text.partition("\n")[0].lstrip("# ") if page.media_type == "text/markdown" else ""
    moment = dates.parse(page.last_modified)
    return Reading(
        verdict="page" if text else "empty",
        title=tidy.one_line(first),
        text=text,
        language=markup.language(page.language),
        published_at=moment,
        published_from="header" if moment else "none",
    )


def _pdf(page: ReadPage, seconds: float) -> Reading:
    try:
        return _pdf_text(page, monotonic() + seconds / 2)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        # pypdf raises whatever a damaged file makes its dictionaries raise.
        return Reading(verdict="unreadable", detail=f"the PDF is damaged ({type(error).__name__})")


def _pdf_text(page: ReadPage, until: float) -> Reading:
    reader = pypdf.PdfReader(io.BytesIO(page.body), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise PdfReadError("encrypted")
    total, texts = len(reader.pages), []
    for number in range(total):
        if monotonic() > until:
            break
        texts.append(reader.pages[number].extract_text())
    text = tidy.plain("\n\n".join(texts))
    facts = reader.metadata
    moment = facts.creation_date if facts else None
    modified = dates.parse(moment.isoformat()) if moment else dates.parse(page.last_modified)
    cut = f"the first {len(texts)} of {total} pages were read" if len(texts) < total else ""
    return Reading(
        verdict="page" if text else "empty",
        detail=cut if text else "the PDF has no text, only pictures",
        title=tidy.one_line(str(facts.title or "")) if facts else "",
        text=text,
        published_at=modified,
        published_from=("meta" if moment else "header") if modified else "none",
    )
