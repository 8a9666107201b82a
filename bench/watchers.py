"""How `fetching.py` drives each peer over the same pages: its own command, nothing switched off."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from page_clients import peak
from peers import NoPeer, environment, version

WORKERS = 10
"""What urlwatch has built in, and so what the others get."""
_SECONDS = 150.0


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One installed peer, with a folder for its data."""

    name: str
    """With its version."""
    binaries: Path
    folder: Path
    urls: list[str]
    command: Callable[[Peer, bool], list[str]]

    def round(self, *, first: bool) -> float:
        """Check all pages once; return the most memory it held, in megabytes.

        Raises:
            NoPeer: it failed, with its last line.
        """
        said = self.folder / "said.txt"
        with said.open("wb") as file:
            process = subprocess.Popen(
                self.command(self, first),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=_clean(self.folder),
                start_new_session=True,
            )
            try:
                most = _until_the_end(process)
            finally:
                _end(process)
        lines = said.read_text(errors="replace").strip().splitlines() or [""]
        if process.returncode:
            raise NoPeer(f"{self.name} ended with {process.returncode}: {lines[-1][:160]}")
        return most


def install(name: str, folder: Path, data: Path, urls: list[str]) -> Peer:
    """Return the peer `name`, installed below `folder`, with its configuration in `data`.

    Raises:
        NoPeer: it cannot be installed.
    """
    binaries = environment(folder, name)
    home = data / name
    home.mkdir()
    (home / "jobs.yaml").write_text("---\n".join(f"url: {url}\n" for url in urls))
    full = f"{name} {version(binaries, name)}"
    return Peer(name=full, binaries=binaries, folder=home, urls=urls, command=COMMANDS[name])


def _urlwatch(peer: Peer, _: bool) -> list[str]:  # noqa: FBT001 - one shape for all
    files = ("--urls", "jobs.yaml", "--config", "config.yaml", "--cache", "cache.db")
    return [str(peer.binaries / "urlwatch"), *files, "--hooks", "hooks.py"]


def _webchanges(peer: Peer, _: bool) -> list[str]:  # noqa: FBT001 - one shape for all
    files = ("--jobs", "jobs.yaml", "--config", "config.yaml", "--database", "pages.db")
    return [str(peer.binaries / "webchanges"), *files, "--max-workers", str(WORKERS)]


def _changedetection(peer: Peer, first: bool) -> list[str]:  # noqa: FBT001 - one shape for all
    """Use its batch mode: add or recheck all, then end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    added = [part for url in peer.urls for part in ("-u", url)] if first else ["-r", "all"]
    start = [str(peer.binaries / "changedetection.io"), "-C", "-d", str(peer.folder / "data")]
    return [*start, "-h", "127.0.0.1", "-p", str(port), "-l", "ERROR", "-b", *added]


COMMANDS: dict[str, Callable[[Peer, bool], list[str]]] = {
    "urlwatch": _urlwatch,
    "changedetection.io": _changedetection,
    "webchanges": _webchanges,
}


def _clean(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "FETCH_WORKERS": str(WORKERS),
        "ALLOW_IANA_RESTRICTED_ADDRESSES": "true",
        "DISABLE_VERSION_CHECK": "true",
    }


def _until_the_end(process: subprocess.Popen) -> float:
    """Wait for a process; look at its memory while it lives, since afterwards nobody knows."""
    most, deadline = 0.0, time.monotonic() + _SECONDS
    while process.poll() is None:
        try:
            most = max(most, peak(process.pid))
        except (OSError, ValueError):  # it ended between the two lines
            continue
        if time.monotonic() > deadline:
            raise NoPeer(f"not done after {_SECONDS:.0f} s")
        time.sleep(0.02)
    return most


def _end(process: subprocess.Popen) -> None:
    """End what is left of a process and of those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
