"""A scripted Ollama over real HTTP: says what a test tells it to, the way Ollama would say it.

    async with OllamaServer(lambda request: '{"ok": true}') as server:
        server.url        # "http://127.0.0.1:PORT"
        server.requests   # what was asked, in order

A script gets the body of a chat request and returns a text, or a `Says` for everything that can go
wrong. As a program (`python -m tests.ollama_server --port 11434 --delay 0.1`) it fills whatever
JSON schema it is shown from the words of the prompt.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

CHAT, EMBEDDER = "qwen3:8b", "nomic-embed-text:latest"
_TIME = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Says:
    """One answer, good or bad."""

    text: str = ""
    pieces: Sequence[str] | None = None
    """The text as it is streamed; without it every few words are a piece."""
    thinking: str = ""
    tool_calls: Sequence[dict[str, Any]] = ()
    status: int = 200
    error: str = ""
    """With a status: the body of the refusal. With 200: a line in the middle of the stream."""
    raw: bytes | None = None
    """The body as it is, whatever was asked."""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the first byte of the body."""
    hang: bool = False
    """After the pieces: say nothing until the client goes away."""
    drop: bool = False
    """After the pieces: cut the connection."""
    done: bool = True
    done_reason: str = "stop"
    prompt_tokens: int | None = None
    embeddings: list[list[float]] | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request that arrived."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One installed model."""

    name: str
    family: str = "qwen3"
    parameter_size: str = "8.2B"
    capabilities: Sequence[str] = ("completion", "tools", "thinking")
    context: int = 40_960


INSTALLED = (
    Model(name=CHAT),
    Model(
        name=EMBEDDER,
        family="nomic-bert",
        parameter_size="137M",
        capabilities=("embedding",),
        context=2_048,
    ),
)

Script = Callable[[dict[str, Any]], str | Says]


class OllamaServer:
    """An Ollama on a free port of the loopback address, or on `port`.

    Args:
        script: answers `/api/chat`; gets the request's body.
        embed: answers `/api/embed`; gets the request's body.
        models: what is installed.
        port: 0 takes any free port.
        delay: seconds before the first token of each chat.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        embed: Script | None = None,
        models: Sequence[Model] = INSTALLED,
        port: int = 0,
        delay: float = 0.0,
    ) -> None:
        self.script = script or filled
        self.embed = embed or (lambda request: Says(embeddings=vectors(request["input"])))
        self.models = {model.name: model for model in models}
        self.requests: list[Asked] = []
        self.speaking = asyncio.Event()
        """The first piece of an answer was sent."""
        self.left = asyncio.Event()
        """A client went away before its answer was complete."""
        self._port = port
        self._transports: set[asyncio.Transport] = set()
        self._delay = delay

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/", _alive),
                web.get("/api/version", _version),
                web.get("/api/tags", self._tags),
                web.post("/api/show", self._show),
                web.post("/api/chat", self._chat),
                web.post("/api/embed", self._embed),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports:
            transport.abort()
        await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Return `127.0.0.1:PORT`, for `ollama://` URLs."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Return the root of the HTTP API."""
        return f"http://{self.host}"

    def asked(self, path: str) -> list[Asked]:
        """Return the requests to `path`, in order."""
        return [request for request in self.requests if request.path == path]

    async def _note(self, request: web.Request) -> dict[str, Any]:
        self._transports.add(request.transport)
        body = json.loads(await request.read() or b"{}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Asked(path=request.path, body=body, headers=headers))
        return body

    def _model(self, name: str) -> Model | None:
        return self.models.get(name) or self.models.get(f"{name}:latest")

    async def _tags(self, request: web.Request) -> web.Response:
        await self._note(request)
        return web.json_response({"models": [_listed(model) for model in self.models.values()]})

    async def _show(self, request: web.Request) -> web.Response:
        body = await self._note(request)
        model = self._model(body["model"])
        return web.json_response(_shown(model)) if model else _unknown(body["model"])

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        if not self._model(body["model"]):
            return _unknown(body["model"])
        try:
            return await self._answer(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        says = _says(self.script(body))
        await asyncio.sleep(says.delay or self._delay)
        if says.raw is None and says.status != 200:
            return web.json_response({"error": says.error}, status=says.status)
        headers = {"Content-Type": "application/x-ndjson", **says.headers}
        response = web.StreamResponse(status=says.status, headers=headers)
        await response.prepare(request)
        if says.raw is not None:
            await response.write(says.raw)
        else:
            await self._stream(response, body, says)
        self.speaking.set()
        if says.hang:
            await asyncio.Event().wait()
        if says.drop:
            assert request.transport
            request.transport.abort()
        return response

    async def _stream(self, response: web.StreamResponse, body: dict[str, Any], says: Says) -> None:
        head = {"model": body["model"], "created_at": _TIME}

        async def send(message: dict[str, Any], **more: Any) -> None:
            message = {"role": "assistant", "content": "", **message}
            line = {**head, "message": message, "done": False, **more}
            await response.write(json.dumps(line).encode() + b"\n")

        if says.thinking:
            await send({"thinking": says.thinking})
        pieces = re.findall(r"\S+\s*|\s+", says.text) if says.pieces is None else says.pieces
        for piece in pieces:
            await send({"content": piece})
        if says.tool_calls:
            await send({"tool_calls": [{"function": call} for call in says.tool_calls]})
        if says.error:
            await response.write(json.dumps({"error": says.error}).encode() + b"\n")
        elif says.done and not (says.hang or says.drop):
            await send({}, done=True, **_counted(body, says, len(pieces)))

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        if not self._model(body["model"]):
            return _unknown(body["model"])
        says = _says(self.embed(body))
        await asyncio.sleep(says.delay)
        if says.raw is not None:
            return web.Response(body=says.raw, content_type="application/json")
        if says.status != 200:
            return web.json_response({"error": says.error}, status=says.status)
        return web.json_response({"model": body["model"], "embeddings": says.embeddings})


def vectors(texts: str | Sequence[str], dimensions: int = 64) -> list[list[float]]:
    """Return one bag-of-words vector per text: equal texts are equal, others differ."""
    found = []
    for text in [texts] if isinstance(texts, str) else texts:
        row = [0.001] * dimensions
        for word in re.findall(r"\w+", text.lower()):
            row[zlib.crc32(word.encode()) % dimensions] += 1.0
        found.append(row)
    return found


def prompt_of(request: dict[str, Any]) -> str:
    """Return all text of a chat request."""
    return "\n".join(message.get("content") or "" for message in request["messages"])


def filled(request: dict[str, Any]) -> str:
    """Answer with the schema of the request, filled from its prompt; in prose without a schema.

    Knows scout's prompts just well enough: the wish, a page between two equal lines, facts with
    their sources. A test that needs more wraps this function.
    """
    schema = request.get("format")
    prompt = prompt_of(request)
    if not isinstance(schema, dict):
        return material(prompt)[0]
    return json.dumps(_fill("", schema, wish(prompt), material(prompt)))


def wish(prompt: str) -> str:
    """Return the line of the prompt that follows on how a wish is introduced."""
    found = re.search(r"(?:wish|know|told):\s*\n+(.+)", prompt)
    return found[1].strip() if found else "something new"


def material(prompt: str) -> list[str]:
    """Return what the prompt gives to work with, most like the wish first; never empty."""
    if facts := re.findall(r"^(\[S\d+\].+)$", prompt, re.MULTILINE):
        return [re.sub(r"^((?:\[S\d+\])+) (.+)$", r"\2 \1", fact) for fact in facts]
    page = re.search(r"^(\S{6,})\n(.*?)\n\1$", prompt, re.MULTILINE | re.DOTALL)
    if not page and (listed := re.findall(r"^- (.{10,})$", prompt, re.MULTILINE)):
        return listed
    sentences = re.findall(r"[A-Z][^.!?\n{}]{30,200}[.!?]", page[2] if page else prompt)
    wanted = set(re.findall(r"\w{4,}", wish(prompt).lower()))
    best = sorted(sentences, key=lambda one: -len(wanted & set(re.findall(r"\w+", one.lower()))))
    return list(dict.fromkeys(best)) or ["I have nothing to add to that."]


def _fill(name: str, schema: dict[str, Any], wanted: str, given: list[str]) -> Any:
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if fixed := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return fixed[0]
    kind = schema.get("type")
    if kind == "object":
        named = schema.get("properties", {}).items()
        return {key: _fill(key, value, wanted, given) for key, value in named}
    if kind == "array":
        return _list(name, schema, wanted, given)
    plain = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "null": None}
    if kind in plain:
        return plain[kind]
    texts = {"title": " ".join(wanted.split()[:3]), "date": "", "description": wanted}
    return texts.get(name, given[0])[: schema.get("maxLength", 300)]


def _list(name: str, schema: dict[str, Any], wanted: str, given: list[str]) -> list[Any]:
    if name in ("searches", "results"):
        return []
    most = min(schema.get("maxItems", 3), 3)
    if name == "queries":
        words = " ".join(re.findall(r"\w{3,}", wanted)[:5])
        return [f"{words} {more}".strip() for more in ("", "announcement", "update")[:most]]
    rows = [given[at:] for at in range(min(most, len(given)))]
    return [_fill(name, schema["items"], wanted, row) for row in rows]


def _says(answer: str | Says) -> Says:
    return Says(text=answer) if isinstance(answer, str) else answer


def _counted(body: dict[str, Any], says: Says, pieces: int) -> dict[str, Any]:
    read = len(prompt_of(body)) // 4 if says.prompt_tokens is None else says.prompt_tokens
    times = dict.fromkeys(("total_duration", "load_duration", "eval_duration"), 1)
    return {
        "done_reason": says.done_reason,
        "prompt_eval_count": read,
        "eval_count": pieces,
        **times,
    }


def _listed(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": _TIME,
        "size": 1_000_000,
        "digest": "0" * 64,
        "details": _details(model),
    }


def _shown(model: Model) -> dict[str, Any]:
    about = {
        "general.architecture": model.family,
        f"{model.family}.context_length": model.context,
        f"{model.family}.embedding_length": 768,
    }
    capabilities = list(model.capabilities)
    details = _details(model)
    return {"details": details, "model_info": about, "capabilities": capabilities}


def _details(model: Model) -> dict[str, Any]:
    return {
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": "Q4_K_M",
    }


def _unknown(name: str) -> web.Response:
    return web.json_response({"error": f"model '{name}' not found"}, status=404)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="Ollama is running")


async def _version(_: web.Request) -> web.Response:
    return web.json_response({"version": "0.0.0-scripted"})


async def main() -> None:
    """Serve until interrupted; the first line of output names the address."""
    parser = argparse.ArgumentParser(description="A scripted Ollama for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()
    async with OllamaServer(port=given.port, delay=given.delay) as server:
        print(f"ready {server.url}", flush=True)  # noqa: T201 - how the starter learns the port
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
