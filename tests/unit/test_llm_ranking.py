"""Which model is taken when nobody named one, and which name was meant."""

from __future__ import annotations

import pytest

from scout_cli.llm.ranking import Installed, best_chat, best_embedder, nearest


def installed(*names):
    """Return models of these names; `name=size` gives the size."""
    pairs = (name.partition("=") for name in names)
    return [Installed(name=name, parameter_size=size) for name, _, size in pairs]


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["llama3.1:8b", "qwen3:8b", "gemma3:12b"], "qwen3:8b"),
        (["qwen3:4b", "qwen3:14b", "qwen3:32b"], "qwen3:14b"),
        (["qwen3:1.7b", "qwen3:32b"], "qwen3:32b"),
        (["qwen3:0.6b", "qwen3:1.7b"], "qwen3:1.7b"),
        (["llama3.3:70b", "gemma3:1b"], "gemma3:1b"),
        (["gemma3:latest=4.3B", "qwen3:0.6b"], "gemma3:latest"),
        (["qwen2.5-coder:7b", "granite4:3b"], "granite4:3b"),
        (["qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        (["unheard-of:7b", "phi4:14b"], "phi4:14b"),
        (
            ["hf.co/user/gemma-3-4b-it-GGUF:Q4_K_M=3.9B", "smollm2:135m"],
            "hf.co/user/gemma-3-4b-it-GGUF:Q4_K_M",
        ),
    ],
)
def test_best_chat_model(names, best):
    """Size first, then family; code models only when nothing else is there."""
    assert best_chat(installed(*names)).name == best


@pytest.mark.parametrize(
    "name",
    [
        "nomic-embed-text:latest",
        "bge-m3:latest",
        "all-minilm:l6-v2",
        "gpt-oss:120b-cloud",
        "qwen3-coder:480b-cloud",
        "llama-guard3:8b",
        "qwen3-embedding:4b",
        "mxbai-embed-large:335m",
    ],
)
def test_never_a_chat_model(name):
    """Embedders, classifiers and models on other people's machines do not chat."""
    assert best_chat(installed(name)) is None


def test_family_tells_an_embedder():
    """A renamed embedder is known by its family."""
    renamed = Installed(name="mine:latest", family="nomic-bert")
    assert best_chat([renamed]) is None
    assert best_embedder([renamed]) == renamed


def test_best_embedder():
    """The preferred embedder wins; a chat model is never one."""
    found = best_embedder(installed("all-minilm:latest", "qwen3:8b", "nomic-embed-text:v1.5"))
    assert found.name == "nomic-embed-text:v1.5"
    assert best_embedder(installed("qwen3:8b")) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("qwen3:8", "qwen3:8b"),
        ("quen3:8b", "qwen3:8b"),
        ("qwen3", "qwen3:8b"),
        ("gema3", "gemma3:latest"),
        ("nothing-like-it-at-all", ""),
    ],
)
def test_nearest_name(name, meant):
    """A slip of the finger or a forgotten tag finds the installed model."""
    assert nearest(name, installed("qwen3:8b", "gemma3:latest")) == meant
