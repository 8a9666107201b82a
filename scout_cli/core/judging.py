"""Between the cut-offs a model is asked what is new in a fact; unsure is not a repeat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from scout_cli.core.answers import MAX_PAIRS, JudgeAnswer
from scout_cli.core.grounds import denied, has_link, tells
from scout_cli.core.models import AnsweredBy, Record
from scout_cli.core.passages import tokens_of
from scout_cli.core.ports import Reasoner
from scout_cli.core.reading import RESERVED_CALLS
from scout_cli.core.report import clean
from scout_cli.core.signature import numbers
from scout_cli.core.trail import OutOfTime, Trail
from scout_cli.core.verdicts import NONE, UNSURE, Verdict, settle
from scout_cli.core.words import fold, shorten, terms, words
from scout_cli.errors import InvalidInput

_LINE = re.compile(
    r"^\s*(?:[-*•]|\(?\d{1,2}[.):])?\s*(?:(?:later|new|news)\s*:)?\s*(\S.*)$", re.IGNORECASE
)
_NOTHING = re.compile(
    r"(?:there(?: is|'s) |(?:it|(?:the )?later(?: sentence| one)?) (?:tells|says|adds) )?"
    r"(?:none|no|n a|nothing(?: (?:is )?new| else)?|no new (?:facts?|information|details?)|"
    r"nichts(?: neues)?|keine?s?|nein|rien(?: de (?:neuf|nouveau))?|aucune?|non|"
    r"nada(?: nuevo)?|ningun[oa]?|ничего(?: нового)?|нет(?: ничего нового)?)(?: in it| here)?"
    r"|(?:(?:it is|it's|they are|both (?:are|say|tell)) )?(?:the )?same(?: (?:fact|news|thing))?"
)
"""Answers that say `none` and nothing else; `no injuries` may be the news."""
_FRAME = 300
"""Tokens of the prompt around the pairs, and of the answer's form."""


class Pair(Record, frozen=True, kw_only=True):
    """A fact and the earlier finding that it resembles."""

    earlier: str
    later: str


class Judge(Record, frozen=True, kw_only=True):
    """Ask what is new in some facts beside what was told before."""

    pairs: tuple[Pair, ...]
    task: ClassVar[str] = "judge"
    answer: ClassVar[type] = JudgeAnswer
    max_tokens: ClassVar[int] = 300

    def slots(self, _characters: int) -> Mapping[str, str]:
        """Return what the prompt file wants."""
        told = (
            f"{number}. earlier: {shorten(pair.earlier, 300)}\n   later: {shorten(pair.later, 300)}"
            for number, pair in enumerate(self.pairs, 1)
        )
        return {"pairs": "\n".join(told)}

    def check(self, answer: JudgeAnswer) -> JudgeAnswer:
        """Keep what the later sentence bears out; anything else is `unsure`."""
        if len(answer.news) != len(self.pairs):
            raise InvalidInput(f"{len(self.pairs)} answers are needed, one for each pair")
        read = [_read(said, pair) for said, pair in zip(answer.news, self.pairs, strict=True)]
        return JudgeAnswer(news=read)

    def from_lines(self, text: str) -> JudgeAnswer | None:
        """Read one line for each pair."""
        found = [match[1][:200] for line in text.splitlines() if (match := _LINE.match(line))]
        return JudgeAnswer(news=found) if len(found) == len(self.pairs) else None

    def built_in(self) -> JudgeAnswer:
        """Be unsure of all of them."""
        return JudgeAnswer(news=[UNSURE] * len(self.pairs))


def _read(said: str, pair: Pair) -> str:
    """Return what a model says of a pair as `none`, `unsure`, or a new fact of the later one."""
    text = shorten(clean(said), 160).strip("\"'. ")
    if _says_nothing(text, pair):
        return NONE
    known, told = set(terms(pair.earlier)), terms(text)
    adds = any(term not in known for term in told)
    return text if adds and _borne_out(text, pair.later) else UNSURE


def _says_nothing(text: str, pair: Pair) -> bool:
    """Return whether an answer is none; several words of the later sentence may be its news."""
    found = [fold(word) for word in words(text)]
    quoted = len(found) > 1 and set(found) <= {fold(word) for word in words(pair.later)}
    return not quoted and _NOTHING.fullmatch(" ".join(found)) is not None


def _borne_out(text: str, later: str) -> bool:
    """Return whether the later sentence says what a model names, and denies no word of it."""
    if has_link(text) or not numbers(text) <= numbers(later) or not tells(later, text):
        return False
    return bool(denied(text)) or denied(later).isdisjoint(terms(text))


async def ask_about(
    verdicts: Sequence[Verdict], facts: Sequence[str], reasoner: Reasoner, trail: Trail
) -> list[Verdict]:
    """Return verdicts, those with `ask` settled by the model as far as the budget allows.

    Several pairs share a question. Without a call left, or without a model, they stay as they
    are: reported, and labelled.

    Args:
        verdicts: one per fact.
        facts: the facts, in the same order.
        reasoner: the model, or the built-in engine.
        trail: the record of the run, which counts the calls.
    """
    settled = list(verdicts)
    waiting = [at for at, verdict in enumerate(verdicts) if verdict.ask]
    for start in range(0, len(waiting), MAX_PAIRS):
        some = waiting[start : start + MAX_PAIRS]
        pairs = tuple(
            Pair(earlier=ask.fact, later=facts[at]) for at in some if (ask := verdicts[at].ask)
        )
        said, by = await _said(Judge(pairs=pairs), reasoner, trail)
        for at, text in zip(some, said, strict=True):
            settled[at] = settle(verdicts[at], text, by)
    return settled


async def _said(
    question: Judge, reasoner: Reasoner, trail: Trail
) -> tuple[Sequence[str], AnsweredBy | None]:
    tokens = tokens_of(question.slots(0)["pairs"]) + _FRAME
    nobody = not reasoner.follows_up  # the built-in engine: it would be unsure of all of them
    if nobody or not trail.affords(tokens, reserve=RESERVED_CALLS):
        return question.built_in().news, None
    given = {"pairs": len(question.pairs)}
    async with trail.step("analyze", "Ask what is new in what resembles", given) as step:
        try:
            answer: JudgeAnswer = await trail.ask(
                reasoner, question, step, reserve=RESERVED_CALLS, tokens=tokens
            )
        except OutOfTime as late:
            step.fail(late.message)
            return question.built_in().news, None
        step.output = {"news": answer.news}
        return answer.news, step.answered_by
