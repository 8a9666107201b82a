"""For whoever runs a server: alive, ready, and figures that Prometheus reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from scout_cli.core.models import ScoutPatch
from scout_cli.service.wishes import Wish
from scout_cli.store import executions, scouts
from tests.cli.stage import GOAL, StagedApp
from tests.contract import rows
from tests.server.serving import serving, settings

KEY = "a-canary-key-of-the-model"


def figures(text):
    """Return metrics as Prometheus reads them: by name and labels."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            assert name not in found, f"{name} twice"
            found[name] = float(value)
    return found


def metadata(text):
    """Return the names that have a type, and those that have values."""
    typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert typed == helped
    names = {line.split("{")[0].split()[0] for line in text.splitlines() if line[0] != "#"}
    return typed, {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in names
    }


@pytest.fixture
async def staged(database_url):
    """Yield a server on each kind of database, whose runs look at a canned web."""
    async with serving(settings(database_url), opener=StagedApp.open) as server:
        yield server


async def test_alive_asks_nothing(server):
    """`/healthz` answers without credentials."""
    said = await server.get("/healthz")
    assert (said.status, said.json) == (200, {"status": "alive"})


async def test_ready_names_every_part(server):
    """A server whose parts all work is ready."""
    said = await server.get("/readyz")
    assert said.status == 200
    assert said.json["status"] == "ready"
    assert [part["name"] for part in said.json["parts"]] == [
        "database",
        "model",
        "search",
        "backlog",
    ]
    assert all(part["ok"] for part in said.json["parts"])


async def test_a_model_and_an_engine_that_are_away_are_said(tmp_path, unused_tcp_port):
    """The server goes on and says what does not answer, naming neither address nor key."""
    port = unused_tcp_port
    given = settings(
        f"sqlite:///{tmp_path}/scout.db",
        llm_url=f"ollama://127.0.0.1:{port}/qwen3:8b",
        ollama_api_key=KEY,
        search_url=(f"searxng+http://127.0.0.1:{port}",),
    )
    async with serving(given) as server:
        said = await server.get("/readyz")
    assert (said.status, said.json["status"]) == (200, "degraded")
    assert {part["name"]: part["ok"] for part in said.json["parts"]} == {
        "database": True,
        "model": False,
        "search": False,
        "backlog": True,
    }
    assert str(port) not in said.body.decode()
    assert KEY not in said.body.decode()


async def test_a_model_that_listens_is_ready(tmp_path):
    """The model's port is asked, not the model."""
    server_ = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server_.sockets[0].getsockname()[1]
    given = settings(
        f"sqlite:///{tmp_path}/scout.db", llm_url=f"ollama://127.0.0.1:{port}/qwen3:8b"
    )
    async with server_, serving(given) as server:
        assert (await server.get("/readyz")).json["status"] == "ready"


async def test_work_that_nobody_does_is_said(server, clock):
    """A slot that has waited for longer than five minutes makes the server degraded."""
    ann = await server.sign_up()
    scout = (await (await server.app.scouts(ann.id)).add(Wish(goal=GOAL, timezone="UTC"))).scout
    db = await server.app.database()
    await scouts.update(db, scout.id, ScoutPatch(next_run_at=clock.now() - timedelta(minutes=7)))
    said = await server.get("/readyz")
    backlog = said.json["parts"][-1]
    assert (said.status, said.json["status"]) == (200, "degraded")
    assert backlog["detail"] == "1 runs wait, the first of them for 7 minutes"


async def test_without_its_database_a_server_is_not_ready(staged):
    """A database that cannot be asked is 503, and the process is alive all the same."""
    db = await staged.app.database()
    await db.execute("ALTER TABLE scouts RENAME TO elsewhere")
    said = await staged.get("/readyz")
    assert said.status == 503
    assert said.json["status"] == "unavailable"
    assert said.json["parts"][0] == {
        "name": "database",
        "ok": False,
        "detail": "it does not answer",
    }
    assert (await staged.get("/healthz")).status == 200


async def test_many_who_ask_cost_one_look(server, clock):
    """The answer is kept for some seconds: what happens meanwhile shows later."""
    ann = await server.sign_up()
    assert (await server.get("/readyz")).json["status"] == "ready"
    scout = (await (await server.app.scouts(ann.id)).add(Wish(goal=GOAL, timezone="UTC"))).scout
    patch = ScoutPatch(next_run_at=clock.now() - timedelta(hours=1))
    await scouts.update(await server.app.database(), scout.id, patch)
    assert (await server.get("/readyz")).json["status"] == "ready"


async def test_figures_tell_what_was_done_and_what_waits(staged):
    """Runs, tokens, pages, steps, queue and outbox are counted for all processes together."""
    ann = await staged.sign_up()
    db = await staged.app.database()
    scout = (await (await staged.app.scouts(ann.id)).add(Wish(goal=GOAL, timezone="UTC"))).scout

    async def ignore(_event):
        """Hear nothing."""

    await (await staged.app.runs()).run(scout, ignore)
    now = await db.now()
    other = replace(rows.scout(ann.id), goal=GOAL, next_run_at=now - timedelta(minutes=10))
    await scouts.add(db, other)
    said = await staged.get("/metrics")
    assert said.status == 200
    assert said.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = said.body.decode()
    found = figures(text)
    typed, named = metadata(text)
    assert named <= typed
    assert found['scout_runs_day{outcome="new"}'] == 1
    assert found['scout_run_seconds_day{outcome="new"}'] > 0
    assert found['scout_prompt_tokens_day{outcome="new"}'] >= 0
    assert found['scout_pages_hour{outcome="read"}'] == 1
    assert found['scout_model_steps_hour{answered_by="built-in"}'] >= 1
    assert found['scout_waiting{what="due"}'] == 1
    assert 590 < found['scout_waiting_oldest_seconds{what="due"}'] < 700
    assert found['scout_waiting{what="queued"}'] == 0
    assert found['scout_waiting{what="outbox"}'] == 0
    assert found["scout_queue_depth"] == 1
    assert found["scout_runs_running"] == 0
    assert found["process_resident_memory_bytes"] > 10**7


async def test_a_run_under_way_is_counted(server):
    """What runs, in this process or another, is a figure of its own."""
    ann = await server.sign_up()
    db = await server.app.database()
    scout = rows.scout(ann.id)
    await scouts.add(db, scout)
    await executions.add(db, rows.execution(scout))
    assert figures((await server.get("/metrics")).body.decode())["scout_runs_running"] == 1


async def test_requests_are_counted_by_route(server):
    """Neither ids nor tokens of paths become labels; methods that nobody knows are one."""
    ann = await server.sign_up()
    secret = str(uuid4())
    await server.get(f"/api/v1/executions/{secret}/events", ann)
    await server.get(f"/api/v1/scouts/{secret}/feed.atom?token={KEY}")
    await server.get(f"/nowhere/{secret}")
    await server.call("PROPFIND", "/healthz")
    await server.get("/healthz")
    text = (await server.get("/metrics")).body.decode()
    assert secret not in text
    assert KEY not in text
    found = figures(text)
    labels = 'method="GET",route="/api/v1/executions/{execution_id}/events"'
    assert found[f'scout_http_requests_total{{{labels},status="404"}}'] == 1
    assert found['scout_http_requests_total{method="other",route="-",status="405"}'] == 1
    labels = 'method="GET",route="/healthz"'
    assert found[f"scout_http_request_seconds_count{{{labels}}}"] == 1
    assert found[f'scout_http_request_seconds_bucket{{{labels},le="+Inf"}}'] == 1
    assert 0 < found[f"scout_http_request_seconds_sum{{{labels}}}"] < 5


async def test_figures_are_for_this_machine_or_the_holder_of_the_token(tmp_path):
    """Behind a proxy nobody reads them without the metrics token."""
    given = settings(f"sqlite:///{tmp_path}/scout.db", metrics_token=KEY)
    async with serving(given) as server:
        outside = {"X-Forwarded-For": "203.0.113.9"}
        refused = await server.get("/metrics", headers=outside)
        wrong = await server.get("/metrics", "another", headers=outside)
        right = await server.get("/metrics", KEY, headers=outside)
    assert (refused.status, wrong.status, right.status) == (403, 403, 200)
