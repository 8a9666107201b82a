"""`scout export`: a file that changes nothing when it is applied, and that is nobody else's."""

from __future__ import annotations

import json
import stat
import tomllib

import pytest

from tests.cli.stage import GOAL, HOSTILE, SILENT, add, call
from tests.cli.test_apply import golden


def counts(source: str, *, stdin: str | None = None) -> dict[str, int]:
    """Apply a file and return what it did."""
    said = call("apply", source, "--prune", "--json", stdin=stdin)
    assert said.code == 0, said.err
    return json.loads(said.out)["counts"]


def fill() -> None:
    """Save three scouts by hand, one with everything."""
    add("--title", "Ferry", "--query", "ferry", goal=GOAL)
    add("--title", "Ferry", "--query", "b", "--every", "weekly", goal=SILENT)
    add("--title", 'Quotes " and \\', "--query", 'a "b"', "--cron", "0 9 * * 1", "--location",
        "Bonn, Germany", "--lang", "de", "--url", "https://a.example/", "--feed",
        "https://a.example/feed?token=hunter2", "--include", "a.example", "--exclude",
        "b.example", "--notify", "mailto:me@a.example")  # fmt: skip
    said = call("add", GOAL, "--title", "Quiet", "--query", "x", "--tz", "UTC", "--notify", "-",
                stdin="tgram://123456:hunter2-hunter2-hunter2/1\nmailto:me@a.example")  # fmt: skip
    assert said.code == 0


def test_the_file():
    """Every scout with its key, in the order of the keys; no secret, no default, no noise."""
    fill()
    said = call("export")
    assert said.code == 0
    golden("export.toml", said.out)
    assert "4 scouts had no key; the database now keeps the key in the file." in said.err
    assert "URLs that hold a secret" in said.err
    assert "hunter2" not in said.out + said.err


def test_exported_and_applied_nothing_changes():
    """Through a pipe, a second time, and with --prune."""
    fill()
    first = call("export").out
    before = call("list", "--json").out
    assert counts("-", stdin=first) == {"add": 0, "change": 0, "unchanged": 4, "remove": 0}
    assert call("list", "--json").out == before
    again = call("export")
    assert again.out == first
    assert "had no key" not in again.err


def test_another_database_gets_the_same_scouts(tmp_path):
    """Applied there and exported again, the file is the same."""
    add("--title", "Ferry", "--notify", "mailto:me@a.example")
    add("--title", HOSTILE, goal=SILENT)
    first = call("export").out
    there = ("--database", f"sqlite:///{tmp_path}/other.db")
    assert call(*there, "apply", "-", stdin=first).code == 0
    assert call(*there, "export").out == first


def test_a_secret_has_to_be_written_whole_on_another_machine(tmp_path):
    """It is not guessed and not left out in silence."""
    fill()
    there = ("--database", f"sqlite:///{tmp_path}/other.db")
    said = call(*there, "apply", "-", stdin=call("export").out)
    assert (said.code, said.out) == (2, "")
    assert "stands for a URL that is not in this database" in said.err


def test_some_of_them():
    """By id or title, in any order; one that is unknown fails, and nothing is written."""
    fill()
    found = tomllib.loads(call("export", "Quiet", 'Quotes " and \\').out)["scout"]
    assert [each["key"] for each in found] == ["quiet", "quotes-and"]
    said = call("export", "Quiet", "nobody")
    assert (said.code, said.out) == (3, "")


def test_as_json():
    """The same tables as one object."""
    fill()
    found = json.loads(call("export", "--json").out)["scouts"]
    assert found == tomllib.loads(call("export").out)["scout"]
    assert call("export", "--json", "-o", "x").code == 2


def test_no_scouts_are_an_empty_file(tmp_path):
    """Which can be applied, and says so."""
    said = call("export")
    assert (said.code, tomllib.loads(said.out)) == (0, {})
    assert "No scouts yet." in said.err
    assert counts("-", stdin=said.out)["unchanged"] == 0


def test_a_file_of_ones_own(tmp_path):
    """For its owner alone, whole, and never over another one unless forced."""
    fill()
    path = tmp_path / "mine.toml"
    said = call("export", "-o", str(path))
    assert (said.code, said.out) == (0, "")
    assert f"4 scouts written to {path}." in said.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert counts(str(path))["unchanged"] == 4
    path.write_text("# mine\n")
    refused = call("export", "-o", str(path))
    assert (refused.code, path.read_text()) == (1, "# mine\n")
    assert "--force" in refused.err
    path.chmod(0o644)
    assert call("export", "-o", str(path), "--force").code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(tomllib.loads(path.read_text())["scout"]) == 4
    assert [each.name for each in tmp_path.iterdir()] == ["mine.toml"]


def test_settings_are_not_lost(tmp_path):
    """A file with [settings] is not overwritten, nor one that cannot be read."""
    path = tmp_path / "scouts.toml"
    for text in ("[settings]\nrounds = 1\n", "[sett"):
        path.write_text(text)
        said = call("export", "-o", str(path), "--force")
        assert said.code in (1, 2)
        assert path.read_text() == text


def test_a_link_stays_a_link(tmp_path):
    """Forced, the file behind it is replaced; unforced a dangling one is not followed."""
    target, link = tmp_path / "target.toml", tmp_path / "link.toml"
    link.symlink_to(target)
    assert call("export", "-o", str(link)).code == 1
    target.touch()
    assert call("export", "-o", str(link), "--force").code == 0
    assert link.is_symlink()
    assert target.stat().st_size > 0


@pytest.mark.parametrize("place", ["no/such/folder/x.toml", "", "."])
def test_a_place_where_no_file_can_be(tmp_path, monkeypatch, place):
    """Two lines, exit 1 or 2, and no rest of a file."""
    monkeypatch.chdir(tmp_path)
    said = call("export", "-o", place, "--force")
    assert said.code in (1, 2)
    assert len(said.err.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_dash_is_standard_output():
    """As everywhere."""
    assert call("export", "-o", "-").out.startswith("# Scouts")
