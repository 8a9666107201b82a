"""What every request passes: a name, a log line, the host and origin rules, errors as problems."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from urllib.parse import urlsplit
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from scout_cli.errors import ScoutError
from scout_cli.server import problems
from scout_cli.server.access import Network, address_of
from scout_cli.server.dispatch import ADDRESS, REQUEST_ID, WHO
from scout_cli.server.metrics import REQUESTS
from scout_cli.server.under_way import UNDER_WAY

LOG = logging.getLogger("scout.server")

_PROCESS = uuid4().hex[:8]
_COUNT = itertools.count(1)
"""Requests are counted: a random name for each costs a call of the system."""

_SECURE = {
    "Server": "scout",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Origin",
}
_HALF = re.compile("[\ud800-\udfff]")
_LOCAL = re.compile(
    r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(?![^/?#])", re.IGNORECASE
)
_METHODS = "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"
_REQUEST_HEADERS = (
    "accept,accept-profile,apikey,authorization,content-profile,content-type,idempotency-key,"
    "if-match,if-none-match,last-event-id,prefer,range,x-client-info,x-retry-count,"
    "x-supabase-api-version"
)
_SHOWN_HEADERS = (
    "content-range,etag,link,location,retry-after,x-request-id,x-supabase-api-version,"
    "x-total-count,x-vercel-ai-ui-message-stream"
)


def _new_id() -> str:
    return f"{_PROCESS}{next(_COUNT):08x}"


def naming(trusted: tuple[Network, ...]) -> Middleware:
    """Return the middleware that names and counts each request, and knows where it is from."""

    @web.middleware
    async def name(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = _new_id()
        request[ADDRESS] = address_of(request, trusted)
        request[WHO] = ""
        with request.app[UNDER_WAY]:
            return await handler(request)

    return name


def securing(hosts: frozenset[str], origins: frozenset[str]) -> Middleware:
    """Return the middleware of the host and origin rules, and of the headers of every answer.

    Args:
        hosts: the names that the server is called by; empty for any.
        origins: web pages that may call, beside those of this machine.
    """

    @web.middleware
    async def secure(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        allowed = bool(origin) and (origin in origins or is_local(origin))
        if hosts and _host_of(request) not in hosts:
            response: web.StreamResponse = _refuse(
                request, 421, "host", "not a name of this server"
            )
        elif request.method == "OPTIONS":
            response = web.Response(status=204)
        elif origin and not allowed:
            response = _refuse(request, 403, "origin", "this origin may not call the server")
        elif not all(map(_is_text, request.headers.values())):
            response = _refuse(request, 400, "invalid", "a header is no text in UTF-8")
        else:
            response = await handler(request)
        if not response.prepared:
            _dress(response, origin if allowed else "", preflight=request.method == "OPTIONS")
        return response

    return secure


def dress_stream(
    request: web.Request, response: web.StreamResponse, origins: frozenset[str]
) -> None:
    """Give a response that is about to be streamed the headers of every answer."""
    origin = request.headers.get("Origin", "")
    allowed = bool(origin) and (origin in origins or is_local(origin))
    _dress(response, origin if allowed else "", preflight=False)


def _dress(response: web.StreamResponse, origin: str, *, preflight: bool) -> None:
    headers = response.headers
    for name, value in _SECURE.items():
        headers.setdefault(name, value)
    if origin:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _SHOWN_HEADERS
    if origin and preflight:
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        headers["Access-Control-Max-Age"] = "7200"


@web.middleware
async def telling(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into an answer, and write a line for the log."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        response = await handler(request)
    except ScoutError as error:
        response = problems.answer(error, request[REQUEST_ID])
    except web.HTTPException as error:
        response = _of_http(request, error)
    except TimeoutError:
        response = _refuse(request, 408, "timeout", "the request took too long")
    except (ConnectionError, asyncio.CancelledError):
        raise  # whoever asked has gone
    except Exception:  # the outermost border: logged, and answered 500
        LOG.exception("request %s failed", request[REQUEST_ID])
        response = _refuse(
            request, 500, "internal", "something went wrong that is scout's own fault"
        )
    if not response.prepared:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
    seconds, route = loop.time() - began, route_of(request)
    request.app[REQUESTS].note(request.method, route, response.status, seconds)
    if LOG.isEnabledFor(logging.INFO):
        _log(
            id=request[REQUEST_ID],
            method=request.method,
            route=route,
            status=response.status,
            ms=round(seconds * 1000, 1),
            address=request[ADDRESS],
            user=request.get(WHO, ""),
        )
    return response


def no_request(address: str, status: int) -> web.Response:
    """Return the answer to bytes that are no request, which pass no middleware; it is logged.

    Args:
        address: that they came from.
        status: of the answer.
    """
    name = _new_id()
    told = problems.problem(status, "invalid", "this is no valid HTTP request", request_id=name)
    response = problems.respond(told, headers={"X-Request-Id": name})
    _dress(response, "", preflight=False)
    response.force_close()
    _log(id=name, method="-", route="-", status=status, ms=0.0, address=address, user="")
    return response


def route_of(request: web.Request) -> str:
    """Return the pattern of a request's route, not its path: a feed's address holds a token."""
    route = request.match_info.route.resource
    return route.canonical if route is not None else "-"


def _log(**fields: str | float) -> None:
    LOG.info("request", extra={"fields": fields})


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    told = {404: "there is nothing here", 405: "this method is not offered here"}
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    problem = problems.problem(
        error.status,
        {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(
            error.status, "invalid"
        ),
        told.get(error.status, error.reason),
        hint="/docs lists what there is" if error.status == 404 else "",
        request_id=request[REQUEST_ID],
    )
    return problems.respond(problem, headers=headers)


def _refuse(request: web.Request, status: int, code: str, message: str) -> web.Response:
    return problems.respond(problems.problem(status, code, message, request_id=request[REQUEST_ID]))


def _is_text(value: str) -> bool:
    # Bytes that are no UTF-8 come as halves of surrogate pairs, which nothing can store or send.
    return value.isascii() or not _HALF.search(value)


def _host_of(request: web.Request) -> str:
    host = request.headers.get("Host", "")
    return (urlsplit(f"//{host}").hostname or "") if host else ""


def is_local(page: str) -> bool:
    """Return whether a web page, or its origin, is one of this machine."""
    return _LOCAL.match(page) is not None
