"""The embedder, and whether what was found earlier can still be compared with what it gives."""

from __future__ import annotations

import time

from scout_cli import llm
from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis import choosing
from scout_cli.service.diagnosis.choosing import Engine
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store import health
from scout_cli.store.database import Database

_LATE = "it may be too large for this machine: see `ollama ps`"


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell of the embedder and of the vectors that are stored."""
    seconds = subject.bounds.embedder
    found = await attempt(
        "embedder", tell, seconds, lambda: _look(subject, database, tell), late=_LATE
    )
    if found is None or database is None:
        return
    name, dimension = found
    bound = subject.bounds.database
    await attempt(
        "embedding vectors", tell, bound, lambda: _vectors(database, name, dimension, tell)
    )


async def _look(subject: Subject, database: Database | None, tell: Tell) -> tuple[str, int]:
    engine = await choosing.engine("embed_url", subject, database)
    embedder = await llm.open_embedder(engine.url, subject.model_settings(engine.url))
    began = time.monotonic()
    try:
        described = await embedder.describe()
        (vector,) = await embedder.embed(["a short probe"])
    finally:
        await embedder.aclose()
    seconds = round(time.monotonic() - began, 3)
    tell(_embedder(engine, embedder.name, described, len(vector), seconds))
    return embedder.name, len(vector)


def _embedder(engine: Engine, name: str, described: str, dimension: int, seconds: float) -> Check:
    detail = f"{described}, {dimension} numbers each, {seconds:.1f} s"
    if "dimensions" in described:
        detail = f"{described}, {seconds:.1f} s"
    if engine.reason:
        detail += f" ({engine.reason})"
    if engine.better:
        detail += f"; by now {engine.better} answers"
    return Check(
        name="embedder",
        ok=True,
        warn=bool(engine.better),
        detail=detail,
        hint=f"scout config set embed_url {engine.better}" if engine.better else "",
        data={"url": engine.url, "name": name, "dimension": dimension, "seconds": seconds},
    )


async def _vectors(database: Database, name: str, dimension: int, tell: Tell) -> None:
    found = await health.vectors(database, name, dimension)
    data = {"findings": found.findings, "missing": found.missing, "odd": found.odd}
    detail, hint = f"all {found.findings} findings have one of {name}", ""
    if not found.findings:
        detail = "none yet"
    elif found.odd:
        detail = f"{found.odd} of {found.findings} have another length: was the model replaced?"
        hint = "scout doctor --fix"
    elif found.missing:
        detail = f"{found.missing} of {found.findings} findings have none of {name} yet; "
        detail += "the next runs make them"
        hint = "scout doctor --fix"
    check = Check(
        name="embedding vectors",
        ok=True,
        warn=bool(found.odd),
        detail=detail,
        hint=hint,
        data=data,
    )
    tell(check)
