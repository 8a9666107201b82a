"""Which of the installed models to use when nobody named one.

Chat models, best first:

1. the right size: 3 to 15 billion parameters, then 15 to 40, then 1 to 3, then larger than 40,
   then smaller than 1. Below 3 they lose the thread of a page, above 15 few machines are quick;
2. a family that follows instructions and JSON schemas well, in the order of `FAMILIES`;
3. the larger one, then the name.

Never chosen: embedders, rerankers, classifiers, and models that run on somebody else's computer
(`...-cloud`). Chosen only when nothing else is there: models for code, and bases without
instruction tuning.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from scout_cli.core.models import Record

FAMILIES = (
    "qwen3",
    "gemma4",
    "gemma3",
    "mistral",
    "ministral",
    "llama3",
    "qwen2.5",
    "gpt-oss",
    "granite",
    "phi",
    "gemma2",
    "command-r",
    "aya",
    "qwen",
    "gemma",
    "llama",
)
EMBEDDERS = ("nomic-embed-text", "bge-m3", "mxbai-embed-large", "all-minilm", "snowflake-arctic")
PULL_CHAT = "ollama pull qwen3:8b"
PULL_EMBEDDER = "ollama pull nomic-embed-text"

_EMBEDDING = re.compile(r"embed|minilm|(^|[/-])(bge|gte|e5)\b|paraphrase|rerank")
_NOT_CHAT = re.compile(r"guard|shield|ocr|moondream|\bclip\b")
_SECOND_CHOICE = re.compile(r"cod(er|e)|starcoder|[:-](base|text|pt)\b|math|medical|sql")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bm])\b", re.IGNORECASE)
_BANDS = ((3.0, 15.0), (15.0, 40.0), (1.0, 3.0), (40.0, float("inf")), (0.0, 1.0))


class Installed(Record, frozen=True, kw_only=True):
    """One model as `/api/tags` lists it."""

    name: str
    family: str = ""
    parameter_size: str = ""
    """As the server writes it, such as `8.2B` or `268M`."""
    bytes: int = 0

    @property
    def billions(self) -> float:
        """Return the parameters in billions; 0 when neither size nor name tells."""
        for text in (self.parameter_size, self.name.partition(":")[2], self.name):
            if found := _SIZE.search(text):
                amount = float(found[1])
                return amount if found[2].lower() == "b" else amount / 1_000
        return 0.0


def best_chat(installed: Sequence[Installed]) -> Installed | None:
    """Return the best chat model, or None when none may be chosen."""
    candidates = [model for model in installed if may_chat(model)]
    return min(candidates, key=_chat_order, default=None)


def best_embedder(installed: Sequence[Installed]) -> Installed | None:
    """Return the best embedder by `EMBEDDERS`, then any other, or None."""
    candidates = [model for model in installed if is_embedder(model) and not _remote(model.name)]
    return min(candidates, key=_embedder_order, default=None)


def may_chat(model: Installed) -> bool:
    """Return whether `model` answers questions, on the machine of the server itself."""
    return not (is_embedder(model) or _NOT_CHAT.search(model.name.lower()) or _remote(model.name))


def is_embedder(model: Installed) -> bool:
    """Return whether `model` makes vectors instead of text."""
    return "bert" in model.family.lower() or bool(_EMBEDDING.search(model.name.lower()))


def nearest(name: str, installed: Sequence[Installed]) -> str:
    """Return the installed name most like `name`, or an empty string."""
    names = {model.name.lower(): model.name for model in installed}
    stems = {short(known).partition(":")[0]: known for known in names}
    for pool in (names, stems):
        if close := difflib.get_close_matches(name.lower(), pool, n=1):
            return names.get(close[0]) or names[stems[close[0]]]
    stem = name.lower().partition(":")[0]
    return names.get(stems.get(stem, ""), "")


def short(name: str) -> str:
    """Return `name` without the tag that says nothing, so that one model has one name."""
    return name.removesuffix(":latest")


def _chat_order(model: Installed) -> tuple[bool, int, int, float, str]:
    name = model.name.lower().rpartition("/")[2]
    size = model.billions
    band = next((at for at, (low, high) in enumerate(_BANDS) if low <= size < high), len(_BANDS))
    if not size:
        band = len(_BANDS) - 1
    family = next((at for at, known in enumerate(FAMILIES) if name.startswith(known)), None)
    rank = len(FAMILIES) if family is None else family
    return bool(_SECOND_CHOICE.search(name)), band, rank, -size, model.name


def _embedder_order(model: Installed) -> tuple[int, str]:
    name = model.name.lower().rpartition("/")[2]
    rank = next((at for at, known in enumerate(EMBEDDERS) if name.startswith(known)), None)
    return len(EMBEDDERS) if rank is None else rank, model.name


def _remote(name: str) -> bool:
    return name.lower().endswith(("-cloud", ":cloud"))
