"""`scout doctor` as a command: its lines, its JSON, its exit codes, what it fixes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import call, command, plain
from tests.cli.test_process import ANSI, on_terminal
from tests.examined import RunningServer, answer, made
from tests.ollama_server import CHAT, EMBEDDER, OllamaServer
from tests.search_server import FOUND, SearchServer, duckduckgo_page

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "doctor.json"


@pytest.fixture(autouse=True)
def no_settings(isolated, monkeypatch):
    """Leave the environment without any setting: it is what these tests look at."""
    monkeypatch.delenv("SCOUT_BALLAST")


async def doctor(*words: str, **variables: str) -> tuple[int, str, str]:
    """Run the real command in a process of its own, beside the servers of the test."""
    process = await asyncio.create_subprocess_exec(
        *plain(["doctor", *words]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": "Europe/Berlin", **variables},
        cwd=os.environ["HOME"],
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def steady(document: Any, replaced: dict[str, str]) -> Any:
    """Return a document with what differs from machine to machine taken out of it."""
    if isinstance(document, dict):
        return {key: _steady(key, value, replaced) for key, value in document.items()}
    if isinstance(document, list):
        return [steady(each, replaced) for each in document]
    if isinstance(document, str):
        for text, name in replaced.items():
            document = document.replace(text, name)
    return document


def _steady(key: str, value: Any, replaced: dict[str, str]) -> Any:
    if key in ("seconds", "start_seconds", "read_seconds", "free_bytes", "bytes", "version"):
        return key.upper() if value is not None else None
    if key in ("tzdb", "tzdb_source", "file_system", "offset", "suited", "pull", "path"):
        return key.upper() if value is not None else None
    return steady(value, replaced)


def _forget_the_machine(check: dict[str, Any]) -> None:
    """Keep of a check only what does not depend on the machine, or on the next migration."""
    own = {"browser", "memory", "time zone", "database", "fetching", "embedder", "channels"}
    if check["name"] in own or check["name"].startswith("search "):
        check["detail"] = check["hint"] = "OWN"
    if check["name"] in ("browser", "channels"):
        check["status"] = check["data"] = "OWN"
    if check["name"] == "database tables":
        check["detail"] = re.sub(r"\d+", "N", check["detail"])
        check["data"]["applied"] = "N"


async def test_the_json_is_fixed(isolated):
    """Names, order and values that scripts rely on: a change of the golden file is on purpose."""
    path = isolated / "scout.db"
    await made(f"sqlite:///{path}")
    (isolated / "scouts.toml").write_text("[settings]\nrounds = 1\n")

    def found(asked):
        return duckduckgo_page(asked.query, FOUND)

    async with RunningServer(lambda _: answer()) as ollama, SearchServer(found) as engine:
        code, out, err = await doctor(
            "--json",
            SCOUT_DATABASE_URL=f"sqlite:///{path}",
            SCOUT_LLM_URL=f"ollama://{ollama.host}/{CHAT}",
            SCOUT_EMBED_URL=f"ollama://{ollama.host}/{EMBEDDER}",
            SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base={engine.url}",
        )
        replaced = {str(isolated): "HOME", ollama.host: "OLLAMA", engine.host: "ENGINE"}
    document = json.loads(out)
    for check in document["checks"]:
        assert set(check) == {"name", "status", "detail", "hint", "data"}
    for check in document["checks"]:
        _forget_the_machine(check)
    # What is sent where is not this test's business, so neither is the verdict on all.
    document["checks"] = [c for c in document["checks"] if not c["name"].startswith("channel ")]
    document["ok"] = code in (0, 2)
    shown = json.dumps(steady(document, replaced), indent=2) + "\n"
    assert shown == GOLDEN.read_text("utf-8"), shown
    assert err == ""


async def test_a_sound_installation_exits_with_0_and_is_plain_when_piped(isolated):
    """One line for each check, no colours, warnings included."""
    async with SearchServer(lambda asked: duckduckgo_page(asked.query, FOUND)) as engine:
        code, out, err = await doctor(
            SCOUT_LLM_URL="builtin://",
            SCOUT_EMBED_URL="builtin://",
            SCOUT_SEARCH_URL=f"ddgs://duckduckgo,brave?base={engine.url}",
            FORCE_COLOR="1",
        )
    rows = [row for row in out.splitlines() if not row.startswith("  ")]
    assert (code, err) == (0, "")
    assert {row.split()[0] for row in rows} == {"ok", "warn"}
    assert "\x1b" not in out
    assert not list(isolated.rglob("scout.db"))


async def test_what_fails_outside_exits_with_4():
    """No Ollama: its line fails, the others are there all the same."""
    async with OllamaServer() as ollama:
        pass
    async with SearchServer(lambda asked: duckduckgo_page(asked.query, FOUND)) as engine:
        code, out, _ = await doctor(
            SCOUT_LLM_URL=f"ollama://{ollama.host}/{CHAT}",
            SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base={engine.url}",
        )
    assert code == 4
    assert re.search(r"(?m)^FAIL +model +No Ollama answers.*\n +ollama serve$", out)
    assert re.search(r"(?m)^ok +fetching ", out)


async def test_every_fault_of_the_configuration_is_shown(isolated):
    """Several at once, each with its place and remedy; what stands in spite of them is checked."""
    file = isolated / "s.toml"
    file.write_text("[settings]\nnum_ctz = 1\n\nrounds = 99\nfetch_url = 'crawl4ai://http'\n")
    code, out, err = await doctor(
        SCOUT_CONFIG=str(file),
        SCOUT_DEADLINE="soon",
        SCOUT_LLM_URL="builtin://",
        SCOUT_EMBED_URL="builtin://",
        SCOUT_SEARCH_URL="serxng+http://h",
    )
    assert (code, err) == (2, "")
    assert f"{file}:2: unknown key 'num_ctz'" in out
    assert "did you mean num_ctx?" in out
    assert f"{file}:4: rounds: Expected `int` <= 20" in out
    assert "SCOUT_DEADLINE: Expected `float`" in out
    assert "Did you mean searxng+http://?" in out
    assert re.search(r"(?m)^ok +fetching +crawl4ai://http: ", out)
    assert re.search(r"(?m)^ok +database ", out)


async def test_a_file_that_cannot_be_read_leaves_the_machine_to_check(isolated):
    """What a person meant is not known, so no database is looked for."""
    file = isolated / "s.toml"
    file.write_text("[settings\n")
    code, out, _ = await doctor("--json", SCOUT_CONFIG=str(file))
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 2
    assert checks["configuration"]["status"] == "fail"
    assert checks["network guard"]["status"] == "ok"
    assert not checks.keys() & {"database", "model", "search"}


async def test_fix_puts_right_what_is_safe(isolated):
    """Modes and tables; it says what it did, and the second time there is nothing to do."""
    database = isolated / "scout.db"
    database.touch(0o644)
    file = isolated / "s.toml"
    file.write_text('[settings]\nollama_api_key = "abc"\n')
    file.chmod(0o644)
    given = {
        "SCOUT_CONFIG": str(file),
        "SCOUT_DATABASE_URL": f"sqlite:///{database}",
        "SCOUT_LLM_URL": "builtin://",
        "SCOUT_EMBED_URL": "builtin://",
        "SCOUT_SEARCH_URL": "serxng+http://h",
    }
    _, before, _ = await doctor("--json", **given)
    _, out, _ = await doctor("--json", "--fix", **given)
    _, again, _ = await doctor("--json", "--fix", **given)
    assert f"chmod 600 {file}" in before
    fixed = json.loads(out)["fixed"]
    assert fixed[:2] == [
        f"made {file} private (mode 0600)",
        f"made {database} private (mode 0600)",
    ]
    assert fixed[2].startswith("applied the migration 0001_")
    assert json.loads(again)["fixed"] == []
    statuses = {check["name"]: check["status"] for check in json.loads(out)["checks"]}
    assert statuses["configuration"] == statuses["database tables"] == "ok"
    assert file.stat().st_mode & 0o777 == database.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM migrations").fetchone()[0] > 0
    connection.close()


def test_checks_are_lines_with_their_remedy_below(monkeypatch):
    """Configuration first; a failure has its remedy below it and makes exit 4."""
    said = call("doctor")
    assert said.code == 0
    assert [row.split()[:2] for row in said.out.splitlines()] == [
        ["ok", "configuration"],
        ["ok", "database"],
    ]
    monkeypatch.setenv("SCOUT_ROUNDS", "0")
    said = call("doctor")
    assert said.code == 4
    assert "SCOUT_ROUNDS" in said.out
    failed, remedy = said.out.splitlines()[-2:]
    assert failed.split()[:2] == ["FAIL", "model"]
    assert remedy.strip() == "ollama serve"
    assert "\x1b" not in said.out
    document = json.loads(call("doctor", "--json").out)
    assert document["ok"] is False
    assert document["checks"][-1]["hint"] == "ollama serve"


def test_no_password_is_shown(monkeypatch):
    """The database is named without it."""
    monkeypatch.setenv("SCOUT_DATABASE_URL", "postgresql://u:hunter2@h/db")
    said = call("doctor")
    assert "postgresql://u:***@h/db" in said.out
    assert "hunter2" not in said.out + call("doctor", "--json").out


def test_a_persons_terminal_gets_colours_and_folded_lines(tmp_path, monkeypatch):
    """Text stays within the width; NO_COLOR takes the colours away."""
    monkeypatch.setenv("SCOUT_ROUNDS", "0")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = command("doctor")
    code, seen = on_terminal(words, env, tmp_path, width=60)
    rows = ANSI.sub("", seen).splitlines()
    assert code == 4
    assert max(map(len, rows)) <= 60
    assert re.search(r"\x1b\[[0-9;]*31m", seen)
    _, bare = on_terminal(words, {**env, "NO_COLOR": "1"}, tmp_path, width=60)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", bare)
