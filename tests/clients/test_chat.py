"""The real AI SDK against `/openai/v1`, as the web interface's chat uses it."""

from __future__ import annotations

import pytest

from scout_cli.service.accounts.api_keys import gateway_key
from tests.clients.node import Kit, kit
from tests.clients.restarting import Restarting
from tests.ollama_server import CHAT, EMBEDDER, Model, OllamaServer, Says
from tests.server.serving import JWT_SECRET, settings

WISH = {
    "title": "Bonn Concerts",
    "goal": "Concerts in Bonn",
    "description": "New dates count",
    "location": {"city": "Bonn"},
    "search_queries": ["concerts bonn"],
}


@pytest.fixture(scope="session")
def ai(tmp_path_factory) -> Kit:
    """Return the AI SDK, installed."""
    return kit("ai", tmp_path_factory.mktemp("clients"))


def calling(request):
    """Answer as a model that was trained to call tools."""
    last = request["messages"][-1]
    if last["role"] == "tool" or not request.get("tools"):
        return "Good. How often should I look?"
    if "week" in last["content"]:
        return Says(
            tool_calls=[{"name": "update_scout_config", "arguments": {"frequency": "weekly"}}]
        )
    if "Thanks" in last["content"]:
        return "You are welcome."
    return Says(tool_calls=[{"name": "update_scout_config", "arguments": WISH}])


MODELS = {
    "one that calls tools": (calling, ("completion", "tools")),
    "one that talks rubbish": (lambda _: "lorem {", ("completion",)),
    "one that is gone": (lambda _: Says(status=500, error="boom"), ("completion", "tools")),
    "none": (None, ()),
}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["shipped", "newest"])
@pytest.mark.parametrize("model", MODELS)
async def test_a_chat_with_the_ai_sdk(ai, database_url, version, model):
    """With any model and a restart at every turn the scout is filled in, and words end turns."""
    script, capabilities = MODELS[model]
    installed = [
        Model(name=CHAT, capabilities=capabilities),
        Model(name=EMBEDDER, capabilities=("embedding",)),
    ]
    async with OllamaServer(script or calling, models=installed) as ollama:
        url = f"ollama://{ollama.host}/{CHAT}" if script else "builtin://"
        server = Restarting(settings(database_url, llm_url=url))
        try:
            seen = await ai.converse(
                "chat.mjs", version, gateway_key(JWT_SECRET), handlers={"restart": server.restart}
            )
        finally:
            await server.stop()
    assert seen == ["wish", "rhythm", "thanks", "other endpoints", "another key"]
