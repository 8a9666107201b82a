"""The outside parts of a run, opened."""

from __future__ import annotations

from scout_cli.core.agent import ScoutAgent
from scout_cli.core.models import Record
from scout_cli.core.ports import (
    Clock,
    Embedder,
    Fetcher,
    Memory,
    Parts,
    Reasoner,
    SearchEngine,
)


class Kit(Record, frozen=True, kw_only=True):
    """What a run works with, whatever scout it is of."""

    reasoner: Reasoner
    embedder: Embedder
    search: SearchEngine
    fetcher: Fetcher

    def parts(self, memory: Memory, clock: Clock) -> Parts:
        """Return the parts of an agent."""
        return Parts(
            reasoner=self.reasoner,
            embedder=self.embedder,
            search=self.search,
            fetcher=self.fetcher,
            memory=memory,
            clock=clock,
        )


def agent(parts: Parts) -> ScoutAgent:
    """Return an agent that works with these parts."""
    return ScoutAgent(
        reasoner=parts.reasoner,
        embedder=parts.embedder,
        search=parts.search,
        fetcher=parts.fetcher,
        memory=parts.memory,
        clock=parts.clock,
    )
