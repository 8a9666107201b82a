"""The AI SDK's side of the gateway: what it sends, and what it insists on in the answers."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from pathlib import Path

from scout_cli.service.accounts.api_keys import gateway_key
from tests.contract.databases import sqlite_url
from tests.ollama_server import CHAT, EMBEDDER, Model, OllamaServer
from tests.server.serving import JWT_SECRET, serving, settings

KEY = gateway_key(JWT_SECRET)
PATH = "/openai/v1/responses"
PLAIN = Model(name=CHAT, capabilities=("completion",))
TOOL = {
    "type": "function",
    "name": "update_scout_config",
    "description": "Update the scout configuration",
    "strict": False,
    "parameters": {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "goal": {"type": "string"},
            "description": {"type": "string"},
            "location": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "latitude": {"type": "number"},
                    "longitude": {"type": "number"},
                },
                "required": ["city", "latitude", "longitude"],
                "additionalProperties": False,
            },
            "search_queries": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
            "frequency": {"type": "string", "enum": ["daily", "every_3_days", "weekly"]},
        },
        "additionalProperties": False,
    },
}
PROMPT = """You help to set up scouts.

**User's Detected Location:** {here}

**Current Scout Status:**
- Title: {title}
- Goal: {goal}
- Description: {description}
- Location: {location}
- Search Queries: {queries}
- Frequency: {frequency}
"""
BLANK = {
    "here": "Not available",
    "title": "New Scout",
    **dict.fromkeys(("goal", "description", "location", "queries", "frequency"), "Not set"),
}


def prompt(**known):
    """Return the system item as the interface sends it."""
    return {"role": "system", "content": PROMPT.format(**{**BLANK, **known})}


def user(text):
    """Return what a person says."""
    return {"role": "user", "content": [{"type": "input_text", "text": text}]}


def body(*items, tools=(TOOL,), **more):
    """Return a body as the AI SDK sends it."""
    given = {"model": "gpt-4.1-mini", "input": list(items), "stream": True, **more}
    return {**given, "tools": list(tools), "tool_choice": "auto"} if tools else given


def result(call, **output):
    """Return the answer of a tool."""
    told = {"success": True, "completed": None, "updatedFields": {}, **output}
    output = json.dumps(told)
    return {"type": "function_call_output", "call_id": call["call_id"], "output": output}


def events(answer):
    """Return the events of a stream, which must be one that the AI SDK reads to its end."""
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    rows = [row for row in answer.body.decode().split("\n\n") if row and row[0] != ":"]
    assert rows[-1] == "data: [DONE]"
    found = [json.loads(row.removeprefix("data: ")) for row in rows[:-1]]
    check(found)
    return found


def check(found):
    """Check what the client insists on."""
    assert [each["sequence_number"] for each in found] == list(range(len(found)))
    first, last = found[0], found[-1]
    assert first["type"] == "response.created"
    assert isinstance(first["response"]["created_at"], int)
    assert {"id", "model"} <= set(first["response"])
    assert last["type"] == "response.completed"
    usage = last["response"]["usage"]
    assert isinstance(usage["input_tokens"], int)
    assert isinstance(usage["output_tokens"], int)
    added = set()
    for each in found:
        if each["type"] == "response.output_item.added":
            added.add(each["item"]["id"])
        if "item_id" in each:
            assert each["item_id"] in added
        if each["type"] == "response.output_item.done":
            assert each["item"]["status"] == "completed"
    assert added == {each["id"] for each in items(found)}


def items(found):
    """Return the complete items of a stream."""
    return [each["item"] for each in found if each["type"] == "response.output_item.done"]


def text(found):
    """Return what was said."""
    deltas = (each for each in found if each["type"] == "response.output_text.delta")
    return "".join(each["delta"] for each in deltas)


async def ask(server, *given, **more):
    """Post to the gateway and return its events."""
    return events(await server.post(PATH, KEY, json=body(*given, **more)))


def call_of(found):
    """Return the only call and its arguments; nothing else is in the answer."""
    (call,) = items(found)
    assert call["type"] == "function_call"
    return call, json.loads(call["arguments"])


def reference(item):
    """Return how the AI SDK names an item that it was sent before."""
    return {"type": "item_reference", "id": item["id"]}


@asynccontextmanager
async def talking(where, script, *, models=None):
    """Serve with a scripted Ollama."""
    url = sqlite_url(where / "scout.db") if isinstance(where, Path) else where
    given = {"models": models} if models else {}
    async with OllamaServer(script, **given) as ollama:
        embed = f"ollama://{ollama.host}/{EMBEDDER}"
        wanted = settings(url, llm_url=f"ollama://{ollama.host}/{CHAT}", embed_url=embed)
        async with serving(wanted) as server:
            yield server, ollama
