"""The keys of this machine: from the settings, or made on first need and kept in a file.

`jwt_secrets` sign the tokens of `scout serve`; `secret_keys` encrypt what is secret in the
database. Of both the newest comes first: it is the one that is used for new things, the others only
read what was made with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from scout_cli.config import keyfile
from scout_cli.config.keyfile import FILE_NAME, Kept, Kind, made
from scout_cli.config.settings import Settings, platform_folder
from scout_cli.core.models import Record
from scout_cli.errors import ConfigError
from scout_cli.plug import scheme_of
from scout_cli.service.vault import Vault, key_id
from scout_cli.store.sqlite_file import path_of

__all__ = ["Keyring", "key_id", "made", "open_keyring", "vault"]

_NEW: dict[Kind, str] = {"secret_keys": "scout keys new", "jwt_secrets": "scout keys new --jwt"}


class Keyring(Record, frozen=True, kw_only=True):
    """The keys of one installation, of each kind the newest first."""

    jwt_secrets: tuple[str, ...]
    """At least 32 bytes each."""
    secret_keys: tuple[str, ...]
    """Fernet keys: 32 bytes in URL-safe base64."""

    def __repr__(self) -> str:
        """Name no key: tracebacks are shared."""
        return f"<Keyring {len(self.jwt_secrets)}+{len(self.secret_keys)}>"


def open_keyring(settings: Settings) -> Keyring:
    """Return all keys; the file is made when the settings do not name them all.

    Raises:
        ConfigError: keys that cannot be used, or a file that others can read.
    """
    return Keyring(jwt_secrets=jwt_secrets(settings), secret_keys=secret_keys(settings))


def known(settings: Settings) -> Keyring:
    """Return the keys that there are; none is made.

    Raises:
        ConfigError: see `open_keyring`.
    """
    try:
        kept = keyfile.read(path_for(settings)) or Kept()
    except ConfigError:
        if not (settings.jwt_secret and settings.secret_keys):
            raise
        kept = Kept()
    return Keyring(
        jwt_secrets=_given(settings, "jwt_secrets") or kept.jwt_secrets,
        secret_keys=_given(settings, "secret_keys") or kept.secret_keys,
    )


def jwt_secrets(settings: Settings) -> tuple[str, ...]:
    """Return what signs tokens: the setting `jwt_secret`, else the file's.

    Raises:
        ConfigError: see `open_keyring`.
    """
    return _given(settings, "jwt_secrets") or _from_file(settings).jwt_secrets


def secret_keys(settings: Settings) -> tuple[str, ...]:
    """Return what encrypts: the setting `secret_keys`, else the file's.

    Raises:
        ConfigError: see `open_keyring`.
    """
    return _given(settings, "secret_keys") or _from_file(settings).secret_keys


def vault(settings: Settings) -> Vault:
    """Return what encrypts and decrypts; keys are read, or made, when they are first needed."""

    def make() -> tuple[str, ...]:
        return secret_keys(settings)

    if settings.secret_keys:
        return Vault(make, make, "SCOUT_SECRET_KEYS (or secret_keys)")
    try:
        path = path_for(settings)
    except ConfigError:
        return Vault(tuple, make, "SCOUT_SECRET_KEYS")  # `make` tells what is wrong
    seen: list[tuple[tuple[int, int, int], tuple[str, ...]]] = []

    def keys() -> tuple[str, ...]:
        # Another process may have rotated them: whoever sealed with a key that is gone would lose.
        mark = keyfile.mark(path)
        if not seen or seen[-1][0] != mark:
            kept = keyfile.read(path)
            seen[:] = [(mark, kept.secret_keys if kept else ())]
        return seen[-1][1]

    return Vault(keys, make, str(path))


def path_for(settings: Settings) -> Path:
    """Return the file of keys: beside the SQLite database, else in the platform's data folder.

    Raises:
        ConfigError: there is no such folder.
    """
    if scheme_of(settings.database_url) == "sqlite":
        return path_of(settings.database_url).with_name(FILE_NAME)
    folder = platform_folder("data")
    if folder is None:
        raise ConfigError(
            "there is no home directory to keep the keys in",
            hint='export SCOUT_SECRET_KEYS="$(scout keys new)"',
        )
    return folder / FILE_NAME


def add(settings: Settings, kind: Kind) -> str:
    """Put a new key before the others in the file; return it.

    Raises:
        ConfigError: the settings name these keys, so that the file is not used; or see
            `open_keyring`.
    """
    _refuse_given(settings, kind)
    path, fresh = path_for(settings), made(kind)
    with keyfile.alone(path):
        kept = keyfile.read(path) or Kept()
        keyfile.write(path, replace(kept, **{kind: (fresh, *getattr(kept, kind))}))
    return fresh


def drop(settings: Settings, kind: Kind, unwanted: Sequence[str]) -> None:
    """Take keys out of the file; the last one stays.

    Raises:
        ConfigError: see `add`.
    """
    _refuse_given(settings, kind)
    path = path_for(settings)
    with keyfile.alone(path):
        kept = keyfile.read(path) or Kept()
        left = tuple(key for key in getattr(kept, kind) if key not in unwanted)
        if left:
            keyfile.write(path, replace(kept, **{kind: left}))


def are_given(settings: Settings, kind: Kind) -> bool:
    """Return whether the settings name these keys, so that the file's are not used."""
    return bool(_given(settings, kind))


def _given(settings: Settings, kind: Kind) -> tuple[str, ...]:
    setting = "secret_keys" if kind == "secret_keys" else "jwt_secret"
    return keyfile.checked(getattr(settings, setting), kind, setting, f"{_NEW[kind]} makes one")


def _refuse_given(settings: Settings, kind: Kind) -> None:
    if are_given(settings, kind):
        setting = "secret_keys" if kind == "secret_keys" else "jwt_secret"
        raise ConfigError(
            f"{setting} is set by hand, so scout does not change it",
            hint=f"put the key that `{_NEW[kind]}` prints before the others there",
        )


def _from_file(settings: Settings) -> Kept:
    """Return what the file holds; what is missing in it is made."""
    path = path_for(settings)
    kept = keyfile.read(path)
    if kept is not None and kept.jwt_secrets and kept.secret_keys:
        return kept
    with keyfile.alone(path):
        kept = keyfile.read(path) or Kept()  # another process may have made it meanwhile
        full = Kept(
            jwt_secrets=kept.jwt_secrets or (made("jwt_secrets"),),
            secret_keys=kept.secret_keys or (made("secret_keys"),),
        )
        if full != kept:
            keyfile.write(path, full)
    return full
