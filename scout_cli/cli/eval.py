"""`scout eval`: how good this scout is, with your model and embedder, on a web that is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import click
from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.cli import progress, streams, tables
from scout_cli.cli.progress import Progress
from scout_cli.cli.session import Session, drive, pass_session
from scout_cli.cli.tables import Column
from scout_cli.config import Settings
from scout_cli.core.events import Event
from scout_cli.core.shape import plain
from scout_cli.errors import ScoutError
from scout_cli.evaluation import measures, report
from scout_cli.evaluation.report import EngineReport, Failed, PairsReport, Report
from scout_cli.evaluation.trial import trial
from scout_cli.evaluation.world import TOPICS, LabelledLibrary, Topic
from scout_cli.store.sqlite_file import url_of

_ENGINES = (
    Column("model", wide=True),
    Column("findings precision", rank=2, number=True),
    Column("recall", rank=2, number=True),
    Column("repeats precision", rank=3, number=True),
    Column("recall", rank=3, number=True),
    Column("F1", rank=1, number=True),
    Column("news lost", number=True),
    Column("proven", rank=4, number=True),
    Column("calls", rank=5, number=True),
    Column("tokens", rank=5, number=True),
    Column("s/run", rank=1, number=True),
)
_RULES = (
    Column("rule", wide=True),
    Column("cut-offs", rank=1),
    Column("precision", number=True),
    Column("recall", number=True),
    Column("F1", number=True),
    Column("news lost", number=True),
)


@click.command("eval")
@click.option("--llm", "llms", metavar="URL", multiple=True, help="Try this model; repeatable.")
@click.option("--embed", metavar="URL", help="Use this embedder.")
@click.option("--quick", is_flag=True, help="Only one wish instead of two.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(
    session: Session,
    *,
    llms: tuple[str, ...],
    embed: str | None,
    quick: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Measure models and the embedder on a labelled web.

    The real agent looks on four days for two things on a small web of this machine: new facts,
    repeats in other words and languages, another fact in the same words, updates, old news, pages
    that lie about themselves and pages that give orders. What it reports is counted against the
    labels. The embedder is also tried on labelled pairs of sentences. Nothing of yours is touched.

    A model that does not answer is named, and what the others did is shown; the exit code is that
    of its error.

    \b
    Examples:
      scout eval --llm builtin:// --embed builtin://
      scout eval --llm ollama://127.0.0.1:11434/qwen3:4b --llm builtin://
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    given = session.load().settings
    given = replace(given, embed_url=embed) if embed else given
    engines = [replace(given, llm_url=url) for url in llms] or [given]
    with _Stage(quiet=quiet or as_json) as stage:
        made, code = drive(lambda: _evaluated(engines, stage, quick=quick))
    if as_json:
        streams.put_json(plain(made))
    else:
        _show(made)
    return code


async def _evaluated(
    engines: Sequence[Settings], stage: _Stage, *, quick: bool
) -> tuple[Report, int]:
    """Try every engine; one that fails costs the others nothing.

    Returns:
        what was measured, and the exit code: that of the first error.

    Raises:
        ScoutError: no engine could be measured.
    """
    topics = TOPICS[:1] if quick else TOPICS
    tried = [(each, await _tried(each, stage, topics)) for each in engines]
    errors = [(each, made) for each, made in tried if isinstance(made, ScoutError)]
    answered = [(each, made) for each, made in tried if isinstance(made, EngineReport)]
    if not answered:
        raise errors[0][1]
    with TemporaryDirectory(prefix="scout-eval-") as folder:
        apart = replace(answered[0][0], database_url=url_of(Path(folder, "eval.db")))
        async with App.open(apart) as app:
            stage.say("labelled pairs")
            duplicates = await report.pairs(await app.embedder())
    made = Report(
        engines=tuple(each for _, each in answered),
        failed=tuple(_failed(each, error) for each, error in errors),
        duplicates=(duplicates,),
    )
    return made, errors[0][1].exit_code if errors else streams.ExitCode.OK


async def _tried(
    engine: Settings, stage: _Stage, topics: Sequence[Topic]
) -> EngineReport | ScoutError:
    try:
        did = await trial(engine, stage, topics)
    except ScoutError as error:
        stage.done()
        return error
    return report.engine(measures.measure(did, LabelledLibrary()))


def _failed(engine: Settings, error: ScoutError) -> Failed:
    return Failed(
        llm=streams.redact(engine.llm_url),
        code=error.code,
        message=streams.redact(error.message),
        hint=streams.redact(error.hint),
    )


class _Stage:
    """Shows each run as `scout run` does."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._stack = ExitStack()
        self._progress: Progress = progress.Silent()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self._stack.close()

    def say(self, text: str) -> None:
        if not self._quiet:
            streams.say(text)

    def run(self, model: str, topic: str, day: int) -> None:
        self.say(f"{model}  {topic}, day {day}")
        shown = progress.choose(as_json=False, quiet=self._quiet)
        self._progress = self._stack.enter_context(shown)

    async def event(self, event: Event) -> None:
        await self._progress.see(event)

    def done(self) -> None:
        self._stack.close()


def _show(made: Report) -> None:
    runs = made.engines[0].runs
    streams.put(f"On the labelled web, {runs} runs each, embedder {made.engines[0].embedder}")
    gaps = [""] * (len(_ENGINES) - 1)
    left_out = [[f"{each.llm} (failed)", *gaps] for each in made.failed]
    tables.show(_ENGINES, [*(_engine(each) for each in made.engines), *left_out])
    for each in made.engines:
        _warn(each)
    for failed in made.failed:
        streams.say(streams.line(f"! {failed.llm}: {failed.message}"))
        streams.say(f"  {streams.line(failed.hint)}")
    for pairs in made.duplicates:
        streams.put("")
        _show_pairs(pairs)


def _engine(each: EngineReport) -> list[str]:
    return [
        each.model,
        _percent(each.findings_precision),
        _percent(each.findings_recall),
        _percent(each.duplicates_precision),
        _percent(each.duplicates_recall),
        _percent(each.duplicates_f1),
        _percent(each.news_held_back),
        _percent(each.quote_verified),
        f"{each.calls:g}",
        f"{each.tokens:g}",
        f"{each.seconds:.2f}",
    ]


def _warn(each: EngineReport) -> None:
    """Name what must never happen, should it have happened."""
    if each.unproven or each.unfetched:
        streams.say(
            f"! {each.model}: {each.unproven} findings without a quote in their page, "
            f"{each.unfetched} links to pages that were not fetched"
        )


def _show_pairs(pairs: PairsReport) -> None:
    told = f"{pairs.pairs} labelled pairs held out when cut-offs are fitted, {pairs.same} of them"
    streams.put(f"{told} repeats, embedder {pairs.embedder}, no model asked")
    rows = [
        [
            rule.rule,
            " ".join(f"{cutoff:.2f}" for cutoff in rule.cutoffs),
            _percent(rule.precision),
            _percent(rule.recall),
            _percent(rule.f1),
            _percent(rule.held_back),
        ]
        for rule in pairs.rules
    ]
    tables.show(_RULES, rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
