"""The body of an answer, read in pieces with a running count."""

from __future__ import annotations

from aiohttp import ClientResponse

from scout_cli.net.decoding import Decoder, Garbled, decoder
from scout_cli.net.failure import FetchFailed
from scout_cli.net.limits import Limits

_RATIO_FREE = 1024 * 1024
"""Decoded bytes before the ratio counts: short pages of one repeated line are honest."""


async def read(response: ClientResponse, limits: Limits, *, cut_at: int | None = None) -> bytes:
    """Return the decoded body of `response`.

    Args:
        response: from a session that does not decompress.
        limits: the allowed size and ratio.
        cut_at: stop quietly after this many decoded bytes.

    Raises:
        FetchFailed: too large, a decompression bomb, or damaged.
    """
    room = cut_at or limits.size_of(response.content_type)
    if cut_at is None and (response.content_length or 0) > room:
        raise _too_large(response, f"larger than {room / 1024 / 1024:.3g} MiB")
    try:
        decode = decoder(response.headers.get("Content-Encoding", ""))
        return await _pieces(response, decode, limits, room=room, cut=cut_at is not None)
    except Garbled as error:
        raise FetchFailed(
            "garbled", str(error), status=response.status, final_url=str(response.url)
        ) from error


async def _pieces(
    response: ClientResponse, decode: Decoder, limits: Limits, *, room: int, cut: bool
) -> bytes:
    content = bytearray()
    received = 0
    async for piece in response.content.iter_any():
        received += len(piece)
        grown = max(_RATIO_FREE, received * limits.ratio)
        content += decode.feed(piece, min(room, grown) - len(content))
        if len(content) > room:
            if cut:
                return bytes(content[:room])
            raise _too_large(response, f"larger than {room / 1024 / 1024:.3g} MiB")
        if len(content) > grown:
            raise _too_large(response, f"grows more than {limits.ratio}-fold when decompressed")
    if not decode.complete and not cut:
        raise Garbled("the compressed answer ends too early")
    return bytes(content)


def _too_large(response: ClientResponse, detail: str) -> FetchFailed:
    return FetchFailed("too_large", detail, status=response.status, final_url=str(response.url))
