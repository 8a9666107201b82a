"""How far a scout has read for its wish: what it need not read again, and since when it owes more.

A run that ends early leaves pages whose facts nobody took. They are owed: the next run reads them
again, and looks back as far as the run that left them, or they would be too old for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from scout_cli.core.models import Scout, ScoutPatch, SeenPage
from scout_cli.service.changes import wished
from scout_cli.service.watching import watched
from scout_cli.store import pages, retention, scouts
from scout_cli.store.database import Connection


async def last_look(db: Connection, scout: Scout) -> datetime | None:
    """Return when a scout last looked and took in all that it read.

    Returns:
        None when it never has for its wish, so that the next run is a baseline.
    """
    if scout.last_run_at is None:
        return None
    seen = await pages.seen(db, scout.id)
    if seen.owed_since is None:
        return scout.last_run_at if seen.pages else None
    return seen.owed_since if seen.owed_since > scout.created_at else None


async def remember(
    tx: Connection, scout: Scout, read: Sequence[SeenPage], unfinished: Collection[str]
) -> None:
    """Inside a transaction: remember the pages of a run, and which of them are owed.

    Args:
        tx: the transaction.
        scout: as it was when the run began.
        read: the pages that were read.
        unfinished: canonical URLs of those that were not taken in.
    """
    before = await last_look(tx, scout) or scout.created_at
    await pages.forget_owed(tx, scout.id)
    compared = watched(scout)

    def remembered(page: SeenPage) -> SeenPage:
        if page.canonical_url in unfinished:
            return _owed(page, before)
        return page if page.canonical_url in compared else replace(page, text="")

    await pages.seen_put_many(tx, map(remembered, read))


async def change(tx: Connection, scout: Scout, patch: ScoutPatch) -> Scout:
    """Inside a transaction: change a scout and return it as it is then.

    With the old wish goes what was read for it: a page that did not change may answer the new one.

    Raises:
        NotFound: somebody removed it meanwhile.
        InvalidInput: a value that the table refuses.
    """
    changed = await scouts.update(tx, scout.id, patch)
    if wished(changed) != wished(scout):
        # After the update: a run that is just being stored has its pages in by now, or sees the
        # new wish and keeps them to itself.
        await retention.forget_pages(tx, scout.id, None)
    return changed


def _owed(page: SeenPage, before: datetime) -> SeenPage:
    return replace(page, content_hash="", etag=None, last_modified=None, read_at=before, text="")
