"""Clients mask their frames: whoever does not is cut off, which aiohttp leaves out.

Source: RFC 6455, 5.1 and 5.2.
"""

from __future__ import annotations

from typing import Any, cast

from aiohttp import WebSocketError, WSCloseCode, web

_LENGTHS = {126: 2, 127: 8}


class _Masked:
    """Looks at the head of every frame before the parser does.

    Args:
        parser: aiohttp's.
        queue: where it puts what it has read.
    """

    def __init__(self, parser: Any, queue: Any) -> None:
        self._parser = parser
        self._queue = queue
        self._head = bytearray()
        self._skip = 0

    def feed_data(self, data: bytes) -> Any:
        """Take what arrived."""
        if self._is_masked(bytes(data)):
            return self._parser.feed_data(data)
        error = WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a frame of a client is masked")
        self._queue.set_exception(error)
        return True, b""

    def feed_eof(self) -> None:
        """Take the end."""
        self._parser.feed_eof()

    def _is_masked(self, data: bytes) -> bool:
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            self._head.append(data[at])
            at += 1
            if len(self._head) >= 2 and not self._took_head():
                return False
        return True

    def _took_head(self) -> bool:
        """Return whether the frame is masked; with its whole length known, pass over the rest."""
        short = self._head[1] & 0x7F
        size = _LENGTHS.get(short, 0)
        if len(self._head) == 2 + size:
            masked = bool(self._head[1] & 0x80)
            self._skip = 4 + (int.from_bytes(self._head[2:]) if size else short)
            self._head.clear()
            return masked
        return bool(self._head[1] & 0x80)


def demand(request: web.Request, response: web.WebSocketResponse) -> None:
    """Refuse unmasked frames on a socket that was just prepared."""
    # aiohttp has no hook between the connection and its parser.
    protocol = cast("Any", request.protocol)
    queue = cast("Any", response)._reader  # noqa: SLF001 - see above
    protocol._payload_parser = _Masked(protocol._payload_parser, queue)  # noqa: SLF001 - see above
