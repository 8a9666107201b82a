"""What is installed and released: one version, pinned parts, and a release that checks itself."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest

import scout_cli
from tests.deploy.composing import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINS = ("requirements-dev.txt", "deploy/requirements.txt")


def normal(name):
    """Return the name of a package as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path):
    """Return the hashes of each pinned package."""
    blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / path).read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for block in blocks:
        name = normal(block.partition("==")[0])
        found.setdefault(name, []).extend(re.findall(r"--hash=sha256:[0-9a-f]{64}", block))
    return found


def needed(*extras):
    """Return the packages that pyproject.toml names."""
    asked = [*PROJECT["dependencies"]]
    for extra in extras:
        asked += PROJECT["optional-dependencies"][extra]
    return {normal(re.match(r"[\w.-]+", each)[0]) for each in asked}


def test_the_version_stands_in_one_place():
    """What is installed says the version of pyproject.toml, and no module repeats it."""
    assert scout_cli.__version__ in (PROJECT["version"], "0+uninstalled")
    quoted = f'"{PROJECT["version"]}"'
    assert [p for p in ROOT.joinpath("scout_cli").rglob("*.py") if quoted in p.read_text()] == []


@pytest.mark.parametrize("path", PINS)
def test_pins_have_hashes_and_no_addresses(path):
    """Whatever index a machine uses, it gets the same files."""
    text = (ROOT / path).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(--index|--extra-index|--find-links|-f |-i )", text, re.MULTILINE)
    assert [name for name, hashes in pinned(path).items() if not hashes] == []


def test_pins_are_complete():
    """The image has what it runs with, a developer has every extra."""
    assert needed("apprise", "distributed") <= set(pinned("deploy/requirements.txt"))
    assert needed(*PROJECT["optional-dependencies"]) <= set(pinned("requirements-dev.txt"))


@pytest.fixture
def checkout(tmp_path):
    """Return a small repository with what a release looks at, and a function that runs it."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "release", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]

    def git(*words):
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    def release(version):
        done = subprocess.run(
            ["bash", ".ci/release", version],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert not (tmp_path / "dist").exists()
        return done.stderr.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message=x")
    return tmp_path, git, release


def test_a_release_refuses_what_is_not_ready(checkout):
    """Changes, another version, no entry in the changelog, a second time: each is said."""
    folder, git, release = checkout
    assert release("1.2.4") == "release: pyproject.toml has another version"
    assert release("1.2.3") == "release: CHANGELOG.md has no '## [1.2.3] - DATE'"
    (folder / "CHANGELOG.md").write_text("## [1.2.3] - 2026-12-01\n")
    assert release("1.2.3") == "release: there are changes that are not committed"
    git("commit", "--quiet", "--all", "--message=y")
    git("tag", "v1.2.3")
    assert release("1.2.3") == "release: v1.2.3 was released before"
