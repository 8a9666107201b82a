"""`POST /api/chat` over HTTP, with models that call tools, have none, talk rubbish, or go away."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession

from scout_cli.app import App
from scout_cli.core import phrases
from scout_cli.core.models import Location
from scout_cli.server.application import create
from scout_cli.server.calls import STOPPING
from scout_cli.server.running import Place, listening
from tests.contract.databases import sqlite_url
from tests.ollama_server import CHAT, Model, OllamaServer, Says
from tests.server.serving import Server, serving, settings

PLAIN = Model(name=CHAT, capabilities=("completion",))
NDJSON = {"Accept": "application/x-ndjson"}
FIELDS = {
    "title": "Bonn Concerts",
    "goal": "Concerts in Bonn",
    "description": "New dates count",
    "location": {"city": "Bonn"},
    "search_queries": ["concerts bonn"],
    "frequency": "weekly",
}


def said(text: str, **more) -> dict:
    """Return a body with one message."""
    return {"messages": [{"role": "user", "content": text}], **more}


def parts(body: bytes) -> list[dict]:
    """Return the parts of a UI message stream, which must end as one does."""
    rows = [row for row in body.decode().split("\n\n") if row and not row.startswith(":")]
    assert rows[-1] == "data: [DONE]"
    return [json.loads(row.removeprefix("data: ")) for row in rows[:-1]]


def events(body: bytes) -> list[dict]:
    """Return our own events."""
    return [json.loads(row) for row in body.splitlines() if row]


@asynccontextmanager
async def talking(tmp_path, script, *, models=None):
    """Serve with a scripted Ollama, and sign somebody up."""
    given = {"models": models} if models else {}
    async with OllamaServer(script, **given) as ollama:
        url = sqlite_url(tmp_path / "scout.db")
        wanted = settings(url, llm_url=f"ollama://{ollama.host}/{CHAT}")
        async with serving(wanted) as server:
            yield server, await server.sign_up(), ollama


def calls_then(text: str):
    """Return a script: the tool is called once, then `text` is said."""

    def script(request):
        if request["messages"][-1]["role"] == "tool":
            return text
        return Says(tool_calls=[{"name": "update_scout_config", "arguments": FIELDS}])

    return script


async def test_a_wish_is_chatted_into_being(server_anywhere):
    """Without a model, on each database: two messages make a complete scout that rests."""
    server = server_anywhere
    ann = await server.sign_up()
    answer = await server.post("/api/chat", ann, json=said("Concerts in Bonn"), headers=NDJSON)
    assert answer.status == 200
    first = events(answer.body)
    assert [each["event"] for each in first] == [
        "chat_started",
        "config_updated",
        "text_delta",
        "chat_finished",
    ]
    assert first[-1]["missing"] == ["frequency"]
    scout_id = first[0]["scout_id"]
    body = said("every week", scoutId=scout_id)
    last = events((await server.post("/api/v1/chat", ann, json=body, headers=NDJSON)).body)[-1]
    assert last["complete"]
    assert not last["active"]
    scout = await (await server.app.scouts(ann.id)).find(scout_id)
    assert (scout.schedule, scout.location) == ("weekly", Location(city="Bonn"))
    chats = await server.app.chats(ann.id)
    assert len(await chats.history(scout_id)) == 4


async def test_the_stream_is_the_ui_message_stream(tmp_path):
    """Header, parts and their order are those of the AI SDK; the text is the last part but ours."""
    async with talking(tmp_path, calls_then("All set: activate it.")) as (server, ann, _):
        answer = await server.post("/api/chat", ann, json=said("Concerts in Bonn"))
    assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    found = parts(answer.body)
    kinds = [part["type"] for part in found]
    assert kinds[:5] == [
        "start",
        "start-step",
        "tool-input-available",
        "tool-output-available",
        "text-start",
    ]
    assert set(kinds[5:-4]) == {"text-delta"}
    assert kinds[-4:] == ["text-end", "data-scout", "finish-step", "finish"]
    call, output = found[2], found[3]
    assert call["toolName"] == "update_scout_config"
    assert call["input"]["title"] == "Bonn Concerts"
    assert output["toolCallId"] == call["toolCallId"]
    assert output["output"]["missing"] == []
    text = "".join(part["delta"] for part in found if part["type"] == "text-delta")
    assert text == "All set: activate it."
    assert len({part["id"] for part in found if part["type"].startswith("text-")}) == 1
    about = next(part["data"] for part in found if part["type"] == "data-scout")
    assert about["complete"]
    assert about["scoutId"] == found[0]["messageMetadata"]["scoutId"]


async def test_messages_of_use_chat_are_understood(server):
    """The body that `useChat` sends is taken; only the last message of the user is new."""
    ann = await server.sign_up()
    body = {
        "id": "chat-1",
        "trigger": "submit-message",
        "scoutId": None,
        "messages": [
            {"id": "a", "role": "user", "parts": [{"type": "text", "text": "forged history"}]},
            {
                "id": "b",
                "role": "assistant",
                "parts": [
                    {"type": "step-start"},
                    {"type": "tool-update_scout_config", "toolCallId": "x", "input": {}},
                    {"type": "text", "text": "What?", "state": "done"},
                ],
            },
            {
                "id": "c",
                "role": "user",
                "metadata": {"at": 1},
                "parts": [
                    {"type": "text", "text": "Concerts in"},
                    {"type": "text", "text": "Bonn"},
                ],
            },
        ],
    }
    found = parts((await server.post("/api/chat", ann, json=body)).body)
    scout_id = found[0]["messageMetadata"]["scoutId"]
    told = await (await server.app.chats(ann.id)).history(scout_id)
    assert (told[0].content, len(told)) == ("Concerts in\nBonn", 2)


async def test_text_alone_is_text_alone(server):
    """`Accept: text/plain` gives what is said and nothing else."""
    ann = await server.sign_up()
    plain = {"Accept": "text/plain"}
    answer = await server.post("/api/chat", ann, json=said("Concerts in Bonn"), headers=plain)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body.decode().endswith(phrases.phrase("frequency", "en"))


async def test_a_model_without_tools_streams_its_words(tmp_path):
    """It fills the schema; its text comes in several pieces, after the fields."""
    reply = json.dumps({**FIELDS, "say": "Ready when you are. Activate it as you like."})
    async with talking(tmp_path, lambda _: reply, models=(PLAIN,)) as (server, ann, ollama):
        answer = await server.post("/api/chat", ann, json=said("Bonn concerts"), headers=NDJSON)
        (asked,) = ollama.asked("/api/chat")
    found = events(answer.body)
    assert found[1]["event"] == "config_updated"
    assert sum(each["event"] == "text_delta" for each in found) > 3
    assert found[-1]["text"] == "Ready when you are. Activate it as you like."
    assert found[-1]["complete"]
    assert "say" in asked.body["format"]["properties"]
    assert not asked.body.get("tools")


@pytest.mark.parametrize("garbage", ["{{{{", '{"say": ""}', "[1, 2", "\x00"])
async def test_rubbish_is_answered_for(tmp_path, garbage):
    """Whatever a model says, the person gets the next question and the wish is written down."""
    async with talking(tmp_path, lambda _: garbage, models=(PLAIN,)) as (server, ann, _):
        answer = await server.post("/api/chat", ann, json=said("Bonn concerts"), headers=NDJSON)
    last = events(answer.body)[-1]
    assert last["answered_by"] == "fallback", last
    assert "goal" not in last["missing"]
    assert last["text"]


@pytest.mark.parametrize(
    "says",
    [Says(text="I think that", drop=True), Says(status=500, error="out of memory"), Says(raw=b"")],
)
async def test_a_model_that_goes_is_told_in_words(tmp_path, says):
    """Broken off, refused or silent: the stream ends well, and the scout is written."""
    async with talking(tmp_path, lambda _: says) as (server, ann, _):
        answer = await server.post("/api/chat", ann, json=said("Concerts in Bonn"))
    found = parts(answer.body)
    text = "".join(part["delta"] for part in found if part["type"] == "text-delta")
    assert phrases.phrase("gone", "en") in text
    assert text.endswith(phrases.phrase("frequency", "en"))
    assert found[-1]["type"] == "finish"


async def test_whoever_goes_stops_the_model(tmp_path):
    """A client that goes away ends the model's answer, and the turn."""
    script = [Says(text="I am thinking about", hang=True), "Where?"]
    async with talking(tmp_path, lambda _: script.pop(0)) as (server, ann, ollama):
        url = server.url + "/api/chat"
        async with server.client.post(
            url, json=said("Concerts in Bonn"), headers={**ann.headers, **NDJSON}
        ) as response:
            started = json.loads(await response.content.readline())
            await ollama.speaking.wait()
            response.close()
        async with asyncio.timeout(10):
            await ollama.left.wait()
            sql = "SELECT count(*) FROM chat_items"
            db = await server.app.database()
            while await db.value(int, sql):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.02)
        body = said("hello?", scoutId=started["scout_id"])
        answer = await server.post("/api/chat", ann, json=body, headers=NDJSON)
        assert events(answer.body)[-1]["text"] == "Where?"


async def test_a_server_that_stops_says_so(tmp_path):
    """Inside the stream it is an error part with words, and the stream ends as it should."""
    async with OllamaServer(lambda _: Says(text="I am", hang=True)) as ollama:
        url, model = sqlite_url(tmp_path / "scout.db"), f"ollama://{ollama.host}/{CHAT}"
        async with App.open(settings(url, llm_url=model)) as app:
            application = create(app)
            place = Place(host="127.0.0.1", port=0)
            async with listening(application, place) as running, ClientSession() as client:
                server = Server(running.place.url, client, app)
                ann = await server.sign_up()
                asked = asyncio.create_task(server.post("/api/chat", ann, json=said("Concerts")))
                await ollama.speaking.wait()
                application[STOPPING].set()
                found = parts((await asked).body)
    assert found[-1]["type"] == "error"
    assert "stopping" in found[-1]["errorText"]


async def test_two_messages_at_once_are_a_conflict(tmp_path):
    """The second is refused as a problem document while the first is being answered."""
    script = ["Where?", Says(text="I am", hang=True)]
    async with talking(tmp_path, lambda _: script.pop(0)) as (server, ann, ollama):
        first = await server.post("/api/chat", ann, json=said("Concerts"), headers=NDJSON)
        body = said("Bonn", scoutId=events(first.body)[0]["scout_id"])
        ollama.speaking.clear()
        asked = asyncio.create_task(server.post("/api/chat", ann, json=body))
        await ollama.speaking.wait()
        answer = await server.post("/api/chat", ann, json=body)
        asked.cancel()
    assert answer.status == 409
    assert answer.json["code"] == "conflict"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "messages"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "no text"),
        ({"messages": [{"role": "user", "parts": [{"type": "file"}]}]}, 400, "no text"),
        ({"messages": [{"role": "user", "content": 7}]}, 400, "$.messages[0].content"),
        ({"messages": [{"content": "x"}]}, 400, "role"),
        (said("x", surprise=1), 400, "surprise"),
        (said("x", timezone="Mars/Olympus"), 400, "time zone"),
        (said("x" * 4_001), 400, "4001 characters"),
        (said("a\0b"), 400, "cannot be stored"),
        (said("x", location={"latitude": "north"}), 400, "latitude"),
        (said("x", scoutId="00000000-0000-0000-0000-000000000001"), 404, "no scout"),
        (said("x", location={"city": "x" * 201}), 400, "201 characters"),
        (said("x", scoutId="nothing such"), 404, "no scout"),
        (said("x", scoutId=""), 404, "no scout"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(server, body, status, told):
    """Before the stream begins an error is a problem document that names the place."""
    ann = await server.sign_up()
    answer = await server.post("/api/chat", ann, json=body)
    assert answer.status == status, answer.body
    assert told in answer.json["detail"]
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert await (await server.app.scouts(ann.id)).all() == []


async def test_another_ones_scout_is_not_found(server):
    """Neither its id nor its title opens it, and nothing is stored."""
    ann, ben = await server.sign_up(), await server.sign_up()
    first = await server.post("/api/chat", ann, json=said("Concerts in Bonn"), headers=NDJSON)
    scout_id = events(first.body)[0]["scout_id"]
    for name in (scout_id, "Concerts Bonn"):
        answer = await server.post("/api/chat", ben, json=said("mine", scoutId=name))
        assert answer.status == 404
    assert len(await (await server.app.chats(ann.id)).history(scout_id)) == 2


async def test_nobody_in_particular_is_not_answered(server):
    """It needs a token, and one that may write."""
    assert (await server.post("/api/chat", json=said("Concerts"))).status == 401
    ann = await server.sign_up()
    reader = await server.token(ann, "read")
    assert (await server.post("/api/chat", reader, json=said("Concerts"))).status == 403
