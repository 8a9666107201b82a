"""Pictures of pages: who may read them, what they are called, and when they go."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from scout_cli.core.ports import Feed, FetchRequest, Page
from scout_cli.errors import NotFound
from scout_cli.service.screenshots import Filing, Screenshots, of_database

RUN = UUID("11111111-2222-4333-8444-555555555555")
IMAGE = b"\xff\xd8\xff picture"


@pytest.fixture
def kept(tmp_path: Path) -> Screenshots:
    """Return the pictures of a database, none yet."""
    return Screenshots(tmp_path / "scout.db.screenshots")


def aged(path: Path) -> None:
    """Make a file or folder two hours old."""
    before = time.time() - 7_200
    os.utime(path, (before, before))


def test_a_picture_is_kept_under_its_run_and_number(kept):
    """It comes back as it was, for its owner alone, and nothing exists before the first one."""
    assert not kept.folder.exists()
    assert [kept.save(RUN, IMAGE + bytes([n])) for n in range(2)] == [
        f"{RUN}/1.jpg",
        f"{RUN}/2.jpg",
    ]
    assert kept.open(f"{RUN}/2.jpg") == IMAGE + b"\x01"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in kept.folder.rglob("*") if path.is_file()}
    folders = [kept.folder, *(path for path in kept.folder.rglob("*") if path.is_dir())]
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1.jpg",
        f"{RUN}/2.jpg",
        f"{RUN}/0.jpg",
        f"{RUN}/../../scout.db",
        f"../{RUN}/1.jpg",
        "new/1.jpg",
        "/etc/passwd",
        f"{RUN}/1.jpg\0",
        f"{RUN}/1.jpg\n",
    ],
)
def test_only_names_of_pictures_are_opened(kept, name):
    """Whatever else is asked for does not exist."""
    kept.save(RUN, IMAGE)
    with pytest.raises(NotFound):
        kept.open(name)


def test_a_picture_that_is_gone_fails_nothing(kept):
    """Filed too late, it has no name."""
    assert kept.file("new/gone.jpg", RUN) == ""


def test_runs_with_old_pictures_are_listed_and_forgotten(kept):
    """A run that may be under way keeps its own; what was never filed goes after an hour."""
    old, young = uuid4(), uuid4()
    for run in (old, young):
        kept.save(run, IMAGE)
    stray, fresh = kept.folder / kept.take(IMAGE), kept.folder / kept.take(IMAGE)
    (kept.folder / "notes").mkdir()
    aged(kept.folder / str(old))
    aged(stray)
    assert kept.executions() == [old]
    assert kept.forget([old]) == 2
    assert kept.executions() == []
    assert not stray.exists()
    assert fresh.exists()
    assert kept.open(f"{young}/1.jpg") == IMAGE


def test_where_pictures_are_kept(tmp_path):
    """Beside a SQLite file, else in the platform's folder, and nowhere without one."""
    beside = of_database(f"sqlite:///{tmp_path}/scout.db", lambda: None)
    assert beside.folder == tmp_path / "scout.db.screenshots"
    assert of_database("postgresql://h/db", lambda: tmp_path).folder == tmp_path / "screenshots"
    assert of_database("postgresql://h/db", lambda: None) is None


class Photographer:
    """A fetcher that takes a picture of every page but one."""

    def __init__(self, kept: Screenshots) -> None:
        self._kept = kept

    async def fetch(self, request: FetchRequest) -> Page:
        """Return a page with a picture."""
        name = "" if request.url.endswith("/plain") else self._kept.take(IMAGE)
        return Page(url=request.url, final_url=request.url, outcome="read", screenshot=name)

    async def feed(self, url: str) -> Feed:
        """Return an empty feed."""
        return Feed(url=url, outcome="read")

    async def warm_up(self) -> None:
        """Do nothing."""


async def test_pictures_of_a_run_are_filed_under_it(kept):
    """The page says the name that stays; a page without a picture says none."""
    filing = Filing(Photographer(kept), kept, RUN)
    urls = ["http://a.test/1", "http://a.test/plain", "http://a.test/2"]
    found = [(await filing.fetch(FetchRequest(url=url))).screenshot for url in urls]
    assert found == [f"{RUN}/1.jpg", "", f"{RUN}/2.jpg"]
    assert list((kept.folder / "new").iterdir()) == []
    assert (await filing.feed("http://a.test/feed")).outcome == "read"
