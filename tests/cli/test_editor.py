"""`scout edit` without options: a scout as text in an editor, and back."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.cli import editor
from scout_cli.core.models import Location, ScoutPatch
from scout_cli.service.changes import narrowed
from scout_cli.service.wishes import place
from tests.cli.planted import FERRY, SECRET, plant, stored
from tests.cli.stage import command
from tests.cli.terminal import on_terminal
from tests.contract import rows

ROOT = Path(__file__).parents[2]


@pytest.fixture
def env(tmp_path, isolated):
    """Return the environment of a process whose editor is a script."""
    words = [sys.executable, str(tmp_path / "editor.py")]
    return {**os.environ, "PYTHONPATH": str(ROOT), "VISUAL": shlex.join(words), "EDITOR": "false"}


def edited(env, tmp_path, script: str, *words: str, answers=()):
    """Let `script` change `text` in the editor and return what was seen."""
    (tmp_path / "editor.py").write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\ntext = file.read_text()\n"
        f"seen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
        "seen.write_text(text)\n"
        f"{script}\n"
        "file.write_text(text)\n"
    )
    return on_terminal(command("edit", "1111", *words), env, tmp_path, answers=answers)


def test_the_editor_shows_the_scout_and_takes_what_was_saved(env, tmp_path):
    """One table with the names of a file for apply, secrets hidden; what is taken out is gone."""
    plant()
    seen = edited(
        env,
        tmp_path,
        "text = text.replace('every = \"daily\"', 'cron = \"0 9 * * 1\"')"
        ".replace('location = \"Bonn, Germany\"', '')"
        ".replace('description = ', '# description = ').replace('# feeds', 'feeds')",
    )
    after = stored()
    shown = (tmp_path / "seen").read_text()
    assert seen.code == 0, seen.text
    assert (after.schedule, after.location, after.description) == ("0 9 * * 1", None, None)
    assert after.feeds == ["https://example.org/feed.xml"]
    assert after.notify == [SECRET, "mailto:me@harbour.example"]
    assert "canary-77" not in shown
    assert shown.splitlines()[0] == "# Hollen ferry (11111111)"
    assert "rhythm" in seen.text
    assert not list(tmp_path.glob("*.toml"))


def test_a_mistake_in_the_editor_keeps_the_text(env, tmp_path):
    """The line is named, the editor opens again on what was typed, and the mended text counts."""
    plant()
    script = (
        "text = text.replace('dayly', 'weekly') if 'dayly' in text else "
        "text.replace('\"daily\"', '\"dayly\"', 1).replace('title = \"H', 'title = \"New h')"
    )
    seen = edited(env, tmp_path, script, answers=[("Edit it again? [Y/n]", "\n")])
    assert seen.code == 0, seen.text
    assert "unknown rhythm 'dayly'" in seen.text
    assert "the text:" in seen.text
    assert (stored().schedule, stored().title) == ("weekly", "New hollen ferry")


def test_giving_up_changes_nothing(env, tmp_path):
    """Answering no ends with the exit code of a mistake."""
    before = plant()
    seen = edited(env, tmp_path, "text = 'not TOML ['", answers=[("again? [Y/n]", "n\n")])
    assert seen.code == 2
    assert "nothing was changed" in seen.text
    assert stored() == before


@pytest.mark.parametrize("script", ["pass", "text = ''", "text = ' \\n'"])
def test_an_unchanged_or_empty_text_changes_nothing(env, tmp_path, script):
    """As with git commit, emptying the text is the way out."""
    before = plant()
    seen = edited(env, tmp_path, script)
    assert seen.code == 0
    assert "Nothing was changed." in seen.text
    assert stored() == before


def test_an_editor_that_fails_is_told(env, tmp_path):
    """The variable to set is in the hint."""
    before = plant()
    seen = on_terminal(command("edit", "1111"), {**env, "VISUAL": "/nowhere/ed"}, tmp_path)
    assert seen.code == 2
    assert "/nowhere/ed" in seen.text
    assert "export EDITOR=" in seen.text
    assert stored() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 1", "the text"),
        ("[[scout]]\ntitle = 1", "the text:2"),
        ('[[scout]]\ngoal = "g o"\ntitel = "x"', "unknown key 'titel'"),
        ('[[scout]]\ngoal = "a b"\n[[scout]]\ngoal = "c d"', "one [[scout]] table"),
        ('[[scout]]\nkey = "other"', "its key stays"),
        ('[[scout]]\ntitle = "x"\ngoal = ""', "the goal is empty"),
        ('[[scout]]\ngoal = "abc"\ntitle = ""', "the title is empty"),
        ('[[scout]]\ngoal = "abc"\ntitle = "x"\nurls = ["ftp://x"]', "the text:4: urls: not a web"),
        ('[[scout]]\ngoal = "abc"\ntitle = "x"\nnotify = ["slack://***"]', "slack://***"),
        ("[[scout]]\nx = " + "[" * 5_000, "nested too deeply"),
    ],
)
def test_a_text_that_cannot_be_used(text, message):
    """The error names the line and what is wrong there."""
    scout = rows.scout(FERRY, goal="The ferry", id=FERRY)
    with pytest.raises(editor.InvalidInput) as caught:
        editor.patch_of(text, scout)
    assert message in caught.value.message


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=3, max_size=40)
_WORDS = _TEXT.filter(lambda text: len(" ".join(text.split())) >= 3 and text.strip().isprintable())
_PLACES = st.sampled_from(["Bonn", "Bonn, Germany", "", "São Tomé, São Tomé e Príncipe"])


@given(
    title=_WORDS,
    goal=_WORDS,
    queries=st.lists(_TEXT, max_size=3),
    where=_PLACES.map(place) | st.just(Location(city="any", country_code="DE", latitude=1.5)),
    notify=st.lists(st.sampled_from([SECRET, "slack://a/b/c", "mailto:x@y.example"]), unique=True),
    active=st.booleans(),
)
def test_what_the_editor_shows_is_what_the_scout_is(title, goal, queries, where, notify, active):
    """Read back as it was written, a text asks for no change, whatever stands in it."""
    scout = rows.scout(
        FERRY,
        title=title,
        goal=goal,
        search_queries=queries,
        location=where,
        notify=notify,
        is_active=active,
        schedule="0 9 * * 1",
    )
    assert narrowed(scout, editor.patch_of(editor.text_of(scout), scout)) == ScoutPatch()
