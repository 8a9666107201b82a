"""schemathesis against a running server: requests made from the OpenAPI document, good and bad.

`python -m tests.server.fuzzing --examples 200` is the long form; CI runs the short one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tests.server.furnishing import furnish
from tests.server.serving import Server, serving, settings

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
LEFT_OUT = (
    r"/auth/|/users",  # limits would answer in place of the routes; they have tests of their own
    r"/events|/feed|/chat",  # streams
    r"^/rest/|^/realtime/|^/functions/|^/v1/",  # answer in the words of others
    r"/channels/test|/channels/\{channel_id\}/test",  # would leave the machine
)


async def fuzz(server: Server, *, examples: int, phases: str, only: str = "") -> tuple[int, str]:
    """Return the exit status of schemathesis and what it said.

    Args:
        server: with rows of somebody to find.
        examples: test cases for each operation.
        phases: of schemathesis.
        only: a pattern of paths; empty for all.
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
        "--exclude-path-regex", "|".join(LEFT_OUT),
    ]  # fmt: skip
    if only:
        command += ["--include-path-regex", only]
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


async def _main(given: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/scout.db"
        async with serving(replace(settings(url))) as server:
            code, said = await fuzz(server, examples=given.examples, phases=given.phases)
    print(said)  # noqa: T201 - a program
    return code


def main(words: Sequence[str] | None = None) -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--database", default="", help="URL of an empty database")
    return asyncio.run(_main(parser.parse_args(words)))


if __name__ == "__main__":
    raise SystemExit(main())
