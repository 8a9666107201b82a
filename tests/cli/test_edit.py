"""`scout edit` with options: what they change, mistakes, and what follows from a change."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from scout_cli.core.models import Location, Scout
from tests.cli.planted import SECRET, call, plant, stored
from tests.contract.rows import AT


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--title", "Boats"], {"title": "Boats"}),
        (["--about", "Boats"], {"description": "Boats"}),
        (["--every", "weekly"], {"schedule": "weekly", "timezone": "Europe/Berlin"}),
        (["--cron", "0  9 * * 1"], {"schedule": "0 9 * * 1", "frequency": "weekly"}),
        (["--tz", "UTC"], {"timezone": "UTC", "schedule": "daily"}),
        (["--lang", "de"], {"language": "de"}),
        (["--clear", "lang"], {"language": None}),
        (["--location", "Kiel"], {"location": Location(city="Kiel")}),
        (["--location", "anywhere"], {"location": None}),
        (["--clear", "location"], {"location": None}),
        (["--digest", "weekly"], {"digest": "weekly"}),
        (["--query", "a b"], {"search_queries": ["Hollen ferry", "Hollen ferry ticket", "a b"]}),
        (["--query", "Hollen ferry"], {"search_queries": ["Hollen ferry", "Hollen ferry ticket"]}),
        (["--no-query", "Hollen ferry"], {"search_queries": ["Hollen ferry ticket"]}),
        (["--clear", "query", "--query", "a b"], {"search_queries": ["a b"]}),
        (["--clear", "queries"], {"search_queries": []}),
        (["--clear", "urls", "--clear", "notify"], {"urls": [], "notify": []}),
        (["--feed", "https://a.example/f"], {"feeds": ["https://a.example/f"]}),
        (["--include", "a.example"], {"include_domains": ["a.example"]}),
        (["--exclude", "a.example"], {"exclude_domains": ["a.example"]}),
        (["--no-notify", "tgram://***"], {"notify": ["mailto:me@harbour.example"]}),
        (["--notify", "ntfy://x/y"], {"notify": [SECRET, "mailto:me@harbour.example", "ntfy://x/y"]}),
    ],
)  # fmt: skip
def test_options_change_what_they_name(words, changed):
    """What is given comes to what is there; --no-... takes one out, --clear all."""
    before = plant()
    said = call("edit", "hollen", *words)
    after = stored()
    assert said.code == 0, said.err
    assert {name: getattr(after, name) for name in changed} == changed
    follow = {"updated_at", "frequency", "next_run_at", "planned_queries", "planned_for"}
    fields = set(Scout.__struct_fields__)
    assert [
        n for n in fields - {*changed, *follow} if getattr(before, n) != getattr(after, n)
    ] == []


def test_a_change_is_told_as_old_and_new():
    """One line for each field on stdout, no secret in it; nothing else is said."""
    plant()
    said = call("edit", "1111", "--every", "weekly", "--clear", "notify")
    head, rhythm, notify = said.out.splitlines()
    assert head.split() == ["FIELD", "OLD", "NEW"]
    assert rhythm.split() == ["rhythm", "daily", "weekly"]
    assert notify.split() == ["notify", "tgram://***;", "mailto:me@harbour.example", "-"]
    assert said.err == ""


def test_nothing_to_change_is_no_mistake():
    """What a scout is already changes neither it nor the moment of its last change."""
    before = plant()
    said = call("edit", "1111", "--every", "daily", "--url", before.urls[0])
    assert (said.code, said.out, said.err) == (0, "", "Nothing was changed.\n")
    assert stored() == before
    assert json.loads(call("edit", "1111", "--every", "daily", "--json").out)["changed"] == []


def test_a_new_goal_forgets_what_was_planned_for_the_old():
    """Planned queries go, own queries stay, and a hint says how to be rid of them."""
    plant()
    said = call("edit", "1111", "--goal", "The ferry to Nowhere")
    after = stored()
    assert (after.goal, after.planned_queries, after.planned_for) == (
        "The ferry to Nowhere",
        [],
        None,
    )
    assert after.search_queries == ["Hollen ferry", "Hollen ferry ticket"]
    assert after.description == "When the ferry returns"
    assert "scout edit 11111111 --clear query" in said.err


def test_what_was_made_from_the_goal_follows_it():
    """Queries of the built-in engine and a description that repeats the goal become the new."""
    plant(
        description="Night trains to Vienna",
        goal="Night trains to Vienna",
        location=None,
        search_queries=["trains Vienna", "trains Vienna news", "trains Vienna announcement"],
    )
    made = call("add", "Night trains to Vienna", "--title", "x", "--json")
    queries = json.loads(made.out)["scout"]["search_queries"]
    call("edit", "1111", *(w for q in queries for w in ("--query", q)), "--clear", "query")
    said = call("edit", "1111", "--goal", "Night trains to Prague")
    after = stored()
    assert after.description == "Night trains to Prague"
    assert "Prague" in " ".join(after.search_queries)
    assert "Vienna" not in " ".join(after.search_queries)
    assert said.err == ""


def test_a_new_rhythm_sets_the_next_run():
    """It lies in the future; a new title leaves the next run alone."""
    before = plant()
    call("edit", "1111", "--title", "Boats")
    assert stored().next_run_at == before.next_run_at
    call("edit", "1111", "--cron", "0 9 * * 1")
    upcoming = stored().next_run_at
    assert upcoming is not None
    assert upcoming > AT
    assert upcoming != before.next_run_at


def test_secrets_come_on_standard_input():
    """They are stored whole and shown nowhere."""
    plant(notify=[])
    said = call("edit", "1111", "--notify", "-", stdin=f"{SECRET}\n")
    assert said.code == 0
    assert stored().notify == [SECRET]
    assert "canary-77" not in said.out + said.err
    refused = call("edit", "1111", "--notify", SECRET)
    assert refused.code == 2
    assert "canary-77" not in refused.out + refused.err


@pytest.mark.parametrize(
    ("words", "code", "message", "hint"),
    [
        (["1111", "--every", "dayly"], 2, "unknown rhythm 'dayly'", "did you mean daily?"),
        (["1111", "--every", "daily", "--cron", "0 9 * * 1"], 2, "one rhythm", "not both"),
        (["1111", "--tz", "Europe/Berln"], 2, "zone 'Europe/Berln'", "did you mean"),
        (["1111", "--goal", " "], 2, "the goal is empty", "scout add"),
        (["1111", "--title", "\u200b"], 2, "the title is empty", "200 characters"),
        (["1111", "--title", "x" * 201], 2, "the title is too long", "200 characters"),
        (["1111", "--url", "file:///etc/passwd"], 2, "not a web address", "https://"),
        (["1111", "--lang", "../x"], 2, "not a language tag", "pt-BR"),
        (["1111", "--clear", "title"], 2, "'title' is not one of", "scout edit --help"),
        (["1111", "--no-query", "Holen fery"], 2, "it has no 'Holen fery'", "'Hollen ferry'?"),
        (["1111", "--no-feed", "x"], 2, "it has no 'x'", "there is none"),
        (["nobody", "--title", "x"], 3, "no scout 'nobody'", "scout list"),
        (["nobody"], 3, "no scout 'nobody'", "scout list"),
        (["1111"], 2, "an editor needs a terminal", "--every weekly"),
        ([], 2, "Missing argument 'SCOUT'", "scout edit --help"),
    ],
)  # fmt: skip
def test_a_mistake_changes_nothing(words, code, message, hint):
    """Two lines, and the scout is as it was."""
    before = plant()
    said = call("edit", *words)
    first, second = said.err.splitlines()
    assert (said.code, said.out) == (code, "")
    assert message.lower() in first.lower()
    assert hint in second
    assert stored() == before


def test_a_change_is_dated():
    """`updated_at` follows a change."""
    plant()
    call("edit", "1111", "--title", "Boats", at=AT + timedelta(minutes=5))
    assert stored().updated_at == AT + timedelta(minutes=5)
