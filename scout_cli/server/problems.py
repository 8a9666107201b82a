"""Errors as RFC 9457 problem documents, with scout's `code` and `hint` as members."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.core.models import Record
from scout_cli.errors import (
    Changed,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    ScoutError,
    TooMany,
    Unauthorized,
    Unavailable,
)

CONTENT_TYPE = "application/problem+json"


class TooLarge(InvalidInput):
    """A body of more bytes than the route takes."""

    code = "too_large"


class WrongType(InvalidInput):
    """A body of another type than JSON."""

    code = "unsupported_media_type"


_STATUS: tuple[tuple[type[ScoutError], int], ...] = (
    (TooLarge, 413),
    (WrongType, 415),
    (InvalidInput, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (Refused, 403),
    (NotFound, 404),
    (Changed, 412),
    (Conflict, 409),
    (Unavailable, 503),
    (ScoutError, 500),
)


class Detail(Record, frozen=True, kw_only=True):
    """The error, as `--json` of the command line has it."""

    code: str
    message: str
    hint: str = ""


class Problem(Record, frozen=True, kw_only=True):
    """RFC 9457: what went wrong, for programs and people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = ""
    """The id of the request, as in the server's log."""
    code: str
    """The name that programs branch on."""
    hint: str = ""
    error: Detail
    """Once more as the command line prints it."""


def status_of(error: ScoutError) -> int:
    """Return the HTTP status of an error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def problem(
    status: int, code: str, message: str, *, hint: str = "", request_id: str = ""
) -> Problem:
    """Return a problem document."""
    return Problem(
        title=_title(status),
        status=status,
        detail=message,
        instance=request_id,
        code=code,
        hint=hint,
        error=Detail(code=code, message=message, hint=hint),
    )


def answer(error: ScoutError, request_id: str) -> web.Response:
    """Return the response that tells of `error`."""
    status = status_of(error)
    told = problem(status, error.code, error.message, hint=error.hint, request_id=request_id)
    return respond(told, headers=_headers(error, status))


def respond(told: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """Return a problem document as a response."""
    return web.Response(
        status=told.status, body=shape.encode(told), content_type=CONTENT_TYPE, headers=headers
    )


def _headers(error: ScoutError, status: int) -> dict[str, str]:
    headers: dict[str, Any] = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="scout"'
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, Unavailable) and error.retryable:
        headers["Retry-After"] = "5"
    return headers


def _title(status: int) -> str:
    import http  # noqa: PLC0415 - only when something went wrong

    return http.HTTPStatus(status).phrase
