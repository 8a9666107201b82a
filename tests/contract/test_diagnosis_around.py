"""Search, pages, channels and the machine as `scout doctor` sees them, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.core.models import ScoutPatch
from scout_cli.errors import ConfigError
from scout_cli.fetch import launching
from scout_cli.service import diagnosis
from scout_cli.service.checks import Check, attempt, is_configuration
from scout_cli.service.diagnosis import (
    Bounds,
    browsing,
    channels,
    looking,
    machine,
    timetable,
)
from scout_cli.store import marks, scouts, users
from scout_cli.store.channels import ChannelGlance
from scout_cli.store.marks import Mark
from tests.browsers import chromium, leftovers, own_place
from tests.contract import rows
from tests.contract.databases import StoppedClock, sqlite_url
from tests.examined import made, subject, told
from tests.search_server import (
    FOUND,
    SearchServer,
    Serves,
    challenge_page,
    duckduckgo_page,
    searxng_reply,
)

SHORT = Bounds(model=3.0, search=3.0, embedder=3.0)


async def searched(url: str, bounds: Bounds = SHORT) -> dict[str, Check]:
    """Return what is told of the engines of `url`."""
    async with subject(
        "sqlite:////nowhere/x.db", search_url=tuple(url.split()), bounds=bounds
    ) as examined:
        return await told(lambda tell: looking.search(examined, tell))


async def test_engines_are_asked_one_by_one():
    """One that limits is a warning while another answers; the last line says how many do."""

    def script(asked):
        if "mojeek" in asked.headers["host"] or "search" in asked.path:
            return Serves(body=challenge_page(asked.query), status=429)
        return duckduckgo_page(asked.query, FOUND)

    async with SearchServer(script) as server:
        found = await searched(f"ddgs://duckduckgo,mojeek?base={server.url}", Bounds())
    assert found["search ddgs/duckduckgo"].status == "ok"
    assert found["search ddgs/duckduckgo"].data["results"] == 2
    assert found["search ddgs/mojeek"].status == "warn"
    assert found["search ddgs/mojeek"].data["outcome"] == "limited"
    assert (found["search"].status, found["search"].detail) == ("ok", "1 of 2 engines answer")


async def test_the_engines_of_ddgs_are_named():
    """`ddgs://` alone stands for four, and each keeps the parameters of the URL."""
    assert looking.one_by_one("ddgs://?base=http://h") == [
        f"ddgs://{name}?base=http://h" for name in ("duckduckgo", "brave", "startpage", "mojeek")
    ]
    assert looking.one_by_one("ddgs://mojeek, brave") == ["ddgs://mojeek", "ddgs://brave"]
    assert looking.one_by_one("searxng+http://h") == ["searxng+http://h"]


async def test_no_engine_answers():
    """Silence and refusal are warnings each, and together a failure."""
    async with SearchServer(lambda _: Serves(hang=True)) as silent:
        async with SearchServer(lambda _: "") as gone:
            pass
        found = await searched(f"searxng+{silent.url} searxng+{gone.url}")
    assert found[f"search searxng/{silent.host}"].data["outcome"] == "timeout"
    assert "within 3 s" in found[f"search searxng/{silent.host}"].detail
    assert found[f"search searxng/{gone.host}"].status == "warn"
    assert (found["search"].status, found["search"].data) == ("fail", {"engines": 2, "working": 0})


async def test_an_engine_that_does_not_exist_is_a_fault_of_the_configuration():
    """It does not keep the others from being asked."""
    answering = searxng_reply([{"url": "https://a.example/", "title": "A"}])
    async with SearchServer(lambda _: answering) as server:
        found = await searched(f"serxng+http://h searxng+{server.url}", Bounds())
    assert is_configuration(found["search serxng+http"])
    assert found["search"].detail == "1 of 1 engines answer"


async def test_the_page_reader_reads_a_page():
    """The child process is really started, reads, and is gone afterwards."""
    async with subject("sqlite:////nowhere/x.db") as examined:
        found = await told(lambda tell: looking.reader(examined, tell))
    assert found["fetching"].status == "ok"
    assert found["fetching"].data["start_seconds"] > 0


async def test_a_page_reader_that_does_not_start_in_time():
    """Its bound is named."""
    bounds = Bounds(reader=0.01)
    async with subject("sqlite:////nowhere/x.db", bounds=bounds) as examined:
        found = await told(lambda tell: looking.reader(examined, tell))
    assert found["fetching"].status == "fail"
    assert "0.01 s" in found["fetching"].detail


async def test_a_fetcher_that_does_not_exist():
    """The setting is wrong, not the world."""
    async with subject("sqlite:////nowhere/x.db", fetch_url="crawl4ai://warp") as examined:
        found = await told(lambda tell: looking.reader(examined, tell))
    assert is_configuration(found["fetching"])


async def test_a_browser_is_found_and_asked_for_its_version(tmp_path):
    """One that hangs is ended and has no version; none at all is no fault."""
    quick, hanging = tmp_path / "quick", tmp_path / "hanging"
    quick.write_text("#!/bin/sh\necho Chromium 150.0.1\n")
    hanging.write_text("#!/bin/sh\nexec sleep 100\n")
    for path in (quick, hanging):
        path.chmod(0o700)
    assert await browsing.version_of(quick, 5) == "150.0.1"
    assert await browsing.version_of(hanging, 0.2) is None
    assert await browsing.version_of(tmp_path / "none", 5) is None
    kept = tmp_path / ".cache/ms-playwright/chromium-1200/chrome-linux64/chrome"
    kept.parent.mkdir(parents=True)
    kept.write_text("")
    assert launching.find(tmp_path, names=()) == kept
    assert launching.find(tmp_path / "none", names=()) is None
    assert launching.find(tmp_path, str(quick), names=()) == quick
    assert launching.find(tmp_path, str(tmp_path / "none")) is None


async def test_a_browser_that_is_not_used_is_not_looked_for():
    """`crawl4ai://http` needs none."""
    async with subject("sqlite:////nowhere/x.db", fetch_url="crawl4ai://http") as examined:
        found = await told(lambda tell: browsing.examine(examined, tell))
    assert (found["browser"].status, found["browser"].data["needed"]) == ("ok", False)


@pytest.mark.parametrize(
    ("url", "status"), [("crawl4ai://auto", "warn"), ("crawl4ai://browser", "fail")]
)
async def test_no_browser_is_a_fault_only_where_every_page_needs_one(url, status, monkeypatch):
    """What is missing is said with the command that brings it."""
    monkeypatch.setenv("PATH", "/nowhere")
    async with subject("sqlite:////nowhere/x.db", fetch_url=url) as examined:
        found = await told(lambda tell: browsing.examine(examined, tell))
    assert found["browser"].status == status
    assert "apt install chromium" in found["browser"].hint


async def test_a_browser_path_without_a_browser_is_a_fault():
    """A setting that names nothing is wrong whatever the mode."""
    async with subject(
        "sqlite:////nowhere/x.db", fetch_url="crawl4ai://auto", browser_path="/nowhere/chrome"
    ) as examined:
        found = await told(lambda tell: browsing.examine(examined, tell))
    assert found["browser"].status == "fail"
    assert "/nowhere/chrome" in found["browser"].detail


async def test_a_browser_is_started_and_ended():
    """It is tried as for a page, and nothing of it stays."""
    chromium()
    with own_place() as place:
        async with subject("sqlite:////nowhere/x.db", fetch_url="crawl4ai://auto") as examined:
            found = await told(lambda tell: browsing.examine(examined, tell))
        assert leftovers(place) == []
    assert found["browser"].data["start_seconds"] > 0
    assert re.search(r"starts in \d+\.\d s", found["browser"].detail)


async def test_a_browser_that_does_not_start_is_a_fault(tmp_path):
    """Its last words are told: that the sandbox cannot be had, mostly."""
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho No usable sandbox! >&2\nexit 1\n")
    broken.chmod(0o700)
    async with subject(
        "sqlite:////nowhere/x.db", fetch_url="crawl4ai://auto", browser_path=str(broken)
    ) as examined:
        found = await told(lambda tell: browsing.examine(examined, tell))
    assert found["browser"].status == "fail"
    assert "did not start" in found["browser"].detail


def test_channels_are_told_without_their_secrets():
    """Each by what people may see of it; a wrong one fails with what is known of it."""
    used = ["ntfy://ntfy.sh/topic", "tgram://canary", "webhook+https://"]
    checks = {check.name: check for check in channels.judged(used)}
    assert checks["channel 1"].detail == "ntfy ntfy.sh/topic"
    assert [checks[f"channel {n}"].status for n in (1, 2, 3)] == ["ok", "fail", "fail"]
    assert is_configuration(checks["channel 3"])
    assert checks["channels"].data == {"used": 3, "wrong": 2}
    assert "canary" not in str(checks)
    (none,) = channels.judged([])
    assert (none.status, none.detail) == ("ok", "none: news is printed and stored")


async def test_channels_of_scouts_count(tmp_path):
    """What a saved scout notifies is looked at too, and what both name only once."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    async with subject(url, channels=("ntfy://h/topic", "ntfy://h/other")) as examined:
        database = await examined.open_database()
        found = await told(lambda tell: channels.examine(examined, database, tell))
    assert found["channels"].data["used"] == 3


async def test_the_time_zone_and_its_database():
    """Zone, distance from UTC, version; a zone that does not exist is told."""
    clock = StoppedClock()
    found = await told(lambda tell: machine.time_zone(lambda: "Asia/Kolkata", clock, 5, tell))
    assert found["time zone"].data["offset"] == "+05:30"
    assert "UTC+05:30" in found["time zone"].detail

    def wrong() -> str:
        raise ConfigError("TZ: unknown", hint="unset TZ")

    found = await told(lambda tell: machine.time_zone(wrong, clock, 5, tell))
    assert (found["time zone"].status, found["time zone"].hint) == ("fail", "unset TZ")


def test_the_version_of_the_zone_database(tmp_path):
    """The system's own if it is there, else the package's."""
    version, source = machine.zone_database(())
    assert re.fullmatch(r"20\d\d[a-z]+", version or "")
    assert source.startswith("tzdata ")
    (tmp_path / "UTC").write_bytes(b"")
    assert machine.zone_database((str(tmp_path),)) == (None, str(tmp_path))
    (tmp_path / "+VERSION").write_text("2024a\n")
    assert machine.zone_database((str(tmp_path),)) == ("2024a", str(tmp_path))
    (tmp_path / "tzdata.zi").write_text("# version 2025b\n")
    assert machine.zone_database((str(tmp_path),)) == ("2025b", str(tmp_path))


async def test_the_guard_is_tested():
    """Nothing is let through; a setting that opens everything is warned of."""
    shut = await told(lambda tell: machine.guard(False, 5, tell))
    some = await told(lambda tell: machine.guard(("nas.lan:5000",), 5, tell))
    every = await told(lambda tell: machine.guard(True, 5, tell))
    assert shut["network guard"].data["let_through"] == []
    assert "nas.lan:5000" in some["network guard"].detail
    assert [each["network guard"].status for each in (shut, some, every)] == ["ok", "ok", "warn"]


async def test_an_attempt_is_bounded():
    """What never ends becomes a failed check that names its bound; nothing is left running."""
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    found = await told(lambda tell: attempt("x", tell, 0.05, forever, late="wait"))
    assert found["x"].detail == "did not end within 0.05 s"
    assert (found["x"].status, found["x"].hint) == ("fail", "wait")
    assert ended.is_set()


async def test_an_examination_ends_when_its_reader_leaves(tmp_path):
    """The lanes are cancelled: no task stays."""
    async with subject(sqlite_url(tmp_path / "x.db"), search_url=("serxng://",)) as examined:
        walk = diagnosis.examine(examined)
        await anext(walk)
        await walk.aclose()
        others = asyncio.all_tasks() - {asyncio.current_task()}
    assert others == set()


async def test_what_killed_readers_left_behind_is_removed(tmp_path, monkeypatch):
    """Only folders of processes that are gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stale = tmp_path / "scout-reader-999999999-x"
    living = tmp_path / f"scout-reader-{os.getpid()}-x"
    for folder in (stale, living):
        folder.mkdir()
    async with subject(sqlite_url(tmp_path / "none" / "x.db")) as examined:
        done = await diagnosis.mend(examined)
    assert done == ["removed 1 folders that page readers left behind"]
    assert (stale.exists(), living.exists()) == (False, True)


def test_a_file_is_made_private_once(tmp_path):
    """Nothing to do is nothing done."""
    path = tmp_path / "f"
    path.touch(0o600)
    assert diagnosis.make_private(path) == ""
    path.chmod(0o640)
    assert diagnosis.make_private(path) == f"made {path} private (mode 0600)"


@pytest.mark.parametrize("name", ["configuration", "database file", "search x/y", "unheard of"])
def test_every_check_has_a_place(name: str):
    """Sorting knows the parts; an unknown one comes last."""
    known = diagnosis.place("network guard")
    assert (diagnosis.place(name) > known) is (name == "unheard of")
    assert diagnosis.place("search") < diagnosis.place("search x/y") < diagnosis.place("fetching")


async def test_a_schedule_that_stopped_is_told(tmp_path):
    """A scout that waits in vain is a warning with the line for cron; a fresh tick is not."""
    url = sqlite_url(tmp_path / "scout.db")
    await made(url)
    async with subject(url) as examined:
        database = await examined.open_database()
        owner, now = await users.local_owner(database), await database.now()
        scout = rows.scout(owner.id, goal="ferries", next_run_at=now - timedelta(hours=1))
        await scouts.add(database, scout)
        before = await told(lambda tell: timetable.examine(examined, database, tell))
        await scouts.update(database, scout.id, ScoutPatch(next_run_at=now))
        await marks.put(database, Mark(name="tick", at=now - timedelta(hours=5)))
        after = await told(lambda tell: timetable.examine(examined, database, tell))
    assert before["schedule"].warn
    assert "no tick so far; 1 scout has been due" in before["schedule"].detail
    assert "--print-crontab" in before["schedule"].hint
    assert not after["schedule"].warn
    assert "last tick 5 h ago" in after["schedule"].detail


def test_channels_that_deliver_no_more_are_told():
    """One that was disabled and one with dead messages are warnings with what to type."""
    made = {"user_id": uuid4(), "url_key": "k", "created_at": rows.AT, "pending": 0}
    made |= {"unknown": 0, "last_sent_at": None}
    well, gone, full = (
        ChannelGlance(id=uuid4(), url="ntfy://h/topic", **{**made, "dead": dead}, **more)
        for dead, more in ((0, {}), (0, {"state": "disabled", "reason": "HTTP 410"}), (3, {}))
    )
    disabled, dead = channels.silent([well, gone, full])
    assert disabled.warn
    assert "HTTP 410" in disabled.detail
    assert disabled.hint == f"scout notify enable {str(gone.id)[:8]}"
    assert "3 not delivered" in dead.detail
