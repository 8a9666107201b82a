"""Time and chance."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Time and chance, so that the core has neither of its own."""

    def now(self) -> datetime:
        """Return the present moment, UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        ...

    def uuid(self) -> UUID:
        """Return a fresh random identifier."""
        ...
