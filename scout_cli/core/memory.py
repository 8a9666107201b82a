"""A memory without a database, for looking once and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from scout_cli.core.cutoffs import cosine
from scout_cli.core.models import SeenPage
from scout_cli.core.ports import NEAREST, Background, Earlier, Habits, Neighbour, Vector


class ListMemory:
    """A memory without a database: empty, or filled by the caller.

    Args:
        pages: remembered pages by canonical URL.
        findings: earlier findings with their vectors.
    """

    def __init__(
        self,
        pages: dict[str, SeenPage] | None = None,
        findings: Sequence[tuple[Earlier, Vector]] = (),
    ) -> None:
        self.pages = pages or {}
        self.findings = list(findings)
        self.kept: dict[UUID, Vector] = {}

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page."""
        return self.pages.get(canonical_url)

    async def habits(self) -> Habits:
        """Return the habits of a scout that nobody has said anything about."""
        return Habits()

    async def background(self, like: Vector) -> Background:  # noqa: ARG002 - the port has it
        """Return that too little is known to say."""
        return Background()

    async def nearest(
        self,
        fact: str,  # noqa: ARG002 - the port has it
        vector: Vector,
        limit: int = NEAREST,
    ) -> Sequence[Neighbour]:
        """Return the closest earlier findings, closest first."""
        near = [
            Neighbour(finding=finding, cosine=cosine(vector, other))
            for finding, other in self.findings
            if len(other) == len(vector)
        ]
        return sorted(near, key=lambda neighbour: -neighbour.cosine)[:limit]

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings that came from this page."""
        return [found for found, _ in self.findings if found.canonical_url == canonical_url]

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold a new vector."""
        self.kept[subject] = vector
