"""What is done with scouts and runs, as the log has it: the same for every surface.

A line names what was done and to which id, never what a row holds.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import asdict

from scout_cli.core.models import Execution, Scout, ScoutPatch
from scout_cli.service.audit import COMMAND_LINE, Asker, Deed, user_actor

Done = Literal["scout.create", "scout.remove", "run.start", "run.cancel", "run.remove"]

_WAKING = frozenset(("is_active", "consecutive_failures", "paused_reason"))
"""What pausing and resuming change."""


def asker_for(user: UUID | None, asker: Asker | None) -> Asker:
    """Return who acts: `asker`, else the user themselves; the command line for the local owner."""
    if asker is not None:
        return asker
    return COMMAND_LINE if user is None else Asker(actor=user_actor(user))


def of(done: Done, *rows: Scout | Execution) -> list[Deed]:
    """Return what was done to scouts, or to runs."""
    return [_deed(done, row) for row in rows]


def of_change(scout: Scout, changes: ScoutPatch) -> list[Deed]:
    """Return what a change comes to: pausing, resuming, changing, or nothing.

    Args:
        scout: as it was.
        changes: what was asked for, without what the scout is already and what follows.
    """
    fields = {name for name, value in asdict(changes).items() if value is not UNSET}
    deeds = []
    if "is_active" in fields:
        deeds.append(_deed("scout.resume" if changes.is_active else "scout.pause", scout))
    if fields - _WAKING:
        deeds.append(_deed("scout.change", scout))
    return deeds


def _deed(action: str, row: Scout | Execution) -> Deed:
    return Deed(action=action, user_id=row.user_id, target=str(row.id))
