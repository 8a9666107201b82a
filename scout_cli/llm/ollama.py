"""The port `ChatModel` on an Ollama server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from scout_cli.core.ports import ChatReply, ChatRequest, Message, TokenSink, Tool, ToolCall
from scout_cli.errors import ModelUnavailable
from scout_cli.llm import ModelSettings
from scout_cli.llm.grammar import for_grammar
from scout_cli.llm.ollama_server import Abilities, OllamaServer, connected
from scout_cli.llm.ranking import PULL_CHAT, best_chat, short
from scout_cli.llm.reply import Collected

_CHARACTERS_PER_TOKEN = 6
"""Taken high on purpose: text of fewer characters per token only makes the estimate too low."""

_SURELY_READ = 0.9
_SHORTEST_JUDGED = 300
"""Tokens; below this the estimate says too little."""


async def open_ollama_chat(url: str, settings: ModelSettings) -> OllamaChat:
    """Return the chat model of `url`; without a model in it, the best one that is installed.

    Raises:
        ConfigError: the URL cannot be used.
        ModelUnavailable: no model is named, and the server does not answer or has none.
    """
    server, model = await connected(
        url, settings, setting="llm_url", best=best_chat, lacking="chat model", hint=PULL_CHAT
    )
    return OllamaChat(server, model, settings)


class OllamaChat:
    """A chat model on an Ollama server.

    An answer ends only on silence, never on total time: a slow machine that still speaks is not
    broken. It is cut, and said to be, at `max_tokens`, after a flood of white space and at 64 KiB.
    Cancelling closes the connection, which is how Ollama learns to stop.

    Args:
        server: where the model lives; closed by `aclose`.
        model: its name, such as `qwen3:8b`.
        settings: context length and limits.
    """

    def __init__(self, server: OllamaServer, model: str, settings: ModelSettings) -> None:
        self._server = server
        self._model = model
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.parallel)
        self._known: Abilities | None = None

    @property
    def name(self) -> str:
        """Return `ollama/` and the model."""
        return f"ollama/{short(self._model)}"

    @property
    def context(self) -> int:
        """Return the context length in tokens that every request asks for."""
        return self._settings.num_ctx

    async def offers_tools(self) -> bool:
        """Return whether the server says that the model was trained to call tools.

        Raises:
            ModelUnavailable: the server does not answer, or has no such model.
        """
        return (await self._abilities()).tools

    async def describe(self) -> str:
        """Return model, size, context and abilities in one line.

        Raises:
            ModelUnavailable: the server does not answer, or has no such model.
        """
        can = await self._abilities()
        size = f" ({can.size})" if can.size else ""
        longest = f" of {can.context}" if can.context else ""
        tools = "calls tools" if can.tools else "calls no tools"
        return f"{self._model}{size}, context {self.context}{longest} tokens, {tools}"

    async def chat(self, request: ChatRequest, on_token: TokenSink | None = None) -> ChatReply:
        """Answer `request`; `on_token` receives the text as it appears, without thinking.

        Raises:
            ModelUnavailable: refused, silent for too long, broken off, unknown model.
        """
        async with self._turns:
            question = _question(request, await self._abilities(), self._settings.num_ctx)
            return await self._ask(question, request, on_token)

    async def aclose(self) -> None:
        """Close the connection to the server."""
        await self._server.aclose()

    async def _abilities(self) -> Abilities:
        if self._known is None:
            self._known = await self._server.abilities(self._model)
        return self._known

    async def _ask(
        self, question: dict[str, Any], request: ChatRequest, on_token: TokenSink | None
    ) -> ChatReply:
        collected, calls, last, first = Collected(), [], None, True
        parts = await self._server.stream(model=self._model, **question)
        async with aclosing(parts):
            while not collected.cut and not (last and last.done):
                last = await self._server.listen(parts, self._model, first=first)
                if last is None:
                    raise self._broken_off()
                first = False
                calls += _calls(last)
                fresh = collected.add(last.message.content or "", last.message.thinking or "")
                if fresh and on_token is not None:
                    await on_token(fresh)
            if not collected.cut:
                await self._server.finish(parts)
        return _reply(request, collected, tuple(calls), last)

    def _broken_off(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"Ollama at {self._server.base} ended its answer in the middle",
            hint="It may have been stopped or have run out of memory; see: ollama ps",
        )


def _question(request: ChatRequest, can: Abilities, num_ctx: int) -> dict[str, Any]:
    """Return the request as Ollama's client wants it.

    `think` is only sent to models that know it; for them it is off, since thinking and a schema
    get into each other's way.
    """
    return {
        "messages": [_message(turn) for turn in request.messages],
        "tools": [_tool(tool) for tool in request.tools],
        "format": for_grammar(request.schema) if request.schema else None,
        "think": False if can.thinking else None,
        "options": {"num_ctx": num_ctx, "num_predict": request.max_tokens, "temperature": 0},
    }


def _message(turn: Message) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.tool_calls:
        message["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.tool_calls
        ]
    if turn.tool_name:
        message["tool_name"] = turn.tool_name
    return message


def _tool(tool: Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _calls(part: Any) -> list[ToolCall]:
    return [
        ToolCall(name=call.function.name, arguments=dict(call.function.arguments))
        for call in part.message.tool_calls or ()
    ]


def _reply(
    request: ChatRequest, collected: Collected, calls: tuple[ToolCall, ...], last: Any
) -> ChatReply:
    read = last.prompt_eval_count or 0
    return ChatReply(
        text=collected.text,
        tool_calls=calls,
        prompt_tokens=read,
        completion_tokens=last.eval_count or 0,
        cut=collected.cut or last.done_reason == "length",
        truncated=_truncated(request, read),
    )


def _truncated(request: ChatRequest, read: int) -> bool:
    """Return whether the server surely read less than was sent; it cuts without saying so.

    A server that counts nothing (0) is not suspected.
    """
    sent = sum(len(" ".join(turn.content.split())) for turn in request.messages)
    least = sent / _CHARACTERS_PER_TOKEN
    return 0 < read < least * _SURELY_READ and least >= _SHORTEST_JUDGED
