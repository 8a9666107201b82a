"""Secrets at rest, on both databases: sealed, found again, rotated, lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from msgspec import UNSET

from scout_cli.core.models import ScoutPatch
from scout_cli.errors import ConfigError
from scout_cli.service.vault import Vault
from scout_cli.store import channels, health, scouts, sealing, signs, users
from scout_cli.store.database import Database, Json
from tests.contract import rows

CANARY = "canary-5f3a"
URL = f"tgram://123:{CANARY}/456"
MAIL = "mailto:me@example.org"


class Ring:
    """Keys in a list, as a file of keys has them."""

    def __init__(self, *keys: str) -> None:
        self.keys: Sequence[str] = keys

    def vault(self) -> Vault:
        """Return what a process with these keys has."""
        return Vault(lambda: self.keys, self._make, "/home/me/keys.toml")

    def rotate(self) -> None:
        """Put a new key first."""
        self.keys = (Fernet.generate_key().decode(), *self.keys)

    def _make(self) -> Sequence[str]:
        self.rotate()
        return self.keys


@pytest.fixture
def ring() -> Ring:
    """Return an empty ring of keys."""
    return Ring()


@pytest.fixture
async def db(database: Database, ring: Ring) -> Database:
    """Return a migrated database, opened with keys."""
    database.vault = ring.vault()
    return database


async def owner_of(db: Database) -> UUID:
    """Return the local user."""
    return (await users.local_owner(db)).id


async def dumped(db: Database) -> str:
    """Return every stored text of the tables with secrets."""
    db.vault, vault = None, db.vault
    tables = ("scouts", "channels", "resolved")
    found = [
        str(dict(row)) for table in tables for row in await db.rows(f"SELECT * FROM {table}", ())
    ]
    db.vault = vault
    return "\n".join(found)


async def planted(db: Database, *urls: str) -> UUID:
    """Store a scout with these channels, and the channels; return its id."""
    scout = rows.scout(await owner_of(db), is_active=True)
    await scouts.add(db, scout)
    await scouts.update(db, scout.id, ScoutPatch(notify=list(urls)))
    async with db.transaction() as tx:
        await channels.ensure(tx, scout.user_id, urls)
    return scout.id


async def test_what_is_stored_is_sealed_and_what_is_read_is_clear(db: Database) -> None:
    """No secret stands in the database; every reader sees it as it was written."""
    scout_id = await planted(db, URL, MAIL)
    text = await dumped(db)
    assert CANARY not in text
    assert "me@example.org" not in text
    assert sealing.plain_key(MAIL) not in text, "a plain hash lets a guess be checked"
    found = await scouts.get(db, scout_id)
    assert found is not None
    assert found.notify == [URL, MAIL]
    owner = await owner_of(db)
    assert {each.url for each in await channels.glances(db, owner)} == {URL, MAIL}
    assert await health.channels(db) == [URL, MAIL]
    (watching,) = [each for each in await signs.watching(db, None, 10) if each.id == scout_id]
    assert watching.notify == [URL, MAIL]


async def test_a_patch_without_channels_leaves_them_alone(db: Database) -> None:
    """Changing a title writes no channel anew."""
    scout_id = await planted(db, URL)
    before = await dumped(db)
    patch = ScoutPatch(is_active=False)
    assert patch.notify is UNSET
    changed = await scouts.update(db, scout_id, patch)
    assert changed.notify == [URL]
    (token,) = set(re.findall(r'\["(enc:1:[^"]+)"', before))
    assert token in await dumped(db)


async def test_one_channel_is_one_row_however_often_it_is_named(db: Database, ring: Ring) -> None:
    """The same URL finds its row again, after a rotation and by another process too."""
    owner = await owner_of(db)
    async with db.transaction() as tx:
        (first,) = await channels.ensure(tx, owner, [URL])
    ring.rotate()
    await sealing.reseal(db)
    db.vault = ring.vault()
    async with db.transaction() as tx:
        (again,) = await channels.ensure(tx, owner, [URL])
    assert again.id == first.id
    assert len(await channels.glances(db, owner)) == 1


async def test_rows_in_clear_go_on_working_and_are_sealed_when_next_written(
    db: Database,
) -> None:
    """What an older version wrote is read as it is, keeps its row, and is sealed by its use."""
    vault, db.vault = db.vault, None
    await planted(db, URL)
    assert CANARY in await dumped(db)
    db.vault = vault
    owner = await owner_of(db)
    (old,) = await channels.glances(db, owner)
    assert old.url == URL
    async with db.transaction() as tx:
        (used,) = await channels.ensure(tx, owner, [URL])
    assert (used.id, used.url) == (old.id, URL)
    assert await sealing.census(db) == {"": 1, db.vault.newest: 2}
    done = await sealing.reseal(db)
    assert done == sealing.Resealed(sealed=1)
    assert CANARY not in await dumped(db)


async def test_a_rotation_leaves_nothing_under_the_old_key(db: Database, ring: Ring) -> None:
    """After it the old key opens nothing that is stored, and the new one everything."""
    scout_id = await planted(db, URL, MAIL)
    old = list(ring.keys)
    ring.rotate()
    done = await sealing.reseal(db)
    assert done.sealed == 5  # two of the scout, two channels, and what hides their URLs
    assert await sealing.census(db) == {db.vault.newest: 5}
    assert (await sealing.reseal(db)).sealed == 0
    ring.keys = ring.keys[:1]
    db.vault = ring.vault()
    found = await scouts.get(db, scout_id)
    assert found is not None
    assert found.notify == [URL, MAIL]
    db.vault = Ring(*old).vault()
    with pytest.raises(ConfigError, match="which is not here"):
        await scouts.get(db, scout_id)


async def test_a_lost_key_is_named_and_nothing_is_lost(db: Database, ring: Ring) -> None:
    """Without the key every reader is told which one is missing; with it all is there again."""
    scout_id = await planted(db, URL)
    needed, before = db.vault.newest, await dumped(db)
    db.vault = Ring(Fernet.generate_key().decode()).vault()
    for read in (
        scouts.get(db, scout_id),
        channels.glances(db, await owner_of(db)),
        sealing.check(db),
        sealing.reseal(db),
    ):
        with pytest.raises(ConfigError) as refused:
            await read
        assert needed in refused.value.message
        assert "/home/me/keys.toml" in refused.value.hint
        assert CANARY not in refused.value.message + refused.value.hint
    async with db.transaction() as tx:
        with pytest.raises(ConfigError):
            await channels.ensure(tx, await owner_of(db), [MAIL])
    assert await dumped(db) == before
    db.vault = ring.vault()
    found = await scouts.get(db, scout_id)
    assert found is not None
    assert found.notify == [URL]


async def test_reading_without_keys_makes_none(db: Database) -> None:
    """A process without keys that meets a secret is told so, and makes no new key for it."""
    await planted(db, URL)
    fresh = Ring()
    db.vault = fresh.vault()
    with pytest.raises(ConfigError, match="here: none"):
        await sealing.check(db)
    assert not fresh.keys


async def test_what_cannot_be_opened_may_be_given_up(db: Database) -> None:
    """Discarding disables the channels of a lost key and keeps everything else working."""
    scout_id = await planted(db, URL, MAIL)
    db.vault = Ring(Fernet.generate_key().decode()).vault()
    done = await sealing.reseal(db, discard=True)
    assert (done.sealed, done.discarded) == (0, 5)
    found = await scouts.get(db, scout_id)
    assert found is not None
    assert found.notify == []
    owner = await owner_of(db)
    assert [each.state for each in await channels.glances(db, owner)] == ["disabled"] * 2
    async with db.transaction() as tx:
        (anew,) = await channels.ensure(tx, owner, [MAIL])
    assert anew.state == "active"


async def test_a_damaged_secret_is_told(db: Database) -> None:
    """A token that was cut or changed is no text: it is refused by its signature."""
    scout_id = await planted(db, URL)
    token = db.vault.seal(URL)
    changed = token[:-30] + ("B" if token[-30] == "A" else "A") + token[-29:]
    for broken in (token[:-6], changed, token.rpartition(":")[0] + ":"):
        await db.execute("UPDATE scouts SET notify = $2 WHERE id = $1", scout_id, json_of(broken))
        with pytest.raises(ConfigError, match="damaged"):
            await scouts.get(db, scout_id)


def json_of(text: str) -> Json:
    """Return a JSON list with this text."""
    return Json([text])
