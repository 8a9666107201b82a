"""From Markdown to text that can be quoted: plain prose, one thought a line, nothing invisible."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_TITLE = 300
"""Characters of a title that are kept."""

_SEARCHED = 20_000
"""Characters of kept text in which a line is simply looked for."""
_PIECE = 12

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])")
_RULE = re.compile(r"(?=.*---)[\s:|-]+|[*_]( ?[*_]){2,}")
_BULLET = re.compile(r"(\s*)[*+-]\s+")
_SENTENCE = re.compile(r"[.!?…。！？:;]['\"”’»)]*$")
_CHROME = re.compile(
    r"(share|share (this|on)\b.*|tweet|print|e-?mail|copy link|follow us.*|read more|more|menu"
    r"|search|log in|sign (in|up)|subscribe( now)?|advertisement|sponsored|close"
    r"|skip to (main )?content|back to top"
    r"|(accept|reject|decline|allow)( all)?( cookies)?|teilen|drucken|anzeige|werbung"
    r"|mehr lesen|partager|publicité|compartir|publicidad|реклама|поделиться)",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """Return `text` in NFC without control, zero-width, bidirectional and tag characters."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _BREAKS.sub("\n", text)))


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """Return `text` as one line of at most `limit` characters; a cut shows as an ellipsis."""
    line = " ".join(visible(text[: limit * 16]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def plain(text: str) -> str:
    """Return text that was never Markdown, cleaned line by line."""
    return _join(_SPACES.sub(" ", line).strip() for line in visible(text).split("\n"))


def prose(markdown: str, kept: str = "") -> str:
    """Return Markdown without its escapes, rules and fences; headings and lists stay lines.

    Args:
        markdown: links, images and emphasis are already gone.
        kept: the part that a content filter would keep. Lines outside it go when they are short
            and no sentence; without it none go for that reason.
    """
    keep = _Kept("".join(plain(kept).split()))
    lines = [_line(line) for line in visible(markdown).split("\n")]
    return _join(line for line in lines if not _is_chrome(line, keep))


def _line(raw: str) -> str:
    text = raw.strip()
    if _RULE.fullmatch(text) or text.startswith("```"):
        return ""
    bullet = _BULLET.match(raw)
    if bullet:
        text = "- " + raw[bullet.end() :].strip()
    text = _ESCAPED.sub(r"\1", text.lstrip("> ") if text.startswith(">") else text)
    return _SPACES.sub(" ", text).strip(" |") if "|" in text else _SPACES.sub(" ", text)


def _is_chrome(line: str, keep: _Kept) -> bool:
    words = line.lstrip("-# ")
    if not words:
        return line != ""
    if _CHROME.fullmatch(words):
        return True
    marked = line.startswith("#") or "|" in line
    if not keep.text or marked or len(words) > 60 or _SENTENCE.search(words):
        return False
    return not keep.holds("".join(words.split()))


class _Kept:
    """What a content filter would keep, asked line by line whether it holds the line.

    A long one is cut into all its pieces of a few characters once, so that a line costs its own
    length and not that of the page; a line is held when all its pieces are.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces: dict[int, set[str]] = {}

    def holds(self, line: str) -> bool:
        if len(self.text) <= _SEARCHED:
            return line in self.text
        size = min(len(line), _PIECE)
        known = self.pieces.get(size)
        if known is None:
            known = self.pieces[size] = set(_cut(self.text, size))
        return all(piece in known for piece in _cut(line, size))


def _cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _join(lines: Iterable[str]) -> str:
    out: list[str] = []
    for line in lines:
        repeated = line in out[-2:] if line else not out or not out[-1]
        if not repeated:
            out.append(line)
    return "\n".join(out).strip()
