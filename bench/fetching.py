"""A round over 1,000 known pages, one in ten changed: fetch, hash and 304, beside other programs.

The pages lie on this machine, are 19 KB each and take 50 ms. Scout's fetcher runs whole (guard,
limits, conditional requests, hash) but for its reading child, whose Markdown is timed apart; the
bounds per host are lifted, since one host stands for many. The floor is a bare aiohttp client that
hashes. Peers come from PyPI with `--peers DIR`; their time is what the server saw, from the first
request to the last answer, without their start and their report.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import watchers
from measure import ROOT, Row, show
from page_clients import Round
from page_server import CHANGED, LATENCY_SECONDS, PAGE_BYTES, PageServer
from peers import NoPeer

GOALS_MS = {10: 6_000.0, 50: 2_000.0}
GOAL_MB = 110.0
PAGES, SHORT_PAGES = 1_000, 200
FEW, MANY = GOALS_MS
ROUNDS = {FEW: 1, MANY: 3}
"""Changed rounds: with few connections nearly all is waiting, and one is enough."""


def main() -> int:
    """Measure and print."""
    given = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no peer stays behind
    pages = SHORT_PAGES if given.short else PAGES
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder, PageServer(pages) as server:
        bench = _Bench(server=server, pages=pages, folder=Path(folder), peers=given.peers)
        bench.first_round()
        bench.changed_rounds(1 if given.short else max(ROUNDS.values()))
        bench.markdown()
    rows = [*bench.rows(), *bench.rows_apart()]
    title = f"Second round over {pages:,} pages, {pages // CHANGED} of them changed"
    world = f"{PAGE_BYTES / 1_000:.0f} KB, {LATENCY_SECONDS * 1_000:.0f} ms, on this machine"
    return show(title, rows, as_json=given.json, pages=world, **bench.remarks)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--short", action="store_true", help="200 pages, for CI")
    parser.add_argument("--peers", metavar="DIR", type=Path, help="install peers there, measure")
    return parser.parse_args()


@dataclass(frozen=True, kw_only=True)
class _Lap:
    """One client's way through all pages."""

    milliseconds: float
    megabytes: float


@dataclass(kw_only=True)
class _Bench:
    server: PageServer
    pages: int
    folder: Path
    peers: Path | None
    first: dict[tuple[str, int], _Lap] = field(default_factory=dict)
    changed: dict[tuple[str, int], list[_Lap]] = field(default_factory=dict)
    watching: list[watchers.Peer] = field(default_factory=list)
    others: dict[str, _Lap] = field(default_factory=dict)
    reading: dict[str, float] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)

    def first_round(self) -> None:
        """Let every client see every page once."""
        for client, connections in _clients():
            self.first[client, connections] = self._lap(client, connections, {"new": self.pages})
        self.watching = list(self._installed())
        for watcher in list(self.watching):
            self._watch(watcher, first=True)

    def changed_rounds(self, rounds: int) -> None:
        """Change every tenth page and look again, so many times."""
        altered = self.pages // CHANGED
        wanted = {"unchanged": self.pages - altered, "changed": altered}
        for number in range(rounds):
            self.server.change()
            for client, connections in _clients():
                if number < ROUNDS[connections]:
                    lap = self._lap(client, connections, wanted)
                    self.changed.setdefault((client, connections), []).append(lap)
            for watcher in list(self.watching) if number == 0 else ():
                self._watch(watcher, first=False)

    def markdown(self) -> None:
        """Change pages once more, and let the reading child make Markdown of them."""
        self.server.change()
        self.reading = self._process("markdown", MANY)

    def rows(self) -> Iterator[Row]:
        """Return time and memory of the changed rounds."""
        for connections, goal in GOALS_MS.items():
            floor = self._median("bare", connections)
            scout = self._median("scout", connections)
            limit = goal * self.pages / PAGES
            yield _time(f"bare aiohttp, {connections} connections (the floor)", floor, floor)
            yield _time(f"scout, {connections} connections", scout, floor, limit)
            if connections == watchers.WORKERS:
                for name, lap in self.others.items():
                    yield _time(f"{name}, {connections} workers", lap.milliseconds, floor)
        yield _memory("bare aiohttp, memory at most", self._most("bare"))
        yield _memory("scout, memory at most", self._most("scout"), GOAL_MB)
        for name, lap in self.others.items():
            yield _memory(f"{name}, memory at most", lap.megabytes)

    def rows_apart(self) -> Iterator[Row]:
        """Return the first round and the Markdown, which no goal is set for."""
        for connections in GOALS_MS:
            floor = self.first["bare", connections].milliseconds
            scout = self.first["scout", connections].milliseconds
            yield _time(f"first round, scout, {connections} connections", scout, floor)
        yield _time("start of the reading child", self.reading["start"] * 1_000)
        what = f"Markdown of the {self.reading['page']:.0f} changed pages, in the child"
        yield _time(what, self.reading["seconds"] * 1_000)
        yield _memory("reading child, memory at most", self.reading["child"])

    def _lap(self, client: str, connections: int, wanted: dict[str, int]) -> _Lap:
        self.server.answered()
        said = self._process(client, connections)
        most = self.server.answered().at_once
        if {name: said.get(name) for name in wanted} != wanted or most > connections:
            raise SystemExit(f"not the round that was to be measured: {client}: {said}, {most}")
        return _Lap(milliseconds=said["seconds"] * 1_000, megabytes=said["megabytes"])

    def _process(self, client: str, connections: int) -> dict[str, float]:
        file = self.folder / f"{'scout' if client == 'markdown' else client}-{connections}.json"
        order = Round(
            client=client,
            port=self.server.port,
            pages=self.pages,
            connections=connections,
            known=str(file),
        )
        script = str(ROOT / "bench" / "page_clients.py")
        command = [sys.executable, script, json.dumps(asdict(order))]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.returncode:
            raise SystemExit(process.stderr)
        return json.loads(process.stdout)

    def _installed(self) -> Iterator[watchers.Peer]:
        urls = [f"http://127.0.0.1:{self.server.port}/page/{n}" for n in range(self.pages)]
        for name in watchers.COMMANDS:
            if self.peers is None:
                self.remarks[name] = "not measured; --peers DIR installs it and does"
                continue
            try:
                yield watchers.install(name, self.peers, self.folder, urls)
            except NoPeer as reason:
                self.remarks[name] = f"cannot be installed here: {reason}"

    def _watch(self, watcher: watchers.Peer, *, first: bool) -> None:
        self.server.answered()
        try:
            megabytes = watcher.round(first=first)
        except NoPeer as reason:
            self.remarks[watcher.name] = f"cannot be driven here: {reason}"
            self.watching.remove(watcher)
            return
        seen = self.server.answered()
        sent = f"{seen.full:,} pages and {seen.unmodified:,} times 304"
        if seen.full + seen.unmodified != self.pages or seen.at_once > watchers.WORKERS:
            self.remarks[watcher.name] = f"not a round over all pages: it was sent {sent}"
            self.watching.remove(watcher)
        elif not first:
            self.remarks[watcher.name] = f"was sent {sent}"
            self.others[watcher.name] = _Lap(milliseconds=seen.seconds * 1_000, megabytes=megabytes)

    def _median(self, client: str, connections: int) -> float:
        return statistics.median(lap.milliseconds for lap in self.changed[client, connections])

    def _most(self, client: str) -> float:
        reading = self.reading["megabytes"] if client == "scout" else 0.0
        return max(
            reading,
            *(
                lap.megabytes
                for (name, connections), laps in self.changed.items()
                for lap in (*laps, self.first[name, connections])
                if name == client
            ),
        )


def _clients() -> Iterator[tuple[str, int]]:
    return ((client, connections) for connections in GOALS_MS for client in ("bare", "scout"))


def _time(what: str, value: float, floor: float | None = None, goal: float | None = None) -> Row:
    times = None if floor is None or value == floor else value / floor
    return Row(what=what, value=value, unit="ms", goal=goal, times_floor=times)


def _memory(what: str, megabytes: float, goal: float | None = None) -> Row:
    return Row(what=what, value=megabytes, unit="MB", goal=goal, counted=goal is not None)


if __name__ == "__main__":
    sys.exit(main())
