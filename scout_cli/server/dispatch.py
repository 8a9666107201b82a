"""From a route to what aiohttp calls: values checked, the handler asked, its reply encoded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from scout_cli.core import shape
from scout_cli.server import idempotency
from scout_cli.server.access import admit, caller_of
from scout_cli.server.calls import APP, Call, Reply
from scout_cli.server.reading import body_of, ids_of, query_of
from scout_cli.server.routing import Route

ADDRESS = web.RequestKey("ADDRESS", str)
"""Where a request comes from, trusted proxies left aside."""
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
"""Names a request in logs and errors."""
WHO = web.RequestKey("WHO", str)
"""Whose request it is, for the log."""

SECONDS = 30.0
"""In which a request must have come and been answered, streams aside."""


def handling(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return what aiohttp calls for `route`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if route.stream:
            return await answered(request)
        async with asyncio.timeout(SECONDS):
            return await answered(request)

    async def answered(request: web.Request) -> web.StreamResponse:
        app = request.app[APP]
        address = request[ADDRESS]
        caller = None
        if route.access in ("user", "admin"):
            caller = await caller_of(request, app)
            request[WHO] = str(caller.user_id) if caller else ""
        admit(route, caller, address, request, app)
        call = Call(
            request,
            caller=caller,
            ids=ids_of(request),
            query=query_of(request, route),
            body=await body_of(request, route),
            address=address,
            request_id=request[REQUEST_ID],
        )
        key = request.headers.get(idempotency.HEADER) if route.idempotent_by_key else None
        if key is not None:
            return await idempotency.answered_once(call, route, key)
        reply = await route.handler(call)
        return encoded(reply, route) if isinstance(reply, Reply) else reply

    return handle


def encoded(reply: Reply, route: Route) -> web.Response:
    """Return a reply as a response."""
    status = reply.status or route.status
    if reply.value is None:
        return web.Response(status=204 if status == 200 else status, headers=reply.headers)
    body = reply.value if isinstance(reply.value, bytes) else shape.encode(reply.value)
    return web.Response(
        status=status, body=body, headers={"Content-Type": route.content_type, **reply.headers}
    )
