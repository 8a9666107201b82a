"""HTML before it becomes Markdown: what it is called, in which language, and what to throw away.

Crawl4AI can leave out tags itself, but it removes the text behind them too; here `drop_tree`
keeps that text.
"""

from __future__ import annotations

import re

from lxml import html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from scout_cli.fetch.tidy import one_line

_SILENT = "style template iframe svg canvas object embed video audio map img picture source".split()
_CONTROLS = "button select option input textarea label dialog progress meter".split()
_CHROME = "nav footer aside menu".split()
_CHROME_ROLES = frozenset(
    "navigation banner contentinfo complementary search dialog alertdialog menu menubar tablist "
    "toolbar".split()
)
_CHROME_WORDS = frozenset(
    "cookie cookies cookiebar cookiebanner cookieconsent consent gdpr ccpa onetrust didomi "
    "usercentrics cookiebot sharing sharebar share social socials newsletter breadcrumb "
    "breadcrumbs advert advertisement advertising ads ad adslot sponsored promo promobox popup "
    "modal skip skiplink paywall related recommended recommendations outbrain taboola comments "
    "sidebar toolbar pagination".split()
)
_NEVER = frozenset("html body main article head title h1 h2 h3 p table tbody tr td th".split())
_LARGE = 0.4
"""An element with more than this share of the page's text is content, whatever it is called."""
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){,4}", re.IGNORECASE | re.ASCII)


def parse(text: str) -> HtmlElement | None:
    """Return the tree of an HTML page, or None when there is nothing in it."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return html.document_fromstring(
            text.replace("\0", "").encode(errors="replace"), parser=parser
        )
    except (ParserError, AssertionError):
        return None


def title(tree: HtmlElement) -> str:
    """Return the page's title on one line: Open Graph's, else the only h1, else `<title>`."""
    shared = tree.xpath('string(//meta[@property="og:title"]/@content)')
    heads = tree.findall(".//h1")
    alone = heads[0].text_content() if len(heads) == 1 else ""
    named = tree.findtext(".//title") or ""
    return next((line for line in map(one_line, (shared, alone, named)) if line), "")


def language(*said: str | None) -> str:
    """Return the first BCP 47 tag among what the page and its headers say, or ''."""
    for one in said:
        tag = (one or "").split(",")[0].strip().replace("_", "-")
        if _LANGUAGE.fullmatch(tag):
            return tag
    return ""


def has_scripts(tree: HtmlElement) -> bool:
    """Return whether the page brings scripts that could add text to it."""
    data = {"application/ld+json", "application/json"}
    return any(script.get("type") not in data for script in tree.iter("script"))


def without_code(tree: HtmlElement) -> HtmlElement:
    """Remove what is never read: scripts, styles, images, hidden elements. Changes `tree`."""
    drop(tree, ["script", "noscript", "link", "meta", "base", *_SILENT])
    hidden = [
        element
        for element in tree.iter(html.etree.Element)
        if element.tag not in {"html", "body"} and _is_hidden(element)
    ]
    for element in hidden:
        _drop(element)
    return tree


def without_chrome(tree: HtmlElement) -> HtmlElement:
    """Remove navigation, bars, forms and the like. Changes `tree`."""
    whole = max(1, len(tree.text_content()))
    drop(tree, _CONTROLS)
    for element in list(tree.iter(html.etree.Element)):
        if _is_chrome(element) and len(element.text_content()) <= _LARGE * whole:
            _drop(element)
    return tree


def said_in_noscript(tree: HtmlElement) -> str:
    """Return what the page says to visitors without scripts."""
    return " ".join(element.text_content() for element in tree.iter("noscript"))


def drop(tree: HtmlElement, tags: list[str]) -> None:
    """Remove every element with one of `tags`, keeping the text behind it."""
    for element in list(tree.iter(*tags)):
        _drop(element)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        # An element may separate two words that must not grow together.
        element.tail = f" {element.tail or ''}"
        element.drop_tree()


def _is_hidden(element: HtmlElement) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or _HIDDEN.search(element.get("style") or "") is not None
    )


def _is_chrome(element: HtmlElement) -> bool:
    if element.tag in _NEVER:
        return False
    if element.tag in _CHROME or element.get("role") in _CHROME_ROLES:
        return True
    if element.tag == "header":
        return not any(up.tag in {"article", "main", "section"} for up in element.iterancestors())
    if element.tag == "form":
        return element.find(".//p") is None and element.find(".//article") is None
    named = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
    words = set(re.split(r"[\s_-]+", named))
    return element.get("aria-modal") == "true" or not _CHROME_WORDS.isdisjoint(words)


def source(tree: HtmlElement) -> str:
    """Return `tree` as HTML text."""
    return str(html.tostring(tree, encoding="unicode"))
