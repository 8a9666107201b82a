"""What is examined: the settings that matter, and how to open what they name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from scout_cli.core.models import Record
from scout_cli.core.ports import Clock, Executor
from scout_cli.store.database import Database


class Bounds(Record, frozen=True, kw_only=True):
    """Seconds after which an attempt counts as failed, so that an examination always ends."""

    database: float = 20.0
    integrity: float = 30.0
    question: float = 20.0
    """For what a model server answers without loading a model."""
    model: float = 180.0
    """For one short answer, a cold load included."""
    embedder: float = 90.0
    search: float = 20.0
    """For one engine."""
    reader: float = 120.0
    browser: float = 10.0
    local: float = 10.0
    """For what only looks at this machine."""


class Subject(Record, frozen=True, kw_only=True):
    """One installation of scout."""

    database_url: str
    llm_url: str
    embed_url: str
    search_url: tuple[str, ...]
    fetch_url: str
    executor: Callable[[], Awaitable[Executor]] | None = None
    """Returns what brings due scouts to workers, as `execute_url` says."""
    browser_path: str = ""
    channels: tuple[str, ...] = ()
    """Notification URLs of the settings; those of the scouts are looked up."""
    private: bool | tuple[str, ...] = False
    """The setting `allow_private_networks`."""
    num_ctx: int
    ollama_host: str = ""
    clock: Clock
    timezone: Callable[[], str]
    """Returns the machine's zone; may raise `ConfigError`."""
    open_database: Callable[[], Awaitable[Database]]
    """Opens it without looking at its tables; its owner closes it."""
    open_sessions: Callable[[], Awaitable[Any]]
    """Returns `net.sessions.Sessions`, which importing this module must not load."""
    model_settings: Callable[[str], Any]
    """Returns `llm.ModelSettings` for a URL, which importing this module must not load."""
    integrity: bool = False
    """Whether to look for what can never be in the database, which takes time."""
    bounds: Bounds = Bounds()
