"""The end of what was started from a browser's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scout_cli.fetch import groups

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a home is read in /proc")


def sleeper(home: Path, *words: str) -> subprocess.Popen[bytes]:
    """Return a process of that home, in a session of its own, with `words` in its command line."""
    return subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)", *words],
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def test_a_process_that_left_its_group_is_ended_by_its_home(tmp_path):
    """Crash reporters lead sessions of their own; somebody else's process stays."""
    folder, longer = tmp_path / "scout-browser-1-a", tmp_path / "scout-browser-1-ab"
    with sleeper(folder) as ours, sleeper(longer, str(folder)) as other:
        for process in (ours, other):
            assert process.stdout is not None
            process.stdout.readline()
        groups.end(folder)
        assert ours.wait(5) == -9
        assert other.poll() is None
        other.kill()


def test_one_process_can_be_spared(tmp_path):
    """The child that ends its browser's processes goes last, by itself."""
    with sleeper(tmp_path) as first, sleeper(tmp_path) as second:
        for process in (first, second):
            assert process.stdout is not None
            process.stdout.readline()
        groups.end(tmp_path, spare=second.pid)
        assert first.wait(5) == -9
        assert second.poll() is None
        second.kill()
