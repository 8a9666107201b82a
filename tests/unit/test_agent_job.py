"""From a saved scout to the job, and from the end of a run to what is stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.core.job import Budget, Result
from scout_cli.core.models import Execution, Location, Problem, ResultsSummary, Scout
from scout_cli.errors import FenceLost, ModelUnavailable
from scout_cli.service.clocks import SystemClock
from scout_cli.service.jobs import job_of, planned_for, wish_job
from scout_cli.service.outcome import failed, finished, problem_of
from scout_cli.service.scouts import Wish
from scout_cli.testing import FrozenClock

CLOCK = FrozenClock()
NOW = CLOCK.now()
SCOUT = Scout(
    id=CLOCK.uuid(),
    user_id=CLOCK.uuid(),
    title="Routes",
    goal="new ferry routes",
    search_queries=["ferries"],
    planned_queries=["harbour"],
    created_at=NOW,
    updated_at=NOW,
)
EXECUTION = Execution(
    id=CLOCK.uuid(),
    scout_id=SCOUT.id,
    user_id=SCOUT.user_id,
    status="running",
    started_at=NOW,
    created_at=NOW,
    lease_until=NOW,
)


def result(outcome, *problems):
    """Return a result with this outcome."""
    told = ResultsSummary(task_completed=False, task_status="insufficient_data", response="x")
    return Result(outcome=outcome, results_summary=told, problems=problems)


def test_planned_queries_belong_to_their_wish():
    """What the model added is used again until goal, queries, place or language change."""
    planned = replace(SCOUT, planned_for=planned_for(SCOUT))
    assert job_of(planned, EXECUTION.id, NOW, Budget()).planned == ("harbour",)
    assert job_of(SCOUT, EXECUTION.id, NOW, Budget()).planned is None
    for change in (
        {"goal": "trams"},
        {"search_queries": ["trams"]},
        {"language": "de"},
        {"location": Location(city="Hollen")},
    ):
        assert job_of(replace(planned, **change), EXECUTION.id, NOW, Budget()).planned is None


def test_a_first_job_is_a_baseline_and_a_later_one_looks_behind_the_last():
    """The window follows from when the scout looked last."""
    first = job_of(SCOUT, EXECUTION.id, NOW, Budget())
    assert (first.first, first.window.recency) == (True, "m")
    later = replace(SCOUT, last_run_at=NOW - timedelta(days=8))
    job = job_of(later, EXECUTION.id, NOW, Budget())
    assert not job.first
    assert job.window.since < later.last_run_at


def test_a_scout_without_a_goal_looks_for_its_title():
    """A row that the web interface made may have no goal."""
    assert job_of(replace(SCOUT, goal=None), EXECUTION.id, NOW, Budget()).goal == "Routes"


def test_a_wish_is_looked_for_at_any_time():
    """Looking once has no window and no memory."""
    job = wish_job(Wish(goal="ferries", location="Hollen, Norway"), NOW, Budget())
    assert (job.window.recency, job.window.since, job.first, job.id) == (None, None, True, None)
    assert job.location == Location(city="Hollen", country="Norway")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("new", "completed"),
        ("nothing_new", "completed"),
        ("degraded", "completed"),
        ("could_not_look", "failed"),
    ],
)
def test_how_a_run_is_stored(outcome, status):
    """Only a run that saw nothing has failed, and it says why."""
    ended = finished(EXECUTION, result(outcome, Problem(code="search_limited", message="m")), NOW)
    assert (ended.status, ended.outcome) == (status, outcome)
    assert ended.lease_until is None
    assert (ended.error_message, ended.error_class) == (
        ("m", "search_limited") if status == "failed" else (None, None)
    )


def test_a_run_that_saw_nothing_without_a_cause_still_says_so():
    """The red box of the web interface is never empty."""
    assert finished(EXECUTION, result("could_not_look"), NOW).error_message


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (ModelUnavailable("gone", hint="ollama serve"), "model_unavailable", True),
        (ModelUnavailable("no such model", retryable=False), "model_unavailable", False),
        (FenceLost("taken over"), "fence_lost", False),
        (asyncio.CancelledError(), "interrupted", True),
        (KeyboardInterrupt(), "interrupted", True),
        (ValueError("password=hunter2"), "internal", False),
    ],
)
def test_errors_as_people_read_them(error, code, retryable):
    """Known errors keep their words; unexpected ones show their kind and no content."""
    problem = problem_of(error)
    assert (problem.code, problem.retryable) == (code, retryable)
    assert "hunter2" not in problem.message
    ended = failed(EXECUTION, error, NOW)
    assert (ended.status, ended.outcome, ended.error_class) == ("failed", "failed", code)
    assert ended.results_summary.task_status == "insufficient_data"
    assert problem.message in ended.results_summary.response


def test_the_machine_s_clock():
    """Time is aware, goes on, and identifiers differ."""
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()
    assert clock.uuid() != clock.uuid()
