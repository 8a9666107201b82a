"""The real app on a real SQLite file, with a canned search engine and a canned web.

`python -m tests.cli.stage ...` is the `scout` command on this stage, for tests that need a process.
The goals choose what happens: `SILENT` finds nothing, `LIMITED` cannot look, `SLOW` never ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner, Result

from scout_cli.app import App
from scout_cli.cli import scout
from scout_cli.core.ports import FetchRequest, Hit, Page, SearchAnswer, SearchQuery
from scout_cli.llm import ModelSettings, open_chat, open_embedder
from scout_cli.service import worker
from scout_cli.service.checks import Check
from scout_cli.service.kit import Kit
from scout_cli.testing import CannedWeb, page

GOAL = "The ferry from Saltmere to Hollen Island"
SILENT = "Glass eels in lake Vostok"
LIMITED = "Something that no engine answers"
SLOW = "The ferry that never arrives"
HOSTILE = "evil\x1b]0;owned\x07\u202etitle\u200b\U000e0041"

_TEXT = (
    "# Ferry news\n\nThe ferry from Saltmere to Hollen Island returns on 14 May 2026 after repairs."
    " A ticket for the Hollen Island ferry costs 12 euros from then on."
)
URL = "https://harbour.example/ferry"


class StagedSearch:
    """Finds one page for every query, unless the goal's words say otherwise."""

    name = "canned"

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answer by the words of the query."""
        if "engine" in query.text:
            return SearchAnswer(
                outcome="limited", engine=self.name, detail="the engine is limited", hint="wait"
            )
        if "Vostok" in query.text or "eels" in query.text:
            return SearchAnswer(outcome="empty", engine=self.name)
        hit = Hit(url=f"{URL}?never" if "never" in query.text else URL, title=f"Ferry {HOSTILE}")
        return SearchAnswer(outcome="found", hits=(hit,), engine=self.name)


class StagedWeb(CannedWeb):
    """One page with news, and one that never arrives."""

    def __init__(self) -> None:
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        super().__init__([page(URL, _TEXT, title=f"Ferry {HOSTILE}", published_at=moment)])

    async def fetch(self, request: FetchRequest) -> Page:
        """Return the page, or wait for ever."""
        if request.url.endswith("?never"):
            await asyncio.Event().wait()
        return await super().fetch(request)


class StagedApp(App):
    """The app with everything outside in a can."""

    async def kit(self) -> Kit:
        """Return the built-in engine, the canned search engine and the canned web."""
        settings = ModelSettings(num_ctx=8192, api_key="")
        return Kit(
            reasoner=await open_chat("builtin://", settings),
            embedder=await open_embedder("builtin://", settings),
            search=StagedSearch(),
            fetcher=StagedWeb(),
        )

    _loose_kit = kit

    async def checks(self, *, integrity: bool = False) -> AsyncIterator[Check]:
        """Find one part well and one not."""
        yield Check(name="database", ok=True, detail=self.settings.database_url)
        if self.settings.rounds == 0:
            yield Check(name="model", ok=False, detail="no answer \x1b[31m", hint="ollama serve")


class Said(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


def call(*words: str, stdin: str | None = None) -> Said:
    """Run a command line in this process, on the stage."""
    result: Result = CliRunner().invoke(scout, words, obj=StagedApp.open, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def add(*options: str, goal: str = GOAL) -> str:
    """Save a scout and return the first eight characters of its id."""
    said = call("add", goal, "--tz", "UTC", *options)
    assert said.code == 0, said.err
    return said.out.split()[1]


def command(*words: str | Path) -> list[str]:
    """Return the command line that runs `scout` on the stage in a process of its own."""
    return [sys.executable, "-m", "tests.cli.stage", *map(str, words)]


def plain(words: Sequence[str] = ()) -> list[str]:
    """Return the command line of the real `scout`, on no stage."""
    return [sys.executable, "-m", "scout_cli", *words]


def main() -> None:
    """Run `scout` on the stage; the environment may make its worker less patient."""
    if grace := os.environ.get("SCOUT_STAGE_GRACE"):
        worker.GRACE = float(grace)
    if interval := os.environ.get("SCOUT_STAGE_INTERVAL"):
        worker.INTERVAL = float(interval)
    extra: dict[str, Any] = {"obj": StagedApp.open}
    scout.main(**extra)


if __name__ == "__main__":
    main()
