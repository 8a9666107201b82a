"""Record a run and repeat it: what outside parts answered, in one file of JSON Lines.

A recording holds the job, the searches, the pages, the feeds, the model's answers, the vectors
and what was remembered; never a header, a key or a setting. A replay needs no network, no model
and no database, and gives the same result byte by byte.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.events import Emit
from scout_cli.core.job import Job, Result
from scout_cli.core.models import Record
from scout_cli.core.ports import Parts
from scout_cli.core.trail import OutOfTime
from scout_cli.errors import InvalidInput, ModelUnavailable, NotFound
from scout_cli.service.clocks import SeededClock
from scout_cli.service.kit import agent
from scout_cli.service.recorded import (
    EmbedderOf,
    FetcherOf,
    MemoryOf,
    ReasonerOf,
    SearchOf,
)

FILE = "recording.jsonl"
VERSION = 1


class Header(Record, frozen=True, kw_only=True):
    """The first line of a recording."""

    scout_recording: int
    started_at: datetime
    seed: str
    job: Job
    reasoner: str
    context: int
    follows_up: bool
    embedder: str
    cutoffs: tuple[float, float]
    background: float = 0.0
    search: str


class Line(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of an outside part, or how it failed to give one."""

    part: str
    key: str
    answer: Any = None
    ended: Literal["answered", "cut", "failed"] = "answered"
    """`cut` by the deadline; `failed` with the message of a `ModelUnavailable` as answer."""


class Tape:
    """The file behind a recording, written line by line as answers arrive.

    Args:
        folder: where `recording.jsonl` is made; must not hold one yet.
        header: what the replay needs to know.

    Raises:
        InvalidInput: the folder holds a recording, or cannot be written.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            self._file = os.fdopen(os.open(folder / FILE, flags, 0o600), "wb")
        except FileExistsError:
            raise InvalidInput(
                f"{folder} holds a recording already", hint="name another folder, or remove it"
            ) from None
        except OSError as error:
            raise InvalidInput(f"cannot record into {folder}: {error.strerror}") from error
        self._write(header)

    async def ask(self, part: str, key: Any, _of: Any, real: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the real part and keep what it answers."""
        line = Line(part=part, key=request_key(key))
        try:
            answer = await real()
        except asyncio.CancelledError:
            self._write(replace(line, ended="cut"))
            raise
        except ModelUnavailable as error:
            self._write(replace(line, ended="failed", answer=error.message))
            raise
        self._write(replace(line, answer=answer))
        return answer

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def _write(self, line: Any) -> None:
        self._file.write(shape.encode(line) + b"\n")
        self._file.flush()


class Player:
    """The answers of a recording, each kind in the order it was given.

    Args:
        folder: where `recording.jsonl` is.

    Raises:
        NotFound: there is none.
        InvalidInput: it cannot be read, is broken, or was made by another version.
    """

    def __init__(self, folder: Path) -> None:
        try:
            head, *lines = (folder / FILE).read_bytes().splitlines() or [b""]
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(
                f"no recording in {folder}", hint="made by: scout run --record"
            ) from None
        except OSError as error:
            raise InvalidInput(f"cannot read {folder / FILE}: {error.strerror}") from error
        self.header = shape.decode(head, Header, what=FILE)
        if self.header.scout_recording != VERSION:
            raise InvalidInput(f"{FILE} has version {self.header.scout_recording}, not {VERSION}")
        self._lines: dict[tuple[str, str], deque[Line]] = defaultdict(deque)
        for text in lines:
            line = shape.decode(text, Line, what=FILE)
            self._lines[line.part, line.key].append(line)

    async def ask(self, part: str, key: Any, of: Any, _real: Callable[[], Awaitable[Any]]) -> Any:
        """Return the next recorded answer to the same request; the last one repeats.

        Raises:
            NotFound: it was never asked.
            OutOfTime: the deadline of the recorded run came before the answer.
            ModelUnavailable: so it was in the recorded run.
        """
        waiting = self._lines.get((part, request_key(key)))
        if not waiting:
            raise NotFound(
                f"the recording has no answer of {part} to this request",
                hint="the program or its prompts changed since; record again",
            )
        line = waiting.popleft() if len(waiting) > 1 else waiting[0]
        if line.ended == "cut":
            raise OutOfTime(self.header.job.budget.seconds)
        if line.ended == "failed":
            raise ModelUnavailable(str(line.answer))
        return shape.convert(line.answer, of, what=FILE)

    def clock(self) -> SeededClock:
        """Return the recorded clock."""
        return SeededClock(self.header.seed, self.header.started_at)


class Recording:
    """The parts of an agent, each answer kept on a tape.

    Args:
        parts: the real ones.
        tape: where answers go.
    """

    def __init__(self, parts: Parts, tape: Tape) -> None:
        self._parts = parts
        self._tape = tape

    def parts(self) -> Parts:
        """Return parts that record."""
        real, tape = self._parts, self._tape
        return Parts(
            reasoner=ReasonerOf(tape, real.reasoner, real.reasoner.name, _traits(real)),
            embedder=EmbedderOf(tape, real.embedder, real.embedder.name, _levels(real)),
            search=SearchOf(tape, real.search, real.search.name),
            fetcher=FetcherOf(tape, real.fetcher),
            memory=MemoryOf(tape, real.memory),
            clock=real.clock,
        )


class Replay:
    """The parts of an agent as a recording answers them.

    Args:
        player: the recording.
    """

    def __init__(self, player: Player) -> None:
        self._player = player

    def parts(self) -> Parts:
        """Return parts that answer from the recording."""
        player, head = self._player, self._player.header
        return Parts(
            reasoner=ReasonerOf(player, None, head.reasoner, (head.context, head.follows_up)),
            embedder=EmbedderOf(player, None, head.embedder, (head.cutoffs, head.background)),
            search=SearchOf(player, None, head.search),
            fetcher=FetcherOf(player, None),
            memory=MemoryOf(player, None),
            clock=player.clock(),
        )


def header(parts: Parts, job: Job, started_at: datetime, seed: str) -> Header:
    """Return the first line of a recording of `job` with `parts`."""
    context, follows_up = _traits(parts)
    return Header(
        scout_recording=VERSION,
        started_at=started_at,
        seed=seed,
        job=job,
        reasoner=parts.reasoner.name,
        context=context,
        follows_up=follows_up,
        embedder=parts.embedder.name,
        cutoffs=parts.embedder.cutoffs,
        background=parts.embedder.background,
        search=parts.search.name,
    )


async def recorded_run(parts: Parts, job: Job, emit: Emit, folder: Path) -> Result:
    """Run an agent and keep what outside parts answer in `folder`."""
    seed = str(parts.clock.uuid())
    seeded = replace(parts, clock=SeededClock(seed))
    tape = Tape(folder, header(parts, job, job.asked_at or parts.clock.now(), seed))
    try:
        return await agent(Recording(seeded, tape).parts()).run(job, emit)
    finally:
        tape.close()


def _traits(parts: Parts) -> tuple[int, bool]:
    return parts.reasoner.context, parts.reasoner.follows_up


def _levels(parts: Parts) -> tuple[tuple[float, float], float]:
    return parts.embedder.cutoffs, parts.embedder.background


def request_key(request: Any) -> str:
    """Return a hash by which the same request is known again."""
    return sha256(shape.encode(request)).hexdigest()[:32]
