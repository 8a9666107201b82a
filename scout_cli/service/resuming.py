"""A run that died is repeated from what outside parts had answered, then goes on alive."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.models import Execution
from scout_cli.core.ports import Feed, Page, Parts, SearchAnswer
from scout_cli.service.journal import storable
from scout_cli.service.recorded import EmbedderOf, FetcherOf, ReasonerOf, SearchOf
from scout_cli.service.recording import request_key
from scout_cli.store import answers
from scout_cli.store.answers import StoredAnswer
from scout_cli.store.database import Database

_PASSING = {"unreachable", "timeout", "http_error", "captcha", "blocked"}
"""Page outcomes that may be better a minute later."""


class Ledger:
    """The answers of one execution: those of an earlier attempt first, then the real parts'.

    What a part could not answer is never kept, so that a retry asks again.

    Args:
        execution: whose they are.
        stored: what earlier attempts were answered.
    """

    def __init__(self, execution: Execution, stored: Sequence[StoredAnswer]) -> None:
        self._execution = execution
        self._waiting: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        for answer in stored:
            self._waiting[answer.part, answer.key].append(answer.answer)
        self._number = len(stored)
        self._fresh: list[StoredAnswer] = []

    async def ask(self, part: str, key: Any, of: Any, real: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer of an earlier attempt, or ask the real part and keep what it says."""
        digest = request_key(key)
        if waiting := self._waiting.get((part, digest)):
            return shape.decode(waiting.popleft().encode(), of, what="a stored answer")
        answer = await real()
        if _worth_keeping(answer):
            self._keep(part, digest, answer)
        return answer

    async def flush(self, db: Database) -> None:
        """Store what is new.

        Raises:
            FenceLost: the run is no longer ours.
        """
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            await answers.add_many(db, fresh, self._execution.fence)

    def parts(self, real: Parts) -> Parts:
        """Return parts that answer through this ledger; memory and clock are the database's."""
        traits = (real.reasoner.context, real.reasoner.follows_up)
        levels = (real.embedder.cutoffs, real.embedder.background)
        return replace(
            real,
            reasoner=ReasonerOf(self, real.reasoner, real.reasoner.name, traits),
            embedder=EmbedderOf(self, real.embedder, real.embedder.name, levels),
            search=SearchOf(self, real.search, real.search.name),
            fetcher=FetcherOf(self, real.fetcher),
        )

    def _keep(self, part: str, digest: str, answer: Any) -> None:
        self._number += 1
        self._fresh.append(
            StoredAnswer(
                execution_id=self._execution.id,
                user_id=self._execution.user_id,
                number=self._number,
                part=part,
                key=digest,
                answer=_text(answer),
            )
        )


def _worth_keeping(answer: Any) -> bool:
    if isinstance(answer, SearchAnswer):
        return answer.outcome in ("found", "empty")
    if isinstance(answer, Page | Feed):
        return answer.outcome not in _PASSING
    return True


def _text(answer: Any) -> str:
    try:
        return shape.encode(answer).decode()
    except UnicodeEncodeError:  # a lone surrogate of some page
        return shape.encode(storable(shape.plain(answer))).decode()
