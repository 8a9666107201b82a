"""Which model suits a machine of this much memory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from scout_cli.core.models import Record

GIGABYTE = 1_000_000_000
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux writes what a container may use (cgroups v2 and v1)."""


class Suited(Record, frozen=True, kw_only=True):
    """A model of Ollama's library, and the machines it is for."""

    name: str
    gigabytes: float
    """Of its default tag, as the library lists it."""
    from_gigabytes: float
    """Memory of the machine: the model, its context of 8,192 tokens and the system fit in it."""


SUITED = (
    Suited(name="qwen3:14b", gigabytes=9.3, from_gigabytes=30),
    Suited(name="qwen3:8b", gigabytes=5.2, from_gigabytes=14),
    Suited(name="qwen3:4b", gigabytes=2.5, from_gigabytes=7),
    Suited(name="qwen3:1.7b", gigabytes=1.4, from_gigabytes=3.5),
)
"""Best first. Nothing larger: without a graphics card a larger model takes minutes for an answer.

Source: https://ollama.com/library/qwen3/tags
"""


def suited(memory: int) -> Suited | None:
    """Return the best model for a machine with `memory` bytes, None when all are too large."""
    return next((one for one in SUITED if memory >= one.from_gigabytes * GIGABYTE), None)


def of_machine(limits: tuple[Path, ...] = _LIMITS) -> int:
    """Return the bytes of memory of this machine, or of the container it is.

    Args:
        limits: files that may hold the limit of a container.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in limits:
        with suppress(OSError, ValueError):
            memory = min(memory, int(path.read_text()))  # "max" is no number, and no limit
    return memory
