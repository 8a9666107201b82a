"""`scout cancel`: runs end by their own name or their scout's, whoever works on them."""

from __future__ import annotations

import json

import pytest

from scout_cli.core.models import Execution
from scout_cli.store import executions, queue
from tests.cli.planted import FERRY, QUIET, call, inside, plant, start
from tests.contract.rows import AT


def live() -> Execution | None:
    """Return the run that the scout has now."""
    return inside(lambda db: queue.running_of(db, FERRY))


@pytest.mark.parametrize("state", ["running", "queued"])
@pytest.mark.parametrize("by", ["scout", "title", "run"])
def test_a_run_ends_whatever_names_it(state, by):
    """Waiting or working, by the scout's id or title or its own id; the log says who did it."""
    start(plant(), state=state, run_after=AT)
    run = live()
    assert run is not None
    said = call("cancel", {"scout": "1111", "title": "hollen", "run": str(run.id)[:8]}[by])
    assert (said.code, said.out) == (0, "")
    assert said.err == f"Ended run {str(run.id)[:8]} of Hollen ferry.\n"
    assert live() is None
    ended = inside(lambda db: executions.get(db, run.id))
    assert ended is not None
    assert (ended.state, ended.status, ended.fence) == ("cancelled", "failed", run.fence + 1)
    (line,) = json.loads(call("audit", "--action", "run.cancel", "--json").out)["lines"]
    assert (line["actor"], line["target"]) == ("command line", str(run.id))


def test_a_scout_without_a_run_is_said_and_stays():
    """That is no mistake: there is nothing to end."""
    plant()
    said = call("cancel", "hollen", "--json")
    assert (said.code, json.loads(said.out)) == (0, {"cancelled": []})
    assert said.err == "Hollen ferry does not run, and does not wait to.\n"


def test_a_run_that_has_ended_is_refused_and_the_others_end():
    """Who names a run by its id hears that it is over; the next one is ended all the same."""
    start(plant())
    said = call("cancel", str(QUIET)[:8], "1111", "--json")
    assert said.code == 1
    assert "has ended: completed" in said.err
    assert len(json.loads(said.out)["cancelled"]) == 1
    assert live() is None


def test_a_name_that_is_unknown_ends_nothing():
    """All names are looked up first."""
    start(plant())
    assert call("cancel", "1111", "nobody").code == 3
    assert live() is not None
