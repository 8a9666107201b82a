"""How long the command of the container takes until it answers, on this machine, without one.

The environment is that of the image: a SQLite file in a folder of its own, the built-in engine. The
first start makes keys and tables; the others find them.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from measure import ROOT, Row, options, show

GOAL = 2_000.0


def main() -> int:
    """Measure and print."""
    given = options(__doc__)
    rounds = 3 if given.short else 15
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder:
        env = _environment(Path(folder))
        subprocess.run(["/bin/sh", ROOT / "deploy" / "first-start"], env=env, check=True)
        first, *others = [_until_healthy(env) for _ in range(rounds + 1)]
    rows = [
        Row(what="first start, with its tables to make", value=first, unit="ms", goal=GOAL),
        Row(what="start", value=statistics.median(others), unit="ms", goal=GOAL),
        Row(what="start, the slowest", value=max(others), unit="ms", goal=GOAL),
    ]
    return show(f"scout serve until /healthz answers, {rounds} starts", rows, as_json=given.json)


def _environment(folder: Path) -> dict[str, str]:
    (folder / "scout").mkdir(mode=0o700)
    (folder / "bin").mkdir()
    command = folder / "bin" / "scout"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m scout_cli "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "etc"),
        "SECRETS": str(folder),
        "SCOUT_BALLAST": os.environ.get("SCOUT_BALLAST", "16"),
        "SCOUT_LLM_URL": "builtin://",
        "SCOUT_EMBED_URL": "builtin://",
    }


def _until_healthy(env: dict[str, str]) -> float:
    """Start the server, ask for its health until it answers, stop it; return milliseconds."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    words = ["serve", "--host", "0.0.0.0", "--port", str(port), "--quiet"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "scout_cli", *words], env=env, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"scout serve ended with {process.returncode}")
            time.sleep(0.005)
        return (time.perf_counter() - began) * 1_000
    finally:
        process.terminate()
        process.wait(timeout=40)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


if __name__ == "__main__":
    sys.exit(main())
