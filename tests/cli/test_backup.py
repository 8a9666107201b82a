"""`scout backup` and `scout restore` as they are typed."""

from __future__ import annotations

import json
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from scout_cli import config
from scout_cli.store import scouts
from scout_cli.store.sqlite_file import path_of
from tests.cli import planted
from tests.cli.planted import FERRY, call, inside
from tests.contract.rows import AT


@pytest.fixture
def file(tmp_path):
    """Return where the archive goes."""
    return tmp_path / "scout.tar.gz"


def titles() -> list[str]:
    """Return the titles of the scouts in the database of this home."""
    return inside(lambda db: db.all(str, "SELECT title FROM scouts ORDER BY title"))


def test_a_backup_says_what_is_in_it(file):
    """Talk on stderr, nothing on stdout; with --json one object; the file is the owner's alone."""
    planted.plant()
    said = call("backup", str(file))
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("2 scouts, 4 findings and ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = call("backup", str(file), "--json", "--force")
    told = json.loads(again.out)
    assert (told["rows"]["scouts"], told["rows"]["scout_findings"]) == (2, 4)
    assert told["bytes"] == file.stat().st_size


def test_a_backup_does_not_write_over_a_file(file):
    """Exit 1 and the way out; without a database exit 3, and none is made."""
    said = call("backup", str(file))
    assert said.code == 3
    assert "there is no database at" in said.err
    assert not path_of(config.load().settings.database_url).exists()
    planted.plant()
    file.write_text("mine")
    said = call("backup", str(file))
    assert (said.code, file.read_text()) == (1, "mine")
    assert "--force" in said.err


def test_a_restore_brings_back_what_was_removed(file):
    """The old database stays beside, and the command says where."""
    planted.plant(anchor=AT - timedelta(hours=3))
    assert call("backup", str(file)).code == 0
    assert call("rm", "Hollen ferry", "--yes").code == 0
    assert titles() == ["Night buses"]
    said = call("restore", str(file), "--yes")
    assert (said.code, said.out) == (0, "")
    assert "is the database now: 2 scouts, 4 findings" in said.err
    assert "before-restore" in said.err
    assert titles() == ["Hollen ferry", "Night buses"]


def test_nothing_is_replaced_in_silence(file):
    """Without a terminal it names the command, with --json as an error; nothing changes."""
    planted.plant()
    assert call("backup", str(file)).code == 0
    inside(lambda db: scouts.delete(db, FERRY))
    said = call("restore", str(file))
    assert said.code == 2
    assert "this replaces a database with 1 scouts and 0 findings" in said.err
    assert "--yes" in said.err
    assert titles() == ["Night buses"]


def test_a_run_under_way_is_named(file):
    """Whoever replaces a database under a worker is told."""
    ferry = planted.plant()
    assert call("backup", str(file)).code == 0
    planted.start(ferry, lease_until=AT + timedelta(minutes=1))
    said = call("restore", str(file))
    assert said.code == 2
    assert "in which 1 runs are under way" in said.err
    assert call("restore", str(file), "--yes").code == 0


def test_verify_changes_nothing(file):
    """It is tried out elsewhere; what is wrong is data, and exit 1."""
    planted.plant()
    assert call("backup", str(file)).code == 0
    inside(lambda db: scouts.delete(db, FERRY))
    said = call("restore", str(file), "--verify")
    assert said.code in (0, 1)
    assert titles() == ["Night buses"]
    assert not list(path_of(config.load().settings.database_url).parent.glob("*before*"))
    told = json.loads(call("restore", str(file), "--verify", "--json").out)
    assert told["rows"]["scouts"] == 2
    assert told["kept"] is None


def test_what_cannot_be_is_shown_and_kept_out(file):
    """An invariant that does not hold is a line of --verify; --unsound restores it all the same."""
    planted.plant()
    sql = "UPDATE scout_executions SET state = 'failed' WHERE state = 'completed'"
    inside(lambda db: db.execute(sql))
    assert call("backup", str(file)).code == 0
    said = call("restore", str(file), "--verify")
    assert said.code == 1
    assert "I6  run " in said.out
    refused = call("restore", str(file), "--yes")
    assert refused.code == 1
    assert "--unsound" in refused.err
    assert call("restore", str(file), "--yes", "--unsound").code == 0


def test_what_is_no_archive_is_two_lines(file):
    """Exit 2, what happened and what to type."""
    file.write_text("hello")
    said = call("restore", str(file), "--verify")
    assert said.code == 2
    assert said.err.count("\n") == 2
    assert "cannot be used" in said.err


def test_a_new_machine_needs_no_word(file, tmp_path):
    """Where there is nothing, nothing is asked."""
    planted.plant()
    assert call("backup", str(file)).code == 0
    url = f"sqlite:///{tmp_path}/new/scout.db"
    keys = next(Path(os.environ["XDG_DATA_HOME"]).rglob("keys.toml"))
    (tmp_path / "new").mkdir(mode=0o700)
    refused = call("--database", url, "restore", str(file))
    assert refused.code == 2
    assert "which is not here" in refused.err
    shutil.copy2(keys, tmp_path / "new")
    said = call("--database", url, "restore", str(file))
    assert said.code == 0, said.err
    assert "before-restore" not in said.err
    listed = json.loads(call("--database", url, "list", "--json").out)
    assert len(listed["scouts"]) == 2
