"""Pictures of pages: files beside the database, never data in its rows.

A row holds a name such as `1c7d.../3.jpg`: execution and page number. A picture is taken before
anybody knows the number of its page, so that it waits in `new/` until it is filed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.ports import Feed, Fetcher, FetchRequest, Page
from scout_cli.errors import NotFound
from scout_cli.plug import scheme_of
from scout_cli.store.sqlite_file import path_of

_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[1-9]\d{0,5}\.jpg")
_NEW = "new"
_GRACE = 3_600.0
"""Seconds in which a picture's page must have reached the database."""


class Screenshots:
    """The pictures of one database; the folder is made with the first of them.

    Args:
        folder: readable by its owner alone, like every file in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, execution_id: UUID, image: bytes) -> str:
        """Keep a picture as the next one of a run; return its name."""
        return self.file(self.take(image), execution_id)

    def open(self, name: str) -> bytes:
        """Return the JPEG of that name.

        Raises:
            NotFound: no such picture, or it is not kept any more.
        """
        if _NAME.fullmatch(name):
            with suppress(OSError):
                return (self.folder / name).read_bytes()
        raise NotFound(f"no screenshot is called {name[:80]!r}")

    def take(self, image: bytes) -> str:
        """Keep a picture until it is filed; return its name for the time being."""
        name = f"{_NEW}/{secrets.token_hex(16)}.jpg"
        self._folder(_NEW)
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(image)
        return name

    def file(self, name: str, execution_id: UUID) -> str:
        """Make a picture that was taken the next one of a run; return its name.

        Empty when it is gone: a picture is no reason to fail.
        """
        folder = self._folder(str(execution_id))
        number = 1 + len(list(folder.iterdir()))
        while (folder / f"{number}.jpg").exists():
            number += 1
        try:
            (self.folder / name).rename(folder / f"{number}.jpg")
        except OSError:
            return ""
        return f"{execution_id}/{number}.jpg"

    def executions(self) -> list[UUID]:
        """Return the runs that have pictures, but for those that may be under way."""
        before = time.time() - _GRACE
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return [
            UUID(each.name)
            for each in found
            if each.name != _NEW and _NAME.match(f"{each.name}/1.jpg") and _since(each) < before
        ]

    def forget(self, executions: Collection[UUID]) -> int:
        """Remove the pictures of runs, and those that were never filed; return how many."""
        gone = 0
        for each in executions:
            folder = self.folder / str(each)
            gone += len(list(folder.iterdir()))
            shutil.rmtree(folder, ignore_errors=True)
        before = time.time() - _GRACE
        for path in (self.folder / _NEW).glob("*.jpg"):
            if _since(path) < before:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _folder(self, name: str) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        return self.folder / name


def of_database(url: str, data_folder: Callable[[], Path | None]) -> Screenshots | None:
    """Return the pictures of a database: beside a SQLite file, else in the platform's data folder.

    Args:
        url: of the database.
        data_folder: returns that folder, None where the machine has none.

    Returns:
        None when there is no place for them; then none are taken.
    """
    if scheme_of(url) == "sqlite":
        path = path_of(url)
        return Screenshots(path.with_name(f"{path.name}.screenshots"))
    folder = data_folder()
    return None if folder is None else Screenshots(folder / "screenshots")


def _since(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()


class Filing:
    """A fetcher whose pictures are filed under the run that they are of.

    Args:
        real: fetches.
        screenshots: where pictures are kept.
        execution_id: of the run.
    """

    def __init__(self, real: Fetcher, screenshots: Screenshots, execution_id: UUID) -> None:
        self._real = real
        self._screenshots = screenshots
        self._execution_id = execution_id

    async def fetch(self, request: FetchRequest) -> Page:
        """Fetch one page."""
        page = await self._real.fetch(request)
        if not page.screenshot:
            return page
        name = self._screenshots.file(page.screenshot, self._execution_id)
        return replace(page, screenshot=name)

    async def feed(self, url: str) -> Feed:
        """Read one feed."""
        return await self._real.feed(url)

    async def warm_up(self) -> None:
        """Warm up the real one."""
        await self._real.warm_up()
