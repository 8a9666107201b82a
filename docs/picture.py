# ruff: noqa: INP001 - a script beside the pages that it draws for, not a package
"""Draw the picture of a terminal that the README opens with, from a run of `scout demo`.

python docs/picture.py

What differs from run to run is left out: ports and seconds. A test runs the demo again and compares
the words; not the bytes, which are those of the installed rich.
"""

from __future__ import annotations

import html
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "images" / "demo.svg"
COLUMNS = 92
COMMAND = "scout demo --quiet"

_FONT = re.compile(r"@font-face \{\{.*?\}\}\n", re.DOTALL)
CLOSING = "What you saw"


def printed() -> str:
    """Run the demo on a terminal and return what it prints, without ports and seconds."""
    with tempfile.TemporaryDirectory(prefix="scout-picture-") as home:
        kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        engines = {"SCOUT_LLM_URL": "builtin://", "SCOUT_EMBED_URL": "builtin://"}
        places = {"HOME": home, "COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)}
        reader, terminal = pty.openpty()
        child = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-m", "scout_cli", *COMMAND.split()[1:]],
            env={**kept, **engines, **places},
            cwd=home,
            stdout=terminal,
        )
        os.close(terminal)
        seen = _everything(reader).decode().replace("\r\n", "\n")
        if child.wait():
            raise SystemExit(f"{COMMAND} ended with {child.returncode}")
    return re.sub(r", [0-9.]+ s\)", ")", re.sub(r"(?<=\.example):[0-9]+", "", seen))


def draw(text: str) -> str:
    """Return the picture of a terminal with the command and what it printed, as SVG.

    Args:
        text: what was printed; the closing words are left to the README. Headings and addresses are
            set off for the eye.
    """
    shown = text.partition(CLOSING)[0].rstrip()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), legacy_windows=False)
    console.print(Text.assemble(("$ ", "bold green"), (COMMAND, "bold")))
    for row in shown.splitlines():
        heading = row.startswith("Day ") or row == "Sources"
        style = "bold" if heading else "cyan" if "http://" in row else ""
        console.print(Text(row, style=style), soft_wrap=True)
    form = _FONT.sub("", CONSOLE_SVG_FORMAT)
    return console.export_svg(title="scout", code_format=form, unique_id="scout")


def words(svg: str) -> list[str]:
    """Return the texts of a picture in their order."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def _everything(reader: int) -> bytes:
    """Read a terminal until nobody writes to it any more."""
    seen = b""
    while True:
        try:
            piece = os.read(reader, 65_536)
        except OSError:  # Linux says so when the last writer has gone
            piece = b""
        if not piece:
            os.close(reader)
            return seen
        seen += piece


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(draw(printed()), encoding="utf-8")
