"""Secrets at rest: sealed on their way into the database, opened on their way out.

A field whose type is `core.models.Secret` is opened wherever a row becomes a record. Whoever
writes one says so: `sealed(db, record)`. What older versions wrote stands in clear, is read as it
is, and becomes sealed when it is next written, or by `scout keys rotate`.
"""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from scout_cli.core.models import Record
from scout_cli.errors import ConfigError
from scout_cli.store import resolved
from scout_cli.store.database import Connection
from scout_cli.store.rows import columns, key_id_of, opened

T = TypeVar("T", bound=Struct)

_INDEX = "channel_index"
"""The name under which a database keeps what its keys of channels are made with."""
_PAGE = 500


class Vault(Protocol):
    """What seals and opens; `service.vault.Vault` does."""

    def seal(self, text: str) -> str:
        """Return `text` encrypted with the newest key, as `enc:1:<key id>:<token>`."""
        ...

    def open(self, token: str) -> str:
        """Return what was sealed.

        Raises:
            ConfigError: its key is not here, or it is damaged.
        """
        ...

    def fresh(self) -> str:
        """Return a random secret."""
        ...

    def keyed(self, secret: str, text: str) -> str:
        """Return the HMAC-SHA-256 of `text`, hex."""
        ...

    @property
    def newest(self) -> str:
        """Return the id of the key that seals."""
        ...


class _Place(NamedTuple):
    """A column with secrets."""

    table: str
    key: str
    column: str
    where: str = "TRUE"


PLACES = (
    _Place("resolved", "name", "value", f"name = '{_INDEX}'"),
    _Place("scouts", "id", "notify"),
    _Place("channels", "id", "url"),
)
"""Every column with secrets. A text that begins with `[` is a JSON list of them."""


class _Cell(Record, frozen=True, kw_only=True):
    key: str
    text: str


class Resealed(Record, frozen=True, kw_only=True):
    """What a pass over all secrets did."""

    sealed: int = 0
    """Values that stood in clear or under an older key."""
    discarded: int = 0
    """Values that no key here opens, given up."""


def sealed(db: Connection, record: T) -> T:
    """Return `record` with its secrets as they are stored; without keys, as they are."""
    vault = db.vault
    if vault is None:
        return record
    fields = [name for name, column in columns(type(record)).items() if column.secret]
    given = {name: getattr(record, name) for name in fields}
    return replace(record, **{name: _sealed(vault, value) for name, value in given.items()})


def _sealed(vault: Vault, value: Any) -> Any:
    if isinstance(value, list):
        return [vault.seal(each) for each in value]
    return value if value is None or value is UNSET else vault.seal(value)


async def url_key(tx: Connection, url: str) -> str:
    """Return what makes a channel of a user unique: its URL, hidden.

    With keys that is an HMAC, since a plain hash would let guesses of a short secret be checked.
    Its own key is made once per database and stays when keys rotate.
    """
    if tx.vault is None:
        return plain_key(url)
    kept = await resolved.get(tx, _INDEX)
    if kept is None:
        kept = await resolved.put(tx, _INDEX, tx.vault.seal(tx.vault.fresh()))
    vault: Vault = tx.vault
    return vault.keyed(vault.open(kept), url)


def plain_key(url: str) -> str:
    """Return the key of a channel as older versions made it: the SHA-256 of its URL, hex."""
    return sha256(url.encode()).hexdigest()


async def check(db: Connection) -> None:
    """Make sure that the secrets of this database can be read.

    Raises:
        ConfigError: they were encrypted with keys that are not here.
    """
    if not await db.has_table("resolved"):
        return
    kept = await resolved.get(db, _INDEX)
    if kept is not None:
        opened(db.vault, kept)


async def check_all(db: Connection) -> None:
    """Make sure that there is a key for every secret, by opening one of each.

    Raises:
        ConfigError: they were encrypted with keys that are not here.
    """
    tried: set[str] = set()
    for place in PLACES:
        last = ""
        while page := await _page(db, place, last):
            for text in (text for cell in page for text in _texts(cell.text)):
                if (key := key_id_of(text)) not in tried:
                    tried.add(key)
                    opened(db.vault, text)
            last = page[-1].key


async def census(db: Connection) -> Counter[str]:
    """Return how many secrets are sealed with which key, by its id; `` for those in clear."""
    found: Counter[str] = Counter()
    for place in PLACES:
        if not await db.has_table(place.table):
            continue
        last = ""
        while page := await _page(db, place, last):
            found.update(key_id_of(text) for cell in page for text in _texts(cell.text))
            last = page[-1].key
    return found


async def reseal(db: Connection, *, discard: bool = False) -> Resealed:
    """Seal with the newest key whatever is not, some rows at a time.

    Args:
        db: opened with keys.
        discard: give up what none of them opens: such a channel is disabled.

    Raises:
        ConfigError: something cannot be opened, and `discard` was not said; what was done until
            then stays, and nothing is lost.
    """
    total = Resealed()
    for place in PLACES:
        # Keys of channels were made with what stands in the first place.
        anew = place.table == "channels" and bool(total.discarded)
        last = ""
        while True:
            async with db.transaction() as tx:
                page = await _page(tx, place, last, lock=True)
                for cell in page:
                    done = await _mend(tx, place, cell, discard=discard, anew=anew)
                    total = Resealed(
                        sealed=total.sealed + done.sealed,
                        discarded=total.discarded + done.discarded,
                    )
            if not page:
                break
            last = page[-1].key
    return total


async def _page(db: Connection, place: _Place, last: str, *, lock: bool = False) -> list[_Cell]:
    sql = f"""
        SELECT CAST({place.key} AS TEXT) AS key, CAST({place.column} AS TEXT) AS text
        FROM {place.table} WHERE {place.where} AND CAST({place.key} AS TEXT) > $1
        ORDER BY CAST({place.key} AS TEXT) LIMIT $2 {db.update_lock if lock else ""}
    """  # noqa: S608 - the names above
    return await db.all(_Cell, sql, last, _PAGE)


async def _mend(
    tx: Connection, place: _Place, cell: _Cell, *, discard: bool, anew: bool
) -> Resealed:
    vault, texts = tx.vault, _texts(cell.text)
    old = [text for text in texts if anew or key_id_of(text) != vault.newest]
    if not old:
        return Resealed()
    clear = {text: _clear(tx, text, discard=discard) for text in old}
    lost = [text for text in old if clear[text] is None]
    kept = [
        vault.seal(clear[text]) if text in clear else text for text in texts if text not in lost
    ]
    if cell.text.startswith("["):
        await _put(tx, place, cell.key, json.dumps(kept))
    elif lost:
        await _give_up(tx, place, cell)
    else:
        await _put(tx, place, cell.key, kept[0])
        if place.table == "channels":
            await _rekey(tx, cell.key, clear[old[0]] or "")
    return Resealed(sealed=len(old) - len(lost), discarded=len(lost))


async def _put(tx: Connection, place: _Place, key: str, text: str) -> None:
    value = "CAST($2 AS JSONB)" if tx.kind == "postgresql" and text.startswith("[") else "$2"
    sql = f"""
        UPDATE {place.table} SET {place.column} = {value} WHERE CAST({place.key} AS TEXT) = $1
    """  # noqa: S608 - the names above
    await tx.execute(sql, key, text)


async def _rekey(tx: Connection, channel: str, url: str) -> None:
    sql = "UPDATE channels SET url_key = $2 WHERE CAST(id AS TEXT) = $1"
    await tx.execute(sql, channel, await url_key(tx, url))


async def _give_up(tx: Connection, place: _Place, cell: _Cell) -> None:
    if place.table == "resolved":
        await tx.execute("DELETE FROM resolved WHERE name = $1", cell.key)
        return
    sql = """
        UPDATE channels SET url = '', url_key = $2, state = 'disabled', reason = $3
        WHERE CAST(id AS TEXT) = $1
    """
    await tx.execute(sql, cell.key, plain_key(cell.text), "the key of its URL was lost")


def _clear(tx: Connection, text: str, *, discard: bool) -> str | None:
    """Return a secret in clear; None for one that cannot be opened, where that may be."""
    try:
        return opened(tx.vault, text)
    except ConfigError:
        if discard:
            return None
        raise


def _texts(text: str) -> list[str]:
    found = json.loads(text) if text.startswith("[") else [text]
    return [each for each in found if each]
