"""Record a run and repeat it: byte-equal, without secrets, with clear words when it cannot be."""

from __future__ import annotations

import asyncio
import json

import pytest

from scout_cli.core import shape
from scout_cli.core.agent import ScoutAgent
from scout_cli.core.asking import Asking
from scout_cli.core.job import Budget
from scout_cli.core.memory import ListMemory
from scout_cli.core.ports import Earlier, Feed, Parts
from scout_cli.errors import InvalidInput, ModelUnavailable, NotFound
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder, vector_of
from scout_cli.service.clocks import SeededClock
from scout_cli.service.recording import FILE, Player, Recording, Replay, Tape, header
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, page
from tests.agent_world import (
    COMPANY,
    DOWN,
    GOAL,
    PAPER,
    PRICE,
    SHIPS,
    WEATHER,
    hits,
    job,
    model,
    seen,
)

PAGES = (COMPANY, PAPER, WEATHER)
FEED = Feed(url="https://gazette.example/feed", outcome="read", hits=hits(PAPER))
NOW = FrozenClock().now()


def parts(**more):
    """Return the outside parts of a run with a model, and with something to remember."""
    clock = FrozenClock()
    past = Earlier(id=clock.uuid(), fact=PRICE, canonical_url="https://o.example", created_at=NOW)
    given = {
        "reasoner": Asking(model()),
        "embedder": LexicalEmbedder(),
        "search": CannedSearch(hits(*PAGES)),
        "fetcher": CannedWeb(PAGES, [FEED]),
        "memory": ListMemory(findings=[(past, vector_of(PRICE))]),
        "clock": SeededClock("seed"),
        **more,
    }
    return Parts(**given)


def agent_of(given):
    """Return the agent that works with these parts."""
    return ScoutAgent(
        reasoner=given.reasoner,
        embedder=given.embedder,
        search=given.search,
        fetcher=given.fetcher,
        memory=given.memory,
        clock=given.clock,
    )


async def silent(_event):
    """Take every event."""


async def record(folder, real, wish):
    """Run a wish while recording it."""
    tape = Tape(folder, header(real, wish, NOW, "seed"))
    try:
        return await agent_of(Recording(real, tape).parts()).run(wish, silent)
    finally:
        tape.close()


async def replay(folder):
    """Repeat a recorded run."""
    player = Player(folder)
    return await agent_of(Replay(player).parts()).run(player.header.job, silent)


WISH = job(id=FrozenClock().uuid(), asked_at=NOW, feeds=(FEED.url,), urls=(COMPANY.url,))


@pytest.mark.parametrize(
    ("wish", "more"),
    [
        (WISH, {}),
        (WISH, {"reasoner": BuiltIn()}),
        (WISH, {"reasoner": Asking(model(ExtractAnswer="prose", WriteAnswer="- x [S7]"))}),
        (WISH, {"search": CannedSearch({"saltmere ferries": DOWN})}),
        (job(asked_at=NOW), {"fetcher": CannedWeb([])}),
        (job(asked_at=NOW, planned=()), {"memory": ListMemory()}),
        (
            job(goal="What changes on this page", queries=(), asked_at=NOW, urls=(COMPANY.url,)),
            {"memory": ListMemory({COMPANY.url: seen(page(COMPANY.url, PRICE), PRICE)})},
        ),
        (job(asked_at=NOW, urls=("https://gone.example/1", "https://gone.example/2")), {}),
    ],
)
async def test_a_replay_gives_the_same_result(tmp_path, wish, more):
    """Whatever happened in the run, its repetition gives the same bytes."""
    recorded = await record(tmp_path / "run", parts(**more), wish)
    assert shape.encode(await replay(tmp_path / "run")) == shape.encode(recorded)


async def test_a_replay_repeats_the_novelty(tmp_path):
    """Identifiers, cosines and what was remembered come from the recording."""
    recorded = await record(tmp_path, parts(), WISH)
    repeated = await replay(tmp_path)
    assert {fact.novelty for fact in recorded.facts} >= {"repeat"}
    assert [fact.id for fact in recorded.facts] == [fact.id for fact in repeated.facts]
    assert SHIPS in recorded.results_summary.response


async def test_a_run_that_was_cut_by_the_deadline_is_cut_again(tmp_path):
    """A part that hung is not waited for twice."""

    class Hanging(CannedWeb):
        async def fetch(self, request):
            if request.url == PAPER.url:
                await asyncio.Event().wait()
            return await super().fetch(request)

    wish = job(asked_at=NOW, budget=Budget(seconds=0.2))
    recorded = await record(tmp_path, parts(fetcher=Hanging(PAGES)), wish)
    async with asyncio.timeout(10):
        assert shape.encode(await replay(tmp_path)) == shape.encode(recorded)
    assert "deadline" in {problem.code for problem in recorded.problems}


async def test_an_absent_model_is_absent_again(tmp_path):
    """A run that ended with an error ends with it again."""
    gone = Asking(model(WriteAnswer=ModelUnavailable("the model is gone")))
    with pytest.raises(ModelUnavailable):
        await record(tmp_path, parts(reasoner=gone), WISH)
    with pytest.raises(ModelUnavailable, match="the model is gone"):
        await replay(tmp_path)


async def test_a_recording_holds_no_header_and_no_setting(tmp_path):
    """The file names parts and answers: no header, key, token, or address of a server."""
    await record(tmp_path, parts(), WISH)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    known = {"reasoner", "embedder", "search", "fetch", "feed", "page", "nearest", "from_page"}
    known |= {"habits", "background"}
    assert {line["part"] for line in lines[1:]} == known
    names = {name.lower() for line in lines for name in _names(line)}
    assert not {name for name in names if "header" in name or "token" in name} - {
        "prompt_tokens",
        "completion_tokens",
        "tokens",
    }
    assert not names & {"authorization", "cookie", "api_key", "password", "database_url", "llm_url"}
    assert lines[0]["job"]["goal"] == GOAL


def _names(value):
    if isinstance(value, dict):
        return {*value, *(name for item in value.values() for name in _names(item))}
    if isinstance(value, list):
        return {name for item in value for name in _names(item)}
    return set()


async def test_another_question_has_no_answer(tmp_path):
    """When program or prompts changed, the replay says so instead of guessing."""
    await record(tmp_path, parts(), WISH)
    player = Player(tmp_path)
    other = job(goal="Tell me about trams in Hollen", asked_at=NOW)
    with pytest.raises(NotFound, match="no answer of reasoner") as missing:
        await agent_of(Replay(player).parts()).run(other, silent)
    assert "prompts changed" in missing.value.hint


async def test_a_recording_is_never_overwritten(tmp_path):
    """A folder that holds one is refused before anything is asked."""
    await record(tmp_path, parts(), WISH)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InvalidInput, match="holds a recording already"):
        await record(tmp_path, parts(), WISH)
    assert (tmp_path / FILE).read_bytes() == before


def test_a_folder_that_cannot_be_made(tmp_path):
    """A file in the way is a message, not a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match="cannot record into"):
        Tape(tmp_path / "file" / "run", header(parts(), WISH, NOW, "seed"))


@pytest.mark.parametrize("where", ["missing", "file/x"])
def test_no_recording_there(tmp_path, where):
    """An empty folder, no folder and a file are told with the command that makes one."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotFound) as missing:
        Player(tmp_path / where)
    assert "scout run --record" in missing.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\n",
        lambda data: data[:-40],
        lambda data: b"not json\n" + data,
        lambda data: data.replace(b'"scout_recording":1', b'"scout_recording":2'),
        lambda data: data + b"\xff\xfe\n",
        lambda data: data + b'{"part":1}\n',
    ],
)
async def test_a_broken_recording_is_refused(tmp_path, damage):
    """Half a file, another version and other bytes are an error with the file's name."""
    await record(tmp_path, parts(), WISH)
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidInput, match=FILE):
        Player(tmp_path)


async def test_a_folder_in_place_of_the_file(tmp_path):
    """What cannot be read as a file is refused by name."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(InvalidInput, match="cannot read"):
        Player(tmp_path)


def test_identifiers_follow_from_the_seed():
    """Two clocks of one seed give the same identifiers; another seed gives others."""
    one, two, other = SeededClock("a"), SeededClock("a", NOW), SeededClock("b")
    assert [one.uuid() for _ in range(3)] == [two.uuid() for _ in range(3)]
    assert one.uuid() != other.uuid()
    assert two.now() == NOW
    assert two.uuid().version == 4
