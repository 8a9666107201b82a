"""The SQLite file: how it is made, what is refused, and that nothing refused is touched."""

import asyncio
import os
import sqlite3
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis.strategies import characters, text

from scout_cli.errors import ConfigError, DatabaseUnavailable
from scout_cli.store import migrate, open_database
from scout_cli.store.sqlite_file import file_system, path_of, prepare, url_of
from scout_cli.store.sqlite_opening import check_version
from tests.contract.databases import StoppedClock, sqlite_url


def mode(path) -> int:
    """Return the permission bits of a file."""
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_missing_file_and_folder_are_made_for_their_owner_only(tmp_path, opened):
    """File and log are 0600, a new folder is 0700, whatever the umask says."""
    path = tmp_path / "data" / "scout" / "scout.db"
    old = os.umask(0)
    try:
        db = await opened(sqlite_url(path))
        await migrate.migrate(db)
        kinds = {file.name: mode(file) for file in path.parent.iterdir()}
        await db.close()
    finally:
        os.umask(old)
    assert kinds == {"scout.db": 0o600, "scout.db-wal": 0o600, "scout.db-shm": 0o600}
    assert mode(path.parent) == 0o700


async def test_the_settings_that_keep_data_safe_are_on(tmp_path, opened):
    """WAL, full synchronisation, foreign keys and the rest hold on the writing connection."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    wanted = {
        "journal_mode": "wal",
        "synchronous": "2",
        "foreign_keys": "1",
        "busy_timeout": "10000",
        "trusted_schema": "0",
        "cell_size_check": "1",
        "auto_vacuum": "2",
        "journal_size_limit": "67108864",
    }
    async with db.transaction() as tx:
        found = {name: await tx.value(str, f"PRAGMA {name}") for name in wanted}
    assert found == wanted
    await db.close()


async def test_reading_does_not_wait_for_a_writer(tmp_path, opened):
    """While a transaction is open, others read what was committed before it."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    await db.script("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('old')")
    async with db.transaction() as tx:
        await tx.execute("UPDATE t SET a = 'new'")
        async with asyncio.timeout(15):
            assert await db.value(str, "SELECT a FROM t") == "old"
    await db.close()


async def test_closing_twice_is_harmless(tmp_path, opened):
    """The second `close` finds nothing to do, and the log is gone with the first."""
    path = tmp_path / "scout.db"
    db = await opened(sqlite_url(path))
    await migrate.migrate(db)
    await db.close()
    await db.close()
    assert [file.name for file in tmp_path.iterdir()] == ["scout.db"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////srv/scout.db", "/srv/scout.db"),
        ("sqlite:////srv/a%20b%3F.db", "/srv/a b?.db"),
        ("SQLITE:////srv/scout.db", "/srv/scout.db"),
    ],
)
def test_an_absolute_url_names_its_file(url, path):
    """Four slashes are absolute, percent escapes are read."""
    assert path_of(url) == Path(path)


@given(text(characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_the_url_of_a_file_names_it(name):
    """Whatever signs are in its path."""
    assume(name not in {".", ".."} and ":memory:" not in name)
    path = Path("/srv", name)
    assert path_of(url_of(path)) == path


def test_a_relative_url_is_below_the_working_folder():
    """Three slashes are relative."""
    assert path_of("sqlite:///data/scout.db") == Path.cwd() / "data" / "scout.db"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:////",
        "sqlite:scout.db",
        "sqlite://scout.db",
        "sqlite:///:memory:",
        "sqlite://:memory:",
        "sqlite:///scout.db?mode=ro",
        "sqlite:///scout.db#x",
        "sqlite:///~/scout.db",
        "sqlite:///a%00b.db",
    ],
)
async def test_a_url_without_a_file_is_a_mistake(url):
    """Each is refused with the two forms that work; memory is not offered."""
    with pytest.raises(ConfigError) as refused:
        await open_database(url, StoppedClock())
    assert "sqlite:////absolute" in refused.value.hint
    assert refused.value.exit_code == 2


async def test_an_unknown_scheme_is_offered_its_neighbour():
    """A slip in the scheme names the nearest one."""
    with pytest.raises(ConfigError, match="'sqlit'") as refused:
        await open_database("sqlit:///x.db", StoppedClock())
    assert "Did you mean sqlite://?" in refused.value.hint


async def refusal(opened, path) -> DatabaseUnavailable:
    """Return why the file at `path` is refused."""
    with pytest.raises(DatabaseUnavailable) as refused:
        await opened(sqlite_url(path))
    assert not refused.value.retryable
    assert refused.value.exit_code == 4
    assert "SCOUT_DATABASE_URL=sqlite:////" in refused.value.hint
    return refused.value


async def test_a_file_that_is_not_sqlite_is_left_as_it_is(tmp_path, opened):
    """A text file is refused and not one byte of it changes."""
    path = tmp_path / "notes.txt"
    path.write_text("root:x:0:0:root:/root:/bin/bash\n" * 200)
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert "not an SQLite database" in (await refusal(opened, path)).message
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


async def test_a_database_of_another_program_is_left_as_it_is(tmp_path, opened):
    """A browser's history is an SQLite file too, and not ours."""
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE scouts (id INTEGER)")
    other.close()
    before = path.read_bytes()
    assert "another program" in (await refusal(opened, path)).message
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null", "/proc/scout/scout.db", "/tmp"])
async def test_a_place_that_cannot_hold_a_file_is_refused(place, opened):
    """A device, a folder and a file system without files are refused, with what to do."""
    assert "cannot write the database" in (await refusal(opened, place)).message


@contextmanager
def as_nobody():
    """Run a block without root's rights."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("existing", [False, True])
def test_a_read_only_folder_is_refused(existing):
    """Neither a new file nor one that is there can be used where its log cannot be written."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scout.db"
        if existing:
            path.touch(0o666)
        path.parent.chmod(0o555)
        with as_nobody(), pytest.raises(DatabaseUnavailable) as refused:
            prepare(path)
        path.parent.chmod(0o755)
    assert "cannot write the database" in refused.value.message
    assert "scout --config" in refused.value.hint


async def test_a_damaged_file_is_named_as_such(tmp_path, opened):
    """Pages of garbage behind a good header are an unavailable database, not a traceback."""
    path = tmp_path / "scout.db"
    db = await opened(sqlite_url(path))
    await migrate.migrate(db)
    await db.close()
    data = bytearray(path.read_bytes())
    data[100:] = b"\xa5" * (len(data) - 100)
    path.write_bytes(data)

    async def use():
        again = await opened(sqlite_url(path))
        try:
            await migrate.check(again)
        finally:
            await again.close()

    with pytest.raises(DatabaseUnavailable, match="damaged"):
        await use()


async def test_a_full_disk_loses_nothing_that_was_committed(tmp_path, opened):
    """A write that does not fit is refused with what to do; what was there before stays."""
    db = await opened(sqlite_url(tmp_path / "scout.db"))
    await db.script("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept')")
    await db.all(int, "PRAGMA max_page_count=10")
    with pytest.raises(DatabaseUnavailable, match="disk is full") as refused:
        await db.executemany("INSERT INTO t (a) VALUES ($1)", [("x" * 9_000,)] * 9)
    assert not refused.value.retryable
    assert await db.all(str, "SELECT a FROM t") == ["kept"]
    await db.execute("UPDATE t SET a = 'still works'")
    await db.close()


MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/local ext4 rw 0 0
//nas/share /mnt/my\\040share cifs rw 0 0
sshfs /mnt/far fuse.sshfs rw 0 0
tmpfs /mnt/twice tmpfs rw 0 0
server:/x /mnt/twice nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/scout", "ext4"),
        ("/home/ann/.local/share/scout", "nfs4"),
        ("/home", "nfs4"),
        ("/homework", "ext4"),
        ("/home/local/ann", "ext4"),
        ("/mnt/my share/x", "cifs"),
        ("/mnt/far", "fuse.sshfs"),
        ("/mnt/twice/x", "nfs"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount(folder, kind):
    """The longest mount point decides, and of two equal ones the later."""
    assert file_system(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p"])
def test_a_network_file_system_is_refused(tmp_path, kind):
    """SQLite's locks do not hold across machines."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nx {tmp_path} {kind} rw 0 0\n")
    with pytest.raises(DatabaseUnavailable, match=f"network file system \\({kind}\\)") as refused:
        prepare(tmp_path / "scout.db", mounts=mounts)
    assert "PostgreSQL" in refused.value.hint
    assert not (tmp_path / "scout.db").exists()


def test_a_fuse_file_system_is_a_warning(tmp_path, caplog):
    """FUSE may or may not lock properly: it is used, and said."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"x {tmp_path} fuse.sshfs rw 0 0\n")
    prepare(tmp_path / "scout.db", mounts=mounts)
    assert "fuse.sshfs" in caplog.text
    assert (tmp_path / "scout.db").exists()


def test_an_old_sqlite_is_refused():
    """Before 3.39 our SQL does not run."""
    with pytest.raises(DatabaseUnavailable, match=r"SQLite 3\.38\.5; scout needs 3\.39"):
        check_version((3, 38, 5))
    check_version((3, 39, 0))


async def test_an_open_that_is_cancelled_leaves_nothing_running(tmp_path, opened):
    """Cancelled after any number of turns, opening leaves a file that can be opened."""
    path = tmp_path / "scout.db"
    for turns in range(0, 30, 3):
        task = asyncio.create_task(opened(sqlite_url(path)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for db in await asyncio.gather(task, return_exceptions=True):
            assert isinstance(db, asyncio.CancelledError)
    db = await opened(sqlite_url(path))
    await migrate.migrate(db)
    await db.close()
