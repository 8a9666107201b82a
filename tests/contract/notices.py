"""What would be told, kept in a list."""

from __future__ import annotations


class Told:
    """Notices for tests: who was told what, in order."""

    def __init__(self):
        self.news = []
        self.paused = []
        self.late = []

    async def tell(self, tx, scout, execution, result):
        """Keep a run's news."""
        self.news.append((scout.title, execution.id, result.outcome))
        return 1

    async def tell_paused(self, tx, scout, reason):
        """Keep why a scout was paused."""
        self.paused.append((scout.title, reason))
        return 1

    async def tell_late(self, tx, scout, slot, now):
        """Keep which slot was missed."""
        self.late.append((scout.title, slot))
        return 1
