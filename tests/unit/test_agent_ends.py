"""How a run ends when something or somebody goes away: model, program, fence, consumer."""

from __future__ import annotations

import asyncio

import pytest

from scout_cli.core.events import FactVerified, PageSeen, RunStarted, StepFinished, StepStarted
from scout_cli.errors import FenceLost, ModelUnavailable
from scout_cli.testing import CannedWeb
from tests.agent_world import PAPER, agent, job, model, open_steps


@pytest.mark.parametrize(
    "task", ["PlanAnswer", "ExtractAnswer", "FollowUpAnswer", "WriteAnswer", "SummaryAnswer"]
)
async def test_an_absent_model_ends_the_run_and_its_steps(task):
    """A model that goes away is not answered for: the error passes, no step stays open."""
    events = []
    gone = model(**{task: ModelUnavailable("gone", hint="ollama serve")})

    async def emit(event):
        events.append(event)

    with pytest.raises(ModelUnavailable):
        await agent(thinker=gone).run(job(), emit)
    assert open_steps(events) == set()
    assert [e.error for e in events if isinstance(e, StepFinished) and e.status == "failed"] == [
        "gone"
    ]


async def test_an_unexpected_error_ends_the_steps_beside_it():
    """When one of several pages breaks the program, the steps of the others end too."""

    class Broken(CannedWeb):
        async def fetch(self, request):
            if request.url == PAPER.url:
                raise RuntimeError("bug")
            await asyncio.Event().wait()

    events = []

    async def emit(event):
        events.append(event)

    with pytest.raises(RuntimeError, match="bug"):
        await agent(fetcher=Broken([])).run(job(), emit)
    assert open_steps(events) == set()


@pytest.mark.parametrize("kind", [RunStarted, StepStarted, StepFinished, PageSeen, FactVerified])
async def test_a_lost_fence_ends_the_run_at_once(kind):
    """The sink that refuses is told nothing more, and no task is left behind."""
    before = asyncio.all_tasks()
    told = []

    async def emit(event):
        told.append(event)
        if isinstance(event, kind):
            raise FenceLost("taken over")

    with pytest.raises(FenceLost):
        await agent(thinker=model()).run(job(), emit)
    assert isinstance(told[-1], kind)
    assert sum(isinstance(event, kind) for event in told) == 1
    assert asyncio.all_tasks() == before


async def test_leaving_the_stream_ends_everything():
    """A consumer that goes away in the middle leaves no task, whatever hangs or is queued."""
    before = asyncio.all_tasks()
    waiting = asyncio.Event()

    class Hanging(CannedWeb):
        async def fetch(self, request):
            waiting.set()
            await asyncio.Event().wait()

        async def warm_up(self):
            await asyncio.Event().wait()

    stream = agent(fetcher=Hanging([])).stream(job())
    async for _ in stream:
        if waiting.is_set():
            break
        await asyncio.sleep(0)
    await stream.aclose()
    assert asyncio.all_tasks() == before


async def test_leaving_a_full_queue_ends_everything():
    """A model that floods a slow consumer with tokens does not keep the run alive."""
    before = asyncio.all_tasks()

    async def flood(request, on_token=None):
        while True:
            await on_token("word ")

    thinker = model()
    thinker.chat = flood
    stream = agent(thinker=thinker).stream(job())
    await anext(stream)
    for _ in range(2_000):
        await asyncio.sleep(0)
    async with asyncio.timeout(15):
        await stream.aclose()
    assert asyncio.all_tasks() == before


async def test_the_stream_raises_what_the_run_raises():
    """A consumer learns of an absent model after the events that came before."""
    stream = agent(thinker=model(PlanAnswer=ModelUnavailable("gone"))).stream(job())
    kinds = [type(await anext(stream)) for _ in range(3)]
    assert kinds == [RunStarted, StepStarted, StepFinished]
    with pytest.raises(ModelUnavailable):
        await anext(stream)
