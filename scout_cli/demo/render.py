"""Turns the pages of the demo web into what a site would send: frame, dates, feed, listing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from scout_cli.core.shape import encode
from scout_cli.demo.pages import Leaf, Site

_DEMO_LINK = re.compile(r"(http://[a-z-]+\.example)/")


def page(site: Site, leaf: Leaf, origin: str) -> str:
    """Return the whole document of one page.

    Args:
        site: whose frame to put around it.
        leaf: the page.
        origin: scheme, host and port of the site, without a closing slash.
    """
    front = leaf.front
    stamp = _time(front.published) if site.dates == "time" and front.published else ""
    main = f"<article><h1>{escape(front.title)}</h1><p>{escape(front.author)} {stamp}</p>"
    return _framed(
        site,
        title=front.title,
        address=f"{origin}{leaf.path}",
        head=_dates(site, leaf),
        main=f"{main}\n{_with_port(leaf.body, origin)}\n</article>",
    )


def listing(site: Site, leaves: Sequence[Leaf], origin: str) -> str:
    """Return the front page of a site, a list of links."""
    rows = "\n".join(
        f'<li><a href="{leaf.path}">{escape(leaf.front.title)}</a></li>' for leaf in leaves
    )
    feed = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    return _framed(
        site,
        title=site.tagline,
        address=f"{origin}/",
        head=feed if site.feed else "",
        main=f"<h1>{escape(site.name)}</h1>\n<ul>\n{rows}\n</ul>",
    )


def feed(site: Site, leaves: Sequence[Leaf], origin: str) -> str:
    """Return the RSS 2.0 feed of a site. Source: rssboard.org/rss-specification."""
    items = "\n".join(_item(leaf, origin) for leaf in leaves if leaf.front.published)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>\n'
        f"<title>{escape(site.name)}</title><link>{origin}/</link>"
        f"<description>{escape(site.tagline)}</description>\n{items}\n</channel></rss>\n"
    )


def wall(site: Site) -> str:
    """Return the cookie wall that stands in for a page."""
    return _template("wall.html").substitute(site=escape(site.name))


def index(sites: dict[str, Site], port: int) -> str:
    """Return the first page of the demo web: a search form and all sites."""
    rows = "\n".join(
        f'<li><a href="http://{host}:{port}/">{escape(site.name)}</a>, {escape(site.tagline)}</li>'
        for host, site in sites.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>The demo web</title>'
        '</head><body><h1>The demo web</h1><form action="/search"><input name="q">'
        '<input type="hidden" name="format" value="json"><button>Search</button></form>\n'
        f"<ul>\n{rows}\n</ul></body></html>\n"
    )


def _framed(site: Site, *, title: str, address: str, head: str, main: str) -> str:
    return _template("frame.html").substitute(
        language=site.language,
        title=escape(title),
        site=escape(site.name),
        tagline=escape(site.tagline),
        address=escape(address),
        head=head,
        main=main,
    )


def _dates(site: Site, leaf: Leaf) -> str:
    moment = leaf.front.published
    if moment is None or site.dates == "time":
        return ""
    if site.dates == "meta":
        return f'<meta property="article:published_time" content="{moment.isoformat()}">'
    facts = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": leaf.front.title,
        "datePublished": moment.isoformat(),
        "author": {"@type": "Person", "name": leaf.front.author},
    }
    document = encode(facts).decode().replace("</", "<\\/")
    return f'<script type="application/ld+json">{document}</script>'


def _time(moment: datetime) -> str:
    shown = f"{moment.day} {moment:%B %Y}"
    return f'<time datetime="{moment.isoformat()}">{shown}</time>'


def _item(leaf: Leaf, origin: str) -> str:
    address = f"{origin}{leaf.path}"
    moment = format_datetime(leaf.front.published) if leaf.front.published else ""
    return (
        f"<item><title>{escape(leaf.front.title)}</title><link>{address}</link>"
        f"<guid>{address}</guid><pubDate>{moment}</pubDate>"
        f"<description>{escape(leaf.text[:160])}</description></item>"
    )


def _with_port(body: str, origin: str) -> str:
    port = origin.rpartition(":")[2]
    return _DEMO_LINK.sub(rf"\1:{port}/", body)


@cache
def _template(name: str) -> Template:
    return Template((files(__package__) / name).read_text("utf-8"))
