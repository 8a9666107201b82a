"""`scout keys`, and what becomes of secrets from one end of the command line to the other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.stage import add, call

CANARY = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5"
URL = f"webhook+https://127.0.0.1/hook?secret=whsec_{CANARY}\n"
"""An address that the guard refuses, so that nothing is dialled."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a scout whose channel is secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATABASE_URL", "sqlite:///scout.db")
    name = add()
    assert call("edit", name, "--notify", "-", stdin=URL).code == 0
    return tmp_path


def only() -> str:
    """Return the id of the scout."""
    (listed,) = json.loads(call("list", "--json").out)["scouts"]
    return str(listed["scout"]["id"])


def stored(folder: Path) -> bytes:
    """Return every byte of the database."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("scout.db*")))


def keys(*words: str) -> list[dict[str, object]]:
    """Return what `scout keys list` lists."""
    said = call("keys", "list", "--json", *words)
    assert said.code == 0, said.err
    found: list[dict[str, object]] = json.loads(said.out)["keys"]
    return found


def test_a_channel_is_stored_encrypted_and_exported_hidden(folder: Path) -> None:
    """What was typed as a channel stands nowhere in the files; the scout still has it."""
    assert CANARY.encode() not in stored(folder)
    assert CANARY not in (folder / "keys.toml").read_text()
    assert "webhook+https://***" in call("export").out
    assert "webhook" in call("notify", "list").out


def test_keys_are_listed_by_their_ids_alone(folder: Path) -> None:
    """The list names keys and how many secrets need each, and shows no key."""
    text = (folder / "keys.toml").read_text()
    said = call("keys", "list")
    for key in re.findall(r'"([^"]{20,})"', text):
        assert key not in said.out + said.err
    (secret,) = [each for each in keys() if each["kind"] == "secret"]
    assert (secret["use"], secret["values"]) == ("encrypts", 1)


def test_where_nothing_is_secret_there_are_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing makes neither keys nor a database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATABASE_URL", "sqlite:///scout.db")
    assert keys() == []
    assert not list(tmp_path.iterdir())


def test_a_rotation_puts_a_new_key_in_the_place_of_the_old(folder: Path) -> None:
    """Afterwards there is one key, another one, and everything works as before."""
    before = keys()
    said = call("keys", "rotate", "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    after = [each for each in keys() if each["kind"] == "secret"]
    assert [each["id"] for each in after] == [done["key"]]
    assert done["dropped"] == [each["id"] for each in before if each["kind"] == "secret"]
    assert call("notify", "list").code == 0
    assert "webhook+https://***" in call("export").out


def test_old_keys_may_be_kept(folder: Path) -> None:
    """`--keep` leaves the old key behind the new one, and says that nothing needs it."""
    said = call("keys", "rotate", "--keep")
    assert said.code == 0
    assert "Not needed" in said.err
    uses = [each["use"] for each in keys() if each["kind"] == "secret"]
    assert uses == ["encrypts", "decrypts"]


def test_keys_set_by_hand_are_rotated_by_hand(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With keys in the environment everything is encrypted with the first of them."""
    (old,) = re.findall(r'secret_keys = \[\s+"([^"]+)"', (folder / "keys.toml").read_text())
    new = call("keys", "new").out.strip()
    monkeypatch.setenv("SCOUT_SECRET_KEYS", f"{new} {old}")
    assert call("keys", "rotate").code == 0
    monkeypatch.setenv("SCOUT_SECRET_KEYS", new)
    assert "webhook+https://***" in call("export").out


def test_a_lost_key_is_two_lines_and_nothing_is_lost(folder: Path) -> None:
    """Without the file every command that needs it says what to do; with it all is as before."""
    scout = only()
    (folder / "keys.toml").rename(folder / "away.toml")
    before = stored(folder)
    for words in (["show", scout], ["export"], ["keys", "rotate"]):
        said = call(*words)
        assert said.code == 2, words
        assert re.fullmatch(r"scout: error: .*key [0-9a-f]{12}.*\n  .*\n", said.err), said.err
        assert CANARY not in said.err
    assert stored(folder) == before
    assert "missing" in call("keys", "list").out
    (folder / "away.toml").rename(folder / "keys.toml")
    assert "webhook+https://***" in call("export").out


def test_a_lost_key_can_be_given_up(folder: Path) -> None:
    """`--discard` takes the channels of a lost key away and everything else works again."""
    (folder / "keys.toml").unlink()
    assert call("keys", "rotate", "--discard").code == 0
    exported = call("export")
    assert exported.code == 0
    assert "webhook" not in exported.out


def test_a_backup_holds_no_key_and_no_secret_and_needs_the_keys(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine is told which key is missing; with the file of keys it has everything."""
    assert call("run", only()).code == 0
    assert call("notify", "list").code == 0
    assert call("backup", "b.tar").code == 0
    written = (folder / "b.tar").read_bytes()
    assert CANARY.encode() not in written
    for key in re.findall(r'"([^"]{20,})"', (folder / "keys.toml").read_text()):
        assert key.encode() not in written
    other = folder / "other"
    other.mkdir(mode=0o700)
    monkeypatch.setenv("SCOUT_DATABASE_URL", f"sqlite:///{other / 'scout.db'}")
    said = call("restore", "b.tar", "--yes")
    assert said.code == 2
    assert "which is not here" in said.err
    assert not (other / "scout.db").exists()
    (other / "keys.toml").write_bytes((folder / "keys.toml").read_bytes())
    (other / "keys.toml").chmod(0o600)
    assert call("restore", "b.tar", "--verify").code == 0
    assert call("restore", "b.tar", "--yes").code == 0
    assert "webhook+https://***" in call("export").out


def test_a_new_key_is_printed_and_kept_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`scout keys new` gives another one each time and writes no file."""
    monkeypatch.chdir(tmp_path)
    made = {call("keys", "new", *more).out.strip() for more in ([], [], ["--jwt"], ["--jwt"])}
    assert len(made) == 4
    assert all(len(key) >= 32 for key in made)
    assert not list(tmp_path.iterdir())
