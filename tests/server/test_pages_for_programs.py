"""The how-to pages for programs: what they show works as it stands."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.stage import StagedApp
from tests.contract.databases import sqlite_url
from tests.server.serving import serving, settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "how-to"


def _fences(page: str, kind: str) -> list[str]:
    text = (PAGES / page).read_text("utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


async def _run(*command: str, cwd: Path, **env: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("curl")), reason="curl or jq is not installed"
)
async def test_page_about_http_works_as_it_stands(tmp_path):
    """All commands of the page run one after the other and print what the page says."""
    given = settings(sqlite_url(tmp_path / "scout.db"))
    async with serving(given, opener=StagedApp.open) as server:
        token = await server.token(await server.sign_up())
        script = "set -eo pipefail\n" + "echo ---\n".join(_fences("http-api.md", "sh"))
        auth = f"Authorization: Bearer {token}"
        code, said = await _run("bash", "-c", script, cwd=tmp_path, url=server.url, auth=auth)
    assert code == 0, said
    save, once, change, lists, run, back, errors = (each.split() for each in said.split("---\n"))
    assert "null" in save
    assert once[0] == once[1]
    assert change == ["weekly", "changed"]
    assert "Eels" in " ".join(lists)
    assert run == ["cancelled", "0"]
    assert back[-2:] == ['"Saltmere"', "204"]
    assert "$.urls[1]" in " ".join(errors)
    assert errors[-1] == "not_found"


async def test_page_about_python_works_as_it_stands(tmp_path):
    """Both programs run as they stand; the first finds something on the stage, the second ends."""
    programs = _fences("python.md", "python")
    assert len(programs) == 2
    for number, program in enumerate(programs):
        # The stage has a canned web; everything else is as it stands on the page.
        staged = f"{program}\n".replace(
            "\n\nasync def main",
            "\nfrom tests.cli.stage import StagedApp as App\n\nasync def main",
            1,
        )
        (tmp_path / f"program_{number}.py").write_text(staged)
    first = await _run(
        sys.executable, "program_0.py", cwd=tmp_path, PYTHONPATH=str(ROOT), HOME=str(tmp_path)
    )
    assert first[0] == 0, first[1]
    assert "RunFinished" in first[1]
    assert "new" in first[1]
    second = await _run(
        sys.executable, "program_1.py", cwd=tmp_path, PYTHONPATH=str(ROOT), HOME=str(tmp_path)
    )
    assert second[0] == 0, second[1]
    assert "weekly" in second[1]
    assert second[1].split()[-1] == "cancelled"
