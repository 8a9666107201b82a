"""Which engine `auto` means here, without settling it: only a run may do that."""

from __future__ import annotations

from typing import Literal

from scout_cli.core.models import Record
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import resolved
from scout_cli.store.database import Database

Setting = Literal["llm_url", "embed_url"]


class Engine(Record, frozen=True, kw_only=True):
    """The engine of a setting."""

    url: str
    reason: str = ""
    """Why it is this one, when the setting is `auto`."""
    better: str = ""
    """The URL that `auto` would choose today, when an earlier choice was the built-in engine."""

    @property
    def is_built_in(self) -> bool:
        """Return whether no model is needed."""
        return self.url.startswith("builtin:")


async def engine(setting: Setting, subject: Subject, database: Database | None) -> Engine:
    """Return the engine that a run would use now.

    Raises:
        ConfigError: `ollama_host` is not a host.
    """
    configured: str = getattr(subject, setting)
    if configured != "auto":
        return Engine(url=configured)
    from scout_cli.llm import auto  # noqa: PLC0415 - only when asked

    choose = auto.choose_chat if setting == "llm_url" else auto.choose_embedder
    known = await _kept(setting, database)
    if known is None:
        choice = await choose(subject.ollama_host)
        return Engine(url=choice.url, reason=f"auto: {choice.reason}")
    found = Engine(url=known, reason="auto: chosen at the first run, and kept")
    if not found.is_built_in:
        return found
    choice = await choose(subject.ollama_host)
    better = "" if choice.url == known else choice.url
    return Engine(url=known, reason=found.reason, better=better)


async def _kept(setting: Setting, database: Database | None) -> str | None:
    if database is None or not await database.has_table("resolved"):
        return None
    return await resolved.get(database, setting)
