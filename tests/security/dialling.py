"""A name server and a socket maker that record what was tried and never leave this machine."""

from __future__ import annotations

import errno
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from scout_cli.net.guard import AddrInfo


class FakeNames(AbstractResolver):
    """Answers from a table; a list of lists gives one answer after the other."""

    def __init__(self, **table: list[list[str]]) -> None:
        self._table = {name.replace("_", "."): answers for name, answers in table.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the next answer for `host`."""
        self.asked.append(host)
        answers = self._table.get(host)
        if answers is None:
            raise OSError(errno.ENOENT, "no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Do nothing: nothing is open."""


class Sockets:
    """Counts the sockets that passed the guard and opens none."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    def __call__(self, info: AddrInfo) -> socket.socket:
        """Note the address and refuse, as a machine without a network does."""
        self.dialled.append((str(info[4][0]), int(info[4][1])))
        raise OSError(errno.ENETUNREACH, "this test dials nothing")
