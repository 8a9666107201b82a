"""What the web interface and a server said to each other, said again.

`conversations/` holds what was recorded on a walk through the real interface: each file is a scene,
and they are one story. The server must answer as it did then: the same statuses, keys and types.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from scout_cli.service.accounts.api_keys import gateway_key
from tests.channel_servers import MailServer
from tests.clients.replaying import ORIGIN, Replay
from tests.clients.restarting import Restarting
from tests.e2e.village import Village
from tests.ollama_server import CHAT, EMBEDDER, Model, OllamaServer, Says, filled
from tests.server.phoenix import key
from tests.server.serving import JWT_SECRET, settings

SCENES = sorted((Path(__file__).parent / "conversations").glob("*.json"))
WISH = {
    "title": "Quernmore Mill",
    "goal": "Know when the Quernmore water mill reopens",
    "description": "Announcements of the reopening of the Quernmore water mill, with dates",
    "location": {"city": "any", "latitude": 0, "longitude": 0},
    "search_queries": ["Quernmore water mill reopening", "Quernmore mill opening date"],
}
MODELS = [
    Model(name=CHAT, capabilities=("completion", "tools")),
    Model(name=EMBEDDER, capabilities=("embedding",)),
]


def talking(request):
    """Answer as the model of the walk did."""
    if not request.get("tools"):
        return filled(request)
    last = request["messages"][-1]
    if last["role"] == "tool":
        done = "weekly" in last["content"]
        return "All set." if done else "How often should I look: daily or weekly?"
    wish = {"frequency": "weekly"} if "week" in last["content"] else WISH
    return Says(tool_calls=[{"name": "update_scout_config", "arguments": wish}])


@pytest.mark.slow
async def test_the_story_is_answered_as_it_was(database_url):
    """Every request and frame of the walk comes to what it came to, on either database."""
    async with AsyncExitStack() as stack:
        village = await stack.enter_async_context(Village())
        mail = await stack.enter_async_context(MailServer())
        ollama = await stack.enter_async_context(OllamaServer(talking, models=MODELS))
        given = settings(
            database_url,
            llm_url=f"ollama://{ollama.host}/{CHAT}",
            embed_url=f"ollama://{ollama.host}/{EMBEDDER}",
            search_url=(f"ddgs://duckduckgo?base=http://{village.host}",),
            fetch_url="crawl4ai://http",
            allow_private_networks=(village.host,),
            smtp_url=f"smtp://{mail.host}",
            mail_from="Scout <scout@example.org>",
            site_url=ORIGIN,
        )
        server = Restarting(given, runs=True)
        await server.start()
        stack.push_async_callback(server.stop)
        keys = {
            "anon": key(),
            "service": key("service_role"),
            "gateway": gateway_key(JWT_SECRET),
        }
        replay = await stack.enter_async_context(Replay(server.url, keys))
        for scene in SCENES:
            conversation = json.loads(scene.read_text())
            if "restarted" in scene.name:
                await server.restart()
            found = await replay.scene(conversation["turns"])
            assert not found, "\n".join([scene.name, *found])
        assert [each.recipients for each in mail.got] == [["ann@example.org"]]
