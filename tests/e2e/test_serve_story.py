"""The page about `scout serve`, typed as it stands, against a small web of its own."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from tests.e2e.command import argv, environment
from tests.e2e.village import Village

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "serve.md"


async def test_everything_on_the_page_works(tmp_path):
    """Sign up, chat a scout into being, activate it, watch it live, take the news and the feed."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    async with Village() as village:
        env = environment(
            SCOUT_DATABASE_URL=f"sqlite:///{tmp_path / 'scout.db'}",
            SCOUT_LLM_URL="builtin://",
            SCOUT_EMBED_URL="builtin://",
            SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base=http://{village.host}",
            SCOUT_ALLOW_PRIVATE_NETWORKS=village.host,
        )
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        server = await asyncio.create_subprocess_exec(
            *argv(), "serve", "--port", "0", "--quiet", env=env, stderr=asyncio.subprocess.PIPE
        )
        try:
            url = await asyncio.wait_for(_address(server.stderr), 30)
            typed = "\n".join(blocks).replace("http://127.0.0.1:54321", url)
            marked = "\n".join(
                f"echo '=== {number}'\n{block}" for number, block in enumerate(typed.split("\n\n"))
            )
            out = await _type(f"set -eu\n{marked}", env, tmp_path)
        finally:
            server.terminate()
            assert await asyncio.wait_for(server.wait(), 40) == 0
    assert "How often should I look" in out
    assert "event: run_started" in out
    end = re.search(r"event: end\ndata: (.*)", out)
    assert json.loads(end[1])["outcome"] == "new"
    assert "will reopen to visitors on 14 May 2026" in out
    assert "<feed" in out
    assert "ann@example.org" in out


async def _address(stream):
    while line := (await stream.readline()).decode():
        if found := re.match(r"listening on (\S+)", line):
            return found[1]
    raise AssertionError("it never listened")


async def _type(script, env, folder):
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        env=env,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(shell.communicate(), 90)
    assert shell.returncode == 0, out.decode()
    return out.decode()
