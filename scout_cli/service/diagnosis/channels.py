"""Where news is sent: can each address be used. Nothing is sent, and no secret of one is told."""

from __future__ import annotations

from collections.abc import Sequence

from scout_cli import notify
from scout_cli.errors import ScoutError
from scout_cli.plug import scheme_of
from scout_cli.service.checks import Check, Tell, attempt, failed
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import channels, health, users
from scout_cli.store.channels import ChannelGlance
from scout_cli.store.database import Database


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell of every channel that the settings or a scout name."""

    async def look() -> None:
        used = list(subject.channels)
        if database is not None:
            used += await health.channels(database)
        for check in judged(list(dict.fromkeys(used))):
            tell(check)
        if database is not None and (owner := await users.local(database)):
            for check in silent(await channels.glances(database, owner.id)):
                tell(check)

    await attempt("channels", tell, subject.bounds.database, look)


def judged(used: Sequence[str]) -> list[Check]:
    """Return a check for each URL in `used`, and one for all together."""
    checks = [_channel(number, url) for number, url in enumerate(used, 1)]
    wrong = sum(not check.ok for check in checks)
    data = {"used": len(used), "wrong": wrong}
    if not used:
        detail = "none: news is printed and stored"
    else:
        detail = f"{len(used) - wrong} of {len(used)} can be used"
    # Each channel that is wrong has its own failed check; this one counts them.
    return [*checks, Check(name="channels", ok=True, warn=wrong > 0, detail=detail, data=data)]


def silent(known: Sequence[ChannelGlance]) -> list[Check]:
    """Return a warning for each channel that was disabled, or holds what it could not deliver."""
    found = []
    for channel in known:
        name, shown = f"channel {str(channel.id)[:8]}", notify.describe(channel.url)
        data = {"shown": shown, "dead": channel.dead, "unknown": channel.unknown}
        if channel.state == "disabled":
            detail = f"{shown}: disabled: {channel.reason}"
            hint = f"scout notify enable {str(channel.id)[:8]}"
        elif channel.dead or channel.unknown:
            detail = f"{shown}: {channel.dead} not delivered, {channel.unknown} in doubt"
            hint = "scout outbox --failed"
        else:
            continue
        found.append(Check(name=name, ok=True, warn=True, detail=detail, hint=hint, data=data))
    return found


def _channel(number: int, url: str) -> Check:
    """Judge one URL; its number keeps the names of checks apart where two look alike."""
    name, shown = f"channel {number}", notify.describe(url)
    data = {"scheme": scheme_of(url), "shown": shown}
    try:
        notify.check_channel(url, apprise=True)
    except ScoutError as error:
        return failed(name, error, **data)
    return Check(name=name, ok=True, detail=shown, data=data)
