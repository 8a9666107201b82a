"""What waits for one client of the realtime socket: its bounds, and what is dropped."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scout_cli.server.realtime.outgoing import BYTES, MESSAGES, Outgoing


class Sent:
    """Stands where the socket is, and takes everything."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    async def send_frame(self, data, _opcode):
        """Take a frame."""
        self.frames.append(data)


class Full(Exception):
    """A client does not read."""


def overflow() -> None:
    """Say that it is full."""
    raise Full


@pytest.mark.parametrize(
    ("many", "data"), [(MESSAGES, b"x"), (16, b"x" * (BYTES // 16))], ids=["messages", "bytes"]
)
async def test_a_queue_is_bounded(many, data):
    """So many messages or bytes wait; with one more everything is dropped, and it is told once."""
    sent = Sent()
    queue = Outgoing(sent, overflow)
    for _ in range(many):
        queue.put(data)
    with pytest.raises(Full):
        queue.put(b"one more")
    queue.put(b"nothing is taken any more")
    await queue.flush()
    assert sent.frames == []


async def test_what_was_anothers_is_dropped():
    """A channel with a new listener drops the rows of others that wait, and nothing else."""
    sent, ann, bob = Sent(), uuid4(), uuid4()
    queue = Outgoing(sent, overflow)
    queue.put(b"reply")
    queue.put(b"ann's", "steps", ann)
    queue.put(b"bob's", "steps", bob)
    queue.put(b"ann's elsewhere", "runs", ann)
    queue.drop("steps", unless=bob)
    await queue.flush()
    assert sent.frames == [b"reply", b"bob's", b"ann's elsewhere"]
    queue.put(b"ann's", "steps", ann)
    queue.drop("steps")
    await queue.flush()
    assert len(sent.frames) == 3
