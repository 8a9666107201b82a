"""Crawl4AI's Markdown: the same for a page whatever was converted before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, json, os, sys
from scout_cli.fetch.markdown import Markdown
pages = json.load(sys.stdin)
async def main():
    alone = []
    for page in pages:
        async with Markdown() as fresh:
            alone.append(await fresh.convert(page))
    async with Markdown() as shared:
        forth = [await shared.convert(page) for page in pages]
        back = [await shared.convert(page) for page in reversed(pages)]
        shared._config.markdown_generator.content_filter.filter_content = lambda html: 1 / 0
        _, kept = await shared.convert(pages[0])
    json.dump([alone, forth, back[::-1], kept], open(sys.argv[1], "w"))
asyncio.run(main())
"""
PAGES = [
    "<html><body><h1>Bridge</h1><p>The <a href='/x'>bridge</a> opens <b>in March</b>.</p></body>",
    f"<html><body><ul>{'<li>An item of the list</li>' * 20}</ul></body></html>",
    "<html><body><table><tr><th>Year</th><th>Sum</th></tr><tr><td>1</td><td>2</td></tr></table>",
    f"<html><body><article>{'<p>A long paragraph of the story.</p>' * 20}</article></body></html>",
    "<html><body><pre>code_with_underscores()</pre><blockquote>Said.</blockquote></body></html>",
]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory):
    """Return what a process of its own made of the pages: alone, there, back, and a failure."""
    folder = tmp_path_factory.mktemp("markdown")
    said = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "CRAWL4_AI_BASE_DIRECTORY": str(folder)}
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "answer")],
        cwd=folder,
        env=said,
        input=json.dumps(PAGES).encode(),
        check=True,
        capture_output=True,
    )
    return json.loads((folder / "answer").read_text())


def test_nothing_leaks_from_page_to_page(converted):
    """A converter used for many pages gives each the text that a fresh one gives."""
    alone, forth, back, _ = converted
    assert forth == alone
    assert back == alone


def test_markdown_has_no_links_and_no_emphasis(converted):
    """What remains is text: no link, no emphasis, no escaped underscore in code."""
    wholes = [whole for whole, _ in converted[0]]
    assert wholes[0].split("\n\n") == ["# Bridge", "The bridge opens in March.", ""] or (
        wholes[0].strip() == "# Bridge\n\nThe bridge opens in March."
    )
    assert wholes[1].count("An item of the list") == 20
    assert "Year" in wholes[2]
    assert "code_with_underscores()" in wholes[4]


def test_a_failing_filter_is_no_text(converted):
    """Crawl4AI returns its own errors as Markdown; they are never taken for the page's words."""
    assert converted[3] == ""
