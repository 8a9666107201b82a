"""Somebody who has never seen scout gets all the way by typing only what scout says to type.

Every step takes its command line out of what the step before it printed. The variables in the
environment stand for the internet: a small web in place of the real one.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.command import Done, environment, scout
from tests.e2e.village import GOAL, Village

NEW_GOAL = "Tell me about the new oak wheel of the Quernmore water mill"


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    """Give the small web."""
    async with Village() as found:
        yield found


class Newcomer:
    """Reads what scout printed and types it."""

    def __init__(self, village: Village, folder: Path) -> None:
        self.env = environment(
            SCOUT_LLM_URL="builtin://",
            SCOUT_EMBED_URL="builtin://",
            SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base=http://{village.host}",
            SCOUT_SEARCH_CACHE_MINUTES="0",
            SCOUT_ALLOW_PRIVATE_NETWORKS="true",
        )
        self.folder = folder
        self.read = ""

    async def type(self, *begins: str, **instead: str) -> Done:
        """Type the command that was read and begins so.

        Args:
            begins: the words after `scout` by which it is recognised.
            instead: word -> what is typed in its place.
        """
        return await self._do(*(instead.get(word, word) for word in told(self.read, *begins)))

    async def look(self) -> Done:
        """Type `scout`, the one word that everybody knows."""
        return await self._do()

    async def _do(self, *words: str) -> Done:
        done = await asyncio.to_thread(scout, *words, env=self.env, cwd=self.folder)
        assert done.code == 0, done.err
        self.read = done.out + done.err
        return done


def told(text: str, *begins: str) -> list[str]:
    """Return the words after `scout` of the first command in `text` that begins so."""
    for row in text.splitlines():
        place = f" {row}".find(" scout")
        words = shlex.split(row[place:].partition("  ")[0]) if place >= 0 else []
        if words[:1] == ["scout"] and words[1 : len(begins) + 1] == list(begins):
            return words[1:]
    raise AssertionError(f"no 'scout {' '.join(begins)}' in:\n{text}")


async def test_from_nothing_to_a_daily_scout_a_new_goal_and_a_file(village, tmp_path):
    """`scout` names each next command: look, keep, see when it runs, change it, write it down."""
    person = Newcomer(village, tmp_path)
    await person.look()

    added = await person.type("add", **{"Python meetups in Bonn": GOAL})
    assert "rhythm  daily" in added.out
    assert "14 May 2026" in added.out, "the first news came at once"
    assert person.read.rstrip().endswith(": scout")

    await person.look()
    assert ", in 23 h" in person.read, "it is known when it runs again"
    name = told(person.read, "show")[1]

    await person.type("edit", name, "--goal", **{"...": NEW_GOAL})
    await person.look()
    await person.type("show", name)
    assert re.search(rf"^goal +{NEW_GOAL}$", person.read, re.MULTILINE)

    await person.look()
    await person.type("export")
    assert NEW_GOAL in (tmp_path / "scouts.toml").read_text("utf-8")
    again = await asyncio.to_thread(
        scout, "apply", "scouts.toml", "--dry-run", "--json", env=person.env, cwd=tmp_path
    )
    assert json.loads(again.out)["counts"] == {"add": 0, "change": 0, "unchanged": 1, "remove": 0}


async def test_the_demo_leads_to_a_wish_of_one_s_own(village, tmp_path):
    """`scout` names the demo, and the demo's last line names the two commands that come next."""
    person = Newcomer(village, tmp_path)
    await person.look()
    await person.type("demo")
    looked = await person.type("once", **{"...": GOAL})
    assert "14 May 2026" in looked.out


async def test_an_error_names_the_command_that_mends_it(village, tmp_path):
    """A slip leads on: a wrong name to the list, the list to the right one."""
    person = Newcomer(village, tmp_path)
    await person.look()
    await person.type("add", **{"Python meetups in Bonn": GOAL})
    wrong = await asyncio.to_thread(scout, "show", "nonsense", env=person.env, cwd=tmp_path)
    assert wrong.code == 3
    listed = await asyncio.to_thread(
        scout, *told(wrong.err, "list")[:1], env=person.env, cwd=tmp_path
    )
    assert "daily" in listed.out


class Mailbox:
    """A receiver of webhooks."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        """Keep one message."""
        self.letters.append(await request.json())
        return web.Response(status=204)


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    """Give a receiver and its address."""
    box = Mailbox()
    app = web.Application()
    app.add_routes([web.post("/hook", box.take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield box, f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_news_arrives_where_the_newcomer_asked_for_it(village, mailbox, tmp_path):
    """`scout` names `edit --notify URL`; the next run with news reaches the channel once."""
    box, host = mailbox
    person = Newcomer(village, tmp_path)
    await person.look()
    add = told(person.read, "add")
    await asyncio.to_thread(scout, "add", GOAL, env=person.env, cwd=tmp_path)
    assert add[0] == "add"
    await person.look()
    name = told(person.read, "show")[1]
    await person.type("edit", name, "--notify", URL=f"webhook+http://{host}/hook")
    await person.look()
    command = "tick" if "scout tick" in person.read else "run"
    await person.type(command)
    assert len(box.letters) == 1, person.read
    assert "14 May 2026" in json.dumps(box.letters)
