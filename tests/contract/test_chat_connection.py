"""What a chat with Ollama costs in connections."""

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web

from scout_cli.core.ports import ChatRequest, Message
from scout_cli.llm import ModelSettings, open_chat
from tests.ollama_server import CHAT, OllamaServer, Says

QUESTION = ChatRequest(messages=(Message(role="user", content="Name a colour."),))
DONE = (
    b'{"model": "m", "message": {"role": "assistant", "content": "Blue"}, "done": true,'
    b' "done_reason": "stop"}\n'
)


async def test_answers_one_after_the_other_share_a_connection():
    """Asking what the model can do and four chats open one connection."""
    async with OllamaServer(lambda _: Says(text="Blue is a colour.")) as server:
        chat = await open_chat(f"ollama://{server.host}/{CHAT}", ModelSettings())
        for _ in range(4):
            assert (await chat.chat(QUESTION)).text == "Blue is a colour."
        await chat.aclose()
        assert len(server.asked("/api/chat")) == 4
        assert len(server._transports) == 1


@asynccontextmanager
async def ending(behind):
    """Open a chat with a server that is done with its answer and then does something else."""

    async def talk(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(DONE)
        await behind(response)
        return response

    async def show(_):
        return web.json_response({"capabilities": ["completion"], "details": {}, "model_info": {}})

    app = web.Application()
    app.add_routes([web.post("/api/chat", talk), web.post("/api/show", show)])
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    chat = await open_chat(f"ollama://127.0.0.1:{runner.addresses[0][1]}/{CHAT}", ModelSettings())
    try:
        yield chat
    finally:
        await chat.aclose()
        await runner.cleanup()


async def test_an_answer_that_is_done_needs_no_end_of_its_stream():
    """A server that never closes the stream, cuts it or sends rubbish behind has answered."""

    async def hang(_):
        await asyncio.Event().wait()

    async def cut(response):
        response._req.transport.abort()

    async def rubbish(response):
        await response.write(b"no JSON\n")

    async def fault(response):
        await response.write(b'{"error": "out of memory"}\n')

    for behind in (hang, cut, rubbish, fault):
        async with ending(behind) as chat:
            for _ in range(2):
                assert (await chat.chat(QUESTION)).text == "Blue"
