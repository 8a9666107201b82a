"""How every stored row is written down."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Secret = Annotated[str, Meta(extra={"secret": True})]
"""Text that is stored encrypted, where the database was opened with keys."""


class Record(Struct, frozen=True, kw_only=True):
    """A stored row, or a part of one. Change it with `msgspec.structs.replace`."""
