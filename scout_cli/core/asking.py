"""Ask a chat model a question so that an answer always comes.

JSON under a schema first; one repair turn that shows the error; then the line format in what the
model said; then the built-in engine. An absent model is not an answer: `ModelUnavailable` passes.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from scout_cli.core import shape, tools
from scout_cli.core.models import AnsweredBy
from scout_cli.core.passages import CHARACTERS_PER_TOKEN
from scout_cli.core.ports import Answer, ChatModel, ChatReply, ChatRequest, Message, TokenSink
from scout_cli.core.questions import FollowUp
from scout_cli.errors import InvalidInput

_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_TURN = re.compile(r"<\|([^<>|]{0,40})\|>|<(/?s|(?:start|end)_of_turn)>|\[(/?INST)\]")
"""Marks by which chat templates tell turns apart; a server may read them out of any text."""
_PROMPTS = files("scout_cli.core") / "prompts"


class Asking:
    """A chat model with its safety net: the port `Reasoner`.

    Args:
        model: answers one request at a time.
    """

    follows_up = True

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """Return provider and model."""
        return self._model.name

    @property
    def context(self) -> int:
        """Return the context length in tokens."""
        return self._model.context

    async def answer(
        self, question: Any, on_token: TokenSink | None = None, *, calls: int = 2
    ) -> Answer:
        """Answer one question with at most `calls` model calls.

        Raises:
            ModelUnavailable: the engine is absent (refused, silent, broken off).
        """
        if isinstance(question, FollowUp) and await self._model.offers_tools():
            return await self._call_tools(question, on_token)
        talk = _Talk(question, self._room(question))
        for _ in range(calls):
            reply = await self._model.chat(talk.request(), on_token)
            if (value := talk.read(reply)) is not None:
                return talk.answer(value)
        return talk.give_up()

    def _room(self, question: Any) -> int:
        """Return how many characters of a page fit: half the context, less the answer's share."""
        spare: int = self.context - question.max_tokens - 700
        tokens = min(self.context // 2, spare)
        return max(600, tokens * CHARACTERS_PER_TOKEN)

    async def _call_tools(self, question: FollowUp, on_token: TokenSink | None) -> Answer:
        talk = _Talk(question, 0)
        request = ChatRequest(
            messages=(Message(role="user", content=render("follow_up_tools", question.slots(0))),),
            tools=tools.offered(),
            max_tokens=question.max_tokens,
        )
        talk.count(await self._model.chat(request, on_token))
        return talk.answer(question.from_calls(talk.last.tool_calls))


class _Talk:
    """One question and what was said about it so far."""

    def __init__(self, question: Any, room: int) -> None:
        self.question = question
        self.room = room
        self.error = ""
        self.by: AnsweredBy = "model"
        self.calls = self.prompt_tokens = self.completion_tokens = 0
        self.last = ChatReply(text="")

    def request(self) -> ChatRequest:
        """Return the question, or the repair turn once there is something to repair."""
        schema, note = _form(self.question.answer)
        task = render(self.question.task, self.question.slots(self.room))
        messages = [
            Message(role="system", content=render("system", {})),
            Message(role="user", content=f"{task}\n\n{note}"),
        ]
        if self.error and not self.last.truncated:
            messages += [
                Message(role="assistant", content=_encodable(self.last.text[:1_500])),
                Message(role="user", content=render("repair", {"error": self.error})),
            ]
        return ChatRequest(
            messages=tuple(messages), schema=schema, max_tokens=self.question.max_tokens
        )

    def count(self, reply: ChatReply) -> None:
        """Add up what a reply cost."""
        self.last = reply
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    def read(self, reply: ChatReply) -> Any | None:
        """Return the typed answer in `reply`, or None and remember what was wrong."""
        self.by = "repair" if self.calls else "model"
        self.count(reply)
        if reply.truncated:
            self.error = "the model's server read only a part of the prompt"
            self.room //= 2
            return None
        try:
            value = shape.decode(_json_of(reply.text), self.question.answer, what="the answer")
            return self.question.check(value)
        except InvalidInput as error:
            self.error = "the answer was cut off" if reply.cut else error.message
            return None

    def answer(self, value: Any) -> Answer:
        """Return `value` with who gave it and what it cost."""
        return Answer(
            value=value,
            by=self.by,
            calls=self.calls,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            note=self.error,
        )

    def give_up(self) -> Answer:
        """Read the last reply as lines, else answer without the model."""
        try:
            found = self.question.from_lines(self.last.text)
            if found is not None and not self.last.truncated:
                self.by = "lines"
                return self.answer(self.question.check(found))
        except InvalidInput as error:
            self.error = error.message
        self.by = "fallback"
        return self.answer(self.question.built_in())


def render(task: str, slots: Any) -> str:
    """Return the prompt file `task` with its `{{slots}}` filled.

    What fills a slot is never read as a slot again and cannot forge a turn of the conversation.
    """
    return _SLOT.sub(lambda match: _TURN.sub(r"(\1\2\3)", slots[match.group(1)]), _prompt(task))


@cache
def fingerprint() -> str:
    """Return a short hash of all prompt files, stored with every run."""
    names = sorted(entry.name for entry in _PROMPTS.iterdir() if entry.name.endswith(".md"))
    text = "\0".join(_prompt(name.removesuffix(".md")) for name in names)
    return sha256(text.encode()).hexdigest()[:12]


@cache
def _prompt(task: str) -> str:
    return (_PROMPTS / f"{task}.md").read_text(encoding="utf-8").strip()


@cache
def _form(answer: type) -> tuple[dict[str, Any], str]:
    """Return the schema of an answer, and how the prompt shows it."""
    schema = shape.schema(answer)
    told = shape.encode(schema).decode()
    return schema, f"Answer with JSON of this schema and nothing else:\n{told}"


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _json_of(text: str) -> str:
    """Return the JSON object in a reply that may have fences or prose around it."""
    if fenced := _FENCE.match(text):
        return fenced.group(1)
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
