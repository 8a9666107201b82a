"""`scout apply`: the plan, what is done, what is asked, and what is refused."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from scout_cli.config import Settings
from scout_cli.service.declared import DeclaredScout
from tests.cli.stage import GOAL, HOSTILE, add, call, command
from tests.cli.terminal import on_terminal

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
FIRST = f"""
[[scout]]
key = "ferry"
goal = "{GOAL}"
title = "Ferry"
queries = ["ferry", "Hollen"]
every = "weekly"
timezone = "Europe/London"
notify = ["tgram://123456:hunter2-hunter2-hunter2/45"]

[[scout]]
key = "old"
goal = "Something that is over"
timezone = "UTC"

[[scout]]
title = "Python in Bonn"
goal = "Python meetups in Bonn"
timezone = "UTC"
"""
SECOND = f"""
[[scout]]
key = "ferry"
goal = "{GOAL}"
title = "Hollen ferry"
cron = "0 9 * * 1"
location = {{ city = "any", country = "Germany" }}
urls = ["https://a.example/", "https://b.example/"]
notify = ["tgram://***", "mailto:me@a.example"]
active = false

[[scout]]
title = "Python in Bonn"
goal = "Python meetups in Bonn"

[[scout]]
key = "new"
goal = "Something else"
timezone = "UTC"
"""


@pytest.fixture
def write(tmp_path):
    """Write a file of scouts, one's own, and return its path."""

    def write(text: str, name: str = "mine.toml") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    return write


def golden(name: str, found: str) -> None:
    """Compare with a file beside the tests; with WRITE_GOLDEN=1 it is written, on purpose."""
    found = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID", found)
    path = GOLDEN / name
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert path.read_text("utf-8") == found


def titles() -> list[str]:
    """Return the titles of the scouts there are."""
    return [each["scout"]["title"] for each in json.loads(call("list", "--json").out)["scouts"]]


def test_the_plan_is_a_table(write):
    """Action, key and what changes; the secret of a channel is not in it."""
    assert call("apply", write(FIRST)).code == 0
    said = call("apply", write(SECOND), "--prune", "--yes")
    assert said.code == 0
    golden("apply-plan.txt", said.out)
    golden("apply-talk.txt", said.err)


def test_the_plan_as_json(write):
    """One object with everything, secrets hidden."""
    added = call("apply", write(FIRST), "--json")
    golden("apply-add.json", json.dumps(json.loads(added.out), indent=1) + "\n")
    said = call("apply", write(SECOND), "--prune", "--yes", "--json")
    golden("apply-change.json", json.dumps(json.loads(said.out), indent=1) + "\n")
    assert (added.err, said.err) == ("", "")
    assert "hunter2" not in added.out + said.out


def test_twice_changes_nothing(write):
    """The second time everything is unchanged, and one line says so."""
    first = call("apply", write(FIRST))
    assert "3 added, 0 changed, 0 unchanged, 0 removed." in first.err
    before = call("list", "--json").out
    again = call("apply", write(FIRST))
    assert again.err.splitlines()[-1] == "0 added, 0 changed, 3 unchanged, 0 removed."
    assert call("list", "--json").out == before


def test_a_dry_run_changes_nothing(write):
    """It prints the same plan, asks nothing and fills nothing in."""
    call("apply", write(FIRST))
    before = call("list", "--json").out
    said = call("apply", write(SECOND), "--prune", "--dry-run")
    assert (said.code, said.out) == (0, (GOLDEN / "apply-plan.txt").read_text("utf-8"))
    assert "Dry run: 1 to add, 1 to change, 1 unchanged, 1 to remove." in said.err
    assert json.loads(call("apply", write(SECOND), "--dry-run", "--json").out)["dry_run"] is True
    assert call("list", "--json").out == before


def test_removing_is_not_done_unasked(write):
    """Without a terminal it needs --yes, and says what would go; nothing else is done either."""
    call("apply", write(FIRST))
    before = call("list", "--json").out
    for more in ([], ["--json"]):
        said = call("apply", write(SECOND), "--prune", *more)
        assert (said.code, said.out) == (2, "")
        assert "removes 1 scout with everything found: old" in said.err
        assert "--yes" in said.err
    assert call("list", "--json").out == before
    kept = call("apply", write(SECOND))
    assert kept.code == 0
    assert "No longer in the file, and kept: old. See --prune." in kept.err


@pytest.mark.parametrize(("typed", "code", "left"), [("n\r", 1, 3), ("\r", 1, 3), ("y\r", 0, 3)])
def test_a_person_is_asked(write, tmp_path, typed, code, left):
    """The plan is shown first; without a yes nothing at all is done."""
    call("apply", write(FIRST))
    before = call("list", "--json").out
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = command("apply", write(SECOND), "--prune")
    seen = on_terminal(words, env, tmp_path, answers=[("[y/N]", typed)])
    assert seen.code == code, seen.text
    assert seen.text.index("Hollen ferry") < seen.text.index(
        "Remove 1 scout with everything found?"
    )
    assert ("Nothing was changed." in seen.text) is (code == 1)
    assert (call("list", "--json").out == before) is (code == 1)
    assert len(titles()) == left


def test_scouts_made_by_hand_are_spared(write):
    """They have no key. A new scout of the same title is another one, which is said."""
    add("--title", "Python in Bonn")
    said = call("apply", write(FIRST), "--prune", "--yes")
    assert said.code == 0
    assert "Made by hand with the same title: Python in Bonn." in said.err
    assert len(titles()) == 4


def test_a_made_key_is_said(write):
    """Because it changes with the title."""
    said = call("apply", write(FIRST))
    assert (
        'Key made from title or goal: python-in-bonn. Write it into the file, key = "p' in said.err
    )


def test_without_a_file_it_is_the_settings_file(write, monkeypatch, tmp_path):
    """`./scouts.toml`, or the one that --config names; without one that is said."""
    monkeypatch.chdir(tmp_path)
    none = call("apply")
    assert (none.code, none.out) == (2, "")
    assert "no scouts.toml" in none.err
    write(f"[settings]\nrounds = 1\n{FIRST}", "scouts.toml")
    said = call("apply")
    assert (said.code, titles()) == (0, ["Ferry", *titles()[1:]])
    assert "[settings]" not in said.err
    other = write("[settings]\nrounds = 1\n", "other.toml")
    named = call("--config", other, "apply")
    assert f"{other} has no [[scout]] table." in named.err
    assert "not used" not in named.err


def test_settings_in_another_file_are_not_used(write):
    """Which is said, since somebody may think they are."""
    said = call("apply", write(f"[settings]\nrounds = 99\n{FIRST}"))
    assert said.code == 0
    assert "are not used: see --config." in said.err


def test_scouts_from_standard_input():
    """`-` reads them; errors call the place stdin; nobody can be asked then."""
    assert call("apply", "-", stdin=FIRST).code == 0
    assert len(titles()) == 3
    assert "stdin:3: unknown key 'gaol'" in call("apply", "-", stdin='\n[[scout]]\ngaol = "x"').err
    assert call("apply", "-", "--prune", stdin=SECOND).code == 2
    assert "stdin has no [[scout]] table." in call("apply", "-", stdin="").err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[scout]\n", ":1: "),
        ('[[scout]]\ngoal = "abc"\nquerys = []\n', ":3: unknown key 'querys'"),
        ('[[scout]]\nkey = "a"\n[[scout]]\nkey = "a"\n', ":3: the key 'a'"),
        ('[[scout]]\ngoal = "abc"\ntimezone = "Mars/Base"\n', ":3: timezone: unknown time zone"),
        (f"#{'x' * 10_000_000}", "larger than 8 MiB"),
    ],
)  # fmt: skip
def test_a_bad_file_changes_nothing(write, text, message):
    """Exit 2, the line in the error, and not one scout, though others in the file are good."""
    said = call("apply", write(f"{text}"))
    assert (said.code, said.out) == (2, "")
    assert f"mine.toml{message}" in said.err.replace("mine.toml: ", "mine.toml")
    assert json.loads(call("apply", write(text), "--json").err)["error"]["code"] == "config"
    assert titles() == []


def test_a_mistake_in_the_last_scout_adds_none(write):
    """All or nothing."""
    assert call("apply", write(f'{FIRST}\n[[scout]]\ngoal = "ab"\n')).code == 2
    assert titles() == []


def test_a_file_that_is_missing_or_open_to_others(write, tmp_path):
    """A secret that others can read is refused; a missing file is no empty one."""
    missing = call("apply", str(tmp_path / "no.toml"))
    assert (missing.code, "No such file" in missing.err) == (2, True)
    path = write(FIRST)
    Path(path).chmod(0o644)
    said = call("apply", path)
    assert (said.code, f"chmod 600 {path}" in said.err) == (2, True)
    assert "hunter2" not in said.err


def test_hostile_text_does_not_reach_the_terminal(write):
    """Titles and goals are shown without their tricks."""
    text = "".join(f"\\U{ord(char):08x}" for char in HOSTILE)
    for title in (text, f"{text}2"):
        said = call("apply", write(f'[[scout]]\nkey = "k"\ngoal = "abc"\ntitle = "{title}"\n'))
        assert said.code == 0
        assert not set("\x1b\x07\u202e\u200b\U000e0041") & set(said.out + said.err)


def test_the_example_applies_and_is_complete(tmp_path):
    """`scouts.toml.example` as it stands: everything added, then unchanged; nothing is left out."""
    text = (ROOT / "scouts.toml.example").read_text("utf-8")
    path = tmp_path / "scouts.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    tables = tomllib.loads(text)
    first = json.loads(call("--config", str(path), "apply", "--json").out)
    again = json.loads(call("--config", str(path), "apply", "--json").out)
    assert first["counts"]["add"] == len(tables["scout"]) >= 3
    assert again["counts"] == {
        "add": 0,
        "change": 0,
        "unchanged": len(tables["scout"]),
        "remove": 0,
    }
    said = {name for table in tables["scout"] for name in table}
    assert said == {info.name for info in msgspec.structs.fields(DeclaredScout)}
    settings = {info.name for info in msgspec.structs.fields(Settings)}
    assert set(tables["settings"]) >= settings - {"database_url"}
    assert "# database_url =" in text
