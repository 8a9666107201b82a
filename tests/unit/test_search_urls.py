"""The search URL of a configuration is understood or refused, never guessed at."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scout_cli.errors import ConfigError
from scout_cli.search import open_search
from scout_cli.search.ddgs import DEFAULT_ENGINES
from scout_cli.search.region import locale, region


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("ddgs://", f"ddgs/{','.join(DEFAULT_ENGINES)}"),
        ("ddgs://mojeek", "ddgs/mojeek"),
        ("ddgs://Brave,%20,mojeek/".replace("%20", ""), "ddgs/brave,mojeek"),
        ("searxng+http://127.0.0.1:8080", "searxng/127.0.0.1:8080"),
        ("searxng+https://me:secret@search.example/x", "searxng/search.example"),
    ],
)
def test_names(url, name):
    """The name is for people and holds no password."""
    assert open_search(url, None).name == name


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("ddgs://duckduck", "duckduckgo"),
        ("ddgs://brave,mojek", "mojeek"),
        ("google://", "Known: ddgs://"),
        ("serxng+http://x", "searxng+http://"),
        ("searxng+http://", "127.0.0.1:8080"),
        ("searxng+http:///search", "127.0.0.1:8080"),
    ],
)
def test_mistakes(url, hint):
    """A wrong scheme, engine or host is refused with the nearest right one."""
    with pytest.raises(ConfigError, match="search_url") as caught:
        open_search(url, None)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "url", ["searxng+http://x:port", "searxng+http://[::1", "searxng+http://x:99999"]
)
def test_broken_addresses(url):
    """A port or bracket that cannot be read is a mistake of configuration."""
    with pytest.raises(ConfigError, match="search_url"):
        open_search(url, None)


@pytest.mark.parametrize(
    ("language", "country", "pair", "tag"),
    [
        ("", "", "us-en", "all"),
        ("de", "", "de-de", "de"),
        ("de", "at", "at-de", "de-AT"),
        ("pt-BR", "", "br-pt", "pt-BR"),
        ("zh-Hant-TW", "", "tw-zh", "zh-TW"),
        ("sv", "", "se-sv", "sv"),
        ("", "br", "br-pt", "all"),
        ("", "AU", "au-en", "all"),
        ("xx", "", "us-xx", "xx"),
    ],
)
def test_regions(language, country, pair, tag):
    """Language and country become the pair or tag that the engines use."""
    assert region(language, country) == pair
    assert locale(language, country) == tag


def test_opening_ddgs_does_not_load_it():
    """The package and its dependencies are loaded by the first search, not before."""
    program = (
        "import sys; from scout_cli.search import open_search; open_search('ddgs://', None); "
        "print({'ddgs', 'primp', 'lxml', 'aiohttp'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
