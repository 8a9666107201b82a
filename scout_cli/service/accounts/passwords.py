"""Passwords: which ones are taken, and their argon2id hashes, a few at a time.

Source: NIST SP 800-63B section 3.1.1 (no rules of composition, a list of common ones); OWASP's
least parameters for argon2id.
"""

from __future__ import annotations

import asyncio
import re
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scout_cli.errors import TooMany
from scout_cli.service.accounts.commonest import BEGINNINGS, WHOLE
from scout_cli.service.accounts.refusals import WeakPassword

T = TypeVar("T")

LEAST, MOST = 8, 128
"""Characters of a password."""
_AT_ONCE = 2
_QUEUE = 20
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$n1soGmS1TJYdz49hE6Kdpw"
    "$0L4H/1zU0Dx5bRTpvolUapkSM91mev74pasiFnXqWyQ"
)
"""The hash of a random password that nobody knows."""
_TAIL = re.compile(r"[\d\W_]*$")
_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6z7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)


def normal(password: str) -> str:
    """Return a password in the one spelling of its characters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def checked(password: str, email: str = "") -> str:
    """Return a new password as it will be hashed.

    Args:
        password: as it was typed.
        email: whose; a password that is the address is as good as none.

    Raises:
        WeakPassword: too short, too long, or one of those that are tried first.
    """
    if len(password) > 8 * MOST:
        raise WeakPassword("length", f"the password has more than {MOST} characters")
    text = normal(password)
    if len(text) < LEAST:
        raise WeakPassword("length", f"the password has less than {LEAST} characters")
    if len(text) > MOST:
        raise WeakPassword("length", f"the password has more than {MOST} characters")
    if is_common(text) or text.casefold() in (email, email.partition("@")[0]):
        raise WeakPassword("common", "this password is one of those that are tried first")
    return text


def is_common(password: str) -> bool:
    """Return whether a password is one of those that are tried first."""
    text = password.casefold()
    if len(set(text)) <= 2 or text in WHOLE or _is_a_row(text):
        return True
    core = _TAIL.sub("", text)
    return any(each in BEGINNINGS for each in (core, core.translate(_LEET), _half(text)))


def _is_a_row(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in _ROWS)


def _half(text: str) -> str:
    """Return what a text says twice, such as `test` of `testtest`; else nothing."""
    middle = len(text) // 2
    return text[:middle] if text[:middle] * 2 == text else ""


class Passwords:
    """Hashes and verifies in two threads; whoever comes when twenty wait is sent away."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16
        )
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._room = threading.Semaphore(_AT_ONCE + _QUEUE)
        self.hashed = 0
        """How often a password was hashed, for whatever reason."""

    async def hash(self, password: str) -> str:
        """Return the hash of a password that `checked` returned.

        Raises:
            TooMany: too many are being hashed.
        """
        return await self._do(lambda: self._hasher.hash(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Return whether a password is the one that was hashed, in the same time for nobody's.

        Args:
            kept: the hash; None where there is none.
            password: as it was typed.

        Raises:
            TooMany: too many are being hashed.
        """
        fits = len(password) <= 8 * MOST
        text = normal(password) if fits else ""

        def work() -> bool:
            try:
                return self._hasher.verify(kept or _NOBODY, text)
            except (VerificationError, InvalidHashError):
                return False

        return await self._do(work) and kept is not None and fits

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _do(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise TooMany("too many sign in at this moment", hint="try again", retry_after=2.0)
        self.hashed += 1
        future = self._threads.submit(work)
        # Not when whoever waits gives up: the thread goes on, and its place is taken until then.
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)
