"""A PostgreSQL that asks for a password, set up as the image of the Compose file does it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres as launcher


@contextmanager
def running(install: Path, password: Path, health: list[str]) -> Iterator[int]:
    """Run a server on 127.0.0.1 until the block ends; yield its port.

    Args:
        install: the folder with bin/.
        password: the file named by POSTGRES_PASSWORD_FILE.
        health: the health check of its service; it is asked until it succeeds.
    """
    user = "nobody" if os.geteuid() == 0 else None
    folder = launcher._folder(Path("/tmp"), user)
    if user:
        install = launcher._readable(install, folder)
    data, readable = folder / "data", folder / "password"
    shutil.copy(password, readable)
    readable.chmod(0o444)
    launcher._run(
        [install / "bin" / "initdb", "-D", data, "-U", "scout", f"--pwfile={readable}",
         "--auth=scram-sha-256", "-N"],
        user,
    )  # fmt: skip
    port = free_port()
    settings = [f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1", f"port={port}"]
    command = [install / "bin" / "postgres", "-D", data]
    command += [word for setting in settings for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd="/")
    try:
        path = f"{install / 'bin'}:/usr/bin:/bin"
        deadline = time.monotonic() + 30
        words = [*health, f"--port={port}"]
        while subprocess.run(words, env={"PATH": path}, check=False).returncode:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        sql = ["psql", "-X", "-q", f"--host={folder}", f"--port={port}", "--username=scout",
               "--dbname=postgres", "--command=CREATE DATABASE scout"]  # fmt: skip
        env = {"PATH": path, "PGPASSWORD": password.read_text("utf-8").strip()}
        subprocess.run(sql, env=env, check=True)
        yield port
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
    return port
