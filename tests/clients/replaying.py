"""Says to a server what a client said in a recording, and compares what comes back.

replay = Replay(url, keys)
replay.memory                              # what names stand for, learnt from answers
await replay.scene(turns)                  # a list of differences, empty when all is as it was
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse
from yarl import URL

from tests.clients.condensing import PREFLIGHT, many
from tests.clients.shapes import differences

ORIGIN = "http://localhost:3100"
"""Where the pages of a browser come from."""
_NAME = re.compile(r"\{\{(\w+)\}\}")


class Socket:
    """A socket and what was heard from it."""

    def __init__(self, connection: ClientWebSocketResponse) -> None:
        self.connection = connection
        self._frames: list[Any] = []
        self._news = asyncio.Condition()
        self._work = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.connection:
            async with self._news:
                self._frames.append(json.loads(message.data))
                self._news.notify_all()

    async def hear(self, wanted: Any, memory: dict[str, str], seconds: float) -> list[str]:
        """Wait for a frame of a shape, and forget it; return in what the nearest one differs."""
        nearest = ["nothing was heard"]
        tried = 0
        try:
            async with asyncio.timeout(seconds), self._news:
                while True:
                    for frame in self._frames[tried:]:
                        learnt = dict(memory)
                        found = differences(wanted, frame, learnt)
                        if not found:
                            self._frames.remove(frame)
                            memory.update(learnt)
                            return []
                        nearest = min([found, nearest], key=len) if tried else found
                        tried += 1
                    await self._news.wait()
        except TimeoutError:
            return nearest

    async def close(self) -> None:
        """Leave."""
        await self.connection.close()
        self._work.cancel()


class Replay:
    """Plays clients.

    Args:
        url: of the server.
        memory: what names stand for beforehand: keys.
        patience: seconds to wait for a frame.
    """

    def __init__(self, url: str, memory: Mapping[str, str], *, patience: float = 20.0) -> None:
        self.url = url
        self.memory = dict(memory)
        self._patience = patience
        self._sockets: dict[int, Socket] = {}

    async def __aenter__(self) -> Self:
        self._client = ClientSession(timeout=ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        await self._client.close()

    async def hang_up(self) -> None:
        """Close all sockets, as pages that are closed do."""
        for socket in self._sockets.values():
            await socket.close()
        self._sockets.clear()

    async def scene(self, turns: list[dict[str, Any]]) -> list[str]:
        """Say it all in order, and return in what the first answer differs that does."""
        for number, turn in enumerate(turns, 1):
            if found := await self._turn(turn):
                what = turn.get("ask") or json.dumps(turn)[:400]
                return [f"turn {number}, {what}", *found]
        return []

    async def _turn(self, turn: dict[str, Any]) -> list[str]:
        if "ask" in turn:
            return await self._ask(turn)
        if "open" in turn:
            url = URL(self.url + self._filled(turn["open"]), encoded=True)
            connection = await self._client.ws_connect(url, headers={"Origin": ORIGIN})
            self._sockets[turn["socket"]] = Socket(connection)
            return []
        socket = self._sockets[turn["socket"]]
        if "say" in turn:
            await socket.connection.send_str(self._filled(json.dumps(turn["say"])))
            return []
        return await socket.hear(turn["hear"], self.memory, self._patience)

    async def _ask(self, turn: dict[str, Any]) -> list[str]:
        method, path = self._filled(turn["ask"]).split(" ", 1)
        headers = {name: self._filled(value) for name, value in turn.get("headers", {}).items()}
        if turn["who"] == "browser":
            headers["Origin"] = ORIGIN
        body = self._filled(json.dumps(turn["body"])) if "body" in turn else None
        async with self._client.request(
            method,
            URL(self.url + path, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            text = await answer.text()
            if answer.status != turn["status"]:
                return [f"status {answer.status} instead of {turn['status']}: {text[:300]}"]
            found = [
                f"header {name}: {answer.headers.get(name)!r} instead of {value!r}"
                for name, value in turn.get("answer_headers", {}).items()
                if not _alike(name, value, answer.headers.get(name))
            ]
        return found + self._compare(turn.get("answer"), text, answer.content_type)

    def _compare(self, wanted: Any, text: str, kind: str) -> list[str]:
        if wanted is None:
            return [f"a body: {text[:200]!r}"] if text else []
        if wanted == "text":
            return [] if text else ["no body"]
        if kind != "text/event-stream":
            return differences(wanted, json.loads(text), self.memory)
        return self._events(wanted["events"], text)

    def _events(self, wanted: list[Any], text: str) -> list[str]:
        lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        events = [json.loads(line) for line in lines if line != "[DONE]"]
        by_type = {shape["type"]: shape for shape in wanted}
        met = list(dict.fromkeys(f"={event['type']}" for event in events))
        if met != list(by_type):
            return [f"events {met} instead of {list(by_type)}"]
        return [
            line
            for event in events
            for line in differences(by_type[f"={event['type']}"], event, self.memory)
        ]

    def _filled(self, text: str) -> str:
        now = datetime.now(UTC).isoformat()
        return _NAME.sub(lambda name: {"now": now, **self.memory}[name[1]], text)


def _alike(name: str, wanted: str, got: str | None) -> bool:
    """Return whether a header says what it said, or, of what pages may do, more."""
    if got is None:
        return False
    if name in PREFLIGHT:
        return {*wanted.split(",")} <= {*got.split(",")}
    return (many(got) if name == "content-range" else got) == wanted
