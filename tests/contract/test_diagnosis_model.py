"""The model as `scout doctor` sees it: its figures, its faults, and what to pull instead."""

from __future__ import annotations

import pytest

from scout_cli.service.checks import Check
from scout_cli.service.diagnosis import (
    Bounds,
    embedding,
    memory,
    thinking,
)
from scout_cli.store import resolved
from tests.contract.databases import sqlite_url
from tests.examined import GIGABYTE, RIGHT, RunningServer, answer, made, subject, told
from tests.ollama_server import CHAT, Model, OllamaServer, Says

SHORT = Bounds(model=3.0, search=3.0, embedder=3.0)


async def model(server: OllamaServer, **changes) -> dict[str, Check]:
    """Return what is told of the model of a scripted Ollama."""
    given = {"llm_url": f"ollama://{server.host}/{CHAT}", **changes}
    async with subject("sqlite:////nowhere/x.db", **given) as examined:
        return await told(lambda tell: thinking.examine(examined, None, tell))


async def test_a_model_is_measured_by_its_servers_own_figures():
    """Installed, the context in use, the form filled rightly, speed, cold load, graphics card."""
    async with RunningServer(lambda _: answer(tokens=40, seconds=2.0, load=3.25)) as server:
        found = await model(server)
    assert {check.status for check in found.values()} == {"ok"}
    assert found["model"].data["model"] == CHAT
    assert found["model context"].data == {"num_ctx": 8192, "in_use": 8192, "trained": 40_960}
    assert found["model JSON"].data == {"valid": True, "right": True}
    speed = found["model speed"]
    assert speed.data["tokens_per_second"] == 20.0
    assert (speed.data["load_seconds"], speed.data["was_loaded"]) == (3.25, False)
    assert speed.detail == "20.0 tokens/s, loaded in 3.2 s, 25% on the graphics card"


async def test_the_question_is_asked_as_a_run_asks():
    """With the context length of runs, so that the model is not loaded twice, and no thinking."""
    async with RunningServer(lambda _: answer()) as server:
        await model(server, num_ctx=4_096)
        (asked,) = server.asked("/api/chat")
    assert asked.body["options"]["num_ctx"] == 4_096
    assert asked.body["think"] is False
    assert asked.body["format"]["required"] == ["ship", "day", "euros"]


async def test_a_server_with_less_context_than_was_asked_for():
    """It would cut prompts in silence: a warning, with the command that makes both agree."""
    async with RunningServer(lambda _: answer()) as server:
        server.running["context_length"] = 4_096
        context = (await model(server))["model context"]
    assert context.status == "warn"
    assert context.hint == "scout config set num_ctx 4096"
    assert "4096 tokens in use" in context.detail


async def test_more_context_than_the_model_was_trained_for():
    """The setting is too large for this model."""
    async with RunningServer(
        lambda _: answer(), models=[Model(name=CHAT, context=2_048)]
    ) as server:
        context = (await model(server))["model context"]
    assert (context.status, context.hint) == ("warn", "scout config set num_ctx 2048")


@pytest.mark.parametrize(
    ("said", "valid", "detail"),
    [
        ("Of course! The ship is Marigold.", False, "not JSON"),
        ({"ship": "Marigold"}, False, "not JSON"),
        ({**RIGHT, "euros": 14}, True, "not what the sentence says"),
        ({**RIGHT, "captain": "Ada"}, False, "not JSON"),
    ],
)
async def test_a_model_that_does_not_obey(said, valid, detail):
    """It works, with a warning and another model to try."""
    async with RunningServer(lambda _: answer(said)) as server:
        obedience = (await model(server))["model JSON"]
    assert (obedience.status, obedience.data["valid"]) == ("warn", valid)
    assert detail in obedience.detail
    assert obedience.hint


async def test_thinking_aloud_is_no_disobedience():
    """What stands between think tags is not the answer."""
    said = '<think>hm</think>{"ship": "Marigold", "day": "14 March 2026", "euros": 12}'
    async with RunningServer(lambda _: answer(said)) as server:
        assert (await model(server))["model JSON"].status == "ok"


async def test_a_slow_model():
    """Below two tokens a second a run cannot end in time."""
    async with RunningServer(lambda _: answer(tokens=10, seconds=20)) as server:
        speed = (await model(server))["model speed"]
    assert (speed.status, speed.data["tokens_per_second"]) == ("warn", 0.5)
    assert "smaller" in speed.hint


async def test_an_old_server_that_tells_little():
    """Without `/api/ps` and without durations nothing is made up."""
    async with OllamaServer(lambda _: str(RIGHT).replace("'", '"')) as server:
        found = await model(server)
    assert found["model context"].data["in_use"] is None
    assert found["model speed"].data["tokens_per_second"] is None
    assert "does not say" in found["model speed"].detail
    assert found["model JSON"].status == "ok"


async def test_no_ollama():
    """Refused connections fail at once, with the command that starts it."""
    async with OllamaServer() as server:
        pass
    found = await model(server)
    assert (found["model"].status, found["model"].hint) == ("fail", "ollama serve")
    assert found["model"].data["code"] == "model_unavailable"
    assert "model speed" not in found


async def test_a_model_that_is_not_installed():
    """The command that installs it, and the nearest one that is there."""
    async with OllamaServer() as server:
        url = f"ollama://{server.host}/qwen3:7b"
        found = await model(server, llm_url=url)
    assert found["model"].status == "fail"
    assert found["model"].hint.startswith("ollama pull qwen3:7b")
    assert CHAT in found["model"].hint


@pytest.mark.parametrize(
    ("says", "detail"),
    [
        (Says(raw=b"<html>nginx</html>"), "not Ollama's protocol"),
        (Says(status=500, error="CUDA error"), "CUDA error"),
        (Says(status=500, error="model requires more system memory"), "does not fit"),
        (Says(text='{"ship":', drop=True), "broke off"),
        (Says(text='{"ship":', done=False), "in the middle"),
        (Says(text='{"ship":', hang=True), "did not end within 3 s"),
        (Says(text="{}", delay=10), "did not end within 3 s"),
    ],
)
async def test_a_model_that_fails_at_work(says, detail):
    """Installed but not able to answer: one failed check, within its bound."""
    async with OllamaServer(lambda _: says) as server:
        found = await model(server, bounds=SHORT)
    assert found["model"].status == "ok"
    assert found["model speed"].status == "fail"
    assert detail in found["model speed"].detail
    assert found["model speed"].hint
    assert "model JSON" not in found


async def test_auto_is_not_settled_by_an_examination(tmp_path):
    """What `auto` means now is told; only a run stores it."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    async with (
        RunningServer(lambda _: answer()) as server,
        subject(url, llm_url="auto", ollama_host=server.host) as examined,
    ):
        database = await examined.open_database()
        found = await told(lambda tell: thinking.examine(examined, database, tell))
        assert await resolved.get(database, "llm_url") is None
    assert found["model"].data["model"] == CHAT
    assert "auto: " in found["model"].detail


async def test_a_better_engine_than_the_one_that_was_kept(tmp_path):
    """Chosen when no Ollama answered, which has changed: the command that takes it."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    async with (
        RunningServer(lambda _: answer()) as server,
        subject(url, llm_url="auto", embed_url="auto", ollama_host=server.host) as examined,
    ):
        database = await examined.open_database()
        for name in ("llm_url", "embed_url"):
            await resolved.put(database, name, "builtin://")
        found = await told(lambda tell: thinking.examine(examined, database, tell))
        found |= await told(lambda tell: embedding.examine(examined, database, tell))
    assert found["model"].status == found["embedder"].status == "warn"
    assert found["model"].hint == f"scout config set llm_url ollama://{server.host}/{CHAT}"
    assert "embed_url ollama://" in found["embedder"].hint


@pytest.mark.parametrize(
    ("gigabytes", "name"),
    [(2, None), (4, "qwen3:1.7b"), (8, "qwen3:4b"), (16, "qwen3:8b"), (64, "qwen3:14b")],
)
def test_a_model_is_recommended_by_memory(gigabytes, name):
    """The best that fits, and none where none does."""
    found = memory.suited(gigabytes * GIGABYTE)
    assert (found and found.name) == name


def test_the_memory_of_a_container_is_its_limit(tmp_path):
    """Where the kernel writes a limit, it counts; `max` is none."""
    none, limit = tmp_path / "max", tmp_path / "limit"
    none.write_text("max\n")
    limit.write_text("1000000\n")
    assert memory.of_machine((none, limit, tmp_path / "absent")) == 1_000_000
    assert memory.of_machine((none,)) == memory.of_machine(())


async def test_the_memory_check_says_what_to_pull():
    """Without a model the command stands below it; with one it does not."""
    async with subject("sqlite:////nowhere/x.db") as examined:
        without = await told(lambda tell: thinking.examine(examined, None, tell))
    async with RunningServer(lambda _: answer()) as server:
        with_one = await model(server)
    assert without["memory"].hint == without["memory"].data["pull"]
    assert with_one["memory"].hint == ""
