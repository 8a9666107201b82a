"""What other watchers watch, as scouts: read from their files, and what cannot be taken over.

A reader turns bytes into `Found` and `Skipped` and touches nothing else; every file may be hostile.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scout_cli.errors import InvalidInput
from scout_cli.service.importing import changedetection, lists, outlines, urlwatch
from scout_cli.service.importing.archives import File
from scout_cli.service.importing.found import Found, Origin, Reading, Skipped

__all__ = ["ORIGINS", "Found", "Origin", "Reading", "Skipped", "guess", "read"]

_READERS: dict[Origin, Callable[[File], Reading]] = {
    "changedetection": changedetection.read,
    "urlwatch": urlwatch.read,
    "opml": outlines.read,
    "google-alerts": lists.read,
}
ORIGINS: tuple[str, ...] = (*_READERS, "auto")

_YAML = re.compile(r"^(?:- )?(?:url|navigate|command|name|kind):(?:\s|$)|^---\s*$", re.MULTILINE)
_URL = re.compile(r"^\s*https?://", re.IGNORECASE | re.MULTILINE)


def read(file: File, origin: Origin | None = None) -> Reading:
    """Return what a file of another watcher holds.

    Args:
        file: the file.
        origin: whose it is; None guesses.

    Raises:
        InvalidInput: it is not such a file, or damaged, or made to do harm.
    """
    return _READERS[origin or guess(file)](file)


def guess(file: File) -> Origin:
    """Return whose file it is, by what is in it.

    Raises:
        InvalidInput: it looks like none of them.
    """
    if file.is_zip:
        return "changedetection"
    head = file.text()[:65_536].lstrip("\ufeff \t\r\n")
    if head.startswith("{"):
        return "changedetection"
    if head.startswith("<"):
        return "opml"
    if _YAML.search(head):
        return "urlwatch"
    if _URL.search(head):
        return "google-alerts"
    raise InvalidInput(
        f"{file.name}: this is none of the files that scout can take over",
        hint=f"say whose it is: --from {', '.join(_READERS)}",
    )
