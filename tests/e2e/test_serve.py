"""`scout serve` as a process: how it begins, what it refuses, and how it stops."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from tests.e2e.command import argv, environment, scout

PASSWORD = "seven-green-otters"


def env_of(tmp_path, **more):
    """Return an environment with a database of its own, no model and no network."""
    return environment(
        SCOUT_DATABASE_URL=f"sqlite:///{tmp_path / 'scout.db'}",
        SCOUT_LLM_URL="builtin://",
        SCOUT_EMBED_URL="builtin://",
        **more,
    )


@contextmanager
def served(env, *options):
    """Run `scout serve` on a free port; yield the process, its address and what it said."""
    process = subprocess.Popen(
        [*argv(), "serve", "--port", "0", *options],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = []
        while True:
            line = process.stderr.readline()
            assert line, f"it ended: {said}"
            said.append(line)
            if line.startswith("  API "):
                break
        url = re.search(r"http://\S+?(?=/docs)", line)[0]
        yield process, url, said
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(url, path, body=None, token=""):
    """Return status and JSON of one request."""
    request = urllib.request.Request(
        url + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"null")


def test_it_says_where_it_is_and_stops_when_told(tmp_path):
    """It tells address, database, model and the first step, and ends by SIGTERM without a trace."""
    env = env_of(tmp_path)
    with served(env) as (process, url, said):
        text = "".join(said)
        assert str(tmp_path / "scout.db") in text
        assert "built-in" in text
        assert process.stderr.readline() == "  first account:\n"
        assert "/auth/signup" in process.stderr.readline()
        status, answer = ask(url, "/auth/signup", {"email": "me@example.org", "password": PASSWORD})
        assert status == 201
        status, made = ask(url, "/scouts", {"goal": "Ferries to Hollen"}, answer["access_token"])
        assert status == 201, made
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=40)
        assert process.returncode == 0
        assert "Traceback" not in err
    assert scout("list", "--json", env=env).code == 0


def test_the_log_is_json_when_asked_and_holds_no_secret(tmp_path):
    """Each request is one JSON line with its id, and neither password nor token is in any."""
    with served(env_of(tmp_path), "--log-json", "--no-scheduler") as (process, url, _):
        _, answer = ask(url, "/auth/signup", {"email": "me@example.org", "password": PASSWORD})
        ask(url, "/auth/me", token=answer["access_token"])
        ask(url, "/auth/me?token=" + answer["access_token"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=40)
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    asked = [line for line in lines if line["message"] == "request"]
    assert [(line["route"], line["status"]) for line in asked] == [
        ("/auth/signup", 201),
        ("/auth/me", 200),
        ("/auth/me", 401),
    ]
    assert len({line["id"] for line in asked}) == 3
    assert PASSWORD not in err
    assert answer["access_token"] not in err


def test_others_are_let_in_only_with_a_secret_of_ones_own(tmp_path):
    """Listening elsewhere needs a secret, tells the risks, and guards the first account."""
    bare = scout("serve", "--host", "0.0.0.0", "--port", "0", env=env_of(tmp_path))
    assert bare.code == 2
    assert "no secret is configured" in bare.err
    assert "SCOUT_JWT_SECRET" in bare.err
    env = env_of(tmp_path, SCOUT_JWT_SECRET="x7" * 24)
    with served(env, "--host", "0.0.0.0") as (process, url, said):
        assert "Without TLS" in "".join(said)
        line = process.stderr.readline()
        token = re.search(r"setup_token: (\S+)", line)[1]
        mine = {"email": "me@example.org", "password": PASSWORD}
        status, _ = ask(url, "/auth/signup", mine)
        assert status == 403
        status, answer = ask(url, "/auth/signup", {**mine, "setup_token": token})
        assert status == 201
        assert answer["user"]["role"] == "admin"


def test_a_taken_port_is_said_in_two_lines(tmp_path):
    """Whoever starts it twice is told what to do."""
    with served(env_of(tmp_path)) as (_, url, _):
        port = url.rpartition(":")[2]
        second = scout("serve", "--port", port, env=env_of(tmp_path))
    assert second.code == 2
    assert "cannot listen on 127.0.0.1" in second.err
    assert "--port" in second.err
    assert "Traceback" not in second.err


def test_another_secret_is_refused(tmp_path):
    """A server whose secret is not the one of the database does not start."""
    first = env_of(tmp_path, SCOUT_JWT_SECRET="x7" * 24)
    with served(first) as (_, url, _):
        ask(url, "/auth/signup", {"email": "me@example.org", "password": PASSWORD})
    other = scout("serve", "--port", "0", env=env_of(tmp_path, SCOUT_JWT_SECRET="y8" * 24))
    assert other.code == 2
    assert "secret" in other.err


def test_a_request_under_way_is_answered_when_the_server_stops(tmp_path):
    """What was begun before the signal is answered after it."""
    with served(env_of(tmp_path)) as (process, url, _):
        body = json.dumps({"email": "me@example.org", "password": PASSWORD}).encode()
        head = (
            "POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            while "stopping" not in process.stderr.readline():
                pass
            client.sendall(body[10:])
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        process.communicate(timeout=40)
        assert process.returncode == 0
    assert answer.startswith(b"HTTP/1.1 201")


def test_a_second_signal_ends_it_at_once(tmp_path):
    """Whoever cannot wait says so twice."""
    with served(env_of(tmp_path)) as (process, url, _):
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            process.send_signal(signal.SIGTERM)
            while "stopping" not in process.stderr.readline():
                pass
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)
        assert process.returncode in (0, 130)
