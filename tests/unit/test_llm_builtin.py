"""The built-in engine answers without a model, and its vectors know copies from news."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scout_cli.llm import open_chat
from scout_cli.llm.builtin import LexicalEmbedder, vector_of

COPIES = [
    (
        "The ferry line between Hollen and Saltmere reopens on 14 March, the council said.",
        "The ferry line between Hollen and Saltmere will reopen on 14 March, the council said.",
    ),
    (
        "The museum opens a new wing for modern glass in June.",
        "In June the museum opens a new wing for modern glass.",
    ),
    ("Das Café schließt im Mai.", "das cafe SCHLIESST im mai"),
]
OTHERS = [
    (
        "The ferry line between Hollen and Saltmere reopens on 14 March.",
        "The ferry line between Hollen and Saltmere costs 4 euros more.",
    ),
    (
        "The council approved the budget for the library.",
        "The council rejected the plan for the harbour library.",
    ),
    ("The museum opens a new wing.", "Rain is expected in the north on Friday."),
]


def cosine(one, other):
    """Return the cosine of two texts."""
    pairs = zip(vector_of(one), vector_of(other), strict=True)
    return sum(a * b for a, b in pairs)


class Colour:
    """A question with a built-in answer."""

    task = "colour"

    def built_in(self):
        """Answer it."""
        return "blue"


async def test_answer_comes_from_the_question():
    """The engine asks the question itself and says so."""
    engine = await open_chat("builtin://")
    answer = await engine.answer(Colour())
    assert (answer.value, answer.by, answer.calls) == ("blue", "built-in", 0)
    assert (engine.name, engine.context, engine.follows_up) == ("built-in", 0, False)
    await engine.aclose()


@pytest.mark.parametrize(("one", "other"), COPIES)
def test_copies_are_above_the_upper_cutoff(one, other):
    """A lightly edited copy counts as the same."""
    assert cosine(one, other) > LexicalEmbedder.cutoffs[1]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_facts_are_below_the_upper_cutoff(one, other):
    """Another fact about the same topic never counts as the same."""
    assert cosine(one, other) < LexicalEmbedder.cutoffs[1]


def test_unrelated_facts_are_below_the_lower_cutoff():
    """Facts that share only glue words are new without further thought."""
    assert cosine(*OTHERS[2]) < LexicalEmbedder.cutoffs[0]


def test_vectors_are_the_same_in_every_process():
    """Stored vectors stay comparable: no part of them depends on the hash seed."""
    program = "from scout_cli.llm.builtin import vector_of as v; print(v('ferry line').tolist())"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {f"{vector_of('ferry line').tolist()}\n"}


def test_opening_the_built_in_engine_loads_no_client():
    """`builtin://` costs neither the Ollama client nor numpy."""
    program = (
        "import asyncio, sys; from scout_cli.llm import open_chat, auto; "
        "asyncio.run(open_chat('builtin://')); "
        "print({'ollama', 'httpx', 'numpy', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
