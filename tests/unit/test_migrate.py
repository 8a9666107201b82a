"""Migration files: numbered without gaps, never edited after a release, split into statements."""

import subprocess
import sys
from hashlib import sha256
from importlib.resources import files

import pytest

from scout_cli.store.migrate import migrations
from scout_cli.store.sqlite_text import split

RELEASED = {
    name: digest
    for digest, name in (
        line.split()
        for line in """
3641c6470ba9744c806b45c7b6efaaa9e61370800226ad9db3c6b4432043c70d  0001_initial.sql
3f738ba4acfdcca06738c47018a9a299ff52bf137ccf272c590d8d220a69e2bd  0002_scheduler.sql
0980ec42eb5f3d71119adc7bf2de8eb90ee9141fa02a50fbcb279dc7d55e2b2d  0003_rescheduling.postgresql.sql
1174993f4848c87015234161028c636512a9735b42ba1c69df740ffab1512b45  0003_rescheduling.sqlite.sql
536eccf0d0f35a52b998bd9646133517a7f85a93864a911d326ad16ad1a14239  0004_server.sql
0cb3f42b5de8754e27178e6680387587b96a2db16b2107e98e64be27d1ec3a3a  0005_novelty.postgresql.sql
0c6223d8a8dc41ade771fdada99de6b767262db8f98d0e74ea28e7cca6c7a9bb  0005_novelty.sqlite.sql
db28405f94d7b415fe3e8bafd3e9e54e3fd30ce02362161a4b2ce89dd3fbe2a3  0006_changes.postgresql.sql
877c57f12994953cd8fa473272f95dc450e1eb6127931aa868cd476606f5b7fe  0006_changes.sqlite.sql
0d369471bd543704ae751b0c35e3023e69149bb44f07e5d613f85c71cde023e5  0007_meaning.postgresql.sql
da1b7fbf40e091d9adafadb29059422ca3a3afe80691b5240551b28f7d860748  0007_meaning.sqlite.sql
204c3316c33223e11ca5ad518b6c9266e9ce3bab7ab216219c2be5bf68a74730  0008_words.postgresql.sql
c5ef8ac6536ac45f05af7ba564a678c04eea38ee3d9ae76d0deb9692b0912f69  0008_words.sqlite.sql
2dd2d135fd66f0884749b42329c3dc4bd38904236125d0fdc6601d3fe4019f89  0009_watched.sql
""".strip().splitlines()
    )
}


def test_a_released_file_is_never_edited():
    """Every file is listed here with its hash: a change of schema is a new file, and a new line."""
    folder = files("scout_cli.store").joinpath("migrations")
    found = {
        file.name: sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    assert found == RELEASED


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_numbers_have_neither_gaps_nor_twins(kind):
    """Each database has each number once, from 1."""
    numbers = [migration.number for migration in migrations(kind)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_both_databases_have_the_same_migrations():
    """A twin never stands alone."""
    names = [
        [migration.name for migration in migrations(kind)] for kind in ("sqlite", "postgresql")
    ]
    assert names[0] == names[1]


def test_a_script_is_split_at_the_ends_of_its_statements():
    """Semicolons in text, comments and trigger bodies do not end a statement."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;"
    script = f"-- first; second\nINSERT INTO a VALUES (';');\n{trigger}\nSELECT 1"
    assert [statement.strip() for statement in split(script)] == [
        "-- first; second\nINSERT INTO a VALUES (';');",
        trigger,
        "SELECT 1;",
    ]
    assert list(split("-- nothing; here\n")) == ["-- nothing; here\n;"]


def test_the_store_is_imported_without_a_driver():
    """`scout list --help` must not pay for a database it does not open."""
    code = """
import sys
import scout_cli.store
from scout_cli.store import (executions, findings, migrate, pages, resolved, scouts, searches,
    steps, users, vectors)
print(sorted({"aiosqlite", "asyncpg", "numpy", "aiohttp", "sqlite3"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
