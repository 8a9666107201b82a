"""OPML: the list of feeds that feed readers, Google Alerts' among them, import and export.

Source: http://opml.org/spec2.opml
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scout_cli.errors import InvalidInput
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

_DEEPEST = 50


def read(file: File) -> Reading:
    """Return the feeds of a list.

    Raises:
        InvalidInput: it is not OPML, or made to do harm.
    """
    root = _parsed(file)
    if _name(root) != "opml":
        raise InvalidInput(f"{file.name}: this is XML, but not OPML")
    return reading("opml", _outlines(root))


def _parsed(file: File) -> Any:
    from lxml import etree  # noqa: PLC0415 - large, and only this file format needs it

    # No entity is resolved, nothing is fetched, and the sizes stay within the parser's own bounds.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(file.data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidInput(f"{file.name}: this is not XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidInput(
            f"{file.name}: it has a document type of its own", hint="remove <!DOCTYPE"
        )
    return root


def _outlines(root: Any) -> Iterator[Found | Skipped]:
    for outline in root.iter("{*}outline", "outline"):
        names = {name.lower(): value for name, value in outline.attrib.items()}
        title = words(names.get("title")) or words(names.get("text"))
        if "xmlurl" not in names:
            if len(outline) == 0:
                yield Skipped(what=title or "an entry", why="it names no feed")
            continue
        url, why = address(names["xmlurl"])
        if why:
            yield Skipped(what=title or shown(names["xmlurl"]), why=why)
        else:
            yield Found(url=url, feed=True, title=title, tags=_tags(outline, names))


def _tags(outline: Any, names: dict[str, str]) -> tuple[str, ...]:
    """Return the folders that a feed is in, and its categories."""
    folders = [
        words(each.get("title") or each.get("text"))
        for each in outline.iterancestors()
        if _name(each) == "outline"
    ]
    listed = [words(each.strip("/")) for each in names.get("category", "").split(",")]
    return tuple(dict.fromkeys(filter(None, [*reversed(folders[:_DEEPEST]), *listed])))


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
