"""Processes that deliver, and somebody who kills them.

`python -m tests.e2e.postmen URL KILLS SEED`: several deliver at a time; one after the other is
killed with SIGKILL after 0 to 60 ms, and replaced. In the end one is left alone until nothing
waits. Prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from datetime import timedelta

from scout_cli.core.ports import Channel
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelSettings, describe, open_channel, split_url
from scout_cli.service.clocks import SystemClock
from scout_cli.service.deliveries import Deliveries
from scout_cli.service.outbox import Outbox, OutboxSettings
from scout_cli.service.turn import Rules
from scout_cli.store import open_database

LEASE = timedelta(seconds=0.5)
POSTMEN = 3


async def deliver(url: str, *, once: bool) -> None:
    """Deliver without end, or until nothing waits."""
    clock = SystemClock()
    db = await open_database(url, clock)
    sessions = Sessions(Guard(private=True), "postman")
    settings = ChannelSettings(sessions=sessions)

    async def opened(address: str) -> Channel:
        return open_channel(address, settings)

    def terms(address: str):
        return split_url(address)[1]

    outbox = Outbox(db, clock, OutboxSettings(terms=terms, describe=describe))
    post = Deliveries(
        db,
        clock,
        opened,
        terms=terms,
        tell_lost=outbox.tell_channel_lost,
        rules=Rules(lease=LEASE, concurrency=3),
    )
    while True:
        await post.deliver_due()
        due = await post.next_due()
        if due is None and once:
            break
        await asyncio.sleep(0.02)
    await sessions.close()
    await db.close()


def fork(url: str) -> int:
    """Start a postman and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        asyncio.run(deliver(url, once=False))
    finally:
        os._exit(1)


def main() -> None:
    """Kill, replace, and say how it went."""
    url, kills, chance = sys.argv[1], int(sys.argv[2]), random.Random(sys.argv[3])
    alive = [fork(url) for _ in range(POSTMEN)]
    began = time.monotonic()
    for _ in range(kills):
        time.sleep(chance.uniform(0, 0.06))
        victim = alive.pop(chance.randrange(len(alive)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        alive.append(fork(url))
    for each in alive:
        os.kill(each, signal.SIGKILL)
        os.waitpid(each, 0)
    asyncio.run(deliver(url, once=True))
    seconds = round(time.monotonic() - began, 1)
    sys.stdout.write(json.dumps({"kills": kills + POSTMEN, "seconds": seconds}))


if __name__ == "__main__":
    main()
