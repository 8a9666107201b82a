"""The table of routes: aiohttp serves it, and the OpenAPI document is made from it.

A handler receives checked values and returns a `Reply`, or a response of its own for streams.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal, TypeAlias

from aiohttp import web

from scout_cli.core.models import Record
from scout_cli.server.calls import Call, Reply

Handler: TypeAlias = Callable[[Call[Any, Any]], Awaitable[Reply | web.StreamResponse]]
Access: TypeAlias = Literal["public", "user", "admin", "operator"]
"""`public` asks for nobody, `user` for a session or token, `admin` for one of an admin, `operator`
for a call from this machine or with the metrics token."""

MIB = 2**20


class Route(Record, frozen=True, kw_only=True):
    """One operation of the server."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    """HEAD comes with GET (RFC 9110, 9.3.2)."""
    path: str
    """Names in braces are identifiers: `/api/v1/scouts/{scout_id}`. What is no UUID is not found.
    A name that ends in `*` (`{token*}`) is any text without a slash."""
    aliases: tuple[str, ...] = ()
    """Other paths of the same operation."""
    handler: Handler
    summary: str
    """What it does, in one line, for the reference."""
    tag: str
    access: Access = "user"
    scope: Literal["read", "write"] | None = None
    """What a token must be good for; None: `read` for GET, `write` for the others."""
    query: type | None = None
    """A `Shape` whose fields are the query parameters; tuples take repeated or comma-separated
    values."""
    body: type | None = None
    """The type of the JSON body; None when there is none."""
    optional_body: bool = False
    """An empty body is `body()` with its defaults."""
    answer: Any = None
    """The type of the JSON that is answered; None for an empty answer."""
    content_type: str = "application/json"
    status: int = 200
    also: tuple[int, ...] = ()
    """Other statuses that come with the same answer."""
    errors: tuple[int, ...] = ()
    """Statuses it may also answer, beside those of every route (400, 401, 403, 429, 500, 503)."""
    stream: bool = False
    """It lasts: no time limit, and it ends when the server stops."""
    limit: int = MIB
    """Bytes of a body."""
    idempotent_by_key: bool = False
    """A POST that takes `Idempotency-Key`."""
    example: Any = None
    """A body that works, for the reference."""


def checked(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return the routes, no two of which have the same method and path."""
    seen: dict[tuple[str, str], Route] = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            assert (route.method, path) not in seen, f"two routes for {route.method} {path}"
            seen[route.method, path] = route
    # By identity: an example is a dict, and a dict has no hash.
    return tuple({id(route): route for route in seen.values()}.values())
