"""The Compose files: valid, private, without a default password, and what they say can be run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from tests.deploy.composing import FILE, ROOT, VARIANTS, active, filled, project

ONCE = {"first-start", "init-db", "models"}
OURS = {"scout", "first-start", "init-db"}
ALL = ("searxng", "frontend")
variants = pytest.mark.parametrize("files", VARIANTS.values(), ids=VARIANTS)


def dockerfile(path="Dockerfile"):
    """Return the instructions of a Dockerfile, one a line."""
    text = (ROOT / path).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@variants
@pytest.mark.parametrize("environ", [{}, {"SCOUT_PORT": "8080", "SCOUT_MODEL": "qwen3:8b"}])
def test_the_files_are_what_the_compose_specification_says(files, environ):
    """Each combination, filled in and merged, has known keys, and all that it names exists."""
    text = yaml.safe_dump(project(*files, environ=environ))
    PyCompose.from_yaml(text).validate()


def test_a_key_that_compose_does_not_know_is_found():
    """The check above can fail."""
    broken = project(FILE)
    broken["services"]["scout"]["depends_on"]["init-db"]["condition"] = "service_ok"
    with pytest.raises(ValueError, match="service_ok"):
        PyCompose.from_yaml(yaml.safe_dump(broken))


def test_a_person_can_read_it_in_two_minutes():
    """No more than 200 lines, none of them wide."""
    lines = (ROOT / FILE).read_text("utf-8").splitlines()
    assert len(lines) <= 200
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", ["Dockerfile", "deploy/frontend/Dockerfile"])
def test_the_linter_of_dockerfiles_finds_nothing(path):
    """The linter agrees, but for what the file itself gives a reason for."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", ROOT / path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@variants
def test_every_service_is_confined(files):
    """Read-only, without powers, with bounds on processes and, where it stays, on memory."""
    for name, service in project(*files)["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert 0 < service["pids_limit"] <= 512, name
        assert not service.get("privileged"), name
        assert "cap_add" not in service, name
        if name not in ONCE:
            assert service["mem_limit"], name
        mounted = [each.partition(":")[0] for each in service.get("tmpfs", ())]
        assert len(mounted) == len(set(mounted)), name
        for volume in service.get("volumes", ()):
            assert not volume.startswith(("/", ".")), f"{name} sees a folder of the host"


@variants
def test_nothing_is_published_beyond_this_machine(files):
    """Each port is published on loopback, and by one service alone."""
    published = {
        name: ports
        for name, service in project(*files)["services"].items()
        if (ports := service.get("ports"))
    }
    assert list(published) == ["scout"]
    for port in published["scout"]:
        outside, inside = re.fullmatch(r"127\.0\.0\.1:(\d+):(\d+)", port).groups()
        assert outside == inside, "one URL serves the browser and the interface's server"


@variants
def test_one_variable_moves_the_port_everywhere(files):
    """Where it listens, where it is asked for its health, and what is published agree."""
    scout = project(*files, environ={"SCOUT_PORT": "8123"})["services"]["scout"]
    assert "8123" in scout["command"]
    assert "127.0.0.1:8123:8123" in scout["ports"]
    assert ":8123/healthz" in scout["healthcheck"]["test"][-1]
    assert "54321" not in yaml.safe_dump(scout)


@variants
def test_no_password_stands_in_the_files(files):
    """Every secret is a file in a volume: none is a value, and none has a default."""
    for name, service in project(*files)["services"].items():
        given = {**service.get("environment", {}), **service.get("build", {}).get("args", {})}
        for variable, value in given.items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", variable):
                assert value == "" or value.startswith("/secrets/"), f"{name}: {variable}"
            assert not re.search(r"://[^/@\s]*:[^/@\s]*@", value), f"{name}: {variable}"


@variants
def test_what_a_service_waits_for_can_come(files):
    """A service that must be healthy can tell so, one that must end does, and both are started."""
    found = project(*files)
    for profiles in ((), ALL):
        running = active(found, *profiles)
        for name, service in running.items():
            for other, how in service.get("depends_on", {}).items():
                if other not in running:
                    assert how.get("required", True) is False, f"{name} waits for {other}"
                    continue
                if how["condition"] == "service_healthy":
                    assert "healthcheck" in running[other], other
                else:
                    assert other in ONCE
                    assert running[other].get("restart", "no") != "unless-stopped"


def test_postgresql_is_reached_by_scout_alone():
    """Its network has no way out, and only those who need the database are in it."""
    found = project(FILE)
    assert found["networks"]["inside"]["internal"]
    assert found["services"]["postgres"]["networks"] == ["inside"]
    near = {
        name for name, each in found["services"].items() if "inside" in each.get("networks", ())
    }
    assert near == {"postgres", "scout", "init-db"}


def test_sqlite_needs_no_postgresql():
    """With the override neither the server nor its URL is left."""
    running = active(project(*VARIANTS["sqlite"]), *ALL)
    assert "postgres" not in running
    for name in ("scout", "init-db"):
        url = running[name]["environment"]["SCOUT_DATABASE_URL"]
        assert url == "sqlite:////var/lib/scout/scout.db"
    assert "data:/var/lib/scout" in running["scout"]["volumes"]


def test_only_the_browser_override_has_a_browser():
    """The usual image has none; the other has a filter of system calls that is there."""
    assert project(FILE)["services"]["scout"]["build"]["target"] == "scout"
    scout = project(*VARIANTS["browser"])["services"]["scout"]
    assert scout["build"] == {"context": ".", "target": "scout-browser"}
    (profile,) = [each for each in scout["security_opt"] if each.startswith("seccomp:")]
    assert (ROOT / profile.removeprefix("seccomp:")).is_file()
    stages = "\n".join(dockerfile()).split("\nFROM ")
    assert [stage.split()[2] for stage in stages[1:] if "chromium" in stage] == ["scout-browser"]


def test_images_are_pinned_and_profiles_are_asked_for():
    """No image of others moves by itself, and what is optional is not started unasked."""
    found = project(FILE)
    for name, service in found["services"].items():
        assert "latest" not in service["image"], name
        if name not in OURS | {"frontend"}:
            assert re.search(r":[\w.-]*\d", service["image"]), name
    assert set(found["services"]) - set(active(found)) == {"searxng", "frontend"}
    assert found["services"]["frontend"]["network_mode"] == "service:scout"


def test_the_models_are_fetched_once(tmp_path):
    """What is there is not fetched again; what is missing is, whatever their names."""
    models = project(FILE, environ={"SCOUT_MODEL": "qwen3:8b"})["services"]["models"]
    (tmp_path / "ollama").write_text(
        '#!/bin/sh\necho "$@" >>"$ASKED"\n[ "$1" != show ] || [ "$2" = qwen3:8b ]\n'
    )
    (tmp_path / "ollama").chmod(0o755)
    asked = tmp_path / "asked"
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ASKED": str(asked), **models["environment"]}
    subprocess.run(models["entrypoint"], env=env, check=True)
    assert asked.read_text().splitlines() == [
        "show qwen3:8b",
        "show nomic-embed-text",
        "pull nomic-embed-text",
    ]


def test_the_image_is_made_of_what_the_build_is_given():
    """Each COPY from here names a file that .dockerignore lets through; the user is a number."""
    allowed = (ROOT / ".dockerignore").read_text("utf-8")
    for line in dockerfile():
        words = [word for word in line.split() if not word.startswith("--chmod")]
        if words[0] == "COPY" and not words[1].startswith("--from"):
            for source in words[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"\n!{source}" in allowed, source
        if words[0] == "USER":
            assert re.fullmatch(r"0|\d+:\d+", words[1])
    users = [line.split()[1] for line in dockerfile() if line.startswith("USER")]
    assert users[-1] == "10001:10001"


def test_every_package_of_the_image_has_hashes_and_fits():
    """What pip installs is pinned with hashes, holds no address, and has all that scout needs."""
    text = (ROOT / "deploy" / "requirements.txt").read_text("utf-8")
    assert "://" not in text.replace("https://github.com/pypa/pip/issues", "")
    assert "--index-url" not in text
    pinned = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(pinned) == len(blocks)
    assert [block.partition(" ")[0] for block in blocks if "--hash=sha256:" not in block] == []
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in pinned}
    project_file = (ROOT / "pyproject.toml").read_text("utf-8")
    needed = re.findall(r'^    "([\w.-]+)', project_file.partition("optional-dep")[0].partition(
        "dependencies = [")[2], re.MULTILINE)  # fmt: skip
    assert len(needed) > 20
    missing = {re.sub(r"[-_.]+", "-", name).lower() for name in needed} - names
    assert missing == set()


def test_variables_are_put_in_as_compose_does():
    """The reader of these tests knows defaults within defaults, and doubled dollars."""
    text = "${A:-x${B:-y}} $C $$D"
    assert filled(text, {}) == "xy  $D"
    assert filled(text, {"B": "z", "C": "c"}) == "xz c $D"
    assert filled(text, {"A": "a"}) == "a  $D"
