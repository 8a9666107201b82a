"""Figures for Prometheus, in its text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4)
"""

from __future__ import annotations

import resource
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from aiohttp import web

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Value = tuple[Mapping[str, str], float]
Type = Literal["counter", "gauge", "histogram"]


class Requests:
    """Counts the requests of one process, by route and never by path: paths hold ids and tokens."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[tuple[str, str], list[int]] = defaultdict(
            lambda: [0] * (len(BUCKETS) + 1)
        )
        self._seconds: defaultdict[tuple[str, str], float] = defaultdict(float)

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            method: as it was sent; unknown ones are counted together.
            route: the pattern of its route.
            status: what was answered.
            seconds: how long it took; for a stream, how long it lasted.
        """
        method = method if method in _METHODS else "other"
        self._counts[method, route, status] += 1
        self._buckets[method, route][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[method, route] += seconds

    def lines(self) -> Iterator[str]:
        """Return what was counted."""
        counts: list[Value] = [
            ({"method": method, "route": route, "status": str(status)}, count)
            for (method, route, status), count in sorted(self._counts.items())
        ]
        yield from metric("scout_http_requests_total", "counter", "Requests answered.", counts)
        name = "scout_http_request_seconds"
        yield from _head(
            name, "histogram", "How long requests took; streams, how long they lasted."
        )
        for (method, route), found in sorted(self._buckets.items()):
            labels = {"method": method, "route": route}
            total = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), found, strict=True):
                total += count
                yield _line(f"{name}_bucket", {**labels, "le": bound}, total)
            yield _line(f"{name}_sum", labels, self._seconds[method, route])
            yield _line(f"{name}_count", labels, total)


REQUESTS: web.AppKey[Requests] = web.AppKey("REQUESTS", Requests)


def metric(name: str, kind: Type, help_: str, values: Iterable[Value]) -> Iterator[str]:
    """Return the lines of one metric.

    Args:
        name: of the metric.
        kind: how it is to be read.
        help_: what it is, in one line.
        values: labels and value of each line.
    """
    yield from _head(name, kind, help_)
    for labels, value in values:
        yield _line(name, labels, value)


def process() -> Iterator[str]:
    """Return what this process uses."""
    gauges = [("process_resident_memory_bytes", "Memory in use.", _resident())]
    open_files = Path("/proc/self/fd")
    if open_files.exists():
        count = float(sum(1 for _ in open_files.iterdir()))
        gauges.append(("process_open_fds", "Open files and connections.", count))
    for name, help_, value in gauges:
        yield from metric(name, "gauge", help_, [({}, value)])
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    yield from metric("process_cpu_seconds_total", "counter", "CPU time.", [({}, seconds)])


def _resident() -> float:
    statm = Path("/proc/self/statm")
    if statm.exists():
        return float(int(statm.read_text().split()[1]) * resource.getpagesize())
    # Elsewhere the most that it ever was: bytes on macOS.
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _head(name: str, kind: Type, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}\n"
    yield f"# TYPE {name} {kind}\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    listed = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    shown = f"{{{listed}}}" if listed else ""
    number = int(value) if value == int(value) else value
    return f"{name}{shown} {number}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
