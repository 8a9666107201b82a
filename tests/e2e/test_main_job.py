"""The main job with every outside part real: ddgs, Crawl4AI, Ollama's protocol, PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.command import Done, argv, environment, scout
from tests.e2e.tasks import competent
from tests.e2e.village import GOAL, Village
from tests.ollama_server import OllamaServer, Says


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    """Give a web of three pages."""
    async with Village() as web:
        yield web


@pytest.fixture
async def ollama() -> AsyncIterator[OllamaServer]:
    """Give an Ollama that answers like a competent small model."""
    async with OllamaServer(competent) as server:
        yield server


def settings(village: Village, ollama: OllamaServer, **more: str) -> dict[str, str]:
    """Return the environment of a command that uses both."""
    return environment(
        SCOUT_LLM_URL=f"ollama://{ollama.host}/qwen3:8b",
        SCOUT_EMBED_URL=f"ollama://{ollama.host}/nomic-embed-text",
        SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base=http://{village.host}",
        SCOUT_ALLOW_PRIVATE_NETWORKS=village.host,
        SCOUT_SEARCH_CACHE_MINUTES="0",
        **more,
    )


async def run(env: dict[str, str], *arguments: str) -> Done:
    """Run the command beside the servers of this process."""
    return await asyncio.to_thread(scout, *arguments, env=env)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_a_scout_gives_a_brief_whose_every_quote_stands_in_its_page(
    village: Village, ollama: OllamaServer, store: str, request: pytest.FixtureRequest
) -> None:
    """Added and run with real parts, a scout reports only what its pages say, on both databases."""
    more = {}
    if store == "postgresql":
        postgres = request.getfixturevalue("postgres")
        more["SCOUT_DATABASE_URL"] = postgres.url(postgres.create())
    env = settings(village, ollama, **more)
    if store == "postgresql":
        made = await run(env, "init-db")
        assert made.code == 0, made.err

    added = await run(env, "add", GOAL, "--json")
    assert added.code == 0, added.err
    ran = await run(env, "run", "Model Named This", "--json")
    assert ran.code == 0, ran.err

    events = ran.events()
    texts = {e["source"]: e["text"] for e in events if e["event"] == "page_seen" and e["source"]}
    result = events[-1]["result"]
    assert result["outcome"] == "new"
    reported = [fact for fact in result["facts"] if fact["novelty"] == "new"]
    assert any("14 May 2026" in fact["fact"] for fact in reported)
    for fact in result["facts"]:
        assert fact["quote"] in " ".join(texts[fact["source"]].split())
    assert result["counts"]["dropped"] >= 1, "the invented claim is counted"
    assert "moon" not in json.dumps(result["results_summary"])
    assert len(result["summary"]) <= 150
    assert result["usage"]["calls"] <= 12
    assert village.asked, "the real ddgs package asked the result page"

    again = await run(env, "run", "Model Named This", "--json", "--exit-code")
    assert again.code == 10, again.err
    last = again.events()[-1]["result"]
    assert last["counts"]["unchanged"] >= 2
    assert last["usage"]["calls"] == 0, "no page is new, so no model is asked"

    listed = await run(env, "findings", "--json")
    assert listed.code == 0
    assert "14 May 2026" in listed.out


async def test_ctrl_c_ends_at_once_and_marks_the_execution_failed(village: Village) -> None:
    """While the model is thinking, SIGINT ends the command within seconds, and history says so."""
    async with OllamaServer(lambda _: Says(text="", pieces=(), hang=True)) as thinking:
        env = settings(village, thinking)
        added = await run(env, "add", GOAL, "--title", "Mill", "--query", "mill", "--json")
        assert added.code == 0, added.err
        command = [*argv(), "run", "Mill"]
        process = await asyncio.create_subprocess_exec(
            *command, env=env, cwd=Path.home(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await asyncio.wait_for(thinking.speaking.wait(), 30)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 130, err
        assert b"Traceback" not in err
        history = await run(env, "history", "--json")
        assert json.loads(history.out)["executions"][0]["status"] == "failed", history.out


async def test_two_runs_of_one_scout_at_once_are_one(village: Village) -> None:
    """While a scout runs, a second run of it is refused in two lines and changes nothing."""
    async with OllamaServer(lambda _: Says(text="", pieces=(), hang=True)) as thinking:
        env = settings(village, thinking)
        await run(env, "add", GOAL, "--title", "Mill", "--query", "mill", "--json")
        process = await asyncio.create_subprocess_exec(
            *argv(), "run", "Mill", env=env, cwd=Path.home(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await asyncio.wait_for(thinking.speaking.wait(), 30)
        second = await run(env, "run", "Mill")
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 10)
    assert second.code == 1
    assert "already running" in second.err
    assert len(second.err.splitlines()) == 2


async def test_a_model_that_goes_away_in_mid_stream_fails_the_run_and_keeps_its_history(
    village: Village,
) -> None:
    """The execution has failed by the model's fault, and what it did not finish is read again."""
    async with OllamaServer(lambda _: Says(text='{"queries": [', drop=True)) as broken:
        env = settings(village, broken)
        queries = [part for n in range(5) for part in ("--query", f"mill {n}")]
        await run(env, "add", GOAL, "--title", "Mill", *queries, "--json")
        ran = await run(env, "run", "Mill")
        assert ran.code == 4, ran.err
        assert "Traceback" not in ran.err
        shown = await run(env, "history", "Mill", "--json")
    execution = json.loads(shown.out)["executions"][0]
    assert execution["status"] == "failed"
    assert execution["error_class"] == "model_unavailable"
    async with OllamaServer(competent) as back:
        env = settings(village, back)
        ran = await run(env, "run", "Mill", "--json")
    assert ran.events()[-1]["result"]["outcome"] == "new", "what was not finished is read again"


async def test_a_recorded_run_repeats_byte_by_byte_without_network_or_model(
    village: Village, ollama: OllamaServer, tmp_path: Path
) -> None:
    """`--record` keeps enough to repeat the run when every server is gone."""
    env = settings(village, ollama)
    tape = tmp_path / "tape"
    first = await run(env, "once", GOAL, "--json", "--record", str(tape))
    assert first.code == 0, first.err
    bare = environment(SCOUT_LLM_URL="ollama://127.0.0.1:9/none")
    again = await asyncio.to_thread(scout, "once", "--json", "--replay", str(tape), env=bare)
    assert again.code == 0, again.err
    assert again.events()[-1]["result"] == first.events()[-1]["result"]
