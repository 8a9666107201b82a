"""What the agent needs from outside, each as the smallest Protocol that serves it.

Adapters never inherit from these; mypy proves the fit at the composition root (`app.py`) and one
contract test suite per port proves the behaviour. Every coroutine here may be cancelled at any
await and must then leave nothing running.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from uuid import UUID

from msgspec import field

from scout_cli.core.job import Recency
from scout_cli.core.models import (
    AnsweredBy,
    DateOrigin,
    Novelty,
    Opinion,
    PageOutcome,
    Record,
    SeenPage,
)
from scout_cli.core.news import Delivery, Notice

Vector: TypeAlias = "array[float]"
"""Unit-length embedding, typecode `f` (32-bit floats)."""

TokenSink: TypeAlias = Callable[[str], Awaitable[None]]

A_co = TypeVar("A_co", covariant=True)


class Clock(Protocol):
    """Time and chance, so that the core has neither of its own."""

    def now(self) -> datetime:
        """Return the present moment, UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        ...

    def uuid(self) -> UUID:
        """Return a fresh random identifier."""
        ...


class Message(Record, frozen=True, kw_only=True):
    """One turn of a conversation with a model."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """For the assistant: what it called in this turn."""
    tool_name: str = ""
    """For a tool: which one answers."""


class Tool(Record, frozen=True, kw_only=True):
    """A function that a model may ask for."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of its arguments, without `$ref`."""


class ToolCall(Record, frozen=True, kw_only=True):
    """A model's wish to call a tool; the arguments are not yet validated."""

    name: str
    arguments: dict[str, Any]


class ChatRequest(Record, frozen=True, kw_only=True):
    """One question to a chat model."""

    messages: tuple[Message, ...]
    schema: dict[str, Any] | None = None
    """The answer must be JSON of this schema."""
    tools: tuple[Tool, ...] = ()
    max_tokens: int = 1_024


class ChatReply(Record, frozen=True, kw_only=True):
    """What a chat model said, thinking stripped."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cut: bool = False
    """The answer ended at `max_tokens` or in a flood of white space: it is not complete."""
    truncated: bool = False
    """The server read less of the prompt than was sent."""


class ChatModel(Protocol):
    """A language model that answers one request at a time."""

    @property
    def name(self) -> str:
        """Return provider and model, such as `ollama/qwen3:8b`."""
        ...

    @property
    def context(self) -> int:
        """Return the context length in tokens, prompt and answer together."""
        ...

    async def offers_tools(self) -> bool:
        """Return whether the model was trained to call tools."""
        ...

    async def chat(self, request: ChatRequest, on_token: TokenSink | None = None) -> ChatReply:
        """Answer `request`; `on_token` receives the text as it appears.

        Raises:
            ModelUnavailable: refused, silent for too long, broken off, unknown model.
        """
        ...


class Question(Protocol[A_co]):
    """A small task with a typed answer; see `core/questions.py` and `core/writing.py`."""

    @property
    def task(self) -> str:
        """Return the name of its prompt file, such as `extract`."""
        ...

    def built_in(self) -> A_co:
        """Answer it without any model: deterministic and extractive."""
        ...


class Answer(Record, frozen=True, kw_only=True):
    """A typed answer and who gave it."""

    value: Any
    by: AnsweredBy
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    note: str = ""
    """Why the model's own answer was not used, when it was not."""


class Reasoner(Protocol):
    """Answers questions: a model with its safety net, or the built-in engine."""

    @property
    def name(self) -> str:
        """Return provider and model, such as `ollama/qwen3:8b` or `built-in`."""
        ...

    @property
    def context(self) -> int:
        """Return the context length in tokens; 0 means no limit."""
        ...

    @property
    def follows_up(self) -> bool:
        """Return whether it may want further searches after a first look."""
        ...

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Answer one question with at most `calls` model calls.

        Bad output falls back to the question's built-in answer; an absent engine raises.

        Raises:
            ModelUnavailable: the engine is absent (refused, silent, broken off).
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors; vectors of different embedders are never compared."""

    @property
    def name(self) -> str:
        """Return provider and model, such as `ollama/nomic-embed-text`; stored beside vectors."""
        ...

    @property
    def cutoffs(self) -> tuple[float, float]:
        """Return the cosines (lower, upper): above upper is the same, below lower is new."""
        ...

    @property
    def background(self) -> float:
        """Return the usual cosine of two different facts of one topic, which `cutoffs` suppose."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text, all of one length, none zero or NaN.

        Raises:
            ModelUnavailable: the engine is absent, or gave vectors that cannot be used.
        """
        ...


class SearchQuery(Record, frozen=True, kw_only=True):
    """One search."""

    text: str
    limit: int = 10
    recency: Recency | None = None
    language: str = ""
    """BCP 47 tag, empty for any."""
    country: str = ""
    """ISO 3166 alpha-2, empty for any."""


class Hit(Record, frozen=True, kw_only=True):
    """One search result or feed entry."""

    url: str
    title: str = ""
    snippet: str = ""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    engine: str = ""


SearchOutcome = Literal["found", "empty", "limited", "unavailable"]
"""`empty` is said only when an engine really answered that there is nothing."""


class SearchAnswer(Record, frozen=True, kw_only=True):
    """What one search engine said to one query."""

    outcome: SearchOutcome
    hits: tuple[Hit, ...] = ()
    engine: str = ""
    detail: str = ""
    """For `limited` and `unavailable`: what happened, in one line."""
    hint: str = ""
    retry_after: float | None = None
    """Seconds, when the engine named them."""


class SearchEngine(Protocol):
    """Finds pages on the open web."""

    @property
    def name(self) -> str:
        """Return the engine's name for people, such as `ddgs/duckduckgo`."""
        ...

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Run one query; every failure is an outcome, none is raised."""
        ...


class FetchRequest(Record, frozen=True, kw_only=True):
    """One page to fetch."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    language: str = ""
    named: bool = False
    """Somebody named this very page, as with `--url`: no robots.txt is asked."""


class Page(Record, frozen=True, kw_only=True):
    """What became of one page, and its text when it was read."""

    url: str
    final_url: str
    outcome: PageOutcome
    status: int | None = None
    """HTTP status of the last hop."""
    title: str = ""
    text: str = ""
    """Markdown of the main content; what quotes are checked against."""
    content_hash: str = ""
    """SHA-256 of `text` with white space folded, hex."""
    published_at: datetime | None = None
    published_from: DateOrigin = "none"
    language: str = ""
    etag: str | None = None
    last_modified: str | None = None
    detail: str = ""
    """For every outcome but `read` and `unchanged`: what happened, in one line."""
    hint: str = ""
    size: int = 0
    """Decoded bytes received."""
    screenshot: str = ""
    """The name under which a picture of the page is kept; empty when none was taken."""


class Feed(Record, frozen=True, kw_only=True):
    """The entries of an RSS or Atom feed."""

    url: str
    outcome: PageOutcome
    hits: tuple[Hit, ...] = ()
    detail: str = ""
    hint: str = ""


class Fetcher(Protocol):
    """Reads pages and feeds, safely; every failure is an outcome, none is raised."""

    async def fetch(self, request: FetchRequest) -> Page:
        """Fetch one page and turn it into text."""
        ...

    async def feed(self, url: str) -> Feed:
        """Read one RSS or Atom feed, newest entries first."""
        ...

    async def warm_up(self) -> None:
        """Start what is slow to start, so that the first page does not wait for it."""
        ...


class Earlier(Record, frozen=True, kw_only=True):
    """A finding of an earlier run of the same scout."""

    id: UUID
    fact: str
    canonical_url: str
    created_at: datetime
    story_id: UUID | None = None
    novelty: Novelty = "new"
    opinion: Opinion | None = None
    """What the user said of it."""


class Neighbour(Record, frozen=True, kw_only=True):
    """An earlier finding and how close it is."""

    finding: Earlier
    cosine: float


class Habits(Record, frozen=True, kw_only=True):
    """What is usual for a scout, and what its user made of its findings."""

    background: float | None = None
    """Median cosine of two different findings; None when there are too few."""
    sample: int = 0
    """Findings that the background was taken from."""
    shift: float = 0.0
    """Added to both cut-offs, -0.06 to 0.06: below zero holds back more, above it less."""
    hosts: dict[str, float] = field(default_factory=dict)
    """Liking by registrable domain, -1 to 1."""
    terms: dict[str, float] = field(default_factory=dict)
    """Liking by word, -1 to 1."""


class Background(Record, frozen=True, kw_only=True):
    """How similar two different findings of one scout are, as a rule."""

    cosine: float | None = None
    """The median; None when there are too few findings to say."""
    sample: int = 0
    """Findings that it was taken from."""


class Memory(Protocol):
    """What the same scout read and reported before."""

    async def habits(self) -> Habits:
        """Return what the user made of this scout's findings; the background is left out."""
        ...

    async def background(self) -> Background:
        """Return how similar this scout's findings are, by the current embedder."""
        ...

    async def page(self, canonical_url: str) -> SeenPage | None:
        """Return what is remembered of a page, or None."""
        ...

    async def nearest(self, vector: Vector, limit: int = 5) -> Sequence[Neighbour]:
        """Return the closest earlier findings of the current embedder, closest first."""
        ...

    async def from_page(self, canonical_url: str) -> Sequence[Earlier]:
        """Return the earlier findings that came from this page."""
        ...

    async def keep(self, subject: UUID, vector: Vector) -> None:
        """Hold the vector of a new fact, to be stored when the run completes."""
        ...


class Parts(Record, frozen=True, kw_only=True):
    """Everything outside that an agent works with."""

    reasoner: Reasoner
    embedder: Embedder
    search: SearchEngine
    fetcher: Fetcher
    memory: Memory
    clock: Clock


Promise = Literal["once", "at_least_once"]
"""What may be claimed of a channel after a crash between sending and noting it: `once` for a
receiver that keeps the ids it has seen, else the message may come a second time."""


class Channel(Protocol):
    """A way to tell somebody. One is opened for a URL, used for some messages, and closed."""

    @property
    def name(self) -> str:
        """Return what people may see of the channel, such as `ntfy ntfy.sh/my-topic`: no secret."""
        ...

    @property
    def promise(self) -> Promise:
        """Return what may be claimed of it."""
        ...

    @property
    def pause(self) -> float:
        """Return the seconds to wait between two messages; 0 for none."""
        ...

    async def send(self, notice: Notice, committing: Callable[[], Awaitable[None]]) -> Delivery:
        """Send one message; every failure of the far side is an outcome, none is raised.

        Args:
            notice: what to say.
            committing: awaited once, right before the first byte after which the message may have
                arrived; whoever raises there stops the sending. Connecting, logging in and naming
                recipients come before it. When it was not awaited, the message was not sent.
        """
        ...

    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""
        ...


class Executor(Protocol):
    """How queued executions come to the workers.

    A local one does nothing: workers claim from the database themselves. Another one carries the
    ids of executions to workers on many machines, and nothing else: what it loses is offered again,
    and what it brings twice is claimed once.
    """

    @property
    def name(self) -> str:
        """Return what it is, for people."""
        ...

    @property
    def concurrency(self) -> int | None:
        """Return how many executions a worker runs at the same time; None for the setting's."""
        ...

    @property
    def tables(self) -> str:
        """Return the SQL that makes its tables in the database; empty for a local one."""
        ...

    async def offer(self, ids: Sequence[UUID]) -> None:
        """Bring executions to the workers; one that is on its way already is not brought twice.

        Raises:
            DatabaseUnavailable: its database does not answer, or lacks its tables.
        """
        ...

    async def work(
        self, take: Callable[[UUID], Awaitable[None]], concurrency: int, *, stays: bool
    ) -> None:
        """Give `take` one execution after the other, `concurrency` at the same time.

        Args:
            take: claims and runs one; it returns when the next one may come.
            concurrency: calls of `take` at the same time.
            stays: whether to wait for more when there is none left.

        Raises:
            DatabaseUnavailable: its database does not answer; call it again.
        """
        ...

    async def tidy(self) -> None:
        """Forget what workers left behind that went away.

        Raises:
            DatabaseUnavailable: its database does not answer.
        """
        ...

    async def close(self) -> None:
        """Give back connections. Closing twice is harmless."""
        ...
