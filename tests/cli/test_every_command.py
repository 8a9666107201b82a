"""What holds for every command, those to come among them: each joins by standing in the table.

The example in a command's help is run as it stands, but for the id of the scout in it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scout_cli.cli import scout, spec
from tests.cli.stage import GOAL, call

ROOT = Path(__file__).parents[2]
ENDLESS = {"scout worker", "scout serve"}
"""Commands that run until they are stopped: their examples are not run here."""
PRINTS = {"scout tick": ["tick"]}
"""Commands whose example prints no data, and what does."""

_ID = "1a2b3c4d"
_FINDING = "9f8e7d6c"
_ERROR = re.compile(r"scout: error: \S.*\n  \S.*\n")
_TOML = """[settings]
llm_url = "builtin://"
embed_url = "builtin://"

[[scout]]
key = "ferry"
goal = "When does the ferry run again?"
"""


_OPML = """<opml version="2.0"><body>
<outline type="rss" text="Port news" xmlUrl="https://port.example/feed.xml"/>
</body></opml>
"""


def every(command: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the described commands that do something themselves."""
    if "commands" not in command:
        yield command
    for inner in command.get("commands", ()):
        yield from every(inner)


COMMANDS = {each["name"]: each for each in every(spec.document(scout))}
ALL = pytest.mark.parametrize("name", COMMANDS)
RUNNABLE = pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ENDLESS])
PRINTING = pytest.mark.parametrize(
    "name",
    [
        name
        for name, each in COMMANDS.items()
        if name not in ENDLESS and any("--json" in option["flags"] for option in each["options"])
    ],
)


class Home:
    """A folder with a configuration and a database with two scouts, one of them due."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, words: list[str], shell: str = "", env: dict[str, str] | None = None) -> Any:
        """Run a command line; `shell` is what a shell is to do with its streams."""
        line = shlex.join([sys.executable, "-m", "tests.cli.stage", *words])
        return subprocess.run(
            ["/bin/sh", "-c", f"exec {line} {shell}"],
            cwd=self.folder,
            env={**self.least(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def least(self) -> dict[str, str]:
        """Return no environment but for where the code and the database are."""
        url = f"sqlite:///{self.folder}/scout.db"
        return {"PYTHONPATH": str(ROOT), "SCOUT_DATABASE_URL": url}

    @property
    def id(self) -> str:
        """Return how the scout is named on a command line."""
        return (self.folder / "id").read_text("utf-8")

    @property
    def finding(self) -> str:
        """Return how one of its findings is named."""
        return (self.folder / "finding").read_text("utf-8")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """Make the home that every test gets a copy of."""
    folder: Path = tmp_path_factory.mktemp("template")
    (folder / "scouts.toml").write_text(_TOML, encoding="utf-8")
    (folder / "subscriptions.opml").write_text(_OPML, encoding="utf-8")
    (folder / "id").write_text("", encoding="utf-8")
    (folder / "finding").write_text("", encoding="utf-8")
    home = Home(folder)
    added = home.call(["add", GOAL, "--title", "Ferry", "--tz", "UTC", "--run", "--json"])
    assert added.returncode == 0, added.stderr
    found = json.loads(added.stdout.splitlines()[0])["scout"]["id"]
    (folder / "id").write_text(found[:8], encoding="utf-8")
    findings = json.loads(home.call(["findings", "--json"]).stdout)["findings"]
    (folder / "finding").write_text(findings[0]["id"][:8], encoding="utf-8")
    due = home.call(["add", "Buses to the harbour of Saltmere", "--title", "Buses", "--tz", "UTC"])
    assert due.returncode == 0, due.stderr
    for email in ("ann@example.org", "bob@example.org"):
        assert home.call(["user", "add", email, "--generate"]).returncode == 0
    assert home.call(["token", "create", "--name", "dashboard"]).returncode == 0
    assert home.call(["backup", "scout.tar.gz"]).returncode == 0
    return folder


@pytest.fixture
def home(template, tmp_path) -> Home:
    """Give a home that the test may change."""
    return Home(Path(shutil.copytree(template, tmp_path / "home")))


def example(name: str, home: Home, *, as_json: bool = False) -> list[str]:
    """Return the first example of a command as words after `scout`, for the scout at hand.

    With `as_json` it prints and writes no file.
    """
    if as_json and name in PRINTS:
        return PRINTS[name]
    rows = [row for row in COMMANDS[name]["examples"] if row.startswith("scout ")]
    text = rows[0] if rows else name
    words = shlex.split(re.split(r" [|<] ", re.sub(r"--database \S+ ", "", text))[0])
    if "-o" in words:
        at = words.index("-o")
        (home.folder / words[at + 1]).unlink(missing_ok=True)
        del words[at : at + (2 if as_json else 0)]
    return [word.replace(_ID, home.id).replace(_FINDING, home.finding) for word in words[1:]]


@RUNNABLE
def test_its_example_works_with_nothing_around_it(name, home):
    """Without a standard input, without an environment: exit 0, and no escape in what it says."""
    said = home.call(example(name, home), "<&-")
    assert said.returncode == 0, said.stderr
    assert "\x1b" not in said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    assert "rror" not in said.stderr


@PRINTING
def test_its_json_is_json(name, home):
    """`--json` after the example prints objects, one a line, and nothing else on stdout."""
    said = home.call([*example(name, home, as_json=True), "--json"])
    assert said.returncode == 0, said.stderr
    rows = said.stdout.splitlines()
    assert rows
    assert all(isinstance(json.loads(row), dict) for row in rows)
    assert "\x1b" not in said.stdout


@ALL
def test_its_help_needs_nothing(name, home):
    """Help comes without environment, input, database or colour."""
    said = home.call([*name.split()[1:], "--help"], "<&-", env={"SCOUT_DATABASE_URL": "x://"})
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith(f"Usage: {name}")
    assert "\x1b" not in said.stdout


@ALL
def test_a_wrong_option_is_two_lines(name):
    """What happened and what to type; exit 2, nothing on stdout."""
    said = call(*name.split()[1:], "--no-such-option")
    assert (said.code, said.out) == (2, "")
    assert _ERROR.fullmatch(said.err), said.err


@PRINTING
def test_an_error_is_json_on_demand(name):
    """With `--json` an error is one object with code, message and hint."""
    said = call(*name.split()[1:], "--json", "--no-such-option")
    assert (said.code, said.out) == (2, "")
    error = json.loads(said.err)["error"]
    assert (error["code"], sorted(error)) == ("usage", ["code", "hint", "message"])
    assert error["message"]
    assert error["hint"]


@RUNNABLE
def test_a_database_that_is_none_ends_it_well(name, home):
    """A command that needs the database says so in two lines, exit 4; others do not notice."""
    (home.folder / "scout.db").unlink()
    (home.folder / "scout.db").write_text("this is no database, and it is long enough to tell")
    said = home.call(example(name, home))
    assert said.returncode in (0, 4), said.stderr
    if said.returncode == 4 and name != "scout doctor":
        assert _ERROR.fullmatch(said.stderr), said.stderr
        assert "not an SQLite database" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    "name", [n for n, c in COMMANDS.items() if any(a["type"] == "scout" for a in c["arguments"])]
)
def test_a_scout_that_is_not_there_is_exit_3(name, home):
    """Every command that takes a SCOUT ends with 3, two lines, and offers the nearest."""
    words = [w if w != home.id else "Fery" for w in example(name, home)]
    if "Fery" not in words:
        words = [*name.split()[1:], "Fery"]
    said = home.call(words)
    assert (said.returncode, said.stdout) == (3, "")
    assert _ERROR.fullmatch(said.stderr), said.stderr
    assert "'Ferry'" in said.stderr


@pytest.mark.parametrize("words", [[], ["--spec"], ["--version"], ["--help"]])
def test_scout_itself_works_with_nothing_around_it(words, home):
    """`scout` alone and its own options are held to the same."""
    said = home.call(words, "<&-")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout
    assert "\x1b" not in said.stdout


def test_the_table_reaches_this_file():
    """The commands of the table are all here, so that none escapes."""
    assert {name.split()[1] for name in COMMANDS} == set(scout.list_commands(None))
    assert set(COMMANDS) - ENDLESS
