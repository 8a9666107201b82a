"""What a model says on its way to a person: without marks of turns, and not in circles."""

from __future__ import annotations

import re

from scout_cli.core.asking import harmless
from scout_cli.core.ports import TokenSink

_MARK = re.compile(r"<\|[^<>|\n]{0,40}\|>|</?(?:s|start_of_turn|end_of_turn)>|\[/?INST\]")
"""What chat templates put between turns: a model that writes it speaks for others."""
_MARK_BEGUN = re.compile(r"(?:<(?:\|[^<>|\n]{0,40}\|?|/?[a-z_]{0,13})|\[/?(?:I(?:N(?:ST?)?)?)?)\Z")


class EnoughError(Exception):
    """The model has begun to speak for others, or to go round in circles: its answer is over."""


class Heard:
    """Passes text on, and keeps it as it was passed on."""

    def __init__(self, hear: TokenSink) -> None:
        self._hear = hear
        self._held = ""
        self.text = ""
        self.circles = False
        """The same words came again and again."""

    async def piece(self, text: str) -> None:
        """Pass a piece on, without what no reader would see; no blanks come first.

        Raises:
            EnoughError: the answer ends here, whatever else would come.
        """
        grown = self._held + text
        begun = _MARK_BEGUN.search(grown)
        self._held = begun[0] if begun else ""
        whole = grown[: begun.start()] if begun else grown
        mark = _MARK.search(whole)
        await self._pass(whole[: mark.start()] if mark else whole)
        self.circles = len(self.text) > 160 and self.text.count(self.text[-40:]) > 2
        if mark or self.circles:
            self._held = ""
            raise EnoughError

    async def end(self) -> None:
        """Pass on what was held back."""
        held, self._held = self._held, ""
        await self._pass(held)

    async def _pass(self, text: str) -> None:
        shown = harmless(text) if self.text else harmless(text).lstrip()
        if shown:
            self.text += shown
            await self._hear(shown)
