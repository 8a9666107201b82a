"""`Idempotency-Key`: a POST that is sent again under its key is answered again, not done again.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.server.calls import Call
from scout_cli.server.routing import Route
from scout_cli.service.repeats import Repeats

HEADER = "Idempotency-Key"
_KEPT = ("Content-Type", "ETag", "Location", "Cache-Control")


async def answered_once(call: Call[Any, Any], route: Route, key: str) -> web.StreamResponse:
    """Answer a request by its key: carry it out, or repeat what was answered before.

    Raises:
        InvalidInput: a key that cannot be used.
        Conflict: the key was used for another request, or that one is not answered yet.
    """
    from scout_cli.server.dispatch import encoded  # noqa: PLC0415 - it imports this module

    repeats = Repeats(await call.app.database(), call.user)
    async with repeats.once(key, _fingerprint(call, route)) as attempt:
        if attempt.before is not None:
            kept = attempt.before
            headers = {**kept.headers, "Idempotent-Replayed": "true"}
            return web.Response(
                status=kept.status, body=kept.answer.encode() or None, headers=headers
            )
        reply = await route.handler(call)
        assert not isinstance(reply, web.StreamResponse), "a stream cannot be kept"
        response = encoded(reply, route)
        body = response.body if isinstance(response.body, bytes) else b""
        headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
        attempt.answered(response.status, body, headers)
        return response


def _fingerprint(call: Call[Any, Any], route: Route) -> str:
    ids = sorted((name, str(id_)) for name, id_ in call.ids.items())
    said = [route.method, route.path, ids, call.query, call.body]
    return sha256(shape.encode(said)).hexdigest()
