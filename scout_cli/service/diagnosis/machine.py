"""This machine: its time zone, and whether the network guard stops what it must stop."""

from __future__ import annotations

import importlib.metadata
import re
import socket
import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from scout_cli.core.ports import Clock
from scout_cli.errors import Refused
from scout_cli.service.checks import Check, Tell, attempt

_FORBIDDEN_URLS = (
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://2130706433/",
    "http://localhost/",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
)
_FORBIDDEN_ADDRESSES = ("127.0.0.1", "10.0.0.1", "169.254.169.254")
_ZONES_VERSION = re.compile(r"\A# version (\S+)")


async def time_zone(zone: Callable[[], str], clock: Clock, bound: float, tell: Tell) -> None:
    """Tell this machine's zone, how far it is from UTC, and how old the zone database is."""

    async def look() -> None:
        name = zone()
        now = clock.now().astimezone(ZoneInfo(name))
        version, source = zone_database()
        detail = f"{name}, now {_offset(now)}; time zone database {version or 'of unknown version'}"
        data = {
            "zone": name,
            "offset": _offset(now).removeprefix("UTC") or "+00:00",
            "tzdb": version,
            "tzdb_source": source,
        }
        tell(Check(name="time zone", ok=True, detail=detail, data=data))

    await attempt("time zone", tell, bound, look)


def zone_database(folders: tuple[str, ...] | None = None) -> tuple[str | None, str]:
    """Return version and place of the database that `zoneinfo` reads.

    Args:
        folders: where the system keeps it, in order; what Python was built with when None.
    """
    for folder in map(Path, zoneinfo.TZPATH if folders is None else folders):
        if not (folder / "UTC").exists():
            continue
        with suppress(OSError):
            with (folder / "tzdata.zi").open() as source:
                found = _ZONES_VERSION.match(source.readline())
            return found and found[1], str(folder)
        with suppress(OSError):
            return (folder / "+VERSION").read_text().strip(), str(folder)
        return None, str(folder)
    with suppress(importlib.metadata.PackageNotFoundError, ModuleNotFoundError, OSError):
        with files("tzdata").joinpath("zoneinfo", "tzdata.zi").open() as source:
            found = _ZONES_VERSION.match(source.readline())
        return found and found[1], f"tzdata {importlib.metadata.version('tzdata')}"
    return None, "none"


def _offset(moment: datetime) -> str:
    text = moment.strftime("%z")
    return "UTC" if text == "+0000" else f"UTC{text[:3]}:{text[3:5]}"


async def guard(private: bool | tuple[str, ...], bound: float, tell: Tell) -> None:  # noqa: FBT001 - the setting has this shape
    """Tell whether the guard refuses addresses that no page may lead scout to.

    Nothing is dialled: each of the guard's three looks is asked by itself.
    """

    async def look() -> None:
        tell(_guarded(private))

    await attempt("network guard", tell, bound, look)


def _guarded(private: bool | tuple[str, ...]) -> Check:  # noqa: FBT001 - see above
    name, opened = "network guard", list(private) if isinstance(private, tuple) else []
    passed = _let_through()
    data = {"let_through": passed, "opened": True if private is True else opened}
    if passed:
        detail = f"it lets {passed[0]} through"
        hint = "do not run scout like this; please report it"
        return Check(name=name, ok=False, detail=detail, hint=hint, data=data)
    if private is True:
        detail = "pages may lead scout to any machine of your private networks"
        hint = "scout config set allow_private_networks HOST:PORT"
        return Check(name=name, ok=True, warn=True, detail=detail, hint=hint, data=data)
    detail = "loopback, private networks and cloud metadata are refused"
    detail += f", except {', '.join(opened)}" if opened else ""
    return Check(name=name, ok=True, detail=detail, data=data)


def _let_through() -> list[str]:
    """Return what a guard without exceptions does not stop; it should be nothing."""
    from scout_cli.net.guard import Guard  # noqa: PLC0415 - it costs aiohttp

    plain = Guard(opener=_no_socket)
    looks: dict[str, Callable[[], object]] = {
        url: lambda url=url: plain.check(url)  # type: ignore[misc]
        for url in _FORBIDDEN_URLS
    }
    for address in _FORBIDDEN_ADDRESSES:
        looks[f"a name of {address}"] = lambda a=address: plain.admit("page.example", 80, [a])  # type: ignore[misc]
        info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))
        looks[f"a socket to {address}"] = lambda i=info: plain.open_socket(i)  # type: ignore[misc]
    return [what for what, look in looks.items() if not _refuses(look)]


def _refuses(look: Callable[[], object]) -> bool:
    try:
        look()
    except Refused:
        return True
    return False


def _no_socket(_: object) -> socket.socket:
    """Make no socket: the examination only asks whether one would be made."""
    return socket.socket.__new__(socket.socket)
