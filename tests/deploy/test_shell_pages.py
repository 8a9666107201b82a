"""What the pages for the shell show is run as it stands, by programs that note what they hear.

Neither a container engine nor systemd is needed: what they would be told must be something that
they understand, name what exists, and end in a command of scout that scout takes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.parse
from pathlib import Path

import click
import msgspec
import pytest
from compose_spec import PyCompose

from scout_cli import config
from scout_cli.cli import scout
from tests.deploy.composing import ROOT, project
from tests.test_docs import DOCS, fences

PAGES = ("install", "systemd", "compose")
_PROGRAMS = ("docker", "sudo", "journalctl", "systemctl", "git", "curl", "pipx", "uvx", "python3")
_PREPARES = [["sudo", name] for name in ("useradd", "python3", "/opt/scout/bin/pip", "install")]
"""What makes the user, the environment and the folders."""
_NOTES = """#!{python}
import json, os, sys
note = {{"words": [os.path.basename(sys.argv[0]), *sys.argv[1:]]}}
note["stdin"] = "" if sys.stdin.isatty() or "install" not in sys.argv else sys.stdin.read()
with open({log!r}, "a") as log:
    log.write(json.dumps(note) + "\\n")
print("first account: setup_token: abc")
"""


@pytest.fixture
def typed(tmp_path):
    """Return what runs the blocks of a page in a clone, and returns what programs were asked."""
    bin_, clone, log = tmp_path / "bin", tmp_path / "clone", tmp_path / "log"
    (clone / ".venv" / "bin").mkdir(parents=True)
    bin_.mkdir()
    for each in ROOT.iterdir():
        if each.name.startswith("docker-compose") or each.name in ("docs", "deploy"):
            (clone / each.name).symlink_to(each)
    for program in [*(bin_ / name for name in _PROGRAMS), clone / ".venv" / "bin" / "pip"]:
        program.write_text(_NOTES.format(python=sys.executable, log=str(log)))
        program.chmod(0o755)

    def run(page: str) -> list[tuple[list[str], str]]:
        for block in fences(DOCS / "how-to" / f"{page}.md", "sh"):
            done = subprocess.run(
                ["/bin/sh", "-eu"],
                input=block,
                cwd=clone,
                env={"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, block + done.stderr
        notes = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        return [(note["words"], note["stdin"]) for note in notes]

    return run


def understood(words: list[str]) -> None:
    """Fail unless scout takes these words; nothing is carried out."""
    command: click.Command = scout
    context = None
    while True:
        made = command.make_context(command.name, words, parent=context)
        if not isinstance(command, click.Group):
            return
        name, found, words = command.resolve_command(made, [*made._protected_args, *made.args])
        assert found is not None, name
        command, context = found, made


def docker() -> argparse.ArgumentParser:
    """Return as much of the command line of Docker Compose as the pages use.

    Source: https://docs.docker.com/reference/cli/docker/compose/
    """
    parser = argparse.ArgumentParser(prog="docker", exit_on_error=False, allow_abbrev=False)
    parser.add_argument("compose", choices=["compose"])
    parser.add_argument("--env-file", action="append", default=[])
    parser.add_argument("--profile", action="append", default=[])
    commands = parser.add_subparsers(dest="command", required=True)
    made = {}
    for name, services in (("up", "*"), ("down", 0), ("logs", "*"), ("exec", 1), ("cp", 0)):
        made[name] = commands.add_parser(name, allow_abbrev=False)
        if services:
            made[name].add_argument("services", nargs=services)
    flags = (("up", "detach"), ("up", "wait"), ("up", "build"), ("down", "volumes"))
    for name, flag in (*flags, ("exec", "no-TTY")):
        made[name].add_argument(f"--{flag}", action="store_true")
    made["exec"].add_argument("inner", nargs=argparse.REMAINDER)
    made["cp"].add_argument("source")
    made["cp"].add_argument("target")
    return parser


def test_docker_is_asked_what_it_understands(typed):
    """Services and profiles are those of the file; what runs in a container, scout takes."""
    asked = [words[1:] for words, _ in typed("compose") if words[0] == "docker"]
    assert len(asked) >= 10
    found = project("docker-compose.yml")["services"]
    profiles = {name for each in found.values() for name in each.get("profiles", ())}
    for words in asked:
        said = docker().parse_args(words)
        assert set(said.profile) <= profiles
        assert set(getattr(said, "services", ())) <= set(found)
        if said.command == "exec" and said.inner[0] == "scout":
            understood(said.inner[1:])
        if said.command == "cp":
            assert said.source.partition(":")[0] in found


def test_what_stands_in_the_env_file_makes_a_project():
    """Each block for `.env` names variables of the files, and files that go together."""
    blocks = fences(DOCS / "how-to" / "compose.md", "ini")
    assert len(blocks) == 2
    for block in blocks:
        given = dict(line.split("=", 1) for line in block.splitlines())
        files = given.get("COMPOSE_FILE", "docker-compose.yml").split(":")
        PyCompose.from_yaml(json.dumps(project(*files, environ=given))).validate()
        text = "".join((ROOT / file).read_text("utf-8") for file in files)
        for name in given.keys() - {"COMPOSE_FILE", "COMPOSE_PROFILES"}:
            assert f"${{{name}:-" in text, name


def test_systemd_is_asked_for_units_that_exist(typed):
    """Units are installed before they are started, and root is asked for nothing else."""
    asked = typed("systemd")
    units = {unit.name for unit in (DOCS / "examples" / "systemd").iterdir()}
    installed, started = set(), set()
    for words, stdin in asked:
        match words:
            case ["sudo", "install", "-m", "644", *files, "/etc/systemd/system/"]:
                installed |= {Path(file).name for file in files}
            case ["sudo", "systemctl", "enable", "--now", unit]:
                assert unit in installed
                started.add(unit)
            case ["sudo", "systemctl", "daemon-reload"]:
                assert installed == units
            case ["sudo", "-u", "scout", "env", _, _, "/opt/scout/bin/scout", *inner]:
                understood(inner)
            case ["journalctl", "--unit", unit, "--follow"]:
                assert f"{unit}.service" in units
            case ["sudo", "install", "-m", "600", "/dev/stdin", "/etc/scout/environment"]:
                environment(stdin)
            case _:
                assert words[:2] in _PREPARES, words
    assert {unit for unit in units if "tick.service" not in unit} == started


def environment(text: str) -> None:
    """Fail unless each line sets a setting, in a file that the units read."""
    known = {config.environment_name(info.name) for info in msgspec.structs.fields(config.Settings)}
    given = dict(line.split("=", 1) for line in text.splitlines())
    assert given
    assert given.keys() <= known
    assert urllib.parse.urlsplit(given["SCOUT_DATABASE_URL"]).scheme == "postgresql"
    unit = (DOCS / "examples" / "systemd" / "scout-serve.service").read_text("utf-8")
    assert "EnvironmentFile=-/etc/scout/environment" in unit


def test_each_way_to_install_takes_the_clone(typed):
    """Every one of them is told to install what lies here."""
    asked = [words for words, _ in typed("install")]
    assert ["pipx", "install", "."] in asked
    assert ["uvx", "--from", ".", "scout", "demo"] in asked
    assert ["pip", "install", "."] in asked
    assert ["docker", "compose", "up", "--detach", "--wait"] in asked
