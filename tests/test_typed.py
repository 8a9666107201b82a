"""Whoever types what the pages show, line by line, is served: each command ends as it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.stage import Said, add, call
from tests.test_docs import PAGES, fences, name_of, pipeline, typed

_LINE = re.compile(r"^\s*\$ (.*)$", re.MULTILINE)
_ELSEWHERE = {"demo", "serve", "worker", "eval", "calibrate", "--spec", "doctor"}
"""Tried by other tests: they last, never end, or look at this machine."""
_ENDS = {"show nobody --json": 3, "notify test Saltmere ferry": 2}
"""What does not end with 0: as its page says, and for lack of a mail server."""
_ASKED = {
    "user": "seven-green-otters\n",
    "chat": "Concerts in Bonn\nevery week\n",
    "import": "https://www.google.com/alerts/feeds/1/2 Ferry\n",
}
"""What a command reads from its standard input."""
_FILES = {
    "subscriptions.opml": '<opml version="2.0"><body>'
    '<outline type="rss" text="Port news" xmlUrl="https://port.example/feed.xml"/></body></opml>',
}
_TYPED = [page for page in PAGES if typed(page)]


def lines(page: Path) -> Iterator[list[str]]:
    """Yield the commands of a page, redirections left out, in order."""
    for block in fences(page, "console"):
        for line in _LINE.findall(block.replace("\\\n", " ")):
            for words in pipeline(line):
                end = next((at for at, word in enumerate(words) if set("<>") & set(word)), None)
                yield words[:end]


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """Give somebody who has used scout for a while, and what the ids in pages stand for."""
    monkeypatch.chdir(tmp_path)
    for name, text in _FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    scout = add("--title", "ferry")
    add("--title", "Hollen ferry", goal="The price of the ferry to Hollen Island")
    assert call("run", "ferry").code == 0
    found = re.search(r"^[0-9a-f]{8}", call("findings").out, re.MULTILINE)
    return {"1a2b3c4d": scout, "9f8e7d6c": found[0]}


def type_(words: list[str]) -> Said:
    """Type a command, and yes where it asks."""
    said = call(*words, stdin=_ASKED.get(words[0]))
    return call(*words, "--yes") if said.code == 2 and "--yes" in said.err else said


@pytest.mark.parametrize("page", _TYPED, ids=name_of)
def test_every_command_does_what_its_page_says(page, settled, monkeypatch):
    """From the first to the last, in the order of the page, none is refused and none fails."""
    if "bob@example.org" in page.read_text("utf-8"):
        assert call("user", "add", "bob@example.org", stdin=_ASKED["user"]).code == 0
    for words in lines(page):
        if words[:1] == ["cd"]:
            Path(words[1]).mkdir()
            monkeypatch.chdir(words[1])
        names = [Path(word).name for word in words]
        if "scout" not in names[:2] or not words[names.index("scout") + 1 :]:
            continue
        given = [settled.get(word, word) for word in words[names.index("scout") + 1 :]]
        if not _ELSEWHERE & set(given):
            said = type_(given)
            assert said.code == _ENDS.get(" ".join(given), 0), (given, said.out, said.err)
