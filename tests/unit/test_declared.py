"""Scouts as a file says them: read with the line of every mistake, planned, written, read again."""

from __future__ import annotations

import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from scout_cli.cli.wishes import hidden
from scout_cli.config import declared, file
from scout_cli.core.models import Location, Scout
from scout_cli.errors import ConfigError
from scout_cli.service.declared import (
    FIELDS,
    MAX_KEY,
    DeclaredScout,
    is_key,
    key_of,
    shown_place,
    table_of,
)
from scout_cli.service.declared_plan import Given, plan
from tests.contract.rows import AT
from tests.contract.rows import scout as row

OWNER = uuid4()
GOAL = "The ferry to Hollen Island"
FILE = Path("scouts.toml")


def read(text: str):
    """Return what a file declares."""
    return declared.read(file.parse(text.encode(), FILE))


def given_by(text: str, **more) -> Given:
    """Return what a plan is made from."""
    return Given(declarations=read(text), hide=hidden, **more)


def saved(**more) -> Scout:
    """Return a scout with a key."""
    return row(OWNER, **{"key": "ferry", "goal": GOAL, "search_queries": ["ferry"], **more})


def changed(text: str, scout: Scout) -> dict[str, tuple]:
    """Return what a file changes of one scout, by field."""
    (entry,) = plan([scout], given_by(text), AT).entries
    return {each.field: (each.old, each.new) for each in entry.differences}


def refused(text: str, current: tuple[Scout, ...] = ()) -> ConfigError:
    """Return the error that a file is refused with."""
    with pytest.raises(ConfigError) as caught:
        plan(current, given_by(text), AT)
    return caught.value


# Reading


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('goal = "abc"\n\nquerys = []', ":4: unknown key 'querys'", "mean queries?"),
        ('tz = "UTC"', ":2: unknown key 'tz'", "mean timezone?"),
        ("exclude = []", ":2: unknown key 'exclude'", "mean exclude_domains?"),
        ("zzzz = 1", ":2: unknown key 'zzzz'", "known: key, goal"),
        ("goal = 3", ":2: goal: Expected `str`, got `int`", "scouts.toml.example"),
        ("goal = 2026-01-01", ":2: goal: Expected `str`", "example"),
        ('goal = "a\\u0000c"', ":2: goal: a NUL character", "take out"),
        ('goal = "ab"', ":2: goal: the goal is empty", ""),
        ('key = "a"', ":1: goal: a new scout needs a goal", "plain words"),
        ('key = "Big Ferry"', ":2: 'Big Ferry' cannot be", "big-ferry"),
        ('key = "a--b"', ":2: 'a--b' cannot be a key", "such as a-b"),
        (f'key = "{"a" * 65}"', ":2: 'aaa", "at most 64"),
        ('every = "daily"', ":1: a scout without key, title and goal", "goal ="),
        (
            'key = "a"\n[[scout]]\nkey = "a"',
            ":3: the key 'a' is that of the scout on line 1",
            "own",
        ),
        ('title = "Ä b"\n[[scout]]\nkey = "a-b"', ":3: the key 'a-b'", "of its own"),
        ('title = "X"\n[[scout]]\nkey = "b"\ntitle = "x"', ":3: the title 'x'", "of its own"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, message, hint):
    """File, line, field, and what to write instead."""
    error = refused(f"[[scout]]\n{text}\n")
    assert f"scouts.toml{message}" in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ('urls = "https://a.example"', "urls: Expected", "example"),
        ('active = "no"', "active: Expected `bool", "example"),
        ('digest = "hourly"', "digest: Invalid enum", "example"),
        ('location = { town = "Bonn" }', "unknown key 'town' in location", "city"),
        ("location = { latitude = 91 }", "location: Expected", "example"),
        ('cron = "0 9 * * 1"\nevery = "daily"', "a scout has one rhythm", "not both"),
        ('every = "dayly"', "every: unknown rhythm", "mean daily?"),
        ('cron = "0 9 * *"', "cron: '0 9 * *' is not", "0 9 * * 1"),
        ('timezone = "Europe/Berln"', "timezone: unknown time zone", "Berlin"),
        ('language = "../x"', "language: not a language tag", "pt-BR"),
        ('feeds = [\n"file:///etc/passwd"]', "feeds: not a web address", "http"),
        ('exclude_domains = ["https://a.example"]', "exclude_domains: not a domain", "without"),
        ('notify = ["nothing"]', "notify: not a URL", "mailto"),
        ('notify = ["tgram://***"]', "notify: tgram://*** stands for", "whole URL"),
        (f'title = "{"x" * 201}"', "title: the title is too long", "200"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_line(line, message, hint):
    """Each field by itself, in the words of the file."""
    error = refused(f'[[scout]]\ngoal = "abc"\n{line}\n')
    assert f"scouts.toml:3: {message}" in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[scots]]\ngoal = "abc"\n', ":1: unknown key 'scots'"),
        ('goal = "abc"\n', ":1: unknown key 'goal'"),
        ('\n[scout]\ngoal = "abc"\n', ":2: scout is not a list of tables"),
    ],
)
def test_what_is_no_table_of_a_scout_is_refused(text, message):
    """The double brackets are shown."""
    error = refused(text)
    assert f"scouts.toml{message}" in error.message
    assert "[[scout]]" in error.hint


def test_lines_are_found_behind_strings_and_comments():
    """What looks like a table or a key inside a string or a comment is neither."""
    text = (
        "# [[scout]]\n"
        '[[scout]]\nkey = "a"\ngoal = """\n[[scout]]\ncron = 3\n\\""" quoted """"\n'
        "description = '''\n[[scout]]'''\n"
        '[["scout"]]   # "\n"goal" = "abc"\nqueries = [\n  "cron = 1",\n]\n  \'cron\' = "x"\n'
    )
    tomllib.loads(text)
    assert "scouts.toml:15: cron" in refused(text).message


def test_tables_may_be_written_in_one_line():
    """An array of inline tables is the same to TOML; its lines are those of the array."""
    (first, second) = read('\nscout = [{goal = "abc"}, {goal = "def"}]\n')
    assert (first.key, second.key, second.where) == ("abc", "def", "scouts.toml:2")


def test_no_tables_are_no_scouts():
    """A file of settings alone declares nothing."""
    assert read("[settings]\nrounds = 1\n") == ()


# Identity


@pytest.mark.parametrize(
    ("title", "goal", "key"),
    [
        ("Python in Bonn", "x", "python-in-bonn"),
        (" ", "Was gibt es Neues?", "was-gibt-es-neues"),
        ("Fähre über den Fluß", "", "fahre-uber-den-fluss"),
        ("--A__b--", "", "a-b"),
        ("x" * 100, "", "x" * 64),
        ("新しい船", "", key_of("新しい船", "")),
    ],
)
def test_keys_are_made_from_titles(title, goal, key):
    """Lower case, dashes, at most 64 characters, and always something."""
    assert key_of(title, goal) == key
    assert is_key(key)


def test_made_keys_are_never_twice():
    """A number goes behind a key that is taken, within the limit."""
    assert key_of("a", "", {"a", "a-2"}) == "a-3"
    long = "x" * MAX_KEY
    assert key_of(long, "", {long}) == f"{'x' * 62}-2"


@given(st.text(), st.text(), st.sets(st.text(alphabet="ab-1", max_size=4)))
def test_every_made_key_is_a_key(title, goal, taken):
    """Whatever the title is."""
    key = key_of(title, goal, taken)
    assert is_key(key)
    assert key not in taken


# Planning


def test_an_empty_database_gets_everything():
    """New scouts come in the order of the file, with the machine's zone unless they have one."""
    text = (
        f'[[scout]]\nkey = "b"\ngoal = "{GOAL}"\n[[scout]]\ngoal = "abc"\ntimezone = "Asia/Tokyo"\n'
    )
    found = plan([], given_by(text, timezone="Europe/Berlin"), AT)
    assert [(e.action, e.key, e.derived) for e in found.entries] == [
        ("add", "b", False),
        ("add", "abc", True),
    ]
    first, second = (entry.scout for entry in found.entries)
    assert (first.timezone, second.timezone) == ("Europe/Berlin", "Asia/Tokyo")
    assert (first.goal, first.title, first.search_queries, first.is_active) == (GOAL, "", [], True)


def test_what_a_table_leaves_out():
    """Filled-in fields, the zone and activity stay; the rest has its default again."""
    scout = saved(
        title="T", description="D", timezone="Asia/Tokyo", is_active=False, schedule="weekly",
        location=Location(city="Bonn"), language="de", urls=["https://a.example/"],
        feeds=["https://a.example/f"], include_domains=["a.example"],
        exclude_domains=["b.example"], notify=["mailto:me@a.example"], digest="daily",
    )  # fmt: skip
    assert changed('[[scout]]\nkey = "ferry"\n', scout) == {
        "every": ("weekly", "daily"),
        "location": (Location(city="Bonn"), None),
        "language": ("de", None),
        "urls": (["https://a.example/"], []),
        "feeds": (["https://a.example/f"], []),
        "include_domains": (["a.example"], []),
        "exclude_domains": (["b.example"], []),
        "notify": (["mailto:me@a.example"], []),
        "digest": ("daily", None),
    }


def test_a_changed_goal_clears_planned_queries():
    """They answered another question."""
    scout = saved(planned_queries=["old"], planned_for="fingerprint")
    given_ = given_by('[[scout]]\nkey = "ferry"\ngoal = "Glass eels"\n')
    (entry,) = plan([scout], given_, AT).entries
    assert (entry.patch.planned_queries, entry.patch.planned_for) == ([], None)
    assert [each.field for each in entry.differences] == ["goal"]


@pytest.mark.parametrize(
    ("table", "field"),
    [('cron = "0  9 * * 1"', "cron"), ('every = "weekly"', "every"), ("active = false", "active")],
)
def test_changes_have_the_names_of_the_file(table, field):
    """The plan speaks the language of the file."""
    assert set(changed(f'[[scout]]\nkey = "ferry"\n{table}\n', saved())) == {field}


def test_what_does_not_change_is_not_judged():
    """A title that the web interface let through does not stand in the way of another change."""
    scout = saved(title="x" * 500)
    text = f'[[scout]]\nkey = "ferry"\ntitle = "{"x" * 500}"\nlanguage = "de"\n'
    assert set(changed(text, scout)) == {"language"}


def test_prune_spares_what_was_made_by_hand():
    """Only scouts with a key go, and only when asked."""
    old, by_hand = saved(key="old"), saved(key=None, title="By hand")
    text = f'[[scout]]\ngoal = "{GOAL}"\ntitle = "By Hand"\n'
    pruned = plan([old, by_hand], given_by(text, prune=True), AT)
    assert [(e.action, e.scout.id) for e in pruned.entries[1:]] == [("remove", old.id)]
    kept = plan([old, by_hand], given_by(text), AT)
    assert (len(kept.entries), kept.left, kept.namesakes) == (1, ("old",), ("By hand",))


# Secrets


SECRETS = [
    "tgram://12345:aaaaaaaaaaaaaaaa/2",
    "mailto:me@a.example",
    "tgram://34567:bbbbbbbbbbbbbbbb/4",
    "resend://re_c@api.resend.com?to=me@example.org",
]
MARKS = '["tgram://***", "mailto:me@a.example", "tgram://***", "resend://***"]'


def notify(written: str, stored: list[str]) -> list[str]:
    """Return the channels that a scout has after a file with these was applied."""
    text = f'[[scout]]\nkey = "ferry"\nnotify = {written}\n'
    return changed(text, saved(notify=stored)).get("notify", (stored, stored))[1]


def test_hidden_urls_are_the_scouts_own():
    """Each stands for the next one of its scheme; others may come, go and move around it."""
    assert notify(MARKS, SECRETS) == SECRETS
    assert notify('["ntfy://x/y", "resend://***"]', SECRETS[1:2] + SECRETS[3:]) == [
        "ntfy://x/y",
        SECRETS[3],
    ]
    assert notify('["tgram://34567:bbbbbbbbbbbbbbbb/4", "tgram://***"]', SECRETS) == [
        SECRETS[2],
        SECRETS[0],
    ]
    assert notify("[]", SECRETS) == []
    assert notify('["tgram://***"]', ["tgram://***"]) == ["tgram://***"]


@pytest.mark.parametrize("written", ['["tgram://***"]', '["discord://***"]'])
def test_a_hidden_url_that_may_be_several_or_none_is_refused(written):
    """Guessing would send somebody's news elsewhere."""
    with pytest.raises(ConfigError, match=r"toml:3: notify: [a-z]+://\*\*\* stands"):
        notify(written, SECRETS)


def test_a_hidden_url_is_no_secret():
    """An exported file may be readable for all, and be in git."""
    assert not file.holds_secret("tgram://***")
    assert file.holds_secret("tgram://1:a/***")


def test_the_key_of_a_scout_is_no_secret(tmp_path):
    """Though settings of that name are."""
    path = tmp_path / "scouts.toml"
    path.write_text('[[scout]]\nkey = "ferry"\n')
    path.chmod(0o644)
    assert file.read(path).tables


# There and back


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SOME = st.lists(TEXT, max_size=3)
PLACES = st.builds(
    Location,
    city=st.none() | TEXT | st.sampled_from(["any", "Bonn", "Bonn, Germany"]),
    state=st.none() | TEXT,
    country=st.none() | TEXT,
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
)
URLS = st.lists(TEXT | st.sampled_from([*SECRETS, "a\nb://u:pw@h"]), max_size=3)
SCOUTS = st.builds(
    saved,
    title=TEXT,
    goal=st.none() | TEXT,
    description=st.none() | TEXT,
    search_queries=SOME,
    schedule=st.sampled_from(["hourly", "daily", "every_3_days", "weekly", "0 9 * * 1"]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
    location=st.none() | PLACES,
    language=st.none() | TEXT,
    urls=URLS,
    feeds=URLS,
    include_domains=SOME,
    exclude_domains=SOME,
    notify=URLS,
    is_active=st.booleans(),
    digest=st.sampled_from([None, "daily", "weekly"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(SCOUTS, max_size=3))
def test_what_was_exported_changes_nothing(scouts):
    """Whatever characters scouts are made of, and none of their secrets is in the file."""
    scouts = [replace(scout, key=f"k{number}") for number, scout in enumerate(scouts)]
    text = declared.write([table_of(scout, scout.key, hidden) for scout in scouts])
    found = plan(scouts, given_by(text), AT)
    assert [entry.action for entry in found.entries] == ["unchanged"] * len(scouts)
    assert [entry.key for entry in found.entries] == [scout.key for scout in scouts]
    assert "token=c" not in text


def test_a_comment_stays_a_comment():
    """A scheme with a line break in it does not leave the line of its comment."""
    urls = ["a\nb://u:pw@h"]
    text = declared.write([table_of(saved(feeds=urls), "ferry", hidden)])
    assert [each.key for each in read(text)] == ["ferry"]
    assert "\nb://" not in text


@settings(max_examples=300)
@given(
    st.builds(
        DeclaredScout, goal=TEXT, title=TEXT, queries=st.lists(TEXT).map(tuple), language=TEXT
    )
)
def test_every_character_survives_the_file(table):
    """All that TOML allows; NUL is refused elsewhere."""
    table = replace(table, key="k")
    (found,) = read(declared.write([table]))
    assert found.table == table


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (None, ""),
        (Location(city="Bonn"), "Bonn"),
        (Location(city="Bonn", country="Germany"), "Bonn, Germany"),
    ],
)
def test_places_are_one_line_where_that_says_all(location, shown):
    """The rest is a table."""
    assert shown_place(location) == shown


def test_an_exported_file_is_pleasant_to_read():
    """Short lists stay on a line, long ones do not, and a place in parts is an inline table."""
    scout = saved(
        search_queries=["a", "b"], urls=[f"https://{'a' * 60}.example/", "https://b.example/"],
        location=Location(city="any", country="Germany"), notify=SECRETS[:1], is_active=False,
    )  # fmt: skip
    text = declared.write([table_of(scout, "ferry", hidden)])
    assert text.partition("[[scout]]\n")[2] == (
        f'key = "ferry"\ngoal = "{GOAL}"\ntitle = "Ferries"\nqueries = ["a", "b"]\n'
        f'every = "daily"\ntimezone = "UTC"\nlocation = {{ city = "any", country = "Germany" }}\n'
        f'urls = [\n    "https://{"a" * 60}.example/",\n    "https://b.example/",\n]\n'
        "# tgram://***: holds a secret, which stays in the database\n"
        'notify = ["tgram://***"]\nactive = false\n'
    )


def test_every_field_of_a_table_is_a_column():
    """What a table can say reaches the database, and what is changed has a name in the file."""
    names = {info.name for info in fields(DeclaredScout)} - {"key", "cron"}
    assert names == set(FIELDS.values())
    assert set(FIELDS) <= {info.name for info in fields(Scout)}
