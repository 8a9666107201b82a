"""Which scout is meant: an id, the beginning of one, or a title."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from scout_cli.core.models import Scout
from scout_cli.core.report import clean
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.store import scouts
from scout_cli.store.database import Connection
from scout_cli.store.scouts import Named

_Found = TypeVar("_Found", Scout, Named)

_PREFIX = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)


async def find(db: Connection, owner: UUID, names: Iterable[str]) -> list[Scout]:
    """Return the scouts that `names` mean, in their order, each once.

    Args:
        db: the database.
        owner: whose scouts.
        names: ids, unique beginnings of ids, titles or unique beginnings of titles.

    Raises:
        NotFound: one of them means none; the nearest title is offered.
        InvalidInput: one of them may mean several.
    """
    found: dict[UUID, Scout] = {}
    titles: list[Named] | None = None
    for name in names:
        wanted = name.strip()
        by_id = await _by_id(db, owner, wanted)
        if by_id is None:
            titles = await scouts.names(db, owner) if titles is None else titles
            by_id = await scouts.get(db, _titled(titles, wanted).id)
        if by_id is None:
            raise _unknown(wanted, [])
        found[by_id.id] = by_id
    return list(found.values())


async def _by_id(db: Connection, owner: UUID, wanted: str) -> Scout | None:
    if not _PREFIX.fullmatch(wanted):
        return None
    found = await scouts.by_prefix(db, owner, wanted.lower())
    return _only(found, wanted) if found else None


def _titled(known: Sequence[Named], wanted: str) -> Named:
    folded = wanted.casefold()
    exact = [each for each in known if each.title.casefold() == folded]
    starting = [each for each in known if folded and each.title.casefold().startswith(folded)]
    if matches := exact or starting:
        return _only(matches, wanted)
    raise _unknown(wanted, [each.title for each in known])


def _unknown(wanted: str, titles: Sequence[str]) -> NotFound:
    # A long name is no slip of the finger, and comparing it with every title takes seconds.
    near = difflib.get_close_matches(wanted, titles, n=1, cutoff=0.5) if len(wanted) < 200 else []
    return NotFound(
        f"no scout {clean(wanted)[:80]!r}",
        hint=f"did you mean {clean(near[0])!r}?" if near else "scout list shows them all",
    )


def _only(found: Sequence[_Found], name: str) -> _Found:
    if len(found) > 1:
        names = ", ".join(f"{str(scout.id)[:8]} {clean(scout.title)}" for scout in found[:5])
        raise InvalidInput(
            f"{clean(name)[:80]!r} may be several scouts: {names}", hint="use the id"
        )
    return found[0]
