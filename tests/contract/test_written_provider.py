"""The provider that a page tells how to write keeps what every search engine promises."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

from scout_cli import plug
from scout_cli.search import SCHEMES
from tests.contract import test_search_engine as contract
from tests.search_server import SearchServer, Serves
from tests.test_docs import DOCS, ROOT, fences

PAGE = DOCS / "how-to" / "write-a-provider.md"
FAILURES = [
    (Serves(status=429, headers={"Retry-After": "17"}), "limited"),
    (Serves(status=503), "unavailable"),
    (Serves(drop=True), "unavailable"),
    (Serves(body="x" * 3_000_000), "unavailable"),
    (Serves(body="<html><body>Hello</body></html>"), "unavailable"),
]


@pytest.fixture
def mysearch(tmp_path, monkeypatch):
    """Take the three steps; return what writes replies, with the suite asking this engine."""
    file, line, parameter = fences(PAGE, "python")
    (tmp_path / "mysearch.py").write_text(file, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    table, step = {}, {}
    exec(line, table)
    exec(parameter, step)
    ((scheme, place),) = table["SCHEMES"].items()
    assert scheme not in SCHEMES
    known = {**SCHEMES, "mysearch+http": place.replace("scout_cli.search.", "")}

    @asynccontextmanager
    async def searching(_kind, script, **limits):
        async with SearchServer(script) as server, aiohttp.ClientSession() as session:
            make = plug.load("mysearch+http://here", known, setting="search_url")
            engine = make(f"mysearch+{server.url}/search", contract.Sessions(session))
            if limits:
                engine = type(engine)(f"{server.url}/search", contract.Sessions(session), **limits)
            yield server, engine

    monkeypatch.setattr(contract, "searching", searching)
    yield step["mysearch"]
    sys.modules.pop("mysearch")


@pytest.mark.parametrize(
    "promise",
    [
        contract.test_found,
        contract.test_nothing_there,
        contract.test_limit_and_repeats,
        contract.test_only_web_addresses,
        contract.test_text_without_markup,
        contract.test_addresses_stay_as_they_are,
    ],
    ids=lambda promise: promise.__name__.removeprefix("test_"),
)
async def test_what_it_finds(mysearch, promise):
    """Each promise of the port about results holds for it."""
    await promise("mysearch", mysearch)


async def test_what_it_does_when_it_cannot_look(mysearch):
    """Failures are outcomes, silence ends in time, and a cancelled search ends at once."""
    for serves, outcome in FAILURES:
        await contract.test_could_not_look("mysearch", serves, outcome)
    await contract.test_silence_ends_in_time("mysearch")
    await contract.test_cancelled("mysearch")


def test_what_the_page_names_is_there():
    """Each table of schemes and each suite of the last section exists."""
    for row in PAGE.read_text("utf-8").splitlines():
        if row.startswith("| `"):
            _, port, table, suites, _ = row.split("|")
            assert "SCHEMES" in (ROOT / table.strip(" `")).read_text("utf-8"), port
            for suite in suites.split(","):
                assert (ROOT / "tests" / "contract" / suite.strip(" `")).is_file(), port
