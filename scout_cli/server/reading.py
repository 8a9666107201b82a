"""From a request to checked values: identifiers in the path, query parameters, the JSON body."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from scout_cli.core import shape
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.server.problems import TooLarge, WrongType
from scout_cli.server.routing import Route

T = TypeVar("T")

_WASTE = 2**21
"""Bytes that are read and thrown away: who still writes when the connection closes misses the
answer that says why."""


def ids_of(request: web.Request) -> dict[str, UUID]:
    """Return the identifiers in the path.

    Raises:
        NotFound: one of them is no UUID, so nothing has it.
    """
    found = {}
    for name, text in request.match_info.items():
        if name.endswith("_id"):
            try:
                found[name] = UUID(text)
            except ValueError:
                kind = name.removesuffix("_id")
                raise NotFound(f"no such {kind}", hint="an id is a UUID") from None
    return found


def query_of(request: web.Request, route: Route) -> Any:
    """Return the query parameters as the route's type.

    Raises:
        InvalidInput: one is unknown, given twice, or of the wrong kind.
    """
    given = request.query
    if route.query is None:
        if given:
            one = next(iter(given))
            raise InvalidInput(f"query: {one!r} is not known here", hint="none is; leave it out")
        return None
    listed = _listed(route.query)
    values: dict[str, Any] = {}
    for name in given:
        texts = given.getall(name)
        if name in listed:
            values[name] = [part for text in texts for part in text.split(",") if part]
        elif len(texts) > 1:
            raise InvalidInput(f"query: {name!r} is given {len(texts)} times")
        else:
            values[name] = texts[0]
    refuse_unstorable(values, "query")
    return shape.convert(values, route.query, what="query", strict=False)


async def body_of(request: web.Request, route: Route) -> Any:
    """Return the body as the route's type.

    Raises:
        TooLarge: it has more bytes than the route takes.
        WrongType: it is not sent as JSON.
        InvalidInput: it is not JSON, or not of the route's type; the message names the place.
    """
    if route.body is None:
        return None
    data = await bytes_of(request, route.limit)
    if not data and route.optional_body:
        return route.body()
    if request.content_type != "application/json":
        raise WrongType(
            f"a body of type {request.content_type[:100]} is not taken",
            hint="send JSON with Content-Type: application/json",
        )
    return decoded(data, route.body)


async def bytes_of(request: web.Request, limit: int) -> bytes:
    """Return the body of a request.

    Args:
        request: whose.
        limit: how many bytes, unpacked, are taken.

    Raises:
        TooLarge: it has more.
        InvalidInput: it is packed and cannot be unpacked, or broken off.
    """
    said = request.content_length or 0
    if said > limit + _WASTE:
        raise _too_large(limit)
    read, size = bytearray(), 0
    try:
        async for chunk in request.content.iter_chunked(2**16):
            size += len(chunk)
            if size > limit + _WASTE:
                break
            if max(size, said) <= limit:
                read += chunk
    except web.RequestPayloadError as error:
        raise InvalidInput("the body is broken", hint="check its coding and length") from error
    if size > limit:
        raise _too_large(limit)
    return bytes(read)


def decoded(data: bytes, to: type[T]) -> T:
    """Return JSON of a body as `to`.

    Raises:
        InvalidInput: it is not JSON of that shape, names a key twice, or holds text that cannot
            be stored.
    """
    plain = shape.decode(data, Any, what="body")
    refuse_unstorable(plain, "body")
    if data.count(b":") > 1:
        refuse_repeated(data)
    return shape.convert(plain, to, what="body")


def refuse_repeated(data: bytes) -> None:
    """Refuse a JSON object that names a key twice: whoever checked one would use the other.

    Raises:
        InvalidInput: with the key.
    """

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidInput(f"body: {name[:100]!r} is given twice")
            seen.add(name)

    try:
        json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits
        raise InvalidInput(f"body: {error}") from error


def refuse_unstorable(value: Any, where: str) -> None:
    """Refuse NUL and lone surrogates anywhere in a value.

    Raises:
        InvalidInput: with the place.
    """
    if isinstance(value, str):
        if "\0" in value or not _encodable(value):
            raise InvalidInput(f"{where}: text with characters that cannot be stored")
    elif isinstance(value, dict):
        for name, each in value.items():
            refuse_unstorable(name, where)
            refuse_unstorable(each, f"{where}.{name}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            refuse_unstorable(each, f"{where}[{at}]")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _listed(query: type) -> frozenset[str]:
    """Return the parameters of a query that may be given several times."""
    fields = msgspec.structs.fields(query)
    return frozenset(each.name for each in fields if _is_list(each.type))


def _is_list(kind: Any) -> bool:
    return "tuple" in str(kind) or "list" in str(kind)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body has more than {limit} bytes", hint="send less at once")
