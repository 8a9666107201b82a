"""Encrypts what is secret in the database, and reads it again.

A sealed text is `enc:1:<key id>:<Fernet token>`: it names its key, so that whoever lacks it can be
told which one is missing. Source of the token: https://github.com/fernet/spec
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from hashlib import sha256

from scout_cli.errors import ConfigError
from scout_cli.store.rows import PREFIX, key_id_of

_KEPT = 1_024
"""Opened secrets that are remembered: the same channels are asked for again and again."""


def key_id(secret: str) -> str:
    """Return the name of a key: twelve hexadecimal digits of its SHA-256. It may be shown."""
    return sha256(secret.encode()).hexdigest()[:12]


class Vault:
    """Seals with the newest key, opens with any.

    Args:
        keys: returns the Fernet keys, newest first, none where there are none yet; asked every
            time, since they may rotate while this process runs.
        make: makes the first key and returns what `keys` then does.
        place: where keys are kept, for the hint of an error.
    """

    def __init__(
        self, keys: Callable[[], Sequence[str]], make: Callable[[], Sequence[str]], place: str
    ) -> None:
        self._keys = keys
        self._make = make
        self._place = place
        self._opened: dict[str, str] = {}

    @property
    def newest(self) -> str:
        """Return the id of the key that seals."""
        return key_id(self._newest())

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of all keys, newest first."""
        return tuple(map(key_id, self._keys()))

    def seal(self, text: str) -> str:
        """Return `text` encrypted; what is sealed already is opened first.

        Raises:
            ConfigError: no keys can be had.
        """
        from cryptography.fernet import Fernet  # noqa: PLC0415 - 20 ms that most commands save

        clear = self.open(text) if text.startswith(PREFIX) else text
        key = self._newest()
        return f"{PREFIX}{key_id(key)}:{Fernet(key).encrypt(clear.encode()).decode()}"

    def open(self, token: str) -> str:
        """Return what was sealed.

        Raises:
            ConfigError: its key is not here, or it is damaged.
        """
        if token not in self._opened:
            if len(self._opened) >= _KEPT:
                self._opened.clear()
            self._opened[token] = self._decrypted(token)
        return self._opened[token]

    def fresh(self) -> str:
        """Return a random secret of 32 bytes."""
        return secrets.token_urlsafe(32)

    def keyed(self, secret: str, text: str) -> str:
        """Return the HMAC-SHA-256 of `text`, hex."""
        return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()

    def _newest(self) -> str:
        return (self._keys() or self._make())[0]

    def _decrypted(self, token: str) -> str:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet  # noqa: PLC0415 - see above

        wanted = key_id_of(token)
        fitting = [Fernet(key) for key in self._keys() if key_id(key) == wanted]
        if not fitting:
            raise ConfigError(
                f"a secret in the database was encrypted with key {wanted}, which is not here"
                f" (here: {', '.join(self.ids) or 'none'})",
                hint=f"put that key back into {self._place}; scout keys list shows what needs it",
            )
        try:
            return MultiFernet(fitting).decrypt(token.rpartition(":")[2]).decode()
        except InvalidToken:
            raise ConfigError(
                f"a secret in the database is damaged (it names key {wanted})",
                hint="restore a backup, or scout keys rotate --discard gives it up",
            ) from None
