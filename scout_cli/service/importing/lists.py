"""Lists of feed addresses, one a line, as people keep those of their Google Alerts.

A line may go on with a name; lines that begin with `#` are remarks. OPML is read as OPML.
"""

from __future__ import annotations

from collections.abc import Iterator

from scout_cli.service.importing import outlines
from scout_cli.service.importing.archives import File
from scout_cli.service.importing.found import (
    Found,
    Reading,
    Skipped,
    address,
    reading,
    shown,
    words,
)


def read(file: File) -> Reading:
    """Return the feeds of a list.

    Raises:
        InvalidInput: it is not a text.
    """
    text = file.text()
    if text.lstrip().startswith("<"):
        return outlines.read(file)
    return reading("google-alerts", _lines(text))


def _lines(text: str) -> Iterator[Found | Skipped]:
    for line in text.splitlines():
        given, _, name = line.strip().partition(" ")
        if not given or given.startswith("#"):
            continue
        url, why = address(given)
        if why:
            yield Skipped(what=shown(line.strip()), why=why)
        else:
            yield Found(url=url, feed=True, title=words(name))
