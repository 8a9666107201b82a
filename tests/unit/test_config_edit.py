"""Changing one setting of a file: nothing else changes, whatever the file looks like."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from scout_cli import config
from scout_cli.config import choice, edit, survey
from scout_cli.errors import ConfigError, InvalidInput

ROOT = Path(__file__).parents[2]
FILE = """\
# my settings
[settings]   # mine
num_ctx = 4096        # tokens
# rounds = 3
search_url = [        # two
    "ddgs://",        # first ]
    'searxng+http://h',
]
contact = "me # not a comment"

[[scout]]
title = "x"
num_ctx = "another one's"
"""

EDITS = [
    ("num_ctx", 512, FILE.replace("4096        #", "512         #")),
    ("num_ctx", 10_000_000, FILE.replace("4096        #", "10000000    #")),
    ("contact", "", FILE.replace('"me # not a comment"', '""')),
    (
        "search_url",
        ["ddgs://brave"],
        FILE.replace(FILE[FILE.index("[        #") : FILE.index("\ncontact")], '["ddgs://brave"]'),
    ),
    ("rounds", 1, FILE.replace('comment"\n', 'comment"\nrounds = 1\n')),
]


@pytest.mark.parametrize(("name", "value", "wanted"), EDITS)
def test_a_value_is_replaced_where_it_stands(name, value, wanted):
    """Comments, order and columns stay; a new key goes below the last one."""
    assert edit.set_value(FILE, name, value) == wanted


@pytest.mark.parametrize(("name", "value", "wanted"), EDITS)
def test_windows_line_ends_stay(name, value, wanted):
    """The same on a file of CRLF lines, which has no other afterwards."""
    found = edit.set_value(FILE.replace("\n", "\r\n"), name, value)
    assert found == wanted.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[settings]\nrounds = 1\n"),
        ("# nothing yet", "# nothing yet\n\n[settings]\nrounds = 1\n"),
        ("[settings]", "[settings]\nrounds = 1\n"),
        ("[settings] # x\n\n# end\n", "[settings] # x\nrounds = 1\n\n# end\n"),
        ("[[scout]]\ntitle = 'x'\n", "[[scout]]\ntitle = 'x'\n\n[settings]\nrounds = 1\n"),
        ("[settings]\ncontact = 'a'", "[settings]\ncontact = 'a'\nrounds = 1\n"),
        ("['settings']\n'rounds' = 5\n", "['settings']\n'rounds' = 1\n"),
        ('  [ "settings" ]\n\t"rounds"=5', '  [ "settings" ]\n\t"rounds"=1'),
    ],
)
def test_a_missing_table_or_key_is_added(before, after):
    """Wherever there is room for it."""
    assert edit.set_value(before, "rounds", 1) == after


@pytest.mark.parametrize(
    "text",
    [
        "settings = { rounds = 5 }\n",
        "settings.rounds = 5\n",
        '[settings]\n"r\\u006funds" = 5\n',
    ],
)
def test_what_cannot_be_done_line_by_line_is_refused(text):
    """Rather than to write something else; the error says how to write it."""
    with pytest.raises(ConfigError) as caught:
        edit.set_value(text, "rounds", 1)
    assert "[settings]" in caught.value.hint


def test_a_key_is_taken_out_with_its_comment():
    """And nothing else; a key that is not there is no change."""
    assert edit.unset(FILE, "num_ctx") == FILE.replace("num_ctx = 4096        # tokens\n", "", 1)
    cut = FILE[: FILE.index("search_url")] + FILE[FILE.index("contact") :]
    assert edit.unset(FILE, "search_url") == cut
    assert edit.unset(FILE, "rounds") == FILE
    assert edit.unset("[settings]\nrounds = 1", "rounds") == "[settings]\n"
    with pytest.raises(ConfigError):
        edit.unset("settings = { rounds = 5 }\n", "rounds")


def test_broken_files_are_not_touched():
    """What is no TOML is refused before anything is written."""
    for text in ("[settings", "a = ", '[settings]\nx = """', "[" * 9_000):
        with pytest.raises(ConfigError):
            edit.set_value(text, "rounds", 1)


_KEYS = st.sampled_from(["num_ctx", "rounds", "contact", "odd-key", "x_1"])
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS,
)
_VALUES = st.one_of(_SCALARS, st.lists(_TEXTS, max_size=3))
_NESTED = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "before": _NESTED,
        "settings": st.dictionaries(_KEYS, _VALUES, max_size=4),
        "scout": st.lists(st.dictionaries(_KEYS, _NESTED, max_size=3), min_size=1, max_size=2),
        "after": st.dictionaries(_KEYS, _NESTED, max_size=2),
    },
)  # fmt: skip


@given(_DOCUMENTS, _KEYS, _VALUES, st.booleans(), st.booleans())
def test_exactly_one_key_changes(document, name, value, several_lines, windows):
    """Set, then unset: all the rest is what it was, and every other line stands as it stood."""
    text = tomli_w.dumps(document, multiline_strings=several_lines)
    if windows and "\r" not in text and '"""' not in text:
        text = text.replace("\n", "\r\n")
    before = tomllib.loads(text)
    changed = edit.set_value(text, name, value)
    wanted = {**before, "settings": {**before.get("settings", {}), name: value}}
    assert tomllib.loads(changed) == wanted
    removed = edit.unset(changed, name)
    left = {key: each for key, each in wanted["settings"].items() if key != name}
    assert tomllib.loads(removed) == {**before, "settings": left}
    if name not in before.get("settings", {}):
        assert set(text.splitlines()) <= set(changed.splitlines())


@given(st.text(st.sampled_from("a=[]{}\"'#\n .,1\\"), max_size=40), _VALUES)
def test_any_text_is_edited_rightly_or_refused(text, value):
    """No text makes the editor write something that was not asked for."""
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        before = None
    try:
        changed = edit.set_value(text, "rounds", value)
    except ConfigError:
        return
    assert before is not None
    assert tomllib.loads(changed) == {**before, "settings": {"rounds": value}}


def test_writing_keeps_mode_link_and_mark(tmp_path):
    """In one step: the old file or the new one, never half; nothing is left beside it."""
    real, link = tmp_path / "real.toml", tmp_path / "scouts.toml"
    real.write_bytes(b"\xef\xbb\xbfa = 1\n")
    real.chmod(0o640)
    link.symlink_to(real)
    edit.write(link, "b = 2\n", secret=False)
    assert (link.is_symlink(), real.read_bytes()) == (True, b"\xef\xbb\xbfb = 2\n")
    assert real.stat().st_mode & 0o777 == 0o640
    edit.write(link, "b = 3\n", secret=True)
    assert real.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.toml", "scouts.toml"]


def test_a_new_file_is_private_and_its_folder_too(tmp_path):
    """Folders are made on the way."""
    path = tmp_path / "a" / "b" / "scouts.toml"
    old = os.umask(0)
    try:
        edit.write(path, "", secret=False)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written(tmp_path):
    """The error names the file."""
    (tmp_path / "f").touch()
    with pytest.raises(ConfigError, match=r"scouts\.toml: cannot be written"):
        edit.write(tmp_path / "f" / "scouts.toml", "", secret=False)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("", False),
        ('[settings]\nollama_api_key = "x"\n', True),
        ('[settings]\nollama_api_key = ""\n', False),
        ('[settings]\ndatabase_url = "postgresql://u:p@h/d"\n', True),
        ('[[scout]]\nnotify = ["tgram://1:2/3"]\n', True),
        ('[settings]\nsecret_keys = ["a"]\n', True),
        ("[settings]\nnum_ctx = 1\n", False),
    ],
)
def test_secrets_in_a_document_are_seen(text, secret):
    """By the name of the key or by the form of the address."""
    assert edit.holds_secret(text) is secret


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("num_ctx", ["4096"], 4096),
        ("deadline", ["90"], 90.0),
        ("search_url", ["ddgs://", "searxng+http://h"], ["ddgs://", "searxng+http://h"]),
        ("search_url", ["ddgs:// searxng+http://h"], ["ddgs://", "searxng+http://h"]),
        ("allow_private_networks", ["yes"], True),
        ("allow_private_networks", ["a:1", "b:2"], ["a:1", "b:2"]),
        ("llm_url", ["auto"], "auto"),
        ("contact", ["me and you"], "me and you"),
        ("contact", [""], ""),
    ],
)
def test_words_become_values_as_in_the_environment(name, words, value):
    """Numbers, truth, lists, text."""
    assert choice.parsed(name, words) == value


@pytest.mark.parametrize(
    ("name", "words", "message", "hint"),
    [
        ("num_ctx", ["many"], "num_ctx: Expected `int`", "its default is 8192"),
        ("num_ctx", ["1"], "Expected `int` >= 512", "8192"),
        ("num_ctx", ["1", "2"], "it takes one value", "num_ctx VALUE"),
        ("num_ctx", [""], "the value is empty", "unset num_ctx"),
        ("contact", ["a", "b"], "it takes one value", '"a b"'),
        ("llm_url", ["olama://h/m"], "'olama'", "Did you mean ollama://?"),
        ("search_url", ["ddgs://", "goggle://"], "'goggle'", "Known: ddgs://"),
        ("fetch_url", ["auto"], "'auto'", "crawl4ai"),
    ],
)
def test_words_that_cannot_be_used(name, words, message, hint):
    """The error names the setting as it was typed, and what to do."""
    with pytest.raises(ConfigError) as caught:
        choice.parsed(name, words)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_nearest_setting_is_offered():
    """For a slip, a hyphen, a capital; what is like nothing gets the list."""
    for typed in ("num_ctz", "num-ctx", "NUM_CTX"):
        with pytest.raises(InvalidInput) as caught:
            choice.named(typed)
        assert caught.value.hint == "did you mean num_ctx?"
    with pytest.raises(InvalidInput) as caught:
        choice.named("zzzz")
    assert "config show" in caught.value.hint


def test_every_setting_can_be_set_to_its_default(tmp_path):
    """Written, read back, the same."""
    text = ""
    defaults = config.Settings(database_url="sqlite:///x.db")
    for name in defaults.__struct_fields__:
        value = getattr(defaults, name)
        words = list(value) if isinstance(value, tuple) else [str(value)]
        text = edit.set_value(text, name, choice.parsed(name, words))
    path = tmp_path / "scouts.toml"
    path.write_text(text)
    path.chmod(0o600)
    assert config.load(path, environ={}).settings == defaults


def test_the_example_file_can_be_edited():
    """The file that people start from keeps every comment."""
    text = (ROOT / "scouts.toml.example").read_text("utf-8")
    changed = edit.set_value(text, "num_ctx", 16_384)
    differing = [
        (one, other)
        for one, other in zip(text.splitlines(), changed.splitlines(), strict=True)
        if one != other
    ]
    ((old, new),) = differing
    assert old.index("#") == new.index("#")


def test_a_survey_finds_what_load_finds(tmp_path, isolated):
    """Without faults both give the same, from the same file."""
    path = tmp_path / "scouts.toml"
    path.write_text('[settings]\nrounds = 1\nsearch_url = "ddgs:// ddgs://brave"\n[[scout]]\na=1\n')
    given = {"SCOUT_NUM_CTX": "4096", "PATH": "/bin", "OLLAMA_HOST": "h:1"}
    flags = {"database_url": "sqlite:///f.db"}
    for named, cwd in ((path, Path("/")), (None, tmp_path), (None, isolated)):
        found = survey.survey(named, flags, given, cwd)
        assert found.problems == []
        assert found.loaded == config.load(named, flags, given, cwd)
        there = [place.path for place in survey.places(named, given, cwd) if place.is_there]
        assert (there[0] if there else None) == (found.loaded.path and found.loaded.path.absolute())


def test_a_survey_finds_every_fault(tmp_path):
    """Each with its own place, while what is right holds."""
    path = tmp_path / "scouts.toml"
    path.write_text("stray = 1\n[settings]\nnum_ctz = 1\nrounds = 99\nmax_pages = 3\n")
    environ = {"SCOUT_DEADLINE": "x", "SCOUT_ROUNDZ": "1", "SCOUT_MAX_PAGES": "4"}
    found = survey.survey(path, {}, environ, tmp_path)
    said = [problem.message for problem in found.problems]
    assert said[0].startswith(f"{path}:1: unknown key 'stray'")
    assert said[1].startswith(f"{path}:3: unknown key 'num_ctz'")
    assert said[2].startswith(f"{path}:4: rounds: ")
    assert said[3].startswith("SCOUT_DEADLINE: ")
    assert said[4].startswith("SCOUT_ROUNDZ: ")
    assert len(said) == 5
    assert found.loaded is not None
    assert (found.loaded.settings.max_pages, found.loaded.settings.rounds) == (4, 2)
    assert found.loaded.origins["max_pages"] == "SCOUT_MAX_PAGES"


@pytest.mark.parametrize("text", ["[settings", "a = '\0'", None])
def test_a_survey_of_a_file_that_cannot_be_read(tmp_path, text):
    """One fault, and no settings: nobody knows what was meant."""
    path = tmp_path / "scouts.toml"
    if text is not None:
        path.write_text(text)
    found = survey.survey(path, {}, {}, tmp_path)
    assert (found.loaded, len(found.problems)) == (None, 1)
    named = survey.survey(None, {}, {"SCOUT_CONFIG": str(path)}, tmp_path)
    assert (named.loaded, len(named.problems)) == (None, 1)
