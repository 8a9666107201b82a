# ruff: noqa: INP001, T201 - an example to run, not a package; printing is its purpose
"""Run the agent without a database. Every part may be another that fits `scout_cli.core.ports`."""

import asyncio

from scout_cli import Job, ScoutAgent
from scout_cli.core.events import FactVerified, PageSeen, RunFinished
from scout_cli.core.ports import Hit
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, ListMemory, page

URL = "https://observatory.example/comet"
TEXT = "Comet Aldous comes closest to the Earth on 14 May 2026 at dawn. Bring a blanket."


async def main() -> None:
    """Look once and print what happens."""
    agent = ScoutAgent(
        reasoner=BuiltIn(),
        embedder=LexicalEmbedder(),
        search=CannedSearch([Hit(url=URL, title="Comet Aldous")]),
        fetcher=CannedWeb([page(URL, TEXT, title="Comet Aldous")]),
        memory=ListMemory(),
        clock=FrozenClock(),
    )
    async for event in agent.stream(Job(goal="When can comet Aldous be seen from the Earth?")):
        match event:
            case PageSeen():
                print(f"{event.outcome}: {event.host}")
            case FactVerified():
                print(f"fact: {event.quote}")
            case RunFinished():
                print(event.result.results_summary.response)


asyncio.run(main())
