"""What a scout need not read again: what it took in for its wish, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scout_cli.cli.wishes import hidden
from scout_cli.config import declared, file
from scout_cli.core.asking import Asking
from scout_cli.core.job import Budget
from scout_cli.core.models import ScoutPatch
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.service import reach
from scout_cli.service.attempts import Attempts
from scout_cli.service.declared import table_of
from scout_cli.service.declared_plan import Given
from scout_cli.service.declaring import Declaring
from scout_cli.service.kit import Kit
from scout_cli.service.lease import Terms
from scout_cli.service.scouts import Scouts
from scout_cli.service.tables import Tables
from scout_cli.store import executions, pages, scouts, users
from scout_cli.testing import CannedSearch, CannedWeb, page
from tests.agent_world import GOAL, facts_of, hits, model
from tests.contract import rows
from tests.contract.notices import Told

TERMS = Terms(owner="here/1")
MUSEUM = "Alder museum paintings by Ida Kroll"
HIRED = "Saltmere Ferries hired pilots in place {} of the town, the company said."
WORDS = ("one", "two", "three", "four")
SHOWN = "The Alder museum shows paintings by Ida Kroll from June, the museum said."


def place(number, text="", **more):
    """Return a page with a fact of its own."""
    url = f"https://place{number}.example/a"
    told = text or HIRED.format(WORDS[number])
    return page(url, f"# Harbour\n{told}", title="Saltmere Ferries today", **more)


class Watch:
    """A scout and the web that it watches, a day between its runs."""

    def __init__(self, db, clock, scout, shown):
        self.db, self.clock, self.scout = db, clock, scout
        self.web = CannedWeb(shown)
        self.reasoner = BuiltIn()
        self.budget = Budget(seconds=1_800)

    async def kit(self):
        """Return the canned parts."""
        found = CannedSearch(hits(*self.web.pages.values()))
        embedder = LexicalEmbedder()
        return Kit(reasoner=self.reasoner, embedder=embedder, search=found, fetcher=self.web)

    async def run(self, emit=None):
        """Look once, and return what it came to; a day goes by."""
        scout = await scouts.get(self.db, self.scout.id)
        now = self.clock.now()
        run = rows.execution(scout, started_at=now, created_at=now, lease_until=now + TERMS.lease)
        await executions.add(self.db, run)
        attempts = Attempts(self.db, self.clock, self.kit, self.budget, Told(), TERMS)
        result = await attempts.carry_out(run, scout, emit or nothing)
        self.clock.forward(24 * 3600)
        return result

    def think(self, *, minutes=0, **answers):
        """Let a model think that takes so long for each page."""

        def extract(request):
            self.clock.forward(60 * minutes)
            return facts_of(request)

        self.reasoner = Asking(model(delay=0.001, **{"ExtractAnswer": extract, **answers}))


async def nothing(_event):
    """Hear nothing."""


@pytest.fixture
def watch(database, clock):
    """Return a function that makes a scout for some pages."""

    async def watch(*shown, **more):
        owner = await users.local_owner(database)
        now = clock.now() - timedelta(days=1)
        row = {"goal": GOAL, "search_queries": ["saltmere ferries"], "created_at": now, **more}
        scout = rows.scout(owner.id, last_run_at=None, **row)
        await scouts.add(database, scout)
        return Watch(database, clock, scout, shown)

    return watch


def told(result):
    """Return the facts that a run told, in the order of their pages."""
    return sorted(fact.fact for fact in result.facts if fact.novelty in ("new", "update"))


async def test_a_page_that_a_run_had_no_time_for_is_read_by_the_next(watch):
    """Four pages, time for one of them: the other three are told the day after, then all rest."""
    shown = [place(number) for number in range(4)]
    scene = await watch(*shown)
    scene.think(minutes=25)
    cut = await scene.run()
    assert [problem.code for problem in cut.problems] == ["deadline"]
    assert (len(told(cut)), len(cut.unfinished)) == (2, 2)
    scene.think()
    rest = await scene.run()
    assert (rest.counts.unchanged, rest.counts.read, rest.unfinished) == (2, 2, ())
    assert sorted(told(cut) + told(rest)) == sorted(HIRED.format(n) for n in WORDS)
    quiet = await scene.run()
    assert (quiet.counts.unchanged, quiet.usage.prompt_tokens) == (4, 0)


async def test_what_a_run_left_is_not_too_old_for_the_next(watch, clock):
    """A page of ten days ago is no news to a daily scout, unless it was owed since the baseline."""
    shown = [place(n, published_at=clock.now() - timedelta(days=10)) for n in range(4)]
    scene = await watch(*shown[:3])
    scene.think(minutes=40)
    assert len(told(await scene.run())) == 1
    assert len(told(await scene.run())) == 1
    scene.think()
    assert len(told(await scene.run())) == 1
    scene.web = CannedWeb(shown)
    late = await scene.run()
    assert (told(late), late.counts.stale) == ([], 1), "nothing is owed any more"


async def test_what_a_later_run_left_keeps_the_time_it_looked_at(watch, clock):
    """The run after one that was cut looks back as far, and not as far as a baseline."""
    scene = await watch(place(0))
    await scene.run()
    looked = (await scouts.get(scene.db, scene.scout.id)).last_run_at
    scene.web = CannedWeb([place(0), place(1), place(2)])
    scene.think(minutes=40)
    assert len((await scene.run()).unfinished) == 1
    scout = await scouts.get(scene.db, scene.scout.id)
    assert scout.last_run_at > looked
    assert await reach.last_look(scene.db, scout) == looked
    scene.think()
    await scene.run()
    scout = await scouts.get(scene.db, scene.scout.id)
    assert await reach.last_look(scene.db, scout) == scout.last_run_at


async def test_a_copy_of_a_page_that_was_left_is_left_too(watch):
    """Two addresses with one text, and no time for it: neither counts as read."""
    first, second = place(0), place(1)
    copy = replace(second, url="https://copy.example/b", final_url="https://copy.example/b")
    scene = await watch(first, second, copy)
    scene.think(minutes=40)
    cut = await scene.run()
    assert (cut.counts.read, len(told(cut)), len(cut.unfinished)) == (3, 1, 2)
    scene.think()
    rest = await scene.run()
    assert (rest.counts.unchanged, len(told(rest)), rest.unfinished) == (1, 1, ())
    assert (await scene.run()).counts.unchanged == 3


@pytest.mark.parametrize(("calls", "again"), [(4, 2), (2, 0)])
async def test_a_page_that_the_budget_kept_from_the_model_is_read_again(watch, calls, again):
    """The built-in engine stands in for today; without a call for any page it is all there is."""
    scene = await watch(*(place(number) for number in range(4)), planned_queries=["ferries"])
    scene.think()
    scene.budget = Budget(calls=calls, rounds=0)
    result = await scene.run()
    assert "budget" in {problem.code for problem in result.problems}
    assert len(told(result)) == 4
    next_day = await scene.run()
    assert (next_day.counts.read > 0) == (again > 0)
    days = 0
    while (await scene.run()).counts.read:
        days += 1
        assert days < 4, "each run takes in one page at least"


async def test_what_the_model_botched_is_not_read_again(watch):
    """The built-in engine took the page in; a weak model does not cost its tokens every day."""
    scene = await watch(place(0))
    scene.think(ExtractAnswer="prose")
    assert (await scene.run()).unfinished == ()
    assert (await scene.run()).counts.unchanged == 1


async def by_command(scene, **patch):
    """Change a scout as `scout edit`, the API and the chat do."""
    service = Scouts(scene.db, scene.clock, scene.kit)
    await service.change(await scouts.get(scene.db, scene.scout.id), ScoutPatch(**patch))


async def by_interface(scene, **patch):
    """Change a scout as the web interface does."""
    await Tables(scene.db, scene.clock, "UTC").update("scouts", [scene.scout.id], patch)


async def by_file(scene, **patch):
    """Change a scout as `scout apply` does."""
    service = Declaring(scene.db, scene.clock, scene.kit)
    (scout,) = await service.keep_keys([await scouts.get(scene.db, scene.scout.id)])
    wanted = replace(scout, **patch)
    text = declared.write([table_of(wanted, wanted.key, hidden)])
    document = file.parse(text.encode(), Path("scouts.toml"))
    given = Given(declarations=declared.read(document), hide=hidden)
    await service.apply(given, await service.plan(given))


CHANGES = pytest.mark.parametrize("change", [by_command, by_interface, by_file])


@CHANGES
async def test_a_new_wish_is_looked_for_in_pages_that_did_not_change(watch, clock, change):
    """Neither text, tag nor age of a page that was read for the old wish keeps the new one out."""
    ago = clock.now() - timedelta(days=20)
    both = place(0, f"{HIRED.format('one')}\n{SHOWN}", published_at=ago)
    scene = await watch(replace(both, etag='"1"', last_modified="Mon, 02 Nov 2026 09:00:00 GMT"))
    assert told(await scene.run()) == [HIRED.format("one")]
    assert (await scene.run()).counts.unchanged == 1
    await change(scene, goal=MUSEUM)
    found = await scene.run()
    assert told(found) == [SHOWN]
    assert scene.web.asked[-1].etag is None
    assert (await scene.run()).counts.unchanged == 1


@CHANGES
async def test_another_title_or_rhythm_is_no_new_wish(watch, change):
    """What was read for the same goal stays read."""
    scene = await watch(place(0))
    await scene.run()
    await change(scene, title="Boats", schedule="weekly")
    assert (await scene.run()).counts.unchanged == 1


async def test_what_is_read_while_the_wish_changes_is_not_kept_for_the_new_one(watch):
    """A run under way ends with its old wish; the next one reads its pages for the new one."""
    scene = await watch(place(0, f"{HIRED.format('one')}\n{SHOWN}"))
    changed = []

    async def emit(event):
        if type(event).__name__ == "PageSeen" and not changed:
            changed.append(await by_command(scene, goal=MUSEUM))

    assert told(await scene.run(emit)) == [HIRED.format("one")]
    assert (await pages.seen(scene.db, scene.scout.id)).pages == 0
    assert told(await scene.run()) == [SHOWN]


BOARD = "https://port.example/board"


def board(*rows_of_it):
    """Return the notice board of a port."""
    first = "The ferry sails every day between Saltmere and Hollen, but not in a storm."
    return page(BOARD, "\n".join(["# Board", first, *rows_of_it]), title="Board")


async def watched(watch, **more):
    """Return the scene of a scout that watches the board for itself."""
    given = {"goal": "What changes on this page", "title": "Board", "search_queries": ["Board"]}
    return await watch(board("07:30 | 08:10 | every day"), urls=[BOARD], **{**given, **more})


async def test_of_a_watched_page_each_day_tells_what_was_added(watch):
    """Compared with the day on which it was last another one, however long ago."""
    scene = await watched(watch)
    assert len(told(await scene.run())) == 1
    for _ in range(3):
        assert (await scene.run()).outcome == "nothing_new"
    scene.web.pages[BOARD] = board("07:30 | 08:10 | every day", "09:45 | 10:25 | not on Sundays")
    assert told(await scene.run()) == ["09:45 | 10:25 | not on Sundays"]
    scene.web.pages[BOARD] = board("09:45 | 10:25 | not on Sundays")
    assert (await scene.run()).outcome == "nothing_new"
    scene.web.pages[BOARD] = board("09:45 | 10:25 | not on Sundays", "11:15 | 11:55 | in summer")
    assert told(await scene.run()) == ["11:15 | 11:55 | in summer"]


async def test_only_the_text_of_a_watched_page_is_remembered(watch):
    """A wish with a topic compares nothing; with another wish the text goes."""
    for more, kept in (({}, True), ({"goal": GOAL}, False)):
        scene = await watched(watch, **more)
        await scene.run()
        seen = await pages.seen_get(scene.db, scene.scout.id, BOARD)
        assert bool(seen.text) is kept
    await by_command(scene, goal="What is new on this page")
    assert await pages.seen_get(scene.db, scene.scout.id, BOARD) is None
