"""What Ollama's client is made to do: send only our key, and read no reply without end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

import httpx

LARGEST_REPLY = 16 * 1024 * 1024
"""Bytes of one reply, streamed or not. A long answer is below 4 MiB on the wire."""


class OnlyOurKey(httpx.Auth):
    """Sends the key that was passed in, and nothing when there is none."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put our key, and no other, into the request."""
        request.headers.pop("authorization", None)
        if self._key:
            request.headers["authorization"] = f"Bearer {self._key}"
        yield request


class Bounded(httpx.AsyncHTTPTransport):
    """Ends any reply that is larger than `LARGEST_REPLY`, or packed so that its size is hidden."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its reply is read up to the limit."""
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.stream.aclose()
            raise httpx.DecodingError("the reply is compressed, which was not asked for")
        response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_REPLY:
                raise httpx.ReadError(f"the reply is larger than {LARGEST_REPLY} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
