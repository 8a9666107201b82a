"""Which keys there are, what needs them, and putting a new one in the place of the old.

A rotation never loses anything: the new key is stored before the first secret is encrypted with
it, and the old one is dropped after the last. Whoever is interrupted types it again.
"""

from __future__ import annotations

from typing import Literal

from scout_cli.config import Settings, keyring
from scout_cli.core.models import Record
from scout_cli.core.ports import Clock
from scout_cli.errors import ConfigError
from scout_cli.service.vault import key_id
from scout_cli.store import sealing
from scout_cli.store.database import Database
from scout_cli.store.sealing import Resealed

_PASSES = 5

Use = Literal["signs", "checks", "encrypts", "decrypts", "missing", "in clear"]


class Key(Record, frozen=True, kw_only=True):
    """One key, by its name alone."""

    kind: Literal["jwt", "secret"]
    id: str
    """Empty for what stands in clear."""
    use: Use
    values: int = 0
    """Secrets in the database that need it."""


class Rotated(Record, frozen=True, kw_only=True):
    """What a rotation did."""

    key: str
    """Id of the key that encrypts from now on."""
    made: bool
    """Whether it is new; not so where the settings name the keys."""
    sealed: int
    discarded: int
    dropped: tuple[str, ...]
    """Ids of the keys that are gone."""
    unused: tuple[str, ...]
    """Ids of the keys that are still there and that nothing in the database needs."""


class Signing(Record, frozen=True, kw_only=True):
    """What a change of the secret that signs did."""

    key: str
    """Id of the secret that signs from now on."""
    kept: str
    """Id of the one before it, whose tokens stay good."""
    dropped: tuple[str, ...]
    """Ids of older ones."""


async def keys(settings: Settings, db: Database | None) -> list[Key]:
    """Return all keys that there are or ought to be; none is made.

    Args:
        settings: where they are.
        db: what needs them; None where there is no database.

    Raises:
        ConfigError: keys that cannot be used.
    """
    ring = keyring.known(settings)
    needed = await sealing.census(db) if db is not None else {}
    found = [
        Key(kind="jwt", id=key_id(each), use="checks" if number else "signs")
        for number, each in enumerate(ring.jwt_secrets)
    ]
    ids = [key_id(each) for each in ring.secret_keys]
    for number, id_ in enumerate(ids):
        use: Use = "decrypts" if number else "encrypts"
        found.append(Key(kind="secret", id=id_, use=use, values=needed.get(id_, 0)))
    for id_, values in sorted(needed.items()):
        if id_ not in ids:
            use = "missing" if id_ else "in clear"
            found.append(Key(kind="secret", id=id_, use=use, values=values))
    return found


async def rotate(
    settings: Settings, db: Database, *, keep: bool = False, discard: bool = False
) -> Rotated:
    """Encrypt every secret in the database with a new key, and drop the old ones.

    Args:
        settings: where the keys are. Keys that they name are left to whoever did; then the first
            of them is the new one.
        db: opened with them.
        keep: leave the old keys, for backups that were made with them.
        discard: give up secrets that no key opens.

    Raises:
        ConfigError: a secret needs a key that is not here, and `discard` was not said. Then
            nothing was changed.
    """
    if not discard:
        await _refuse_missing(settings, db)
    given = keyring.are_given(settings, "secret_keys")
    if not given:
        keyring.add(settings, "secret_keys")
    done = await _reseal(db, discard=discard)
    newest, *others = keyring.secret_keys(settings)
    if not (given or keep):
        keyring.drop(settings, "secret_keys", others)
    left = keyring.secret_keys(settings)
    return Rotated(
        key=key_id(newest),
        made=not given,
        sealed=done.sealed,
        discarded=done.discarded,
        dropped=tuple(key_id(each) for each in others if each not in left),
        unused=tuple(key_id(each) for each in left[1:]),
    )


async def rotate_signing(settings: Settings, db: Database, clock: Clock) -> Signing:
    """Put a new secret that signs before the old one, and drop those before that.

    Args:
        settings: where it is kept.
        db: the database whose tokens it signs; it is told of the new one.
        clock: time.

    Raises:
        ConfigError: it is set by hand, or this database's tokens are signed with another one.
            Then nothing was changed.
    """
    from scout_cli.service.accounts import signing  # noqa: PLC0415 - not to list keys

    before, *older = keyring.jwt_secrets(settings)
    await signing.check(db, clock, (before, *older))
    fresh = keyring.add(settings, "jwt_secrets")
    await signing.check(db, clock, (fresh, before))
    keyring.drop(settings, "jwt_secrets", older)
    return Signing(
        key=key_id(fresh), kept=key_id(before), dropped=tuple(key_id(each) for each in older)
    )


async def _refuse_missing(settings: Settings, db: Database) -> None:
    missing = [each for each in await keys(settings, db) if each.use == "missing"]
    if missing:
        raise ConfigError(
            f"{missing[0].values} secrets in the database need key {missing[0].id},"
            " which is not here; nothing was changed",
            hint="put that key back, or give them up: scout keys rotate --discard",
        )


async def _reseal(db: Database, *, discard: bool) -> Resealed:
    """Go over the secrets until a pass finds nothing: others may write meanwhile."""
    total = Resealed()
    for _ in range(_PASSES):
        done = await sealing.reseal(db, discard=discard)
        total = Resealed(
            sealed=total.sealed + done.sealed, discarded=total.discarded + done.discarded
        )
        if not done.sealed:
            break
    return total
