"""Record a run and repeat it: what outside parts answered, in one file of JSON Lines.

A recording holds the job, the searches, the pages, the feeds, the model's answers, the vectors
and what was remembered; never a header, a key or a setting. A replay needs no network, no model
and no database, and gives the same result byte by byte.
"""

from __future__ import annotations

import base64
from array import array
from collections import defaultdict, deque
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from scout_cli.core import shape
from scout_cli.core.job import Job
from scout_cli.core.models import AnsweredBy, Record, SeenPage
from scout_cli.core.ports import (
    Answer,
    Earlier,
    Feed,
    FetchRequest,
    Neighbour,
    Page,
    Parts,
    SearchAnswer,
    SearchQuery,
    TokenSink,
    Vector,
)
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.service.clocks import SeededClock

FILE = "recording.jsonl"
VERSION = 1
T = TypeVar("T")


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
    search: str


class Line(Record, frozen=True, kw_only=True):
    """One answer of an outside part."""

    part: str
    key: str
    answer: Any


class RecordedAnswer(Record, frozen=True, kw_only=True):
    """An answer to a question, its value still plain JSON."""

    value: Any
    by: AnsweredBy
    calls: int
    prompt_tokens: int
    completion_tokens: int
    note: str


class Tape:
    """The file behind a recording, written line by line as answers arrive.

    Args:
        folder: where `recording.jsonl` is made; must not hold one yet.
        header: what the replay needs to know.
    """

    def __init__(self, folder: Path, header: Header) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE).open("xb")
        except FileExistsError:
            raise InvalidInput(
                f"{folder} holds a recording already", hint="name another folder, or remove it"
            ) from None
        except OSError as error:
            raise InvalidInput(f"cannot record into {folder}: {error.strerror}") from error
        self._write(header)

    def keep(self, part: str, key: Any, answer: T) -> T:
        """Write one answer and return it."""
        self._write(Line(part=part, key=_key(key), answer=answer))
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
    """

    def __init__(self, folder: Path) -> None:
        try:
            head, *lines = (folder / FILE).read_bytes().splitlines()
        except (FileNotFoundError, NotADirectoryError, ValueError):
            raise NotFound(
                f"no recording in {folder}", hint="made by: scout run --record"
            ) from None
        self.header = shape.decode(head, Header, what=FILE)
        if self.header.scout_recording != VERSION:
            raise InvalidInput(f"{FILE} has version {self.header.scout_recording}, not {VERSION}")
        self._answers: dict[tuple[str, str], deque[Any]] = defaultdict(deque)
        for text in lines:
            line = shape.decode(text, Line, what=FILE)
            self._answers[line.part, line.key].append(line.answer)

    def answer(self, part: str, key: Any, of: type[T]) -> T:
        """Return the next recorded answer to the same request; the last one repeats."""
        waiting = self._answers.get((part, _key(key)))
        if not waiting:
            raise NotFound(
                f"the recording has no answer of {part} to this request",
                hint="the program or its prompts changed since; record again",
            )
        found = waiting.popleft() if len(waiting) > 1 else waiting[0]
        return shape.convert(found, of, what=FILE)

    def clock(self) -> SeededClock:
        """Return the recorded clock."""
        return SeededClock(self.header.seed, self.header.started_at)


class Recording:
    """The parts of an agent, each answer kept on a tape: reasoner, embedder, search, and so on.

    Args:
        parts: the real ones.
        tape: where answers go.
    """

    follows_up = True

    def __init__(self, parts: Parts, tape: Tape) -> None:
        self._parts = parts
        self._tape = tape
        self.context = parts.reasoner.context
        self.follows_up = parts.reasoner.follows_up
        self.cutoffs = parts.embedder.cutoffs
        self.name = ""

    def parts(self) -> Parts:
        """Return parts that record."""
        real = self._parts
        return Parts(
            reasoner=_Named(self, real.reasoner.name),
            embedder=_Named(self, real.embedder.name),
            search=_Named(self, real.search.name),
            fetcher=self,
            memory=self,
            clock=real.clock,
        )

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Ask the real reasoner."""
        answer = await self._parts.reasoner.answer(question, on_token, calls=calls)
        return self._tape.keep("reasoner", _asked(question), answer)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Ask the real embedder."""
        vectors = await self._parts.embedder.embed(texts)
        self._tape.keep("embedder", list(texts), [_packed(vector) for vector in vectors])
        return vectors

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Ask the real search engine."""
        return self._tape.keep("search", query, await self._parts.search.search(query))

    async def fetch(self, request: FetchRequest) -> Page:
        """Ask the real fetcher."""
        return self._tape.keep("fetch", request, await self._parts.fetcher.fetch(request))

    async def feed(self, url: str) -> Feed:
        """Ask the real fetcher for a feed."""
        return self._tape.keep("feed", url, await self._parts.fetcher.feed(url))

    async def warm_up(self) -> None:
        """Warm up the real fetcher."""
        await self._parts.fetcher.warm_up()

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Ask the real memory."""
        found = await self._parts.memory.page(canonical_url)
        return self._tape.keep("page", canonical_url, found)

    async def nearest(self, vector: Vector, limit: int = 5) -> Sequence[Neighbour]:
        """Ask the real memory for neighbours."""
        found = await self._parts.memory.nearest(vector, limit)
        return self._tape.keep("nearest", _packed(vector), list(found))

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Ask the real memory for a page's findings."""
        found = await self._parts.memory.from_page(canonical_url)
        return self._tape.keep("from_page", canonical_url, list(found))

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hand the vector to the real memory."""
        await self._parts.memory.keep(subject, vector)


class Replay:
    """The parts of an agent as a recording answers them.

    Args:
        player: the recording.
    """

    def __init__(self, player: Player) -> None:
        self._player = player
        self.context = player.header.context
        self.follows_up = player.header.follows_up
        self.cutoffs = player.header.cutoffs

    def parts(self) -> Parts:
        """Return parts that answer from the recording."""
        header = self._player.header
        return Parts(
            reasoner=_Named(self, header.reasoner),
            embedder=_Named(self, header.embedder),
            search=_Named(self, header.search),
            fetcher=self,
            memory=self,
            clock=self._player.clock(),
        )

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Return the recorded answer, typed by the question."""
        del on_token, calls
        found = self._player.answer("reasoner", _asked(question), RecordedAnswer)
        value = shape.convert(found.value, question.answer, what=FILE)
        return Answer(
            value=value,
            by=found.by,
            calls=found.calls,
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            note=found.note,
        )

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return the recorded vectors."""
        return [_unpacked(v) for v in self._player.answer("embedder", list(texts), list[str])]

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Return the recorded answer."""
        return self._player.answer("search", query, SearchAnswer)

    async def fetch(self, request: FetchRequest) -> Page:
        """Return the recorded page."""
        return self._player.answer("fetch", request, Page)

    async def feed(self, url: str) -> Feed:
        """Return the recorded feed."""
        return self._player.answer("feed", url, Feed)

    async def warm_up(self) -> None:
        """Have nothing to start."""

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what was remembered."""
        return self._player.answer("page", canonical_url, SeenPage | None)  # type: ignore[arg-type]

    async def nearest(self, vector: Vector, limit: int = 5) -> Sequence[Neighbour]:
        """Return the recorded neighbours."""
        del limit
        return self._player.answer("nearest", _packed(vector), list[Neighbour])

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the recorded findings of a page."""
        return self._player.answer("from_page", canonical_url, list[Earlier])

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold nothing: a replay stores nothing."""


class _Named:
    """A port of a recording under the name of the part it stands for."""

    def __init__(self, part: Any, name: str) -> None:
        self._part = part
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._part, attribute)


def header(parts: Parts, job: Job, started_at: datetime, seed: str) -> Header:
    """Return the first line of a recording of `job` with `parts`."""
    return Header(
        scout_recording=VERSION,
        started_at=started_at,
        seed=seed,
        job=job,
        reasoner=parts.reasoner.name,
        context=parts.reasoner.context,
        follows_up=parts.reasoner.follows_up,
        embedder=parts.embedder.name,
        cutoffs=parts.embedder.cutoffs,
        search=parts.search.name,
    )


def _asked(question: Any) -> list[Any]:
    return [question.task, question]


def _key(request: Any) -> str:
    return sha256(shape.encode(request)).hexdigest()[:32]


def _packed(vector: Vector) -> str:
    return base64.b64encode(vector.tobytes()).decode()


def _unpacked(text: str) -> Vector:
    vector = array("f")
    vector.frombytes(base64.b64decode(text))
    return vector
