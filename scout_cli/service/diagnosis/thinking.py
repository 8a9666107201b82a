"""The model: is it there, does it see the whole prompt, does it obey, is it fast enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scout_cli.core import urls
from scout_cli.errors import ModelUnavailable
from scout_cli.service.checks import Check, Tell, attempt
from scout_cli.service.diagnosis import choosing, memory
from scout_cli.service.diagnosis.choosing import Engine
from scout_cli.service.diagnosis.subject import Subject
from scout_cli.store.database import Database

if TYPE_CHECKING:  # importing them costs the client, which `builtin://` does without
    from scout_cli.llm.ollama_facts import Answered, InMemory, OllamaFacts
    from scout_cli.llm.ollama_server import Abilities

SLOW = 2.0
"""Tokens per second: below this the longest answer of a run, 1,024 tokens, takes over 8 minutes."""

_TOO_SLOW = "it may be too large for this machine: see `ollama ps`, or try a smaller one"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


async def examine(subject: Subject, database: Database | None, tell: Tell) -> None:
    """Tell of the model and of what this machine could run."""
    seconds = subject.bounds.question

    async def choose() -> Engine:
        return await choosing.engine("llm_url", subject, database)

    engine = await attempt("model", tell, seconds, choose, late="ollama serve")
    if engine is None:
        _recommend(tell, None)
    elif engine.url.partition(":")[0].lower() in ("ollama", "ollama+https"):
        await _ollama(subject, engine, tell)
    else:
        await attempt("model", tell, seconds, lambda: _other(subject, engine, tell))
        _recommend(tell, engine)


async def _other(subject: Subject, engine: Engine, tell: Tell) -> None:
    from scout_cli import llm  # noqa: PLC0415 - only when asked

    thinker = await llm.open_chat(engine.url, subject.model_settings(engine.url))
    try:
        described = await thinker.describe()
    finally:
        await thinker.aclose()
    detail = f"{described} ({engine.reason})" if engine.reason else described
    hint = f"scout config set llm_url {engine.better}" if engine.better else ""
    if engine.better:
        detail += f"; by now {engine.better} answers"
    data = {"url": engine.url, "installed": True}
    tell(Check(name="model", ok=True, warn=bool(hint), detail=detail, hint=hint, data=data))


async def _ollama(subject: Subject, engine: Engine, tell: Tell) -> None:
    from scout_cli.llm import ollama_facts  # noqa: PLC0415 - see above

    bounds = subject.bounds
    size: int | None = None

    async def find() -> OllamaFacts:
        return ollama_facts.open_facts(engine.url, subject.model_settings(engine.url))

    facts = await attempt("model", tell, bounds.question, find)
    if facts is None:
        return
    try:
        found = await attempt("model", tell, bounds.question, lambda: _found(facts, engine, tell))
        if found is not None:
            model, can, size = found
            await attempt(
                "model speed",
                tell,
                bounds.model,
                lambda: _at_work(facts, model, can, subject.num_ctx, tell),
                late=_TOO_SLOW,
            )
    finally:
        await facts.aclose()
    _recommend(tell, engine, installed=size)


async def _found(facts: OllamaFacts, engine: Engine, tell: Tell) -> tuple[str, Abilities, int]:
    """Tell whether the model is installed; return its name, what it can do and its bytes."""
    installed = await facts.installed()
    model = await facts.chosen(installed)
    can = await facts.abilities(model)
    names = {one.name.removesuffix(":latest"): one.bytes for one in installed}
    size = names.get(model.removesuffix(":latest"), 0)
    about = [can.size, f"{size / memory.GIGABYTE:.1f} GB on disk" if size else ""]
    about.append("calls tools" if can.tools else "calls no tools")
    reason = f" ({engine.reason})" if engine.reason else ""
    tell(
        Check(
            name="model",
            ok=True,
            detail=f"{model} at {facts.base}: {', '.join(filter(None, about))}{reason}",
            data={
                "url": engine.url,
                "model": model,
                "installed": True,
                "size": can.size,
                "bytes": size,
                "tools": can.tools,
            },
        )
    )
    return model, can, size


async def _at_work(
    facts: OllamaFacts, model: str, can: Abilities, num_ctx: int, tell: Tell
) -> None:
    """Let the model answer once, and tell what the server says of that."""
    before = await _looked(facts, model)
    answered = await facts.answer(model, can)
    after = await _looked(facts, model)
    tell(_context(num_ctx, can.context, after))
    tell(_obedience(model, answered))
    tell(_speed(answered, was_loaded=before is not None, now=after))


async def _looked(facts: OllamaFacts, model: str) -> InMemory | None:
    """Return how the model is loaded; old servers do not know the question."""
    try:
        return await facts.in_memory(model)
    except ModelUnavailable:
        return None


def _context(asked: int, trained: int | None, now: InMemory | None) -> Check:
    """Judge the context: a server that has less than was asked for cuts prompts in silence."""
    used = now.context if now else None
    name, data = "model context", {"num_ctx": asked, "in_use": used, "trained": trained}
    least = min(used or asked, trained or asked)
    longest = f"; the model was trained for {trained}" if trained else ""
    if least < asked:
        said = f"{used} tokens in use" if used and used < asked else "more than it was trained for"
        detail = f"num_ctx is {asked}, {said}{longest}"
        hint = f"scout config set num_ctx {least}"
        return Check(name=name, ok=True, warn=True, detail=detail, hint=hint, data=data)
    in_use = f"{used} tokens in use" if used else "the server does not say how many it uses"
    detail = f"num_ctx is {asked}, {in_use}{longest}"
    return Check(name=name, ok=True, detail=detail, data=data)


def _obedience(model: str, answered: Answered) -> Check:
    """Judge whether the answer was JSON of the schema, and true."""
    name = "model JSON"
    data: dict[str, Any] = {"valid": answered.ticket is not None, "right": answered.is_right}
    if answered.is_right:
        detail = "filled a small form from a sentence, rightly"
        return Check(name=name, ok=True, detail=detail, data=data)
    if answered.ticket is None:
        detail = "its answer is not JSON of the form it was given; such answers are replaced"
    else:
        detail = "its answer has the right form, but not what the sentence says"
    suited = memory.suited(memory.of_machine())
    other = suited and suited.name != model
    hint = f"ollama pull {suited.name}" if suited and other else "try another model"
    return Check(name=name, ok=True, warn=True, detail=detail, hint=hint, data=data)


def _speed(answered: Answered, *, was_loaded: bool, now: InMemory | None) -> Check:
    """Judge the speed by the server's own figures."""
    rate, load = answered.tokens_per_second, answered.load_seconds
    share = now.on_gpu / now.bytes if now and now.bytes and now.on_gpu is not None else None
    parts = [f"{rate:.1f} tokens/s" if rate else "the server does not say how fast"]
    if was_loaded:
        parts.append("in memory already")
    elif load is not None:
        parts.append(f"loaded in {load:.1f} s")
    if share is not None:
        parts.append(f"{share:.0%} on the graphics card" if share else "on the processor alone")
    return Check(
        name="model speed",
        ok=True,
        warn=rate is not None and rate < SLOW,
        detail=", ".join(parts),
        hint=_TOO_SLOW if rate is not None and rate < SLOW else "",
        data={
            "tokens_per_second": rate,
            "tokens": answered.tokens,
            "prompt_tokens": answered.prompt_tokens,
            "was_loaded": was_loaded,
            "load_seconds": load,
            "gpu_share": share,
        },
    )


def _recommend(tell: Tell, engine: Engine | None, *, installed: int | None = None) -> None:
    """Tell which model this machine has the memory for.

    Args:
        tell: receives the check.
        engine: what thinks now; None when that is not known.
        installed: bytes of the model in use, None when there is none.
    """
    bytes_ = memory.of_machine()
    suited = memory.suited(bytes_)
    here = engine is None or engine.is_built_in or urls.host_of(engine.url) in _LOOPBACK
    large = here and installed is not None and installed > bytes_
    pull = f"ollama pull {suited.name}" if suited else ""
    detail = f"{bytes_ / memory.GIGABYTE:.1f} GB on this machine"
    if suited:
        detail += f": {suited.name} suits it ({suited.gigabytes:g} GB)"
    else:
        detail += ": too little for a model; the built-in engine needs none"
    if large:
        detail += "; the one in use is larger than that"
    tell(
        Check(
            name="memory",
            ok=True,
            warn=large,
            detail=detail,
            hint=pull if large or installed is None else "",
            data={"bytes": bytes_, "suited": suited.name if suited else None, "pull": pull},
        )
    )
