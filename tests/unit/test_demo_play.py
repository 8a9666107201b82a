"""The demo is staged on any settings without touching what belongs to its user."""

from __future__ import annotations

from pathlib import Path

from scout_cli.config import Settings
from scout_cli.demo.play import stage
from scout_cli.demo.web import DemoWeb


async def test_the_stage_keeps_the_model_and_replaces_the_outside(tmp_path: Path):
    """Database, search and opened addresses are the demo's; model and bounds are the user's."""
    mine = Settings(
        database_url="postgresql://db.example/mine",
        llm_url="ollama://127.0.0.1:11434/mine",
        num_ctx=4_096,
        allow_private_networks=True,
    )
    async with DemoWeb() as web:
        staged = stage(mine, web, tmp_path)
        assert staged.search_url == (web.search_url,)
        assert staged.allow_private_networks == (f"127.0.0.1:{web.port}",)
    assert staged.database_url.startswith(f"sqlite:///{tmp_path}")
    assert (staged.llm_url, staged.num_ctx) == (mine.llm_url, mine.num_ctx)
