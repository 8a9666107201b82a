"""The URL of a PostgreSQL database: what is passed on, and what may be shown."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from scout_cli.errors import ConfigError

UNSAFE = "scout_unsafe"
"""`?scout_unsafe=1` accepts a server with fsync off: for tests, whose data may be lost."""

_FORM = "write postgresql://user:password@host:5432/name, with %2F for a / in the password"
_SECRET = ("password", "passfile", "sslpassword", "sslkey")


class Address(NamedTuple):
    """A database URL, read."""

    dsn: str
    """For the driver."""
    shown: str
    """For people: without a password."""
    database: str
    named: frozenset[str]
    """The parameters that the URL itself sets."""
    unsafe: bool


def address_of(url: str) -> Address:
    """Read a PostgreSQL URL.

    Source: PostgreSQL documentation, "Connection URIs" in libpq.

    Raises:
        ConfigError: it cannot be read; the message does not repeat it, as it may hold a password.
    """
    try:
        parts = urlsplit(url)
        host, port, user = parts.hostname or "", parts.port, parts.username
        parameters = parse_qsl(
            parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)
        )
    except ValueError:
        raise ConfigError("database_url: this URL cannot be read", hint=_FORM) from None
    if not url.partition(":")[2].startswith("//") or parts.fragment:
        raise ConfigError("database_url: this URL cannot be read", hint=_FORM)
    named = dict(parameters)
    kept = [(name, value) for name, value in parameters if name != UNSAFE]
    socket = named.get("host", "")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    name = unquote(parts.path.lstrip("/")) or named.get("dbname", "") or named.get("database", "")
    shown = urlunsplit(
        (
            "postgresql",
            f"{quote(unquote(user))}@{place}" if user else place,
            parts.path or "/",
            urlencode([(key, value) for key, value in kept if key not in _SECRET], safe="/"),
            "",
        )
    )
    return Address(
        dsn=urlunsplit(parts._replace(scheme="postgresql", query=urlencode(kept))),
        shown=shown if place or socket else shown.replace("postgresql:/", "postgresql:///", 1),
        database=name,
        named=frozenset(named),
        unsafe=named.get(UNSAFE) == "1",
    )
