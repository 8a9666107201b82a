"""`scout pause` and `scout resume`: several at once, all or none."""

from __future__ import annotations

import json

import pytest

from tests.cli.planted import BUSES, FERRY, call, plant, start, stored
from tests.contract.rows import AT


def test_paused_scouts_rest_and_resumed_ones_run():
    """By id, beginning and title at once; a scout that is named twice counts once."""
    plant()
    said = call("pause", str(FERRY), "1111", "NIGHT BUSES")
    assert said.code == 0
    assert [row.split()[0] for row in said.out.splitlines()[1:]] == ["11111111", "22220000"]
    assert (stored(FERRY).is_active, stored(BUSES).is_active) == (False, False)
    assert "paused" in call("list").out
    said = call("resume", "1111", "night")
    assert [row.split()[3] for row in said.out.splitlines()[1:]] == ["active", "active"]
    assert (stored(FERRY).is_active, stored(BUSES).is_active) == (True, True)


def test_resuming_forgets_failures_and_sets_the_next_run():
    """What paused a scout is gone, and it runs again."""
    plant(
        is_active=False,
        consecutive_failures=3,
        paused_reason="three runs failed: HTTP 403",
        next_run_at=None,
    )
    shown = call("show", "1111")
    assert "paused three runs failed: HTTP 403" in " ".join(shown.out.split())
    assert "scout resume 11111111" in shown.err
    call("resume", "1111")
    after = stored()
    assert (after.is_active, after.consecutive_failures, after.paused_reason) == (True, 0, None)
    assert after.next_run_at is not None
    assert after.next_run_at <= AT  # the slots it slept through are one run, now
    assert "paused" not in call("show", "1111").out


def test_what_is_so_already_is_said_and_stays():
    """Pausing a paused scout is no mistake and changes nothing."""
    before = plant()
    said = call("resume", "1111")
    assert (said.code, said.err) == (0, "Hollen ferry was active already.\n")
    assert stored() == before
    call("pause", "1111")
    paused = stored()
    said = call("pause", "1111")
    assert (said.code, said.err) == (0, "Hollen ferry was paused already.\n")
    assert stored() == paused


def test_a_scout_that_runs_can_be_paused():
    """Its run goes on to its end."""
    start(plant())
    assert call("pause", "1111").code == 0
    assert stored().is_active is False


@pytest.mark.parametrize("command", ["pause", "resume", "rm"])
@pytest.mark.parametrize(
    ("names", "code"), [(["1111", "nobody"], 3), (["1111", ""], 3), ([], 2), (["--", "-rf"], 3)]
)
def test_one_that_is_unknown_stops_them_all(command, names, code):
    """Nothing is done for the others either."""
    before = plant(is_active=command != "resume")
    said = call(command, *(["--yes"] if command == "rm" else []), *names)
    assert (said.code, said.out) == (code, "")
    assert len(said.err.splitlines()) == 2
    assert stored() == before
    assert len(json.loads(call("list", "--json").out)["scouts"]) == 2


def test_a_name_that_fits_several_is_refused():
    """The ids are in the error."""
    plant(title="Night ferries")
    said = call("pause", "night")
    assert said.code == 2
    assert "11111111 Night ferries, 22220000 Night buses" in said.err
    assert "use the id" in said.err
