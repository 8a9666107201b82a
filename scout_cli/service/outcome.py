"""How a run ended, as it is stored."""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec.structs import replace

from scout_cli.core.job import ReportedFact, Result
from scout_cli.core.models import Execution, Finding, Problem
from scout_cli.core.report import summary
from scout_cli.errors import ScoutError


def finished(execution: Execution, result: Result, now: datetime) -> Execution:
    """Return the execution as its result leaves it; a run that could not look has failed."""
    blind = result.outcome == "could_not_look"
    told = result.problems[0] if blind and result.problems else None
    return replace(
        execution,
        status="failed" if blind else "completed",
        state="failed" if blind else "completed",
        completed_at=now,
        error_message=told.message if told else ("nothing could be read" if blind else None),
        error_class=told.code if told else None,
        results_summary=result.results_summary,
        summary_text=result.summary or None,
        outcome=result.outcome,
        usage=result.usage,
        counts=result.counts,
        problems=list(result.problems),
        lease_until=None,
        lease_owner=None,
    )


def failed(execution: Execution, error: BaseException, now: datetime) -> Execution:
    """Return the execution as an error leaves it."""
    problem = problem_of(error)
    return replace(
        execution,
        status="failed",
        state="failed",
        completed_at=now,
        error_message=problem.message,
        error_class=problem.code,
        results_summary=summary("failed", "", [problem], partial=False),
        outcome="failed",
        problems=[problem],
        lease_until=None,
        lease_owner=None,
    )


def problem_of(error: BaseException) -> Problem:
    """Return an error as people and programs read it; unexpected ones tell only their kind."""
    if isinstance(error, ScoutError):
        retryable = bool(getattr(error, "retryable", False))
        return Problem(code=error.code, message=error.message, hint=error.hint, retryable=retryable)
    if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
        return Problem(code="interrupted", message="interrupted")
    return Problem(code="internal", message=f"unexpected {type(error).__name__}", retryable=False)


def finding(fact: ReportedFact, execution: Execution, now: datetime) -> Finding:
    """Return a reported fact as it is stored."""
    return Finding(
        id=fact.id,
        user_id=execution.user_id,
        scout_id=execution.scout_id,
        execution_id=execution.id,
        source=fact.source,
        fact=fact.fact,
        quote=fact.quote,
        url=fact.url,
        canonical_url=fact.canonical_url,
        host=fact.host,
        title=fact.title,
        published_at=fact.published_at,
        published_from=fact.published_from,
        novelty=fact.novelty,
        same_as=fact.same_as,
        similarity=fact.similarity,
        reason=fact.reason,
        stated_date=fact.stated_date,
        answered_by=fact.answered_by,
        story_id=fact.story_id or fact.id,
        changed=fact.changed,
        path=fact.path,
        created_at=now,
    )
