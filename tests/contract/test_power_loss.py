"""After a power cut the SQLite file holds a prefix of what was committed, and all that was synced.

Of the log, whatever was written after the last sync may be missing or torn: here it is cut at many
places, and damaged at others.
"""

import random
import sqlite3
from contextlib import closing

from scout_cli.store import marks, migrate
from scout_cli.store.marks import Mark
from tests.contract.databases import sqlite_url

COMMITS = 20
CUTS = 25


def kept(folder, data, log):
    """Return the names of the marks that such a file and its log hold, which must be sound."""
    path = folder / "cut.db"
    path.write_bytes(data)
    path.with_name("cut.db-wal").write_bytes(log)
    path.with_name("cut.db-shm").unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as found:
        found.execute("PRAGMA synchronous = OFF")  # of what is looked at, nothing need last
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert found.execute("PRAGMA foreign_key_check").fetchall() == []
        return [name for (name,) in found.execute("SELECT name FROM marks ORDER BY name")]


async def test_a_power_cut_leaves_a_prefix_of_what_was_committed(tmp_path, opened, clock):
    """F04: every image is sound, nothing is kept without what came before it."""
    path = tmp_path / "scout.db"
    db = await opened(sqlite_url(path))
    await migrate.migrate(db)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM marks")
    with closing(sqlite3.connect(path)) as quiet:
        quiet.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    log = path.with_name("scout.db-wal")
    names, synced = [], []
    for number in range(COMMITS):
        names.append(f"{number:02}")
        await marks.put(db, Mark(name=names[-1], at=clock.now()))
        synced.append(log.stat().st_size)
    data, written = path.read_bytes(), log.read_bytes()
    await db.close()

    assert kept(tmp_path, data, written) == names
    chance = random.Random(4)
    for _ in range(CUTS):
        at = chance.randrange(len(written))
        whole = sum(size <= at for size in synced)
        assert kept(tmp_path, data, written[:at]) == names[:whole]
        torn = written[:at] + chance.randbytes(min(512, len(written) - at)) + written[at + 512 :]
        assert kept(tmp_path, data, torn) == names[:whole]
