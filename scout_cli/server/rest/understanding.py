"""From the text of a request to a query that is ready to run.

The web interface asks the same again and again, with every event of a run: that is read, checked
and compiled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from msgspec.structs import replace

from scout_cli.server.rest import parse, plan
from scout_cli.server.rest.asked import Asked
from scout_cli.server.rest.failures import RestError
from scout_cli.server.rest.plan import Viewer
from scout_cli.store.query.run import Prepared

_SHORT = 512
"""Characters of a query string that is remembered; the longest is parse.MAX_QUERY."""

Paged = tuple[int, int | None]
"""Offset and limit of a `Range` header."""


class Understood(NamedTuple):
    """A request whose names were checked."""

    asked: Asked
    prepared: Prepared


def understood(table: str, raw: str, paged: Paged | None, viewer: Viewer) -> Understood:
    """Return what a request asks for.

    Args:
        table: as the path names it.
        raw: the query string, as it was sent.
        paged: what its `Range` header says, where that counts.
        viewer: who asks.

    Raises:
        RestError: it cannot be read, or asks for what is not there or not offered.
    """
    make = _remembered if len(raw) <= _SHORT else _understood
    return make(table, raw, paged, viewer)


def asked_of(raw: str, paged: Paged | None = None) -> Asked:
    """Return what a query string asks for, before any name is checked; see `understood`."""
    if len(raw) > parse.MAX_QUERY:
        raise RestError(414, "PGRST100", f"the query has more than {parse.MAX_QUERY} characters")
    asked = parse.query(_pairs(raw))
    if paged is None:
        return asked
    offset, limit = paged
    root = replace(asked.root, offset=asked.root.offset + offset)
    if limit is not None:
        root = replace(root, limit=min(limit, root.limit) if root.limit is not None else limit)
    return replace(asked, root=root)


def _understood(table: str, raw: str, paged: Paged | None, viewer: Viewer) -> Understood:
    asked = asked_of(raw, paged)
    return Understood(asked, Prepared(plan.query(plan.table_of(table), asked, viewer)))


_remembered = lru_cache(maxsize=512)(_understood)


def _pairs(raw: str) -> list[tuple[str, str]]:
    """Return names and values of a query string, in their order.

    Raises:
        RestError: it is not UTF-8.
    """
    try:
        return parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=256)
    except ValueError as error:
        raise RestError(400, "PGRST100", "the query cannot be read", details=str(error)) from None
