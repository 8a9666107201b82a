"""The units of systemd: accepted by it, confined, and with command lines that scout takes."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.deploy.composing import ROOT

FOLDER = ROOT / "docs" / "examples" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
UNITS = sorted(FOLDER.iterdir())


def sections(path):
    """Return a unit's sections; a key that stands twice keeps the last value."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(path.read_text("utf-8"))
    return parser


def test_the_units_are_the_three_ways():
    """A server, a worker, and a timer with what it starts."""
    assert [unit.name for unit in UNITS] == [
        "scout-serve.service",
        "scout-tick.service",
        "scout-tick.timer",
        "scout-worker.service",
    ]


def test_systemd_accepts_them(tmp_path):
    """`systemd-analyze verify` finds no unknown key and nothing that is missing."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        if os.environ.get("CI"):
            pytest.fail("systemd is missing: apt install systemd")
        pytest.skip("systemd is not installed")
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/scout/bin/scout", sys.executable)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert (done.returncode, told) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_its_command_line_is_one_that_scout_takes(unit):
    """Whatever the unit starts, scout knows the command and its options."""
    program, *words = shlex.split(sections(unit)["Service"]["ExecStart"])
    assert program == "/opt/scout/bin/scout"
    done = subprocess.run(
        [sys.executable, "-m", "scout_cli", *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_it_is_confined_and_stops_in_its_own_time(unit):
    """All services have the same bounds, and longer to stop than runs have to finish."""
    service = sections(unit)["Service"]
    wanted = {
        "User": "scout",
        "StateDirectory": "scout",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateDevices": "yes",
        "CapabilityBoundingSet": "",
        "UMask": "0077",
    }
    assert {name: service[name] for name in wanted} == wanted
    assert int(service["TimeoutStopSec"]) > 30
    assert "XDG_DATA_HOME=/var/lib" in service["Environment"]
    assert service["MemoryMax"]
    assert service["TasksMax"]
    first = dict(sections(SERVICES[0])["Service"])
    own = {"ExecStart", "Type", "Restart", "RestartSec", "TimeoutStartSec"}
    shared = {name: value for name, value in service.items() if name not in own}
    assert shared == {name: value for name, value in first.items() if name not in own}


def test_the_timer_starts_its_service_every_minute():
    """It looks every minute, and is started with the machine."""
    timer = sections(FOLDER / "scout-tick.timer")
    assert timer["Timer"]["OnCalendar"] == "minutely"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert "Install" not in sections(FOLDER / "scout-tick.service")
