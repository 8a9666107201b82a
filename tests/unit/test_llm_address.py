"""Every way to write the address of an Ollama leads to the same place."""

from __future__ import annotations

import pytest

from scout_cli.errors import ConfigError
from scout_cli.llm.address import Address, from_ollama_host, parse


@pytest.mark.parametrize(
    ("url", "base", "model"),
    [
        ("ollama://127.0.0.1:11434/qwen3:8b", "http://127.0.0.1:11434", "qwen3:8b"),
        ("ollama://", "http://127.0.0.1:11434", ""),
        ("ollama:///qwen3:8b", "http://127.0.0.1:11434", "qwen3:8b"),
        ("ollama://0.0.0.0/qwen3", "http://127.0.0.1:11434", "qwen3"),
        ("OLLAMA://Box/qwen3", "http://box:11434", "qwen3"),
        ("ollama://[::1]:99/qwen3", "http://[::1]:99", "qwen3"),
        ("ollama+https://llm.example/gpt-oss:20b", "https://llm.example:443", "gpt-oss:20b"),
        ("ollama://box/hf.co/user/model:Q4_K_M", "http://box:11434", "hf.co/user/model:Q4_K_M"),
    ],
)
def test_urls(url, base, model):
    """Host, port and model are read; the default port depends on the scheme."""
    address = parse(url, setting="llm_url")
    assert (address.base, address.model) == (base, model)


@pytest.mark.parametrize(
    "url",
    [
        "ollama://me:secret@box/qwen3",
        "ollama://box:port/qwen3",
        "ollama://box:99999/qwen3",
        "ollama://box/qwen3?num_ctx=4096",
        "ollama://[::1/qwen3",
    ],
)
def test_urls_that_cannot_be_used(url):
    """A password, a broken port or more than a model is a mistake of configuration."""
    with pytest.raises(ConfigError, match="llm_url"):
        parse(url, setting="llm_url")


@pytest.mark.parametrize(
    ("value", "base"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:11434", "http://[::1]:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("box:99", "http://box:99"),
        ("http://box", "http://box:80"),
        ("https://box/", "https://box:443"),
    ],
)
def test_ollama_host(value, base):
    """The variable means what it means to Ollama's own client, and never the address 0.0.0.0."""
    assert from_ollama_host(value).base == base


@pytest.mark.parametrize("value", ["ftp://box", "box:port", "http://[::"])
def test_ollama_host_that_cannot_be_used(value):
    """Anything but a host is said to be wrong."""
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        from_ollama_host(value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_url_round_trip(scheme):
    """The URL that is stored leads back to the same address and model."""
    address = Address(scheme=scheme, host="::1", port=8_080)
    again = parse(address.url("qwen3:8b"), setting="llm_url")
    assert (again.base, again.model) == (address.base, "qwen3:8b")
