"""The upgrade: who may open a socket at all."""

from __future__ import annotations

from aiohttp import web

from scout_cli.errors import InvalidInput, Unauthorized
from scout_cli.server.dispatch import WHO
from scout_cli.server.realtime import masking
from scout_cli.server.realtime.frames import LONGEST, VERSIONS
from scout_cli.server.realtime.hub import Hub
from scout_cli.server.realtime.socket import Socket

_CLOSE_SECONDS = 2.0


class Realtime:
    """The sockets of one server; nothing is made before the first of them."""

    def __init__(self) -> None:
        self._hub: Hub | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Talk to one client.

        Raises:
            Unauthorized: no API key, or one that is none of this server's.
            InvalidInput: another version of the protocol.
            Unavailable: the database does not answer.
        """
        hub = self._hub = self._hub or Hub(request.app)
        key = hub.identities.of_key(_key_of(request))
        if key is None:
            raise Unauthorized("this needs the API key", hint="send apikey in the query")
        request[WHO] = key.viewer.role
        version = request.query.get("vsn", VERSIONS[0])
        if version not in VERSIONS:
            raise InvalidInput("this version of the protocol is not spoken", hint="vsn=2.0.0")
        response = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS, compress=False, max_msg_size=LONGEST + 1
        )
        if not response.can_prepare(request):
            raise InvalidInput("this is for WebSockets", hint="ask for an upgrade")
        socket = Socket(hub, request, response, version, key)
        try:
            await hub.enter(socket)
            await response.prepare(request)
        except BaseException:  # a cancellation too: its place is free again
            hub.leave(socket)
            raise
        masking.demand(request, response)
        await socket.serve()
        return response


def _key_of(request: web.Request) -> str:
    return request.query.get("apikey", "") or request.headers.get("apikey", "")


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the socket to an application."""
    router.add_route("GET", "/realtime/v1/websocket", Realtime().handle)
