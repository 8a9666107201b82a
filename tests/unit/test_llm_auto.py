"""`auto` takes what is there, and says why."""

from __future__ import annotations

import asyncio
import time

import pytest

from scout_cli.errors import ConfigError
from scout_cli.llm import open_chat, open_embedder
from scout_cli.llm.auto import choose_chat, choose_embedder
from tests.ollama_server import EMBEDDER, Model, OllamaServer


async def test_ollama_with_models():
    """The URLs name server and model, and can be opened."""
    async with OllamaServer() as server:
        chat, embed = await choose_chat(server.host), await choose_embedder(server.url)
        assert chat.url == f"ollama://{server.host}/qwen3:8b"
        assert embed.url == f"ollama://{server.host}/nomic-embed-text"
        assert "qwen3:8b is installed" in chat.reason
        for opened in (await open_chat(chat.url), await open_embedder(embed.url)):
            assert await opened.describe()
            await opened.aclose()


async def test_ollama_without_a_chat_model():
    """An Ollama that can only embed leaves the thinking to the built-in engine."""
    async with OllamaServer(models=[Model(name=EMBEDDER, family="nomic-bert")]) as server:
        chat = await choose_chat(server.host)
        assert chat.url == "builtin://"
        assert "ollama pull" in chat.reason
        assert (await choose_embedder(server.host)).url.startswith("ollama://")


async def test_nothing_installed():
    """An Ollama without models changes nothing."""
    async with OllamaServer(models=()) as server:
        assert (await choose_chat(server.host)).url == "builtin://"
        assert (await choose_embedder(server.host)).url == "builtin://"


async def test_nobody_there(unused_tcp_port):
    """Without an Ollama the built-in engine is taken at once."""
    began = time.monotonic()
    chat = await choose_chat(f"127.0.0.1:{unused_tcp_port}")
    assert chat.url == "builtin://"
    assert f"no Ollama answers at http://127.0.0.1:{unused_tcp_port}" in chat.reason
    assert time.monotonic() - began < 5


async def test_something_else_there():
    """A port that speaks another protocol is not an Ollama."""

    async def greet(_, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await choose_chat(f"127.0.0.1:{port}")).url == "builtin://"


async def test_host_that_cannot_be_used():
    """A broken `OLLAMA_HOST` is said, not worked around."""
    with pytest.raises(ConfigError):
        await choose_chat("ftp://box")
