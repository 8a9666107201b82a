"""I12: secrets are where they belong and nowhere else, over the whole life of a scout.

Every secret that scout can be given is a canary. The commands are real processes; what they say,
send, store, record, back up and hand to their children is searched for each of them.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.channel_servers import Receiver
from tests.e2e.command import Done, environment, scout
from tests.e2e.tasks import competent
from tests.e2e.village import GOAL, Village
from tests.ollama_server import OllamaServer


def canary(name: str) -> str:
    """Return 32 bytes of base64 that are easily found again."""
    return base64.b64encode(f"canary-{name}-".ljust(32, "x").encode()).decode().rstrip("=")


SECRETS = {name: canary(name) for name in ("jwt", "key", "api", "smtp", "shared", "own", "webhook")}


class Watched:
    """What the processes below this one show to others, seen some hundred times a second."""

    def __init__(self) -> None:
        self.command_lines: set[bytes] = set()
        self.inherited: set[bytes] = set()
        """Environments of children of commands."""
        self._over = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look while the block runs."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.003):
            parents = _parents()
            commands = {pid for pid, parent in parents.items() if parent == os.getpid()}
            for pid in parents:
                depth = _depth(pid, parents, commands)
                if depth is None:
                    continue
                line = _read(pid, "cmdline")
                self.command_lines.add(line)
                # Until it has become another program, a child is a copy of its parent.
                if depth > 0 and line != _read(parents[pid], "cmdline"):
                    self.inherited.add(_read(pid, "environ"))


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (status := _read(int(entry.name), "status")):
            parent = re.search(rb"PPid:\t(\d+)", status)
            found[int(entry.name)] = int(parent[1]) if parent else 0
    return found


def _depth(pid: int, parents: dict[int, int], commands: set[int]) -> int | None:
    """Return how far below a command a process is; None for one that is none of ours."""
    for depth in range(10):
        if pid in commands:
            return depth
        pid = parents.get(pid, 0)
    return None


def _read(pid: int, name: str) -> bytes:
    try:
        return (Path("/proc") / str(pid) / name).read_bytes()
    except OSError:
        return b""  # it ended meanwhile


def settings(folder: Path, village: Village, ollama: OllamaServer, receiver: Receiver) -> dict:
    """Return an environment in which every secret is a canary."""
    key = base64.urlsafe_b64encode(base64.b64decode(f"{SECRETS['key']}==")[:32].ljust(32, b"x"))
    SECRETS["key"] = key.decode()
    shared = f"webhook+http://{receiver.host}/shared?secret=whsec_{SECRETS['shared']}"
    return environment(
        SCOUT_DATABASE_URL=f"sqlite:///{folder}/scout.db",
        SCOUT_BALLAST="0",
        SCOUT_LLM_URL=f"ollama://{ollama.host}/qwen3:8b",
        SCOUT_EMBED_URL=f"ollama://{ollama.host}/nomic-embed-text",
        SCOUT_SEARCH_URL=f"ddgs://duckduckgo?base=http://{village.host}",
        SCOUT_FETCH_URL="crawl4ai://http",
        SCOUT_ALLOW_PRIVATE_NETWORKS=f"{village.host} {receiver.host}",
        SCOUT_JWT_SECRET=SECRETS["jwt"] * 2,
        SCOUT_SECRET_KEYS=SECRETS["key"],
        SCOUT_SMTP_URL=f"smtp://me:{SECRETS['smtp']}@127.0.0.1:1",
        SCOUT_MAIL_FROM="scout@example.org",
        SCOUT_WEBHOOK_SECRET=f"whsec_{SECRETS['webhook']}",
        SCOUT_NOTIFY=f"{shared} mailto:me@example.org webhook+http://{receiver.host}/unsigned",
        OLLAMA_API_KEY=SECRETS["api"],
    )


def lived(env: dict, folder: Path, receiver: str) -> list[Done]:
    """Go through the life of a scout: every command that sees a secret."""
    own = f"webhook+http://{receiver}/own?secret=whsec_{SECRETS['own']}\n"
    backup, recording = str(folder / "b.tar"), str(folder / "recording")
    commands: list[tuple[str, ...]] = [
        ("add", GOAL, "--title", "Mill", "--notify", "-", "--json"),
        ("--debug", "run", "Mill", "--json"),
        ("once", GOAL, "--record", recording, "--json"),
        ("tick", "--json"),
        ("outbox", "--json"),
        ("outbox",),
        ("show", "Mill", "--json"),
        ("history", "--json"),
        ("notify", "list", "--json"),
        ("notify", "test", "Mill"),
        ("config", "show", "--json"),
        ("config", "show"),
        ("doctor", "--json"),
        ("export",),
        ("keys", "list", "--json"),
        ("backup", backup),
        ("restore", backup, "--verify", "--json"),
        ("keys", "rotate", "--json"),
        ("--debug", "run", "Nothing of this name"),
        ("--database", "postgresql://nobody@127.0.0.1:1/x", "list"),
    ]
    return [
        scout(*words, env=env, stdin=own if "-" in words else "", cwd=folder) for words in commands
    ]


def found_in(data: bytes | str) -> list[str]:
    """Return the names of the canaries in some bytes, however they are wrapped."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    decoded = re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)
    return [name for name, value in SECRETS.items() if value in text or value in decoded]


async def test_no_secret_leaves_its_place(tmp_path: Path) -> None:
    """Prompts, messages, output, errors, process lists, children, database, recording, backup."""
    watched = Watched()
    async with Village() as village, OllamaServer(competent) as ollama, Receiver() as receiver:
        env = settings(tmp_path, village, ollama, receiver)
        with watched.watching():
            done = await asyncio.to_thread(lived, env, tmp_path, receiver.host)
    said = {index: found_in(each.out + each.err) for index, each in enumerate(done)}
    assert not any(said.values()), said
    assert [each.code for each in done[:2]] == [0, 0], done[:2]
    assert len(ollama.requests) > 8
    assert not found_in(repr(ollama.requests))
    assert len(receiver.got) >= 3, "both signed webhooks and the other were told"
    assert not found_in(repr(receiver.got))
    assert len(watched.command_lines) > len(done)
    assert not [line for line in watched.command_lines if found_in(line)]
    assert any(b"PATH=" in each for each in watched.inherited), "the reading child was seen"
    assert not [each for each in watched.inherited if found_in(each)]
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            assert not found_in(path.read_bytes()), path
            assert not path.stat().st_mode & 0o077, path
    with tarfile.open(tmp_path / "b.tar") as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is None or not found_in(content.read()), member.name


@pytest.mark.parametrize("name", SECRETS)
def test_a_canary_that_is_there_is_found(name: str) -> None:
    """The search can fail: plain, inside other bytes, and percent-encoded."""
    value = SECRETS[name]
    for wrapped in (value, f"\0{value}\xff", value.replace("/", "%2F").replace("+", "%2B")):
        assert found_in(wrapped.encode("latin-1")) == [name]
