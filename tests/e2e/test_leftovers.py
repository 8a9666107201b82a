"""What a worker leaves behind: no processes, no open files, no word of a secret."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli import stage

ROOT = Path(__file__).parents[2]
CANARY = "canary-0123456789abcdefghijklmnop"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def call(tmp_path):
    """Return a function that runs a command on the stage and returns its words."""
    env = {
        **os.environ,
        "SCOUT_DATABASE_URL": f"sqlite:///{tmp_path / 'scout.db'}",
        "SCOUT_STAGE_INTERVAL": "0.2",
        "SCOUT_WEBHOOK_SECRET": CANARY,
        "SCOUT_SMTP_URL": f"smtp+starttls://me:{CANARY}@127.0.0.1:9",
        "OLLAMA_API_KEY": CANARY,
        "SCOUT_NOTIFY": f"resend+http://{CANARY}@127.0.0.1:9/?to=me@example.org",
        "SCOUT_MAIL_FROM": "scout@example.org",
    }

    def start(*words):
        return subprocess.Popen(
            stage.command(*words),
            cwd=ROOT,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def call(*words):
        return "".join(start(*words).communicate(timeout=60))

    call.start = start
    return call


def standing(pid):
    """Return how many files, threads and children a process has."""
    folder = Path(f"/proc/{pid}")
    children = (folder / f"task/{pid}/children").read_text().split()
    return len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())), children


def ended(call):
    """Return how many runs have ended."""
    found = json.loads(call("history", "--limit", "99", "--json"))["executions"]
    return sum(each["status"] != "running" for each in found)


def until(wanted, call):
    """Wait until so many runs have ended."""
    last = time.monotonic() + 60
    while ended(call) < wanted:
        assert time.monotonic() < last
        time.sleep(0.1)


@linux
@pytest.mark.slow
def test_a_worker_is_the_same_after_many_runs(call):
    """Files, threads and children after twelve runs are those after three, and at the end none."""
    for number in range(3):
        call("add", f"{stage.GOAL} {number}", "--tz", "UTC")
    worker = call.start("worker")
    until(3, call)
    before = standing(worker.pid)
    for number in range(3, 12):
        call("add", f"{stage.GOAL} {number}", "--tz", "UTC")
    until(12, call)
    time.sleep(1.5)  # what was opened for the last delivery is closed again
    after = standing(worker.pid)
    assert after[0] <= before[0] + 2
    assert after[1] <= before[1] + 2
    assert len(after[2]) <= len(before[2])
    os.kill(worker.pid, signal.SIGTERM)
    worker.communicate(timeout=30)
    assert worker.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(worker.pid, 0)


@linux
def test_a_secret_stands_nowhere(call):
    """Keys of channels, mail and model: not in what is printed, stored for people or seen by ps."""
    call("add", stage.GOAL, "--tz", "UTC")
    worker = call.start("worker")
    until(1, call)
    time.sleep(1)
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            lines.append(path.read_bytes())
    worker.terminate()
    said = "".join(worker.communicate(timeout=30))
    for words in (
        ("tick", "--json"),
        ("outbox", "--json"),
        ("outbox",),
        ("notify", "list", "--json"),
        ("notify", "test", "all"),
        ("list", "--json"),
        ("history", "--steps", "--json"),
        ("config", "show", "--json"),
        ("export",),
        ("doctor",),
    ):
        said += call(*words)
    assert "127.0.0.1:9" in said  # the channel was used, and is named
    assert CANARY not in said
    assert CANARY.encode() not in b"".join(lines)
