"""The documentation cannot lie: what it names exists, what exists is named, what it shows runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
import pytest

from scout_cli import config
from scout_cli.cli import COMMANDS, scout, spec
from scout_cli.core import models
from scout_cli.service.declared import DeclaredScout
from tests.cli.stage import add, call, command

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

import picture

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
EXAMPLES = sorted((DOCS / "examples").glob("*.py"))

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TYPED = re.compile(r"^\s*\$ (.*)$", re.MULTILINE)


def name_of(path: Path) -> str:
    """Return how a page is called in test ids."""
    return str(path.relative_to(ROOT))


def fences(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [body for _, found, body in _FENCE.findall(path.read_text("utf-8")) if found == language]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = _HEADING.findall(path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def typed(path: Path) -> list[list[str]]:
    """Return the `scout` command lines that a page asks its reader to type, as words."""
    found = []
    for block in fences(path, "console"):
        for line in _TYPED.findall(block.replace("\\\n", " ")):
            for words in pipeline(line):
                names = [Path(word).name for word in words]
                if "scout" in names[:2]:
                    found.append(words[names.index("scout") + 1 :])
    return found


def pipeline(line: str) -> list[list[str]]:
    """Return the commands of a line that are joined by `|`, `;` or `&&`, as words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";&|"):
            found.append([])
        else:
            found[-1].append(word)
    return found


def test_generated_pages_are_fresh():
    """`docs/generate.py` would write exactly what is there."""
    script = [sys.executable, DOCS / "generate.py", "--check"]
    checked = subprocess.run(script, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def names_of(command: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the commands below a described one."""
    for each in command.get("commands", ()):
        yield each["name"]
        yield from names_of(each)


@pytest.mark.parametrize("command", list(names_of(spec.document(scout))))
def test_every_command_is_documented(command):
    """Each command, and each command of a command, has its section in the reference."""
    assert f"## `{command}`" in (DOCS / "reference" / "commands.md").read_text("utf-8")


@pytest.mark.parametrize("field", [info.name for info in msgspec.structs.fields(DeclaredScout)])
def test_every_field_of_a_scout_is_documented(field):
    """Each key of a `[[scout]]` table has its section in the reference."""
    assert f"## `{field}`" in (DOCS / "reference" / "scouts-toml.md").read_text("utf-8")


@pytest.mark.parametrize("setting", [info.name for info in msgspec.structs.fields(config.Settings)])
def test_every_setting_is_documented(setting):
    """Each setting has its section and its environment twin in the reference."""
    page = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert f"## `{setting}`" in page
    assert f"`{config.environment_name(setting)}`" in page


@pytest.mark.parametrize(
    "words",
    [models.Outcome, models.TaskStatus, models.PageOutcome, models.Novelty, models.AnsweredBy],
)
def test_every_outcome_is_explained(words):
    """No run, page or fact can end in a word that the reference does not explain."""
    page = (DOCS / "reference" / "outcomes.md").read_text("utf-8")
    assert [word for word in get_args(words) if f"| `{word}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page):
    """A link inside the repository leads to a file, and to a heading when it names one."""
    broken = []
    for link in _LINK.findall(page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_found():
    """Each page of the documentation is linked from its index."""
    index = (DOCS / "README.md").read_text("utf-8")
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in _LINK.findall(index)}
    lost = [name_of(page) for page in DOCS.rglob("*.md") if page.resolve() not in linked]
    assert lost == ["docs/README.md"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_examples_exist(page):
    """Whoever types what a page shows meets no unknown command and no unknown option."""
    for words in typed(page):
        name = next((word for word in words if not word.startswith("-")), None)
        if name is None or " " in name:
            continue
        assert name in COMMANDS, words
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert flags <= {"--help", *options_of(words)}, words


def options_of(words: list[str]) -> Iterator[str]:
    """Yield the options of the command that `words` name, and of those above it."""
    command: click.Command = scout
    for word in [*words, ""]:
        yield from (flag for p in command.params for flag in (*p.opts, *p.secondary_opts))
        if not isinstance(command, click.Group):
            return
        command = command.get_command(click.Context(command), word) or command


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configuration_in_examples_is_accepted(page, tmp_path):
    """Each TOML block with settings is a scouts.toml that scout takes."""
    for number, block in enumerate(fences(page, "toml")):
        if "settings" not in tomllib.loads(block):
            continue
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        file.chmod(0o600)
        assert config.load(config_path=file, environ={}).path == file


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_pages_is_python(page):
    """Each Python block compiles."""
    for block in fences(page, "python"):
        compile(block, name_of(page), "exec")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_examples_run(example):
    """Each example file runs as it stands, is short, and prints something."""
    ran = subprocess.run(
        [sys.executable, example],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
    assert len(example.read_text("utf-8").splitlines()) <= 40


def test_the_example_shows_a_quote_that_stands_in_its_page():
    """The example of the agent reports the dated sentence, with a link to its page."""
    text = (DOCS / "examples" / "agent_without_database.py").read_text("utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True
    )
    quote = ran.stdout.partition("fact: ")[2].partition("\n")[0]
    assert "14 May 2026" in quote
    assert quote in text
    assert "https://observatory.example/comet" in ran.stdout


def test_the_code_map_names_what_exists():
    """Every path in the architecture page is a file or folder of this repository."""
    text = (DOCS / "explanation" / "architecture.md").read_text("utf-8")
    paths = re.findall(r"`((?:scout_cli|core|tests)/[\w./*-]+)`", text)
    assert len(paths) > 15
    for path in paths:
        full = path if not path.startswith("core/") else f"scout_cli/{path}"
        assert list(ROOT.glob(full.rstrip("/"))), path


def test_the_example_configuration_is_accepted_and_complete(tmp_path):
    """`scouts.toml.example` can be used as it is, and names every setting that is no secret."""
    text = (ROOT / "scouts.toml.example").read_text("utf-8")
    copy = tmp_path / "scouts.toml"
    copy.write_text(text, encoding="utf-8")
    copy.chmod(0o600)
    assert config.load(config_path=copy, environ={}).path == copy
    settings = [info.name for info in msgspec.structs.fields(config.Settings)]
    assert [name for name in settings if name not in text and name != "ollama_api_key"] == []


def test_the_picture_and_the_closing_words_are_what_the_demo_prints():
    """The README shows a run as it was: the picture up to the closing words, the text those."""
    printed = picture.printed()
    fresh = picture.words(picture.draw(printed))
    assert picture.words(picture.FILE.read_text("utf-8")) == fresh
    assert "@font-face" not in picture.FILE.read_text("utf-8"), "it loads nothing from elsewhere"
    closing = printed[printed.index(picture.CLOSING) :]
    assert closing in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_shows_what_a_newcomer_sees():
    """What `scout` alone says on a new machine stands in the README word for word."""
    assert call().out in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_the_pipes_for_scripts_print_something(tmp_path):
    """Each line with jq in the how-to runs as it stands and finds what it looks for."""
    add("--title", "ferry")
    assert call("run", "ferry").code == 0
    scout_in_path = tmp_path / "scout"
    scout_in_path.write_text(f'#!/bin/sh\nexec {shlex.join(command())} "$@"\n')
    scout_in_path.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    text = (DOCS / "how-to" / "scripts.md").read_text("utf-8")
    lines = [line for line in _TYPED.findall(text) if "jq" in line]
    assert len(lines) >= 5
    for line in lines:
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == "" or ran.returncode == 0, line + ran.stderr
        if "could_not_look" not in line and "novelty" not in line:
            assert ran.stdout.strip(), line
