"""What can never be in a database, looked for: only when asked, since it reads all of it."""

from __future__ import annotations

from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import invariants
from scout_cli.store.database import Database
from scout_cli.store.invariants import Violation

NAME = "invariants"
_SECONDS = 600.0
_HINT = "scout backup keeps what there is; scout restore brings an earlier one back"


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell what of the invariants does not hold, when the subject wants to know."""
    if database is None or not subject.integrity:
        return

    async def look() -> None:
        tell(judged(await invariants.check(database, await database.now())))

    await attempt(NAME, tell, _SECONDS, look, late="the database is large: try again at night")


def judged(found: list[Violation]) -> Check:
    """Return what to think of what was found."""
    data = {"violations": [{"name": each.name, "detail": each.detail} for each in found]}
    if not found:
        detail = "all that can be told from the database hold"
        return Check(name=NAME, ok=True, detail=detail, data=data)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    detail = f"{found[0].name}: {found[0].detail}{more}"
    return Check(name=NAME, ok=False, detail=detail, hint=_HINT, data=data)
