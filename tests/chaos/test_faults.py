"""Every fault of the outside ends in a terminal state in time, and none of it pauses a scout."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from scout_cli.core.models import Record
from scout_cli.store import scouts
from tests.channel_servers import Says as Answers
from tests.chaos import broken_world, examination
from tests.chaos.broken_world import DEADLINE, Broken, Life
from tests.chaos.harness import Outcome
from tests.chaos.places import Place
from tests.ollama_server import Says, filled
from tests.search_server import Serves, searxng_reply

pytestmark = pytest.mark.chaos

MODEL = ("failed", "model_unavailable")
LIMITED = ("failed", "search_limited")
ENGINE = ("failed", "search_unavailable")
FINE = ("completed", None)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is broken, how the run must end, and what must become of the message."""

    broken: Broken
    ends: tuple[str, str | None] = FINE
    message: str = "sent"
    """State of the message to the broken channel, when the run has news."""
    attempts: int = 1


def _nan(request: dict) -> Says:
    return Says(embeddings=[[float("nan")] * 8 for _ in request["input"]])


def _zero(request: dict) -> Says:
    return Says(embeddings=[[0.0] * 8 for _ in request["input"]])


def _other(request: dict) -> Says:
    return Says(embeddings=[[1.0] * (8 + n) for n, _ in enumerate(request["input"])])


def _few(request: dict) -> Says:
    return Says(embeddings=[[1.0] * 8 for _ in request["input"][1:]])


def _fenced(request: dict) -> str:
    return f"Sure! Here it is:\n```json\n{filled(request)}\n```"


def _chat(says: Says | str) -> Broken:
    return Broken(chat=lambda _: says)


def _search(serves: Serves | str) -> Broken:
    return Broken(search=lambda _: serves)


def _model(says: Says, attempts: int = 5) -> Fault:
    return Fault(broken=_chat(says), ends=MODEL, attempts=attempts)


def _garbage(says: Says | str) -> Fault:
    """What a model says that no one can use costs the step, not the run: code does it instead."""
    return Fault(broken=_chat(says))


def _webhook(*says: Answers, message: str = "dead") -> Fault:
    return Fault(broken=Broken(webhook=says), message=message)


FAULTS = {
    "F08 model refused": Fault(broken=Broken(model_down=True), ends=MODEL, attempts=5),
    "F09 no first token": _model(Says(delay=60.0)),
    "F09 hangs in the middle": _model(Says(text="{", hang=True)),
    "F09 slow, and still speaking": _garbage(Says(pieces=[" "] * 20, delay=0.2)),
    "F10 500": _model(Says(status=500, error="out of cheese")),
    "F10 502": _model(Says(status=502, error="bad gateway")),
    "F10 503": _model(Says(status=503, error="queue full")),
    "F10 429": _model(Says(status=429, error="slow down")),
    "F10 an error in the stream": _model(Says(text="{", error="runner died")),
    "F10 an end that is none": _model(Says(text="{", done=False)),
    "F10 cut off": _model(Says(text="{", drop=True)),
    "F10 no such model": _model(Says(status=404, error="model 'qwen3:8b' not found"), attempts=1),
    "F11 prose": _garbage("I would love to help you with ferries!"),
    "F11 fenced": Fault(broken=Broken(chat=_fenced)),
    "F11 line breaks without end": _garbage(Says(pieces=["\n"] * 5_000)),
    "F11 twenty megabytes": _model(Says(raw=b"x" * 20_000_000)),
    "F11 wrong keys": _garbage('{"cheese": 1}'),
    "F11 not a number": _garbage('{"queries": NaN}'),
    "F11 half a character": _garbage('{"queries": ["\\ud800"]}'),
    "F11 nothing": _garbage(""),
    "F11 cut at its length": _garbage(Says(text='{"queries": ["a', done_reason="length")),
    "F12 not numbers": Fault(broken=Broken(embed=_nan), ends=MODEL),
    "F12 zero": Fault(broken=Broken(embed=_zero), ends=MODEL),
    "F12 different lengths": Fault(broken=Broken(embed=_other), ends=MODEL),
    "F12 too few": Fault(broken=Broken(embed=_few), ends=MODEL),
    "F13 read only half": _garbage(Says(text="{}", prompt_tokens=3)),
    "F14 429": Fault(broken=_search(Serves(status=429)), ends=LIMITED, attempts=4),
    "F14 captcha": Fault(
        broken=_search(searxng_reply([], [["duckduckgo", "CAPTCHA"]])), ends=LIMITED, attempts=4
    ),
    "F14 a page instead of JSON": Fault(
        broken=_search("<html>Are you human?</html>"), ends=ENGINE, attempts=5
    ),
    "F14 500": Fault(broken=_search(Serves(status=500)), ends=ENGINE, attempts=5),
    "F14 cut off": Fault(broken=_search(Serves(drop=True)), ends=ENGINE, attempts=5),
    "F14 ten megabytes": Fault(
        broken=_search(Serves(body=b"[" * 10_000_000, kind="application/json")),
        ends=ENGINE,
        attempts=5,
    ),
    "F14 nothing found": Fault(broken=_search(searxng_reply([]))),
    "F25 500 for ever": _webhook(Answers(status=500)),
    "F25 500 three times": _webhook(*[Answers(status=500)] * 3, Answers(), message="sent"),
    "F25 429": _webhook(Answers(status=429), Answers(), message="sent"),
    "F25 never answers": _webhook(Answers(hang=True)),
    "F25 one byte at a time": _webhook(Answers(drip=True), message="sent"),
    "F25 floods": _webhook(Answers(flood=True), message="sent"),
    "F25 redirects": _webhook(Answers(status=302, headers={"Location": "http://127.0.0.1/"})),
    "F25 refuses": _webhook(Answers(status=422)),
    "F25 gone": _webhook(Answers(status=410)),
}


class _Row(Record, frozen=True, kw_only=True):
    url: str
    state: str
    kind: str


async def lived(place: Place, fault: Fault) -> tuple[Life, list[object]]:
    """Let one scout live with a fault; return how that went, and what is wrong in the database."""
    async with broken_world.world(place, fault.broken) as (world, channels):
        scout = await world.plant(channels)
        run = await world.to_the_end(scout)
        # What the other channel is told does not wait for the broken one.
        sql = """SELECT c.url, o.state, o.kind FROM notification_outbox o
            JOIN channels c ON c.id = o.channel_id WHERE o.kind = 'news'"""
        first = {row.url: row.state for row in await world.db.all(_Row, sql)}
        good = first.get(channels[1], "none")
        await world.deliver()
        last = {row.url: row.state for row in await world.db.all(_Row, sql)}
        after = await scouts.get(world.db, scout.id)
        assert after is not None
        life = Life(
            run=run,
            scout=after,
            slowest=world.slowest,
            attempts=world.attempts,
            messages={"broken": last.get(channels[0], "none"), "good": good},
        )
        return life, await examination.violated(world.db, steady=False)


def amiss(fault: Fault, life: Life) -> Iterator[str]:
    """Yield what is not as it must be."""
    ended = (life.run.state, life.run.error_class)
    if ended != fault.ends:
        yield f"ended {ended}: {life.run.error_message}"
    if life.attempts != fault.attempts:
        yield f"{life.attempts} attempts"
    if life.slowest > DEADLINE + 2:
        yield f"an attempt took {life.slowest:.1f} s"
    if not life.scout.is_active or life.scout.consecutive_failures:
        yield f"the scout is blamed: {life.scout.consecutive_failures}"
    if life.run.outcome in ("new", "degraded") and life.messages["good"] != "none":
        told = {"broken": fault.message, "good": "sent"}
        if life.messages != told:
            yield f"messages {life.messages}"


async def faults(
    names: Sequence[str], open_place: Callable[[str], AbstractAsyncContextManager[Place]], kind: str
) -> Outcome:
    """Let a scout live with faults, one after the other, each in a database of its own.

    Args:
        names: of the faults.
        open_place: opens a fresh database.
        kind: of the databases.
    """
    began = time.monotonic()
    wrong, slowest = [], 0.0
    for name in names:
        async with open_place(kind) as place:
            life, violations = await lived(place, FAULTS[name])
        wrong += [f"{name}: {each}" for each in (*amiss(FAULTS[name], life), *violations)]
        slowest = max(slowest, life.slowest)
    return Outcome(
        test="faults",
        database=kind,
        seed=0,
        seconds=time.monotonic() - began,
        counts={"faults": len(names), "slowest_attempt_s": round(slowest, 1)},
        faults={"amiss": len(wrong)},
        details=wrong,
    )


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_well(on, name):
    """In time, with the right class, the scout unharmed, and the other channel told."""
    (await faults([name], on, "sqlite")).check()
