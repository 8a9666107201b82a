"""A scout that shows pages in a browser until somebody ends it: `browser_process URL PORT`."""

from __future__ import annotations

import asyncio
import signal
import sys

from scout_cli.core.ports import FetchRequest
from scout_cli.fetch import open_fetcher
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions


async def main() -> None:
    """Show the same page again and again; say so after each."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    guard = Guard({f"127.0.0.1:{sys.argv[2]}"}, {"news.test": "127.0.0.1"})
    async with Sessions(guard, "scout/test", spacing=0) as sessions:
        fetcher = open_fetcher("crawl4ai://auto", sessions)
        try:
            while True:
                page = await fetcher.fetch(FetchRequest(url=sys.argv[1]))
                sys.stdout.write(f"{page.outcome}\n")
                sys.stdout.flush()
        finally:
            await fetcher.close()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        sys.exit(0)
