"""What is loaded, and when: start-up stays fast, and some libraries stay out altogether."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("aiohttp", "aiosqlite", "asyncio", "asyncpg", "crawl4ai", "ddgs", "lxml", "msgspec")
HEAVY += ("numpy", "ollama", "rich", "scout_cli.app", "scout_cli.config", "scout_cli.core")
REFUSED = ("pydantic", "pydantic_settings", "fastapi", "flask", "django")
SOURCES = sorted((ROOT / "scout_cli").rglob("*.py"))

_LOADED = """
import sys
try:
    {work}
except SystemExit as done:
    assert not done.code, done.code
print("\\n".join(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(work: str) -> set[str]:
    """Run one statement in a fresh interpreter and return the modules it loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", _LOADED.format(work=work)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stderr.split())


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_loads_nothing_heavy(word):
    """The commonest command line costs a Python start and click."""
    loaded = loaded_by(f"from scout_cli.cli import scout; scout.main(['{word}'])")
    assert "click" in loaded
    assert loaded & set(HEAVY) == set()


def test_a_command_loads_only_its_own_module():
    """`scout list` leaves the other commands and the terminal's drawing alone."""
    loaded = loaded_by("from scout_cli.cli import scout; scout.main(['list', '--help'])")
    own = {name for name in loaded if name.startswith("scout_cli.cli.")}
    assert "scout_cli.cli.list" in own
    assert not own & {"scout_cli.cli.run", "scout_cli.cli.add", "scout_cli.cli.live"}
    assert not loaded & {"rich", "crawl4ai", "aiohttp", "asyncpg", "lxml"}


def test_settings_are_cheap_to_import():
    """Whoever only wants the settings gets no adapters and no platform folders."""
    loaded = loaded_by("import scout_cli.config")
    assert not loaded & {"aiohttp", "asyncio", "platformdirs", "rich", "zoneinfo", "asyncpg"}


def test_the_package_costs_nothing():
    """`import scout_cli` loads its names when they are used."""
    assert {name for name in loaded_by("import scout_cli") if name.startswith("scout_cli")} == {
        "scout_cli"
    }


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_of_ours_uses_what_is_refused(source):
    """No Pydantic and no web framework in our own code."""
    tree = ast.parse(source.read_text("utf-8"))
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    assert [name for name in names if name.partition(".")[0] in REFUSED] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_config_reads_the_environment(source):
    """Every other module is given what it needs."""
    if source.parent.name == "config":
        return
    tree = ast.parse(source.read_text("utf-8"))
    read = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]
    assert read == []
