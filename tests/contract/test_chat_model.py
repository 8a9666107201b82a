"""What every chat model must do, and what the Ollama adapter makes of each way to go wrong."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from contextlib import asynccontextmanager, suppress
from itertools import count

import pytest
from aiohttp import web

from scout_cli.core.ports import ChatRequest, Message, Tool
from scout_cli.errors import ConfigError, ModelUnavailable
from scout_cli.llm import ModelSettings, open_chat
from tests.ollama_server import CHAT, Model, OllamaServer, Says

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 60, "pattern": "[a-z]"}},
    "required": ["title"],
}
TOOL = Tool(
    name="search_web",
    description="Search the web.",
    parameters={
        "type": "object",
        "properties": {"query": {"type": "string", "description": "words"}},
        "required": ["query"],
    },
)


def question(text="Name a colour.", **more):
    """Return a chat request with one message."""
    return ChatRequest(messages=(Message(role="user", content=text),), **more)


@asynccontextmanager
async def chatting(script, *, model=CHAT, models=None, **settings):
    """Open a server that follows `script` and a chat model on it."""
    given = {"models": models} if models is not None else {}
    async with OllamaServer(script, **given) as server:
        url = f"ollama://{server.host}/{model}"
        chat = await open_chat(url, ModelSettings(**settings))
        try:
            yield server, chat
        finally:
            await chat.aclose()


async def fault(script, request=None, **settings):
    """Return the error that `script` leads to."""
    async with chatting(script, **settings) as (_, chat):
        with pytest.raises(ModelUnavailable) as caught:
            await chat.chat(request or question())
    return caught.value


async def reply(script, request=None, **settings):
    """Return the reply that `script` leads to."""
    async with chatting(script, **settings) as (_, chat):
        return await chat.chat(request or question())


async def test_answer_arrives_whole_and_in_pieces():
    """The reply holds the text that the sink saw, and the token counts of the server."""
    seen = []

    async def sink(piece):
        seen.append(piece)

    async with chatting(lambda _: Says(text="Blue is a colour.", prompt_tokens=7)) as (_, chat):
        answer = await chat.chat(question(), sink)
    assert answer.text == "".join(seen) == "Blue is a colour."
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 4)
    assert not answer.cut
    assert not answer.truncated
    assert len(seen) == 4


async def test_name_and_context_need_no_server():
    """Provider, model and context are known before anything is asked."""
    chat = await open_chat("ollama://127.0.0.1:1/qwen3:8b", ModelSettings(num_ctx=4_096))
    assert (chat.name, chat.context) == ("ollama/qwen3:8b", 4_096)
    await chat.aclose()


async def test_request_on_the_wire():
    """Context, temperature, answer length, schema and thinking go out as Ollama reads them."""
    async with chatting(lambda _: "{}", num_ctx=2_048, keep_alive="3m") as (server, chat):
        await chat.chat(question(schema=SCHEMA, max_tokens=99))
    (asked,) = server.asked("/api/chat")
    assert asked.body["options"] == {"num_ctx": 2_048, "num_predict": 99, "temperature": 0}
    assert asked.body["stream"] is True
    assert asked.body["think"] is False
    assert asked.body["keep_alive"] == "3m"
    assert asked.body["format"]["properties"]["title"] == {"type": "string", "maxLength": 60}


async def test_thinking_is_not_mentioned_to_models_that_cannot():
    """A model without that ability is not sent the switch."""
    plain = Model(name=CHAT, capabilities=("completion",))
    async with chatting(lambda _: "Blue", models=(plain,)) as (server, chat):
        await chat.chat(question())
        assert not await chat.offers_tools()
    assert "think" not in server.asked("/api/chat")[0].body
    assert len(server.asked("/api/show")) == 1


async def test_tool_calls_are_mapped():
    """A native tool call comes back with its name and arguments."""
    call = {"name": "search_web", "arguments": {"query": "ferry"}}
    async with chatting(lambda _: Says(tool_calls=[call])) as (server, chat):
        assert await chat.offers_tools()
        answer = await chat.chat(question(tools=(TOOL,)))
    assert [(made.name, made.arguments) for made in answer.tool_calls] == [
        ("search_web", {"query": "ferry"})
    ]
    sent = server.asked("/api/chat")[0].body["tools"][0]["function"]
    assert sent["parameters"]["properties"]["query"]["type"] == "string"


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Sure! Here it is: {"title": "x"} Enjoy.',
        '```json\n{"title": "x"}\n```',
        '{"title": "x", "queries": ["a',
        '{"title": "x", "more": 1}',
        '{"title": true}',
    ],
    ids=["L01 empty", "L02 prose", "L03 fence", "L04 cut", "L05 extra", "L06 types"],
)
async def test_odd_text_is_passed_on_unjudged(text):
    """L01 to L06: judging the text is the asking layer's work; the adapter delivers it."""
    answer = await reply(lambda _: text, question(schema=SCHEMA))
    assert answer.text == text
    assert not answer.cut


async def test_L18_invisible_characters_survive_but_unstorable_ones_do_not():  # noqa: N802 - its id
    """NUL and lone surrogates, which no database takes, become the replacement character."""
    raw = b'{"message":{"role":"assistant","content":"a\\u202eb\\u0000c\\ud800d"},"done":true}\n'
    assert (await reply(lambda _: Says(raw=raw))).text == "a\u202eb\ufffdc\ufffdd"


async def test_L19_endless_text_is_cut():  # noqa: N802 - its id
    """A stream of any length is stopped after 64 KiB, and the answer said to be cut."""
    async with chatting(lambda _: Says(pieces=["word " * 2_000] * 10_000)) as (server, chat):
        tracemalloc.start()
        answer = await chat.chat(question())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await asyncio.wait_for(server.left.wait(), 15)
    assert answer.cut
    assert 0 < len(answer.text) <= 64 * 1024 + 10_000
    assert peak < 32 * 1024 * 1024


async def test_L19_one_endless_line_is_an_error():  # noqa: N802 - its id
    """A line that never ends is not collected for ever."""
    error = await fault(lambda _: Says(raw=b'{"message":"' + b"x" * 20_000_000))
    assert "larger than" in error.message


async def test_L20_flood_of_white_space_is_cut():  # noqa: N802 - its id
    """More than 200 characters of white space end the answer, which keeps what came before."""
    pieces = ['{"title": "x"', *["\n"] * 500, "}"]
    answer = await reply(lambda _: Says(pieces=pieces))
    assert answer.cut
    assert answer.text == '{"title": "x"'


async def test_L20_white_space_from_the_start_is_cut():  # noqa: N802 - its id
    """An answer of nothing but line feeds ends too."""
    answer = await reply(lambda _: Says(pieces=["\n"] * 500))
    assert (answer.text, answer.cut) == ("", True)


async def test_L21_error_line_in_the_stream():  # noqa: N802 - its id
    """An error in the middle of a good reply is a fault that may pass."""
    error = await fault(lambda _: Says(text="Blue is", error="runner process has terminated"))
    assert error.retryable
    assert "runner process has terminated" in error.message


async def test_L22_stream_without_its_end():  # noqa: N802 - its id
    """A stream that stops without `done` is a fault, not an answer."""
    error = await fault(lambda _: Says(text="Blue is", done=False))
    assert error.retryable
    assert "middle" in error.message


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["<think>It might be red.</think>", "Blue"], "Blue"),
        (["\n<th", "ink>red", "</thi", "nk>\n\n", "Blue"], "Blue"),
        (["<think>never ends"], ""),
        (["It might be red.\n</think>\n\nBlue"], "Blue"),
        (["<thin ice>"], "<thin ice>"),
        (['{"a": "</think>"}'], '{"a": "</think>"}'),
    ],
)
async def test_L23_thinking_in_the_content_is_dropped(pieces, expected):  # noqa: N802 - its id
    """A leaked thinking block is neither shown nor returned; text that only looks alike is."""
    answer = await reply(lambda _: Says(pieces=pieces))
    assert answer.text == expected


async def test_thinking_in_its_own_field_is_dropped():
    """Thinking that arrives where it belongs never reaches the text."""
    assert (await reply(lambda _: Says(thinking="hm", text="Blue"))).text == "Blue"


async def test_answer_that_ran_out_of_tokens_is_cut():
    """`done_reason: length` means that the answer is not complete."""
    assert (await reply(lambda _: Says(text='{"a', done_reason="length"))).cut


async def test_prompt_that_was_not_read_whole_is_noticed():
    """A token count far below what was sent says that the server dropped a part."""
    page = "The council approved the new timetable on Monday. " * 400
    answer = await reply(lambda _: Says(text="ok", prompt_tokens=2_050), question(page))
    assert answer.truncated
    assert not (
        await reply(lambda _: Says(text="ok", prompt_tokens=4_400), question(page))
    ).truncated
    assert not (await reply(lambda _: Says(text="ok", prompt_tokens=0), question(page))).truncated


async def test_unknown_model_offers_the_nearest():
    """The error names the command that installs it and the installed name that is close."""
    error = await fault(lambda _: "", model="qwen3:8")
    assert not error.retryable
    assert error.hint.startswith("ollama pull qwen3:8 ")
    assert "qwen3:8b" in error.hint


@pytest.mark.parametrize(
    ("status", "said", "retryable", "hint"),
    [
        (400, "invalid format", False, "log"),
        (401, "unauthorized", False, "key"),
        (403, "forbidden", False, "key"),
        (404, "model 'qwen3:8b' not found", False, "ollama pull qwen3:8b"),
        (404, "page not found", False, ""),
        (429, "too many requests", True, ""),
        (500, "unexpected server status", True, "log"),
        (500, "model requires more system memory (9 GiB)", False, "smaller"),
        (502, "bad gateway", True, ""),
        (503, "server busy", True, ""),
        (302, "elsewhere", False, ""),
    ],
)
async def test_refusals(status, said, retryable, hint):
    """Each HTTP error says what the server said, and whether trying again can help."""
    error = await fault(lambda _: Says(status=status, error=said))
    assert error.retryable is retryable
    assert hint in error.hint
    assert said.split("'")[0] in error.message or "API key" in error.message or status == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>It works!</html>\n",
        b"[1, 2]\n",
        b'{"done": true}\n',
        b'{"message": {"role": 7}, "done": true}\n',
        b'{"message":' + b"[" * 100_000 + b"\n",
        b'\xff\xfe{"message"\n',
    ],
    ids=["html", "list", "no message", "wrong types", "deep", "not UTF-8"],
)
async def test_nonsense_is_an_error_of_ours(raw):
    """What is not Ollama's protocol is said to be that, whatever the client raises for it."""
    error = await fault(lambda _: Says(raw=raw))
    assert "not Ollama's protocol" in error.message


async def test_compressed_reply_is_refused():
    """A packed reply could be of any size; it was not asked for."""
    error = await fault(lambda _: Says(raw=b"xx", headers={"Content-Encoding": "gzip"}))
    assert "compressed" in error.message


async def test_connection_cut_in_the_middle():
    """A dropped connection may be tried again."""
    error = await fault(lambda _: Says(text="Blue is", drop=True))
    assert error.retryable
    assert "broke off" in error.message


async def test_nobody_listens(unused_tcp_port):
    """Refused: the hint is the command that starts Ollama."""
    chat = await open_chat(f"ollama://127.0.0.1:{unused_tcp_port}/qwen3:8b")
    for ask in (chat.chat(question()), chat.offers_tools(), chat.describe()):
        with pytest.raises(ModelUnavailable) as caught:
            await ask
        assert caught.value.hint == "ollama serve"
        assert caught.value.retryable
        assert "No Ollama answers at http://127.0.0.1" in caught.value.message
    await chat.aclose()


async def test_unknown_host():
    """A name that does not resolve reads like a server that is not there."""
    chat = await open_chat("ollama://no-such-host.invalid/qwen3:8b")
    with pytest.raises(ModelUnavailable, match="No Ollama answers"):
        await chat.chat(question())
    await chat.aclose()


async def test_no_first_token():
    """Silence before the first token has its own, longer limit."""
    error = await fault(lambda _: Says(text="Blue", delay=30), first_token=0.2, between_tokens=9)
    assert error.retryable
    assert "silent for 0.2 s" in error.message


async def test_slow_first_token_within_its_limit_is_waited_for():
    """The limit between tokens does not apply to the first one."""
    answer = await reply(lambda _: Says(text="Blue", delay=0.3), between_tokens=0.1)
    assert answer.text == "Blue"


async def test_silence_in_the_middle():
    """Silence between tokens ends the answer, and the server sees the client go."""
    async with chatting(lambda _: Says(text="Blue", hang=True), between_tokens=0.2) as (
        server,
        chat,
    ):
        with pytest.raises(ModelUnavailable, match=r"silent for 0\.2 s"):
            await chat.chat(question())
        await asyncio.wait_for(server.left.wait(), 15)


async def test_cancelling_closes_the_connection():
    """Ollama stops computing when the client goes away, so cancelling must close."""
    async with chatting(lambda _: Says(text="Blue", hang=True)) as (server, chat):
        asking = asyncio.create_task(chat.chat(question()))
        await server.speaking.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.left.wait(), 15)


async def test_error_of_the_sink_passes_and_closes():
    """What the sink raises (a lost lease) ends the answer at once and is not translated."""

    async def sink(_):
        raise ValueError("stop")

    async with chatting(lambda _: Says(text="Blue", hang=True)) as (server, chat):
        with pytest.raises(ValueError, match="stop"):
            await chat.chat(question(), sink)
        await asyncio.wait_for(server.left.wait(), 15)


async def test_requests_wait_for_their_turn():
    """Two questions at once reach the server one after the other."""
    numbers = count(1)
    async with chatting(lambda _: Says(text=str(next(numbers)), delay=0.05)) as (server, chat):
        asking = asyncio.create_task(chat.chat(question("one")))
        other = asyncio.create_task(chat.chat(question("two")))
        await server.speaking.wait()
        assert len(server.asked("/api/chat")) == 1
        assert [(await asking).text, (await other).text] == ["1", "2"]


async def test_key_of_the_environment_stays_here(monkeypatch):
    """`OLLAMA_API_KEY` and `OLLAMA_HOST` of the environment are not looked at."""
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-of-ollama-com")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with chatting(lambda _: "Blue") as (server, chat):
        await chat.chat(question())
    assert server.requests
    assert all("authorization" not in asked.headers for asked in server.requests)


async def test_key_that_was_passed_is_sent(monkeypatch):
    """The caller's key wins over the environment's."""
    monkeypatch.setenv("OLLAMA_API_KEY", "other")
    async with chatting(lambda _: "Blue", api_key="mine") as (server, chat):
        await chat.chat(question())
    assert {asked.headers["authorization"] for asked in server.requests} == {"Bearer mine"}


async def test_redirect_is_not_followed():
    """A server that points elsewhere is not followed there with the key."""
    async with OllamaServer() as elsewhere:
        away = Says(status=307, raw=b"", headers={"Location": f"{elsewhere.url}/api/chat"})
        error = await fault(lambda _: away, api_key="mine")
    assert not error.retryable
    assert not elsewhere.requests


async def test_no_model_named_takes_the_best_installed():
    """Embedding models, models elsewhere and tiny ones are passed over."""
    sizes = {
        "all-minilm": "23M",
        "gpt-oss:120b-cloud": "120B",
        "qwen3:0.6b": "752M",
        "gemma3:4b": "4B",
    }
    models = [Model(name=name, family="", parameter_size=size) for name, size in sizes.items()]
    async with chatting(lambda _: "Blue", model="", models=models) as (_, chat):
        assert chat.name == "ollama/gemma3:4b"


async def test_no_model_named_and_none_installed():
    """The error holds the command that installs one."""
    async with OllamaServer(models=()) as server:
        with pytest.raises(ModelUnavailable, match="no chat model") as caught:
            await open_chat(f"ollama://{server.host}")
    assert caught.value.hint.startswith("ollama pull ")
    assert not caught.value.retryable


async def test_describe():
    """One line tells model, size, context and tools."""
    async with chatting(lambda _: "") as (_, chat):
        line = await chat.describe()
    assert line == "qwen3:8b (8.2B Q4_K_M), context 8192 of 40960 tokens, calls tools"


async def test_url_with_a_password_is_refused():
    """A URL is stored with every run, so it must not hold a secret."""
    with pytest.raises(ConfigError, match="password"):
        await open_chat("ollama+https://me:secret@example.org/qwen3:8b")


async def test_other_server_on_the_port():
    """Any other web server is named as what it is, not as a missing model."""
    app = web.Application()
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    chat = await open_chat(f"ollama://127.0.0.1:{runner.addresses[0][1]}/qwen3:8b")
    with pytest.raises(ModelUnavailable) as caught:
        await chat.chat(question())
    assert "404" in caught.value.message
    assert "ollama pull" not in caught.value.hint
    await chat.aclose()
    await runner.cleanup()


async def test_scripted_server_fills_any_schema():
    """As a program the scripted server answers with JSON of the schema it was shown."""
    async with chatting(None) as (_, chat):
        answer = await chat.chat(
            question("The ferry reopens on 14 March, says the council.", schema=SCHEMA)
        )
    with suppress(json.JSONDecodeError):
        assert list(json.loads(answer.text)) == ["title"]
        return
    pytest.fail(answer.text)
