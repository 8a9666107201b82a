"""Language models, what is asked of them, and embeddings."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from scout_cli.core.models import AnsweredBy, Record

Vector: TypeAlias = "array[float]"
"""Unit-length embedding, typecode `f` (32-bit floats)."""

TokenSink: TypeAlias = Callable[[str], Awaitable[None]]

A_co = TypeVar("A_co", covariant=True)


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
