"""An archive may come from anyone: whatever it is, it is told in a sentence and changes nothing."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import lzma
import os
import tarfile
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from scout_cli.errors import ScoutError
from scout_cli.service import archive
from scout_cli.store import findings, migrate, open_database, scouts, users
from scout_cli.store.archive_file import MAX_LINE
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.databases import StoppedClock, sqlite_url
from tests.security.hostile import info, members, packed, rewritten

SCOUT = UUID(int=77)


@pytest.fixture(scope="module")
def true(tmp_path_factory):
    """Return a true archive with a scout, a run and findings."""
    folder = tmp_path_factory.mktemp("true")
    asyncio.run(_make(folder))
    return folder / "true.tar"


async def _make(folder) -> None:
    clock = StoppedClock()
    db = await open_database(sqlite_url(folder / "scout.db"), clock)
    await migrate.migrate(db)
    owner = (await users.local_owner(db)).id
    scout = rows.scout(owner, id=SCOUT)
    await scouts.add(db, scout)
    run = rows.execution(scout, status="completed", state="completed", lease_until=None)
    await db.execute(insert("scout_executions", type(run)), *values(run))
    await findings.add_many(db, [rows.finding(scout, execution_id=run.id) for _ in range(3)])
    await archive.backup(db, clock, folder / "true.tar", version="1")
    await db.close()


@pytest.fixture
async def there(tmp_path, clock):
    """Return the URL of a database that must stay as it is, and a function that looks at it."""
    url = sqlite_url(tmp_path / "mine" / "scout.db")
    db = await open_database(url, clock)
    await migrate.migrate(db)
    await scouts.add(db, rows.scout((await users.local_owner(db)).id, title="Mine"))
    await db.close()

    async def look() -> tuple[list[str], list[str]]:
        opened = await open_database(url, clock)
        titles = await opened.all(str, "SELECT title FROM scouts")
        await opened.close()
        return titles, sorted(each.name for each in (tmp_path / "mine").iterdir())

    return url, look


async def refused(path, there, clock) -> str:
    """Return why an archive is refused, in both ways of using it; nothing may have changed."""
    url, look = there
    before = await look()
    with pytest.raises(ScoutError) as caught:
        await archive.verify(path, clock)
    with pytest.raises(ScoutError) as again:
        await archive.restore(path, clock, url, replace=True, unsound=False)
    assert await look() == before == (["Mine"], ["scout.db"])
    assert caught.value.hint
    assert again.value.message == caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400
    return caught.value.message


def changed(row):
    """Return a function that changes every row of a table so."""
    return lambda known: [{**each, **row} for each in known]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"name": "../../scout_pages.jsonl"}, "'../../scout_pages.jsonl' where"),
        ({"name": "/etc/cron.d/scout"}, "'/etc/cron.d/scout' where"),
        ({"name": "C:\\scout_pages.jsonl"}, "where"),
        ({"name": "scout_pages.jsonl/"}, "where"),
        ({"name": "x" * 300}, "plain file"),
        ({"name": "scout_pages.jsonl\x1b[31m"}, "where"),
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0}, "no plain file"),
        ({"type": tarfile.LNKTYPE, "linkname": "manifest.json", "size": 0}, "no plain file"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5, "size": 0}, "no plain file"),
        ({"type": tarfile.BLKTYPE, "size": 0}, "no plain file"),
        ({"type": tarfile.FIFOTYPE, "size": 0}, "no plain file"),
        ({"type": tarfile.DIRTYPE, "size": 0}, "no plain file"),
        ({"type": tarfile.XHDTYPE}, "no plain file"),
        ({"type": b"S"}, "no plain file"),
        ({"size": 7 * 2**30}, "its manifest says"),
    ],
)
async def test_members_that_are_no_tables(header, words, true, there, clock, tmp_path):
    """R01-R03: no path out, no link, no device, no pipe, no size but the one that is told."""
    *files, (last, _) = members(true).items()
    raw = io.BytesIO()
    for name, text in files:
        raw.write(info(name, len(text)).tobuf(tarfile.USTAR_FORMAT))
        raw.write(text + b"\0" * (-len(text) % 512))
    # By hand, since a library would not write what lies about its size.
    raw.write(info(**{"name": last, **header}).tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    path = tmp_path / "a.tar"
    path.write_bytes(raw.getvalue())
    assert words in await refused(path, there, clock)


async def test_a_member_twice(true, there, clock, tmp_path):
    """The second one of a name is not what should be there."""
    files = [(info(name, len(text)), text) for name, text in members(true).items()]
    path = packed(tmp_path / "a.tar", [*files[:3], files[2], *files[3:]])
    assert "where" in await refused(path, there, clock)


async def test_a_million_members(true, there, clock, tmp_path):
    """R05: the first one too many ends it, however many follow."""
    files = [(info(name, len(text)), text) for name, text in members(true).items()]
    more = [(info(f"more_{number}.jsonl"), b"") for number in range(20_000)]
    assert "where" in await refused(packed(tmp_path / "a.tar", [files[0], *more]), there, clock)
    told = await refused(packed(tmp_path / "b.tar", [*files, *more[:1]]), there, clock)
    assert "something follows" in told


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
async def test_bombs(compress, true, there, clock, tmp_path):
    """R04: few bytes that unpack to gigabytes are seen by their manifest or their first line."""
    big = 4 * 2**30
    claims = rewritten(
        true,
        tmp_path / "a.tar",
        manifest=lambda m: {**m, "tables": [{**t, "bytes": big} for t in m["tables"]]},
    )
    claims.write_bytes(compress(claims.read_bytes()))
    assert "claim to unpack" in await refused(claims, there, clock)
    zeros = rewritten(
        true, tmp_path / "b.tar", table="resolved", lines=lambda _: [b"\0" * (MAX_LINE + 2**21)]
    )
    zeros.write_bytes(compress(zeros.read_bytes()))
    assert zeros.stat().st_size < 2**20
    assert "has a line of more than" in await refused(zeros, there, clock)


async def test_an_xz_that_wants_all_memory(true, there, clock, tmp_path):
    """The dictionary that a file asks for is bounded."""
    path = tmp_path / "a.tar.xz"
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * 2**20}]
    path.write_bytes(lzma.compress(true.read_bytes(), filters=filters))
    assert "cannot be unpacked" in await refused(path, there, clock)


def _flip(text: bytes, at: int) -> bytes:
    return text[:at] + bytes([text[at] ^ 0xFF]) + text[at + 1 :]


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
async def test_a_file_cut_short(ending, part, true, there, clock, tmp_path):
    """R10: wherever it ends too early, nothing of it is used."""
    pack = {"tar": bytes, "tar.gz": gzip.compress, "tar.xz": lzma.compress}[ending]
    text = pack(true.read_bytes().rstrip(b"\0"))
    path = tmp_path / f"a.{ending}"
    path.write_bytes(text[: int(len(text) * part)])
    assert "cannot be used" in await refused(path, there, clock)


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz"])
async def test_a_flipped_byte(ending, true, there, clock, tmp_path):
    """A byte that changed on the disk is noticed where rows are, whatever the compression."""
    whole = true.read_bytes()
    at = whole.index(b"The ferry sails")
    path = tmp_path / f"a.{ending}"
    pack = {"tar": bytes, "tar.gz": gzip.compress, "tar.xz": lzma.compress}[ending]
    path.write_bytes(pack(whole[:at] + b"Tha" + whole[at + 3 :]))
    assert "SHA-256" in await refused(path, there, clock)
    if ending != "tar":
        packed_whole = pack(whole)
        path.write_bytes(_flip(packed_whole, len(packed_whole) // 2))
        await refused(path, there, clock)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "zip"}, "another format"),
        ({"version": 2}, "another format"),
        ({"schema": 9_999}, "newer scout"),
        ({"schema": 0}, "schema"),
        ({"schema": 1}, "a table"),
        ({"schema": "2"}, "schema"),
        ({"extra": 1}, "extra"),
        ({"made_at": "yesterday"}, "made_at"),
        ({"made_at": "2026-01-01T00:00:00"}, "made_at"),
        ({"scout": "x" * 1_000}, "scout"),
        ({"tables": []}, "other tables"),
        ({"tables": "all"}, "tables"),
    ],
)
async def test_a_manifest_that_is_wrong(change, words, true, there, clock, tmp_path):
    """R07: another format, a schema of the future, unknown or missing fields."""
    path = rewritten(true, tmp_path / "a.tar", manifest=lambda known: {**known, **change})
    assert words in await refused(path, there, clock)


@pytest.mark.parametrize("field", ["rows", "bytes", "sha256"])
async def test_a_manifest_that_lies(field, true, there, clock, tmp_path):
    """R06: number of rows, size and hash are what they are said to be."""

    def lie(known):
        for entry in known["tables"]:
            if entry["table"] == "scouts":
                entry[field] = "0" * 64 if field == "sha256" else entry[field] + 1
        return known

    assert "manifest says" in await refused(
        rewritten(true, tmp_path / "a.tar", manifest=lie), there, clock
    )


@pytest.mark.parametrize(
    "odd", ["sqlite_master", "migrations", "photos", "scouts; DROP TABLE users"]
)
async def test_a_table_that_scout_has_not(odd, true, there, clock, tmp_path):
    """Only the tables of its schema, each once, in their order."""
    extra = {"table": odd, "rows": 0, "bytes": 0, "sha256": "0" * 64}
    path = rewritten(
        true, tmp_path / "a.tar", manifest=lambda m: {**m, "tables": [*m["tables"], extra]}
    )
    assert "a table" in await refused(path, there, clock)


async def test_a_manifest_too_big_or_too_deep(true, there, clock, tmp_path):
    """The first file is small JSON, or it is not read."""
    for text in (b" " * 2**21, b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"", b"null"):
        path = packed(tmp_path / "a.tar", [(info("manifest.json", len(text)), text)])
        await refused(path, there, clock)


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ("scouts", {"title": None}, "title"),
        ("scouts", {"title": 7}, "title"),
        ("scouts", {"is_active": 1}, "is_active"),
        ("scouts", {"password": "x"}, "password"),
        ("scouts", {"id": "../../x"}, "id"),
        ("scouts", {"created_at": 0}, "created_at"),
        ("scouts", {"created_at": "2026-01-01T00:00:00"}, "created_at"),
        ("scouts", {"created_at": "9999-12-31T23:59:59-12:00"}, "cannot be used"),
        ("scouts", {"consecutive_failures": 2**40}, "consecutive_failures"),
        ("scouts", {"consecutive_failures": 1.5}, "consecutive_failures"),
        ("scouts", {"search_queries": "a"}, "search_queries"),
        ("scouts", {"search_queries": 1}, "search_queries"),
        ("scouts", {"frequency": "yearly"}, "refuses"),
        ("scouts", {"title": "a\0b"}, "NUL"),
        ("scouts", {"location": {"city": "a\0b"}}, "NUL"),
        ("scouts", {"user_id": str(uuid4())}, "refers to one that is not there"),
        ("users", {"id": str(uuid4())}, "refers to one that is not there"),
        ("scout_findings", {"scout_id": str(uuid4())}, "refers to one that is not there"),
        ("scout_findings", {"same_as": str(uuid4())}, "refers to one that is not there"),
        ("scout_findings", {"execution_id": str(uuid4())}, "refers to one that is not there"),
        ("scout_findings", {"similarity": "high"}, "similarity"),
        ("scout_findings", {"id": str(UUID(int=1))}, "already there"),
        ("scout_findings", {"canonical_url": "x" * 3_000}, "refuses"),
        ("scout_executions", {"state": "flying"}, "refuses"),
        ("scout_executions", {"fence": True}, "fence"),
    ],
)
async def test_rows_that_cannot_be(table, row, words, true, there, clock, tmp_path):
    """R08: wrong types, unknown columns, values and references that the tables do not take."""
    path = rewritten(true, tmp_path / "a.tar", table=table, lines=changed(row))
    assert words in await refused(path, there, clock)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"{\n",
        b'{"name": "a", "value": "b"}\n',
        b'{"name": "a", "value": "b", "resolved_at": "2026-01-01T00:00:00Z"}',
        b'{"name": "\xff", "value": "b", "resolved_at": "2026-01-01T00:00:00Z"}\n',
        b'{"name": "\\ud800", "value": "b", "resolved_at": "2026-01-01T00:00:00Z"}\n',
        b'{"name": NaN, "value": "b", "resolved_at": "2026-01-01T00:00:00Z"}\n',
        b"[" * 100_000 + b"\n",
    ],
)
async def test_lines_that_are_no_rows(line, true, there, clock, tmp_path):
    """Every line is one JSON object with every column, and ends."""
    path = rewritten(true, tmp_path / "a.tar", table="resolved", lines=lambda _: [line])
    await refused(path, there, clock)


async def test_json_too_deep_for_a_column(true, there, clock, tmp_path):
    """A document of a hundred thousand brackets is an error, not a crash."""
    deep = b"[" * 100_000 + b"]" * 100_000
    row = b'{"key": "a", "answer": ' + deep + b', "created_at": "2026-01-01T00:00:00Z"}\n'
    path = rewritten(true, tmp_path / "a.tar", table="search_cache", lines=lambda _: [row])
    await refused(path, there, clock)


async def test_rows_of_foreign_users(true, there, clock, tmp_path):
    """R08: a finding that belongs to one user and hangs on another one's scout is not restored."""
    identity = {"id": str(UUID(int=5)), "email": None, "is_local": False}
    at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    first = rewritten(
        true,
        tmp_path / "a.tar",
        table="users",
        lines=lambda known: [*known, known[0] | identity | {"created_at": at}],
    )
    foreign = changed({"user_id": identity["id"]})
    path = rewritten(first, tmp_path / "b.tar", table="scout_findings", lines=foreign)
    url, look = there
    before = await look()
    found = (await archive.verify(path, clock)).violations
    assert {each.name for each in found} == {"I8"}
    assert "another user" in found[0].detail
    with pytest.raises(ScoutError, match="another user"):
        await archive.restore(path, clock, url, replace=True)
    assert await look() == before


async def test_what_is_no_archive(there, clock, tmp_path):
    """A folder, a device, a pipe without a writer, an empty file, an SQLite file, other bytes."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(os.urandom(5_000))
    (tmp_path / "text").write_text("[settings]\n" * 200)
    sqlite = tmp_path / "mine" / "scout.db"
    for path, words in (
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        (tmp_path / "none", "No such file"),
        (tmp_path / "empty", "ends too early"),
        (tmp_path / "noise", "none of the files"),
        (tmp_path / "text", "none of the files"),
        (sqlite, "an SQLite database"),
    ):
        assert words in await refused(tmp_path / path, there, clock)


async def test_a_true_archive_is_taken(true, there, clock, tmp_path):
    """What the tests above change is the only thing wrong with their archives."""
    url, look = there
    again = rewritten(true, tmp_path / "a.tar", table="scouts", lines=lambda known: known)
    assert (await archive.verify(again, clock)).violations == ()
    for compress, ending in ((gzip.compress, "gz"), (lzma.compress, "xz")):
        path = tmp_path / f"a.{ending}"
        path.write_bytes(compress(true.read_bytes()))
        await archive.restore(path, clock, url, replace=True)
    titles, names = await look()
    assert titles == ["Ferries"]
    assert "scout.db.before-restore" in names
    assert json.loads(members(true)["scouts.jsonl"])["id"] == str(SCOUT)
