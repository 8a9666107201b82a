"""The answer to a request over the table interface: rows, counts and their headers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web

from scout_cli.core import shape
from scout_cli.server.rest.failures import RestError

OBJECT = "application/vnd.pgrst.object+json"
"""What asks for exactly one row, as itself."""

Wanted = Literal["rows", "object"]


def wanted(accept: str) -> Wanted:
    """Return in which form an `Accept` header wants its rows.

    Raises:
        RestError: in none that is offered.
    """
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for kind in kinds:
        if kind in (OBJECT, "application/vnd.pgrst.object"):
            return "object"
        if kind in (
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/vnd.pgrst.array+json",
        ):
            return "rows"
    raise RestError(406, "PGRST107", f"None of these media types are available: {accept[:100]}")


def single(rows: Sequence[Any]) -> Any:
    """Return the one row.

    Raises:
        RestError: there is not exactly one.
    """
    if len(rows) != 1:
        raise RestError(
            406,
            "PGRST116",
            "Cannot coerce the result to a single JSON object",
            details=f"The result contains {len(rows)} rows",
        )
    return rows[0]


def content_range(first: int, rows: int, total: int | None) -> str:
    """Return the value of `Content-Range`: `0-3/4`, or `*/0` for no rows."""
    shown = f"{first}-{first + rows - 1}" if rows else "*"
    return f"{shown}/{'*' if total is None else total}"


def page(
    rows: Sequence[Any], form: Wanted, *, first: int, total: int | None, head: bool
) -> web.Response:
    """Return the rows that were read.

    Args:
        rows: the page of them.
        form: as the client wants them.
        first: the number of the first, from 0.
        total: how many there are in all, when that was asked for.
        head: leave the body out.

    Raises:
        RestError: there is not exactly one, and one was wanted; or the page is past the end.
    """
    if total is not None and first > total:
        raise RestError(
            416,
            "PGRST103",
            "Requested range not satisfiable",
            details=f"An offset of {first} was requested, but there are only {total} rows.",
        )
    value = single(rows) if form == "object" else list(rows)
    part = total is not None and len(rows) < total
    return _response(
        206 if part else 200, value, form, content_range(first, len(rows), total), head
    )


def written(
    status: int, rows: Sequence[Any] | None, form: Wanted, total: int | None
) -> web.Response:
    """Return what was written.

    Args:
        status: 201 for new rows, 200 for changed ones.
        rows: the rows as they are now; None when they are not wanted back.
        form: as the client wants them.
        total: how many were written, when that was asked for.
    """
    shown = "*" if total is None else str(total)
    if rows is None:
        return web.Response(
            status=201 if status == 201 else 204, headers={"Content-Range": f"*/{shown}"}
        )
    value = single(rows) if form == "object" else list(rows)
    return _response(status, value, form, content_range(0, len(rows), total), head=False)


def failed(error: RestError) -> web.Response:
    """Return an error."""
    return web.Response(
        status=error.status,
        body=shape.encode(error.failure),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def _response(status: int, value: Any, form: Wanted, found: str, head: bool) -> web.Response:  # noqa: FBT001 - the last of five that are named at every call
    kind = OBJECT if form == "object" else "application/json"
    return web.Response(
        status=status,
        body=b"" if head else shape.encode(value),
        headers={"Content-Type": f"{kind}; charset=utf-8", "Content-Range": found},
    )
