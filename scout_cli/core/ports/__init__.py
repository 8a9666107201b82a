"""What the agent and the services need from outside, each as the smallest Protocol that serves it.

Adapters never inherit from these; mypy proves the fit at the composition root (`app.py`) and one
contract test suite per port proves the behaviour. Every coroutine here may be cancelled at any
await and must then leave nothing running.
"""

from __future__ import annotations

from scout_cli.core.ports.clock import Clock
from scout_cli.core.ports.executing import Executor
from scout_cli.core.ports.looking import (
    Feed,
    Fetcher,
    FetchRequest,
    Hit,
    Page,
    SearchAnswer,
    SearchEngine,
    SearchOutcome,
    SearchQuery,
)
from scout_cli.core.ports.parts import Parts
from scout_cli.core.ports.remembering import (
    NEAREST,
    Background,
    Earlier,
    Habits,
    Memory,
    Neighbour,
    Told,
)
from scout_cli.core.ports.telling import Channel, Promise
from scout_cli.core.ports.thinking import (
    A_co,
    Answer,
    ChatModel,
    ChatReply,
    ChatRequest,
    Embedder,
    Message,
    Question,
    Reasoner,
    TokenSink,
    Tool,
    ToolCall,
    Vector,
)

__all__ = [
    "NEAREST",
    "A_co",
    "Answer",
    "Background",
    "Channel",
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Clock",
    "Earlier",
    "Embedder",
    "Executor",
    "Feed",
    "FetchRequest",
    "Fetcher",
    "Habits",
    "Hit",
    "Memory",
    "Message",
    "Neighbour",
    "Page",
    "Parts",
    "Promise",
    "Question",
    "Reasoner",
    "SearchAnswer",
    "SearchEngine",
    "SearchOutcome",
    "SearchQuery",
    "TokenSink",
    "Told",
    "Tool",
    "ToolCall",
    "Vector",
]
