"""The documentation as a site: it builds without a warning, and every page is in its menu."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.composing import ROOT

DOCS = ROOT / "docs"


def menu(entries: Any) -> Iterator[str]:
    """Yield the pages of a menu, however deep."""
    for entry in entries:
        for page in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [page] if isinstance(page, str) else menu(page)


class Links(HTMLParser):
    """Gathers where a page leads."""

    def __init__(self, *, without: str = "") -> None:
        super().__init__()
        self.without = without
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of a link or picture."""
        if tag != self.without:
            self.found += [value for name, value in attrs if name in ("href", "src") and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as a release does; a warning is a failure."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_every_page_is_in_the_menu():
    """No page is left out, and none is named that is not there."""
    listed = list(menu(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    there = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(there)


def test_every_page_and_picture_is_in_the_site(site):
    """Each page became one, and what pages show lies beside them."""
    pages = {page.relative_to(DOCS).with_suffix("") for page in DOCS.rglob("*.md")}
    made = {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")}
    wanted = {Path("index") if page == Path("README") else page for page in pages}
    assert wanted <= made
    assert (site / "images" / "demo.svg").is_file()
    assert not list(site.rglob("*.py")) or (site / "examples").is_dir()
    assert not list(site.glob("*.py"))


def test_no_link_inside_the_site_is_dead(site):
    """Whatever a page links to within the site is a file of it."""
    dead = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        links = Links()
        links.feed(page.read_text("utf-8"))
        for link in links.found:
            target = link.partition("#")[0].partition("?")[0]
            if target and ":" not in target and not (page.parent / target).resolve().exists():
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_the_site_loads_nothing_from_elsewhere(site):
    """Scripts, styles and pictures come with the site; only links lead out."""
    for page in site.rglob("*.html"):
        links = Links(without="a")
        links.feed(page.read_text("utf-8"))
        assert [link for link in links.found if link.startswith(("http", "//"))] == [], page.name
