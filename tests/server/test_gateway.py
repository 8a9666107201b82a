"""`/openai/v1` as the AI SDK calls it: events, tools, references, restarts, and poor models."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from scout_cli.service.accounts.api_keys import api_key, gateway_key
from tests.ollama_server import CHAT, Says
from tests.server.ai_sdk import (
    KEY,
    PATH,
    PLAIN,
    TOOL,
    ask,
    body,
    call_of,
    items,
    prompt,
    reference,
    result,
    talking,
    text,
    user,
)
from tests.server.serving import JWT_SECRET


async def test_text_is_streamed(tmp_path):
    """A model's words come piece by piece, under the name that the client gave the model."""
    async with talking(tmp_path, lambda _: "Hello to you too.") as (server, ollama):
        found = await ask(server, user("Hello"), tools=())
    assert text(found) == "Hello to you too."
    assert len([each for each in found if each["type"].endswith("text.delta")]) > 1
    assert found[0]["response"]["model"] == "gpt-4.1-mini"
    assert ollama.requests[-1].body["model"] == CHAT


async def test_a_tool_is_called_and_words_end_the_turn(database_url):
    """The call is complete, its items come back by id, and a restart in between changes nothing."""
    fields = {"title": "AI News", "goal": "New AI news", "location": "anywhere", "frequency": "x"}

    def script(request):
        if request["messages"][-1]["role"] == "tool":
            return "How often should I look?"
        return Says(tool_calls=[{"name": "update_scout_config", "arguments": fields}])

    system = prompt()
    async with talking(database_url, script) as (server, _):
        call, given = call_of(await ask(server, system, user("AI news")))
    assert given == {
        "title": "AI News",
        "goal": "New AI news",
        "location": {"city": "any", "latitude": 0, "longitude": 0},
    }
    turn = [system, user("AI news"), reference(call), result(call)]
    async with talking(database_url, script) as (server, ollama):
        found = await ask(server, *turn)
        asked = ollama.requests[-1].body["messages"]
        assert [each["role"] for each in asked] == ["system", "user", "assistant", "tool"]
        assert asked[2]["tool_calls"][0]["function"]["name"] == "update_scout_config"
        assert asked[2]["tool_calls"][0]["function"]["arguments"] == given
        (message,) = items(found)
        assert text(found) == "How often should I look?"
    async with talking(database_url, lambda _: "Good.") as (server, ollama):
        more = [reference(message), user("Thanks")]
        await ask(server, *turn, *more)
        asked = ollama.requests[-1].body["messages"]
        assert asked[4] == {"role": "assistant", "content": "How often should I look?"}


async def test_unknown_ids_are_skipped(server):
    """Ids of another installation are left out; a tool's answer without its call is plain text."""
    lost = {"type": "function_call_output", "call_id": "call_x", "output": '{"success":true}'}
    ids = [{"type": "item_reference", "id": each} for each in ("fc_x", "msg_y", "turn:z", "")]
    found = await ask(server, prompt(), user("Concerts in Bonn"), *ids, lost)
    assert text(found)
    assert [each["type"] for each in items(found)] == ["message"]


async def test_without_a_model_the_scout_is_filled_in(server_anywhere):
    """The built-in engine calls the tool, then asks what is missing, until nothing is."""
    server = server_anywhere
    turn = [prompt(), user("Concerts in Bonn")]
    call, given = call_of(await ask(server, *turn))
    assert given["location"] == {"city": "Bonn", "latitude": 0, "longitude": 0}
    assert {"title", "goal", "description", "search_queries"} <= set(given)
    found = await ask(server, *turn, reference(call), result(call))
    assert "How often" in text(found)
    (message,) = items(found)
    known = prompt(
        title=given["title"],
        goal=given["goal"],
        description=given["description"],
        location="Bonn",
        queries=json.dumps(given["search_queries"]),
    )
    turn = [known, *turn[1:], reference(call), result(call), reference(message), user("weekly")]
    call, given = call_of(await ask(server, *turn))
    assert given == {"frequency": "weekly"}
    found = await ask(server, *turn, reference(call), result(call))
    assert "is ready" in text(found)


async def test_history_that_comes_inline_is_read(server):
    """After a page was loaded again, what is known stands in the prompt, and history in words."""
    known = {
        "title": "Bonn Concerts",
        "goal": "Concerts in Bonn",
        "description": "New dates count",
        "queries": '["concerts bonn"]',
    }
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "Which place?"}]}
    turn = [prompt(**known, location="Bonn"), user("Concerts in Bonn"), said, user("every day")]
    _, given = call_of(await ask(server, *turn))
    assert given == {"frequency": "daily"}


@pytest.mark.parametrize(
    "garbage", ["", "{", "lorem ipsum " * 80, '{"title": 7}', '{"say": ""}', "\u0000<|im_end|>"]
)
async def test_a_model_that_talks_rubbish_still_fills_the_scout_in(tmp_path, garbage):
    """Whatever a small model says, the tool is called with the wish, and words end the turn."""
    turn = [prompt(), user("Concerts in Bonn every week")]
    async with talking(tmp_path, lambda _: garbage, models=[PLAIN]) as (server, _):
        found = await ask(server, *turn)
        calls = [each for each in items(found) if each["type"] == "function_call"]
        assert len(calls) == 1
        given = json.loads(calls[0]["arguments"])
        assert given["goal"] == "Concerts in Bonn"
        assert given["frequency"] == "weekly"
        shown = [reference(each) for each in items(found)]
        assert text(await ask(server, *turn, *shown, result(calls[0])))


@pytest.mark.parametrize("again", ["concerts  in bonn", '{"success":true,"updatedFields":{}} Done'])
async def test_a_model_that_only_says_again_what_was_said_is_not_heard(tmp_path, again):
    """The next question comes instead, and the fields that are known are filled in."""
    turn = [prompt(), user("Concerts in Bonn")]
    async with talking(tmp_path, lambda _: again) as (server, _):
        call, given = call_of(await ask(server, *turn))
        assert given["goal"] == "Concerts in Bonn"
        said = text(await ask(server, *turn, reference(call), result(call)))
    assert said.endswith("?")
    assert again not in said


async def test_a_model_without_tools_fills_a_form(tmp_path):
    """It is shown scout's own prompt and a schema; its words come after the tool has answered."""
    form = json.dumps(
        {"title": "AI News", "goal": "New AI news", "say": "How often should I look?"}
    )
    turn = [prompt(), user("AI news")]
    async with talking(tmp_path, lambda _: form, models=[PLAIN]) as (server, ollama):
        found = await ask(server, *turn)
        call, given = call_of(found)
        assert given["title"] == "AI News"
        asked = len(ollama.requests)
        found = await ask(server, *turn, reference(call), result(call))
        assert text(found) == "How often should I look?"
        assert len(ollama.requests) == asked
        failed = result(call, success=False, error="no")
        await ask(server, *turn, reference(call), failed)
        assert len(ollama.requests) > asked
        first = next(each.body for each in ollama.requests if each.path == "/api/chat")
        assert "say" in first["format"]["properties"]
        assert "update_scout_config" in first["messages"][0]["content"]


async def test_a_tool_of_another_program_is_called_through_a_schema(tmp_path):
    """The gateway is not only for scouts: any function is offered to any model."""
    tool = {
        "type": "function",
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    }
    script = '{"word": "otter", "say": "An otter is an otter."}'
    async with talking(tmp_path, lambda _: script, models=[PLAIN]) as (server, _):
        call, given = call_of(await ask(server, user("What is an otter?"), tools=[tool]))
    assert (call["name"], given) == ("look_up", {"word": "otter"})


async def test_a_model_that_only_calls_is_brought_to_an_end(tmp_path):
    """After three calls no more are offered, so that the turn ends in words."""

    def script(request):
        if not request.get("tools"):
            return "Enough."
        number = len(request["messages"])
        made = {"title": f"Title {number}", "goal": f"Goal {number}"}
        return Says(tool_calls=[{"name": "update_scout_config", "arguments": made}])

    turn = [prompt(), user("AI news")]
    async with talking(tmp_path, script) as (server, _):
        for _ in range(3):
            call, _ = call_of(await ask(server, *turn))
            turn += [reference(call), result(call)]
        assert text(await ask(server, *turn)) == "Enough."


async def test_a_model_that_is_gone_is_told_in_words(tmp_path):
    """The answer is 200 and text, since the page shows no errors; a scout is still filled in."""
    turn = [prompt(), user("Concerts in Bonn")]
    async with talking(tmp_path, lambda _: Says(status=500, error="boom")) as (server, _):
        told = await ask(server, user("Hello"), tools=())
        assert "does not answer" in text(told)
        call, _ = call_of(await ask(server, *turn))
        found = await ask(server, *turn, reference(call), result(call))
        assert text(found).startswith("The language model does not answer just now")
        assert "How often" in text(found)


async def test_a_model_that_breaks_off_is_told_in_words(tmp_path):
    """What was said stays, and the rest is words of scout's own."""

    def script(_):
        return Says(pieces=["Half a "], drop=True)

    async with talking(tmp_path, script) as (server, _):
        found = await ask(server, user("Hello"), tools=())
    assert "does not answer" in text(found)


async def test_without_a_stream_the_answer_is_whole(server):
    """`stream: false` gives the response as one object."""
    answer = await server.post(PATH, KEY, json=body(prompt(), user("Concerts"), stream=False))
    assert answer.json["object"] == "response"
    assert answer.json["status"] == "completed"
    assert answer.json["output"][0]["type"] == "function_call"
    string = await server.post(PATH, KEY, json={"model": "x", "input": "Hello"})
    assert string.json["output"][0]["content"][0]["type"] == "output_text"


async def test_chat_completions(tmp_path):
    """The older endpoint has the same answers: text, calls, streams, usage."""
    path = "/openai/v1/chat/completions"
    given = {"title": "AI News", "goal": "New AI news"}

    def script(request):
        if request["messages"][-1]["role"] == "tool":
            return "Done: activate it?"
        return Says(tool_calls=[{"name": "update_scout_config", "arguments": given}])

    inner = {key: value for key, value in TOOL.items() if key != "type"}
    tools = [{"type": "function", "function": inner}]
    messages = [prompt(), {"role": "user", "content": "AI news"}]
    async with talking(tmp_path, script) as (server, _):
        asked = {"model": "gpt-4o", "messages": messages, "tools": tools}
        said = (await server.post(path, KEY, json=asked)).json
        choice = said["choices"][0]
        assert choice["finish_reason"] == "tool_calls"
        call = choice["message"]["tool_calls"][0]
        assert json.loads(call["function"]["arguments"]) == given
        answered = {"role": "tool", "tool_call_id": call["id"], "content": '{"success":true}'}
        more = [*messages, choice["message"], answered]
        options = {"stream": True, "stream_options": {"include_usage": True}}
        answer = await server.post(path, KEY, json={**asked, "messages": more, **options})
    rows = answer.body.decode().strip().split("\n\n")
    chunks = [json.loads(row.removeprefix("data: ")) for row in rows[:-1]]
    assert rows[-1] == "data: [DONE]"
    told = [each["choices"][0]["delta"].get("content") or "" for each in chunks[:-1]]
    assert "".join(told) == "Done: activate it?"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] > 0


async def test_an_answer_in_a_form(tmp_path):
    """A schema in the request is handed to the model."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "name": "n", "schema": schema}
    async with talking(tmp_path, lambda _: '{"n": 3}') as (server, ollama):
        found = await ask(server, user("Three"), tools=(), text={"format": form})
        assert json.loads(text(found)) == {"n": 3}
        assert ollama.requests[-1].body["format"]["required"] == ["n"]


async def test_embeddings(server):
    """The embedder of the settings answers, as numbers or packed."""
    path = "/openai/v1/embeddings"
    asked = {"model": "text-embedding-3-small", "input": ["one", "two"]}
    plain = (await server.post(path, KEY, json=asked)).json
    assert [each["index"] for each in plain["data"]] == [0, 1]
    packed = await server.post(path, KEY, json={**asked, "encoding_format": "base64"})
    size = len(plain["data"][0]["embedding"])
    assert len(b64decode(packed.json["data"][0]["embedding"])) == 4 * size
    refused = await server.post(path, KEY, json={**asked, "dimensions": 7})
    assert refused.status == 400


async def test_models(server):
    """One model is listed, and every name stands for it."""
    listed = (await server.get("/openai/v1/models", KEY)).json
    assert [each["id"] for each in listed["data"]] == ["built-in"]
    assert (await server.get("/openai/v1/models/gpt-5", KEY)).json["id"] == "gpt-5"


async def test_the_key_guards_all_of_it(server):
    """The gateway's key and the service key are good; errors have OpenAI's form."""
    ann = await server.sign_up()
    good = [KEY, api_key("service_role", JWT_SECRET)]
    assert [(await server.get("/openai/v1/models", key)).status for key in good] == [200, 200]
    others = [None, "x", KEY[:-1], api_key("anon", JWT_SECRET), gateway_key("x" * 40), ann.token]
    for key in others:
        answer = await server.post(PATH, key, json=body(user("Hello")))
        assert answer.status == 401
        assert set(answer.json["error"]) == {"message", "type", "param", "code"}
        assert answer.json["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"input": []}',
        b'{"input": 7}',
        b'{"input": [{"role": "user", "content": {"a": 1}}]}',
        b'{"input": [{"type": "item_reference", "id": "msg_x"}]}',
        b'{"input": "a\\u0000b"}',
        b'{"input": "x", "tools": ' + json.dumps([TOOL] * 65).encode() + b"}",
        b'{"input": ' + b"[" * 20_000 + b"}",
    ],
)
async def test_bodies_that_cannot_be_read(server, data):
    """They are refused with 400 before a stream begins."""
    headers = {"Content-Type": "application/json"}
    answer = await server.post(PATH, KEY, data=data, headers=headers)
    assert answer.status == 400
    assert answer.json["error"]["message"]
