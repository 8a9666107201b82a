"""The routes below `/openai/v1`, guarded by the key that `scout frontend-env` prints."""

from __future__ import annotations

import array
import asyncio
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from scout_cli.app import App
from scout_cli.core import shape
from scout_cli.errors import InvalidInput, ScoutError, TooMany, Unauthorized
from scout_cli.server.calls import APP, SECRETS
from scout_cli.server.dispatch import SECONDS, WHO
from scout_cli.server.openai import conversation
from scout_cli.server.openai.bodies import Body, EmbeddingBody
from scout_cli.server.openai.emitting import Completion, Kept, Response
from scout_cli.server.openai.streaming import EventStream, listened
from scout_cli.server.problems import status_of
from scout_cli.server.reading import bytes_of, refuse_unstorable
from scout_cli.server.routing import MIB
from scout_cli.service.accounts.api_keys import opens_gateway
from scout_cli.service.gateway import Wanted
from scout_cli.store import chat_items

B = TypeVar("B")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BODY = 4 * MIB
_MOST_TEXTS = 2_048
"""Texts of one request for vectors."""
_TYPES = {
    401: "invalid_request_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the gateway to an application."""
    router.add_route("POST", "/openai/v1/responses", _guarded(responses))
    router.add_route("POST", "/openai/v1/chat/completions", _guarded(completions))
    router.add_route("POST", "/openai/v1/embeddings", _guarded(embeddings))
    router.add_route("GET", "/openai/v1/models", _guarded(models))
    router.add_route("GET", "/openai/v1/models/{model:.+}", _guarded(model))
    router.add_route("*", "/openai/v1/{rest:.*}", _guarded(nothing_here))


async def responses(request: web.Request) -> web.StreamResponse:
    """Answer a conversation, as `/v1/responses` does."""
    body, wanted = await _wanted(request)
    kept = await _kept(request)
    if not body.stream:
        answer = Response(kept, _nowhere, body.model)
        await _answer(request, wanted, answer)
        return _json(answer.value)
    stream = EventStream(request)
    await stream.open()
    work = _answer(request, wanted, Response(kept, stream.write, body.model))
    await listened(request, stream, work)
    return stream.response


async def completions(request: web.Request) -> web.StreamResponse:
    """Answer a conversation, as `/v1/chat/completions` does."""
    body, wanted = await _wanted(request)
    kept = await _kept(request)
    usage = bool(body.stream_options and body.stream_options.include_usage)
    if not body.stream:
        answer = Completion(kept, _nowhere, body.model, usage=False)
        await _answer(request, wanted, answer)
        return _json(answer.value)
    stream = EventStream(request)
    await stream.open()
    work = _answer(request, wanted, Completion(kept, stream.write, body.model, usage=usage))
    await listened(request, stream, work)
    return stream.response


async def embeddings(request: web.Request) -> web.StreamResponse:
    """Answer the vectors of texts, from the embedder of the settings."""
    body = await _body(request, EmbeddingBody)
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not texts or len(texts) > _MOST_TEXTS:
        raise InvalidInput(f"input: 1 to {_MOST_TEXTS} texts are taken")
    embedder = await (await _app(request).embedder()).embed(texts)
    packed = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": at, "embedding": _vector(each, packed=packed)}
        for at, each in enumerate(embedder)
    ]
    if body.dimensions is not None and data and body.dimensions != len(embedder[0]):
        raise InvalidInput(f"dimensions: the embedder gives {len(embedder[0])}")
    tokens = sum(len(text) for text in texts) // 4
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _json({"object": "list", "data": data, "model": body.model, "usage": usage})


async def models(request: web.Request) -> web.StreamResponse:
    """List the one model that answers, whichever is named."""
    return _json({"object": "list", "data": [_model(await _model_name(request))]})


async def model(request: web.Request) -> web.StreamResponse:
    """Describe a model; any name stands for the one of the settings."""
    return _json(_model(request.match_info["model"][:200]))


async def nothing_here(request: web.Request) -> web.StreamResponse:
    """Say that an endpoint is not offered."""
    return failed(404, f"{request.method} {request.path[:200]} is not offered here", "not_found")


def failed(status: int, message: str, code: str | None) -> web.Response:
    """Return an error in OpenAI's form."""
    kind = _TYPES.get(status, "invalid_request_error")
    told = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return web.Response(
        status=status, body=shape.encode(told), headers={"Content-Type": "application/json"}
    )


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            _admit(request)
            return await handler(request)
        except ScoutError as error:
            status = status_of(error)
            code = "invalid_api_key" if isinstance(error, Unauthorized) else error.code
            answer = failed(status, f"{error.message}. {error.hint}".rstrip(". "), code)
            if isinstance(error, TooMany):
                answer.headers["Retry-After"] = str(max(1, round(error.retry_after)))
            return answer

    return handle


def _admit(request: web.Request) -> None:
    """Let the holder of the gateway's key in.

    Raises:
        Unauthorized: no key, or another one.
    """
    given = request.headers.getall("Authorization", [])
    key = given[0].partition(" ")[2].strip() if len(given) == 1 else ""
    if not key:
        raise Unauthorized("an API key is needed", hint="send Authorization: Bearer KEY")
    if not opens_gateway(key, request.app[SECRETS]):
        raise Unauthorized(
            "this API key is not good here", hint="scout keys prints the one that is"
        )
    request[WHO] = "gateway"


async def _wanted(request: web.Request) -> tuple[Body, Wanted]:
    body = await _body(request, Body)
    items = body.items
    database = await _app(request).database()
    kept = await chat_items.named(database, conversation.references(items))
    heard = conversation.whole(items, kept)
    wanted = Wanted(
        messages=heard.messages,
        tools=body.offered,
        said=heard.said,
        form=body.form,
        max_tokens=body.limit,
    )
    if not wanted.messages:
        raise InvalidInput("there is nothing to answer: send input, or messages")
    return body, wanted


async def _answer(request: web.Request, wanted: Wanted, answer: Response | Completion) -> None:
    await answer.begin()
    gateway = await _app(request).gateway()
    await answer.end(await gateway.answer(wanted, answer.hear, answer.call))


async def _body(request: web.Request, to: type[B]) -> B:
    async with asyncio.timeout(SECONDS):
        data = await bytes_of(request, _BODY)
    plain = shape.decode(data, Any, what="body")
    refuse_unstorable(plain, "body")
    return shape.convert(plain, to, what="body")


async def _kept(request: web.Request) -> Kept:
    app = _app(request)
    return Kept(await app.database(), app.clock)


async def _model_name(request: web.Request) -> str:
    found = await _app(request).chat_model()
    return found.name if found is not None else "built-in"


def _app(request: web.Request) -> App:
    return request.app[APP]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "scout"}


def _vector(values: Sequence[float], *, packed: bool) -> list[float] | str:
    if not packed:
        return list(values)
    floats = array.array("f", values)
    if sys.byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


def _json(value: Any) -> web.Response:
    return web.Response(body=shape.encode(value), headers={"Content-Type": "application/json"})


async def _nowhere(_: dict[str, Any]) -> None:
    """Write nothing: the whole answer is asked for."""
