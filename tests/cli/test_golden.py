"""What `--json` prints, to the letter: `python -m tests.cli.test_golden` writes the files anew."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from tests.cli import planted

GOLDEN = Path(__file__).parent / "golden"
COMMANDS = {
    "list": ["list"],
    "show": ["show", "hollen ferry"],
    "history": ["history"],
    "findings": ["findings", "--status", "all"],
    "edit": ["edit", "1111", "--every", "weekly", "--no-notify", "tgram://***", "--clear", "url"],
    "pause": ["pause", "1111", "Night buses"],
    "resume": ["resume", "1111"],
    "rm": ["rm", "1111", "Night buses", "--yes"],
}


def printed(words: list[str]) -> str:
    """Return what a command prints as JSON on the planted database, laid out to be read."""
    planted.plant(is_active=words[0] != "resume", consecutive_failures=3)
    said = planted.call(*words, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    return json.dumps(json.loads(said.out), indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_what_it_was(name):
    """Scripts rely on every name and value; a change here is made on purpose."""
    assert printed(COMMANDS[name]) == (GOLDEN / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_is_printed(name):
    """A channel's secret stays in the database, whatever is shown of its scout."""
    assert "canary-77" not in printed(COMMANDS[name])


def main() -> None:
    """Write every file anew."""
    GOLDEN.mkdir(exist_ok=True)
    for name, words in COMMANDS.items():
        with tempfile.TemporaryDirectory() as home:
            os.environ |= {"HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
            (GOLDEN / f"{name}.json").write_text(printed(words), "utf-8")


if __name__ == "__main__":
    main()
