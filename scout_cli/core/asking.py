"""Ask a chat model a question so that an answer always comes.

JSON under a schema first; one repair turn that shows the error; then the line format in what the
model said; then the built-in engine. An absent model is not an answer: `ModelUnavailable` passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from uuid import UUID

from scout_cli.core import shape, tools
from scout_cli.core.judging import Judge, Pair
from scout_cli.core.models import AnsweredBy
from scout_cli.core.passages import CHARACTERS_PER_TOKEN
from scout_cli.core.ports import Answer, ChatModel, ChatReply, ChatRequest, Message, TokenSink
from scout_cli.core.questions import Extract, FollowUp, Plan, SetUp
from scout_cli.core.writing import CitedFact, Summarise, Write
from scout_cli.errors import InvalidInput

_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)
_JSON = re.compile(r"^\W*\{|[{\[]\s*\"|\"\s*:\s*[\"{\[]")
"""What was meant to be JSON: its pieces are no prose."""
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_TURN = re.compile(r"<\|([^<>|]{0,40})\|>|<(/?s|(?:start|end)_of_turn)>|\[(/?INST)\]")
"""Marks by which chat templates tell turns apart; a server may read them out of any text."""
_FORGED = re.compile(r"\bpage-[0-9a-f]{16,}\b")
"""What looks like the line that fences material; a page cannot know the one of this call."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
"""What no reader sees and a model reads: controls, directions, tags, blanks, variants."""
_BREAKS = str.maketrans(dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"))
_PROMPTS = files("scout_cli.core") / "prompts"
_SOME_ROOM = 1_000
_EXAMPLES: tuple[Any, ...] = (
    SetUp(goal="x"),
    Plan(goal="x"),
    Plan(goal="x", have=("x",)),
    Extract(goal="x", title="x", text="x"),
    FollowUp(goal="x", facts=(), unread={}, queries=()),
    FollowUp(goal="x", facts=("x",), unread={1: "x"}, queries=("x",)),
    Write(goal="x", facts=(CitedFact(sources=(1, 2), fact="x", quote="x", date="x"),)),
    Summarise(goal="x", facts=("x",)),
    Judge(pairs=(Pair(earlier="x", later="x"), Pair(earlier="x", later="x"))),
)


class Asking:
    """A chat model with its safety net: the port `Reasoner`.

    Args:
        model: answers one request at a time.
        fresh: makes what nobody can guess; with it fences material from the web in each call.
            Without one the fence is a hash of the material and the wish.
    """

    follows_up = True

    def __init__(self, model: ChatModel, fresh: Callable[[], UUID] | None = None) -> None:
        self._model = model
        self._fresh = fresh

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
        talk = _Talk(question, self._room(question), self._fence(question))
        for _ in range(calls):
            reply = await self._model.chat(talk.request(), on_token)
            if (value := talk.read(reply)) is not None:
                return talk.answer(value)
        return talk.give_up()

    def _fence(self, question: Any) -> str:
        if self._fresh is not None:
            return f"page-{self._fresh().hex}"
        known = _encodable("\0".join(question.slots(0).values()))
        return f"page-{sha256(known.encode()).hexdigest()[:32]}"

    def _room(self, question: Any) -> int:
        """Return how many characters of a page fit: half the context, less the answer's share."""
        spare: int = self.context - question.max_tokens - 700
        tokens = min(self.context // 2, spare)
        return max(600, tokens * CHARACTERS_PER_TOKEN)

    async def _call_tools(self, question: FollowUp, on_token: TokenSink | None) -> Answer:
        talk = _Talk(question, 0, self._fence(question))
        talk.count(await self._model.chat(talk.tools(), on_token))
        told = shape.encode([call.arguments for call in talk.last.tool_calls]).decode()
        calls = () if talk.fence in told else talk.last.tool_calls
        return talk.answer(question.from_calls(calls))


class _Talk:
    """One question and what was said about it so far."""

    def __init__(self, question: Any, room: int, fence: str) -> None:
        self.question = question
        self.room = room
        self.fence = fence
        self.error = ""
        self.by: AnsweredBy = "model"
        self.calls = self.prompt_tokens = self.completion_tokens = 0
        self.last = ChatReply(text="")

    def request(self) -> ChatRequest:
        """Return the question, or the repair turn once there is something to repair."""
        schema, note = _form(self.question.answer)
        slots = {**self.question.slots(self.room), "marker": self.fence}
        task = render(self.question.task, slots)
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

    def tools(self) -> ChatRequest:
        """Return the follow-up question for a model that calls tools."""
        task = render("follow_up_tools", {**self.question.slots(0), "marker": self.fence})
        return ChatRequest(
            messages=(Message(role="user", content=task),),
            tools=tools.offered(),
            max_tokens=self.question.max_tokens,
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
            self._refuse_leak()
            value = shape.decode(json_of(reply.text), self.question.answer, what="the answer")
            return self.question.check(value)
        except InvalidInput as error:
            self.error = "the answer was cut off" if reply.cut else error.message
            return None

    def _refuse_leak(self) -> None:
        """Refuse an answer that repeats the fence: it tells of the prompt, not of the material."""
        if self.fence in self.last.text:
            raise InvalidInput("the answer repeats a line of the question")

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
            self._refuse_leak()
            found = self.question.from_lines(_lines_of(self.last))
            if found is not None and not self.last.truncated:
                self.by = "lines"
                return self.answer(self.question.check(found))
        except InvalidInput as error:
            self.error = error.message
        self.by = "fallback"
        return self.answer(self.question.built_in())


def _lines_of(reply: ChatReply) -> str:
    """Return what may be read as lines: no piece of JSON, and no line that was cut off."""
    if _JSON.search(reply.text):
        return ""
    return reply.text.rpartition("\n")[0] if reply.cut else reply.text


def render(task: str, slots: Mapping[str, str]) -> str:
    """Return the prompt file `task` with its `{{slots}}` filled.

    What fills a slot is never read as a slot again, cannot forge a turn of the conversation or a
    fence, and holds nothing that a reader would not see.
    """
    return _SLOT.sub(lambda match: _material(match.group(1), slots), _prompt(task))


def _material(name: str, slots: Mapping[str, str]) -> str:
    return slots[name] if name == "marker" else harmless(slots[name])


def harmless(text: str) -> str:
    """Return `text` so that it forges no turn of a conversation and no fence, and hides nothing."""
    if not text.isascii() or not text.isprintable():
        text = _UNSEEN.sub("", text.replace("\r\n", "\n").translate(_BREAKS))
    return _FORGED.sub("", _TURN.sub(r"(\1\2\3)", text))


@cache
def fingerprint() -> str:
    """Return a short hash of what a run shows a model whatever the wish; stored with every run.

    Of all that is asked about one example each: the prompts and the words that fill in for what is
    missing, the notes and schemas of answers, the tools, the most tokens of an answer.
    """
    shown = [request for question in _EXAMPLES for request in _requests(question)]
    return sha256(shape.encode(shown)).hexdigest()[:12]


def _requests(question: Any) -> list[ChatRequest]:
    talk = _Talk(question, _SOME_ROOM, "page-0")
    first = talk.request()
    talk.error = "x"
    return [first, talk.request(), *([talk.tools()] if isinstance(question, FollowUp) else [])]


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


def json_of(text: str) -> str:
    """Return the JSON object in a reply that may have fences or prose around it."""
    if fenced := _FENCE.match(text):
        return fenced.group(1)
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
