"""What is known of embedding models: where "the same" begins, what they want to be told, how long.

The cosines of two embedders cannot be compared, so each has its own pair of cut-offs. They are
careful on purpose: a repeat that is shown is a nuisance, a fact that is swallowed is a fault.
Sources: reports of maintainers of similar systems about `nomic-embed-text` (unrelated news about
0.59, same topic 0.75 to 0.80, same story elsewhere 0.85 to 0.87; 0.85 as a limit merged different
facts, 0.92 and more did not), about `bge` (different facts in one template up to 0.975) and about
`gte` (unrelated already 0.77). The others have no report behind them: they take the careful pair.
"""

from __future__ import annotations

from scout_cli.core.models import Record


class EmbedderTraits(Record, frozen=True, kw_only=True):
    """How to use one family of embedding models."""

    lower: float = 0.80
    """Below this cosine two facts are different."""
    upper: float = 0.97
    """From this cosine on they are the same, unless their details differ."""
    background: float = 0.60
    """The usual cosine of two different facts of one topic."""
    prefix: str = ""
    """The task, for models that were trained to be told."""
    longest: int = 1_500
    """Characters of a text that are embedded; the rest is left out. Facts are far shorter.

    A text longer than the model's context is an error in some versions of Ollama and a silent cut
    in others, so scout cuts at a place of its own that fits the model's context.
    """


_KNOWN = {
    # Model card: "clustering" is the task for finding common topics and semantic duplicates.
    "nomic-embed-text": EmbedderTraits(
        lower=0.80, upper=0.93, background=0.65, prefix="clustering: ", longest=6_000
    ),
    "bge": EmbedderTraits(lower=0.80, upper=0.98, background=0.60),
    "gte": EmbedderTraits(lower=0.88, upper=0.97, background=0.78),
    "mxbai-embed-large": EmbedderTraits(lower=0.78, upper=0.96),
    "all-minilm": EmbedderTraits(lower=0.65, upper=0.90, background=0.25, longest=700),
}
_CAREFUL = EmbedderTraits()


def traits_of(model: str) -> EmbedderTraits:
    """Return what is known of `model`, such as `nomic-embed-text:v1.5`, else careful values."""
    name = model.lower().rpartition("/")[2]
    return next((traits for known, traits in _KNOWN.items() if name.startswith(known)), _CAREFUL)
