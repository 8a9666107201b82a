"""Puts a streamed answer together: hides thinking, and says when a model has lost itself."""

from __future__ import annotations

import re

LONGEST_ANSWER = 64 * 1024
"""Bytes of text, thinking included, after which an answer is stopped."""

LONGEST_GAP = 200
"""Characters of white space in a row after which an answer is stopped."""

_OPEN, _CLOSE = "<think>", "</think>"
_GAP = re.compile(rf"\s{{{LONGEST_GAP + 1},}}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Some templates open the tag inside the prompt, so that only its end is in the answer.
_ORPHAN = re.compile(r"\A\s*[^\s{\[].*?</think>[ \t]*(?=\n|\{|\[|\Z)", re.DOTALL)


class Collected:
    """The answer so far."""

    def __init__(self) -> None:
        self.cut = False
        self._shown: list[str] = []
        self._thinking = _ThinkFilter()
        self._tail = ""
        self._bytes = 0

    def add(self, content: str, thinking: str = "") -> str:
        """Take one piece of the stream and return the part of it that may be shown.

        Sets `cut` when the answer has to be stopped here.
        """
        self._bytes += len(thinking)
        content = _UNSTORABLE.sub("\ufffd", content)
        window = self._tail + content
        if gap := _GAP.search(window):
            content = content[: max(0, gap.start() - len(self._tail))]
            self.cut = True
        self._tail = window[-LONGEST_GAP:]
        self._bytes += len(content.encode())
        if self._bytes > LONGEST_ANSWER:
            content = content[:LONGEST_ANSWER]
            self.cut = True
        fresh = self._thinking.visible(content)
        self._shown.append(fresh)
        return fresh

    @property
    def text(self) -> str:
        """Return the answer without thinking and outer white space."""
        return _ORPHAN.sub("", "".join([*self._shown, self._thinking.held]), count=1).strip()


class _ThinkFilter:
    """Drops a leading `<think>...</think>` from a stream whose pieces may break anywhere."""

    def __init__(self) -> None:
        self._state = "start"
        self._buffer = ""

    def visible(self, piece: str) -> str:
        if self._state == "open":
            return piece
        self._buffer += piece
        if self._state == "start":
            self._look_for_start()
        if self._state == "inside":
            return self._look_for_end()
        if self._state == "open":
            shown, self._buffer = self._buffer, ""
            return shown
        return ""

    @property
    def held(self) -> str:
        """Return what could still have become a tag when the stream ended."""
        return self._buffer if self._state == "start" else ""

    def _look_for_start(self) -> None:
        text = self._buffer.lstrip()
        if text.startswith(_OPEN):
            self._state, self._buffer = "inside", text[len(_OPEN) :]
        elif not _OPEN.startswith(text):
            self._state = "open"

    def _look_for_end(self) -> str:
        _, tag, after = self._buffer.partition(_CLOSE)
        if not tag:
            self._buffer = self._buffer[-len(_CLOSE) :]
            return ""
        self._state, self._buffer = "open", ""
        return after.lstrip()
