"""One answer of the chat gateway: from the model, with a net under it that always ends in words.

A model that notes nothing, cannot call tools, talks rubbish or does not answer still leaves a
conversation about a scout with the scout's fields filled in and a next question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from scout_cli.core import conversation, phrases, relayed_interview
from scout_cli.core.models import Record
from scout_cli.core.ports import (
    ChatModel,
    ChatRequest,
    Clock,
    Message,
    TokenSink,
    Tool,
    ToolCall,
)
from scout_cli.errors import ModelUnavailable

ROUNDS = 3
"""Calls after one message of a person; the next answer is in words."""
MAX_TOKENS = 4_096
"""Of one answer."""

_NO_MODEL = (
    "No language model is set up here: scout works with its built-in engine, which does not"
    " converse. Set llm_url to a model, for example ollama://127.0.0.1:11434/qwen3:8b."
)
_NO_WORDS = "The language model gave no answer that could be used. Please say it in other words."

CallSink: TypeAlias = Callable[[ToolCall, str], Awaitable[None]]
"""Takes a call, and what is to be said once it was carried out; empty when that is not known."""


class Wanted(Record, frozen=True, kw_only=True):
    """What a client asks for."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    said: str = ""
    """What was kept to be said now that the tools have answered."""
    form: dict[str, Any] | None = None
    """JSON Schema of the answer."""
    max_tokens: int = 1_024


class Spent(Record, frozen=True, kw_only=True):
    """What an answer took."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Gateway:
    """Answers conversations of other programs.

    Args:
        model: opens the chat model; None from it is the built-in engine.
        clock: time.
    """

    def __init__(self, model: Callable[[], Awaitable[ChatModel | None]], clock: Clock) -> None:
        self._model = model
        self._clock = clock

    async def answer(self, wanted: Wanted, hear: TokenSink, call: CallSink) -> Spent:
        """Answer; something is heard, or called, whatever happens.

        Args:
            wanted: the conversation.
            hear: receives text as it appears.
            call: receives calls.
        """
        turn = _Turn(wanted, hear, call, self._clock)
        if wanted.said:
            await turn.say(wanted.said)
            return Spent()
        try:
            model = await self._model()
            if model is None:
                await turn.alone("")
                return Spent()
            return await turn.ask(model)
        except ModelUnavailable as error:
            await turn.alone(f"{error.message}. {error.hint}".rstrip(". ") + ".")
            return Spent()


class _Turn:
    """One answer under way."""

    def __init__(self, wanted: Wanted, hear: TokenSink, call: CallSink, clock: Clock) -> None:
        self._wanted = wanted
        self._hear = hear
        self._call = call
        self._clock = clock
        self._about = relayed_interview.relay(wanted.messages, wanted.tools, clock.now())
        self._calls: list[ToolCall] = []
        self._held = ""
        self._spoke = False
        rounds = _rounds(wanted.messages)
        self._tools: Sequence[Tool] = wanted.tools if rounds < ROUNDS else ()

    async def say(self, text: str) -> None:
        """Pass text on."""
        if text:
            self._spoke = True
            await self._hear(text)

    async def _release(self) -> None:
        """Say what was held back."""
        text, self._held = self._held, ""
        await self.say(text)

    def _repeats(self, *, whole: bool) -> bool:
        """Return whether what is held back only says again what the person said."""
        about_scout = self._about is not None and not self._spoke
        return about_scout and relayed_interview.repeats(
            self._wanted.messages, self._held, whole=whole
        )

    async def ask(self, model: ChatModel) -> Spent:
        """Ask the model, and put right what it leaves out.

        Raises:
            ModelUnavailable: it does not answer.
        """
        if self._wanted.form is not None:
            return await self._fill(model, self._wanted.form)
        native = await model.offers_tools()
        noticed = self._noticed()

        async def hear(text: str) -> None:
            self._held += text
            # What is said beside a call is kept for after it: said twice it would confuse.
            beside = noticed or (self._calls and not native)
            if not beside and not self._repeats(whole=False):
                await self._release()

        spoken = await conversation.speak(
            model,
            self._messages(native=native),
            self._tools,
            hear,
            self._take,
            max_tokens=min(self._wanted.max_tokens, MAX_TOKENS),
        )
        if self._repeats(whole=True):
            self._held = ""
        if not self._calls and noticed and self._about is not None:
            self._learn(self._about.tool.name, noticed)
        if self._calls:
            await self._make(final=not native or self._ends(self._held))
        elif spoken.by == "fallback" and not self._spoke:
            await self.alone(spoken.note, gone=False)
        else:
            await self._release()
            await self._end_in_words()
        return Spent(prompt_tokens=spoken.prompt_tokens, completion_tokens=spoken.completion_tokens)

    async def alone(self, why: str, *, gone: bool = True) -> None:
        """Answer without a model.

        Args:
            why: what is wrong with it; empty where there is none.
            gone: it does not answer at all, which the person is told.
        """
        opening = "\n\n" if self._spoke else ""
        if self._about is None:
            told = f"The language model does not answer: {why}" if why and gone else _NO_MODEL
            await self.say(opening + (told if gone else _NO_WORDS))
            return
        if why and gone:
            opening += phrases.phrase("gone", self._about.language) + " "
        step = relayed_interview.built_in(self._about, self._clock.now())
        if step.arguments and self._tools and not self._calls:
            self._learn(self._about.tool.name, dict(step.arguments))
            self._held = opening.lstrip() + step.text
            await self._make(final=True)
        else:
            await self.say(opening + step.text)

    async def _fill(self, model: ChatModel, form: dict[str, Any]) -> Spent:
        messages = conversation.flattened(self._wanted.messages)
        limit = min(self._wanted.max_tokens, MAX_TOKENS)
        reply = await model.chat(
            ChatRequest(messages=messages, schema=form, max_tokens=limit), self.say
        )
        return Spent(prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens)

    def _messages(self, *, native: bool) -> Sequence[Message]:
        """Return what the model reads: a long prompt of others is too much for a small one."""
        if native or self._about is None or not self._about.told:
            return self._wanted.messages
        others = [each for each in self._wanted.messages if each.role != "system"]
        return [relayed_interview.prompt(self._about), *others]

    def _noticed(self) -> dict[str, Any]:
        if self._about is None or not self._tools:
            return {}
        return relayed_interview.noticed(self._about, self._clock.now())

    async def _take(self, call: ToolCall) -> None:
        """Take a call of the model, if there is such a tool and it says something new."""
        about = self._about
        if about is not None and call.name == about.tool.name:
            made = relayed_interview.arguments_of(about, call.arguments, self._clock.now())
            if made:
                self._learn(call.name, made)
        elif call.name in {tool.name for tool in self._tools}:
            self._calls.append(call)

    def _learn(self, name: str, arguments: dict[str, Any]) -> None:
        self._calls.append(ToolCall(name=name, arguments=arguments))
        if self._about is not None:
            self._about = relayed_interview.with_update(self._about, arguments)

    async def _make(self, *, final: bool) -> None:
        """Make the calls.

        Args:
            final: what was held back is all there is to say after them.
        """
        text = self._held.strip()
        if not final:
            await self.say(text)
        for number, each in enumerate(self._calls, 1):
            await self._call(each, text if final and number == len(self._calls) else "")

    def _ends(self, text: str) -> bool:
        """Return whether text beside a call is the end of a turn, not the announcement of it."""
        done = self._about is not None and relayed_interview.complete(self._about)
        return bool(text.strip()) and ("?" in text or done)

    async def _end_in_words(self) -> None:
        if not self._spoke:
            about = self._about
            await self.say(relayed_interview.words(about) if about else _NO_WORDS)


def _rounds(messages: Sequence[Message]) -> int:
    """Return how many answers with calls came after the last message of a person."""
    since = messages[relayed_interview.last_of_person(messages) + 1 :]
    return sum(bool(each.tool_calls) or each.role == "user" for each in since)
