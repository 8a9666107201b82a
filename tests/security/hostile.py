"""Archives that somebody made up: a true one, with one thing changed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

Change = Callable[[dict[str, Any]], dict[str, Any]]


def members(path: Path) -> dict[str, bytes]:
    """Return the files of an archive in their order."""
    with tarfile.open(path) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar}


def rewritten(
    source: Path,
    target: Path,
    *,
    manifest: Change = lambda known: known,
    table: str = "",
    lines: Callable[[list[Any]], list[Any]] = lambda known: known,
    honest: bool = True,
) -> Path:
    """Write an archive like `source` but for a change.

    Args:
        source: a true archive.
        target: the made-up one.
        manifest: changes the manifest.
        table: whose rows are changed.
        lines: changes its rows; bytes are written as they are.
        honest: whether the manifest then tells the truth about that table.
    """
    files = members(source)
    known = json.loads(files["manifest.json"])
    if table:
        rows = [json.loads(line) for line in files[f"{table}.jsonl"].splitlines()]
        changed = lines(rows)
        text = b"".join(
            line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
            for line in changed
        )
        files[f"{table}.jsonl"] = text
        for entry in known["tables"]:
            if entry["table"] == table and honest:
                entry |= {
                    "rows": len(changed),
                    "bytes": len(text),
                    "sha256": sha256(text).hexdigest(),
                }
    files["manifest.json"] = json.dumps(manifest(known)).encode()
    return packed(target, [(info(name, len(text)), text) for name, text in files.items()])


def info(name: str, size: int = 0, **more: Any) -> tarfile.TarInfo:
    """Return the header of a member."""
    made = tarfile.TarInfo(name)
    made.size = size
    for key, value in more.items():
        setattr(made, key, value)
    return made


def packed(target: Path, files: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Write a tar of these members, compressed when its name says so."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for header, text in files:
            tar.addfile(header, io.BytesIO(text))
    text = raw.getvalue()
    target.write_bytes(gzip.compress(text) if target.suffix == ".gz" else text)
    return target
