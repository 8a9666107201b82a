"""What the Compose file starts, started on this machine: commands, environment, health checks."""

import json
import re
import shutil
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.databases import postgres
from tests.deploy import password_server
from tests.deploy.composing import ROOT, VARIANTS, project

__all__ = ["postgres"]

PASSWORD = "seven-green-otters"
MINE = {"email": "me@example.org", "password": PASSWORD}


class Box:
    """The folders of a container, and what stands in its image."""

    def __init__(self, folder: Path, files: tuple[str, ...]) -> None:
        self.port = password_server.free_port()
        given = {"SCOUT_PORT": str(self.port), "SCOUT_LLM_URL": "builtin://"}
        given["SCOUT_EMBED_URL"] = "builtin://"
        self.services = project(*files, environ=given)["services"]
        self.home = folder / "var"
        self.secrets = folder / "secrets"
        (self.home / "scout").mkdir(parents=True, mode=0o700)
        self.secrets.mkdir()
        self.replaced = {
            "/var/lib/": f"{self.home}/",
            "/secrets/": f"{self.secrets}/",
        }

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of the image and of a service, with the folders of this box."""
        found = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "XDG_DATA_HOME": "/var/lib/",
            "XDG_CONFIG_HOME": str(self.home / "etc"),
            "HOME": str(self.home),
            **self.services[service].get("environment", {}),
        }
        for inside, outside in self.replaced.items():
            found = {name: value.replace(inside, outside) for name, value in found.items()}
        return {**found, "SECRETS": str(self.secrets), "PYTHONWARNINGS": "ignore"}

    def first_start(self) -> None:
        """Do what the one-shot service does."""
        assert self.services["first-start"]["entrypoint"] == ["first-start"]
        script = ROOT / "deploy" / "first-start"
        subprocess.run(["/bin/sh", script], env=self.environment("first-start"), check=True)

    def init_db(self) -> subprocess.CompletedProcess[str]:
        """Run the service that makes the tables."""
        words = [*scout(), *self.services["init-db"]["command"]]
        return subprocess.run(
            words, env=self.environment("init-db"), capture_output=True, text=True, check=False
        )

    @contextmanager
    def up(self):
        """Run the service `scout` until the block ends; yield what it said."""
        words = [*scout(), *self.services["scout"]["command"]]
        process = subprocess.Popen(
            words, env=self.environment("scout"), stderr=subprocess.PIPE, text=True
        )
        try:
            said = []
            while not said or not said[-1].startswith("  API "):
                line = process.stderr.readline()
                assert line, said
                said.append(line)
            yield process, said
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=40)
            assert (process.returncode, "Traceback" in err) == (0, False), err
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def healthy(self) -> bool:
        """Ask the health check of the service."""
        kind, program, *words = self.services["scout"]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "python3")
        done = subprocess.run([sys.executable, *words], capture_output=True, check=False)
        return done.returncode == 0

    def ask(self, path, body=None, token=""):
        """Return status and JSON of one request."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers=headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")


def scout() -> list[str]:
    """Return the entry point of the image."""
    assert 'ENTRYPOINT ["scout"]' in (ROOT / "Dockerfile").read_text("utf-8")
    return [sys.executable, "-m", "scout_cli"]


def held(box: Box) -> dict[str, tuple[int, str]]:
    """Return mode and text of each secret file."""
    files = [box.home / "scout" / "keys.toml", *sorted(box.secrets.iterdir())]
    return {
        each.name: (stat.S_IMODE(each.stat().st_mode), each.read_text("utf-8")) for each in files
    }


def test_secrets_are_made_once_and_differ_between_installations(tmp_path):
    """The first start makes them, for their readers alone; the next one leaves them as they are."""
    box, other = (Box(tmp_path / name, VARIANTS["postgresql"]) for name in "ab")
    box.first_start()
    before = held(box)
    assert {name: mode for name, (mode, _) in before.items()} == {
        "keys.toml": 0o600,
        "pgpass": 0o600,
        "postgres-password": 0o444,
    }
    box.first_start()
    assert held(box) == before
    other.first_start()
    for name, (_, text) in held(other).items():
        assert len(text) > 40
        assert text != before[name][1]
    password = before["postgres-password"][1].strip()
    assert before["pgpass"][1] == f"*:*:*:scout:{password}\n"


def test_without_the_first_start_nothing_is_served(tmp_path):
    """A server that others reach does not start with a secret that nobody keeps."""
    box = Box(tmp_path, VARIANTS["sqlite"])
    words = [*scout(), *box.services["scout"]["command"]]
    done = subprocess.run(
        words, env=box.environment("scout"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no secret is configured" in done.stderr
    assert not (box.home / "scout" / "keys.toml").exists()


@contextmanager
def database(kind, box, request):
    """Run what the variant keeps its rows in."""
    if kind == "sqlite":
        yield
        return
    request.getfixturevalue("postgres")  # it is there, or this is no CI
    service = box.services["postgres"]
    given = service["environment"]
    assert given["POSTGRES_USER"] == "scout"
    password = Path(given["POSTGRES_PASSWORD_FILE"].replace("/secrets", str(box.secrets)))
    install = password_server.launcher.wheel()
    health = service["healthcheck"]["test"]
    assert health[0] == "CMD"
    with password_server.running(install, password, health[1:]) as port:
        box.replaced["@postgres/"] = f"@127.0.0.1:{port}/"
        yield


def signed_up(box: Box, token: str) -> dict[str, str]:
    """Type what the page says makes the first account, by the shell and curl; return its answer."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    page = (ROOT / "docs" / "how-to" / "compose.md").read_text("utf-8")
    typed = re.search(r"^curl .*\\\n.*$", page, re.MULTILINE)[0]
    for shown, meant in (
        ("curl ", "curl --silent --fail-with-body "),
        (":54321", f":{box.port}"),
        ('"setup_token": "..."', f'"setup_token": "{token}"'),
        ('"password": "..."', f'"password": "{PASSWORD}"'),
    ):
        assert shown in typed
        typed = typed.replace(shown, meant)
    done = subprocess.run(
        ["/bin/sh", "-c", typed], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_stack_comes_up_and_survives_its_containers(kind, tmp_path, request):
    """From nothing to an account, by the services' own words; tokens outlive the container."""
    box = Box(tmp_path, VARIANTS[kind])
    assert not box.healthy()
    box.first_start()
    with database(kind, box, request):
        done = box.init_db()
        assert done.returncode == 0, done.stderr
        secrets = re.findall(r"[\w-]{40,}=?", str(held(box)))
        assert len(secrets) == 4
        with box.up() as (process, said):
            assert box.healthy()
            said.append(process.stderr.readline())
            token = re.search(r"setup_token: (\S+)", said[-1])[1]
            assert box.ask("/auth/signup", MINE)[0] == 403
            session = signed_up(box, token)
        assert not [secret for secret in secrets if secret in "".join(said)]
        assert box.init_db().returncode == 0
        with box.up():
            status, me = box.ask("/auth/me", token=session["access_token"])
            assert (status, me["email"]) == (200, MINE["email"])


def test_the_interface_is_built_with_what_scout_prints(tmp_path):
    """The build's arguments are the public ones of `scout frontend-env`; no key is among them."""
    box = Box(tmp_path, VARIANTS["sqlite"])
    box.first_start()
    words = [*scout(), "frontend-env", "--json"]
    done = subprocess.run(
        words, env=box.environment("scout"), capture_output=True, text=True, check=True
    )
    printed = json.loads(done.stdout)
    arguments = box.services["frontend"]["build"]["args"]
    assert set(arguments) == {name for name in printed if name.startswith("NEXT_PUBLIC_")}
    assert printed["NEXT_PUBLIC_SITE_URL"].endswith(":3100")
    recipe = (ROOT / "deploy" / "frontend" / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^ARG (\w+)$", recipe, re.MULTILINE) == list(arguments)
    again = project(*VARIANTS["sqlite"], environ=printed)["services"]["frontend"]
    assert again["build"]["args"] == {name: printed[name] for name in arguments}
    assert again["network_mode"] == "service:scout"
