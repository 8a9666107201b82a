"""`scout add`: what was filled in, by whom, and what comes next."""

from __future__ import annotations

import json

import pytest

from tests.cli.stage import GOAL, HOSTILE, add, call


def test_add_fills_in_and_says_what_to_type_next():
    """The id and what was saved go to stdout, who filled it in and the next command to stderr."""
    said = call("add", GOAL, "--tz", "Europe/Berlin")
    values = dict(row.split(maxsplit=1) for row in said.out.splitlines())
    assert said.code == 0
    assert len(values["id"]) == 8
    assert values["rhythm"] == "daily, Europe/Berlin"
    assert said.out.count("\nquery ") >= 3
    assert "Title and queries filled in by the built-in engine." in said.err
    assert said.err.splitlines()[1] == f"Run it with: scout run {values['id']}"


def test_every_option_arrives():
    """What is given is saved as it is."""
    said = call(
        "add", GOAL, "--title", "Ferry", "--query", "a", "--query", "b", "--cron", "0  9 * * 1",
        "--tz", "Asia/Tokyo", "--location", "Bonn, Germany", "--lang", "de", "--url", "https://a.example/",
        "--feed", "https://a.example/feed", "--include", "a.example", "--exclude", "b.example",
        "--notify", "mailto:me@a.example", "--json",
    )  # fmt: skip
    document = json.loads(said.out)
    scout = document["scout"]
    assert set(document) == {"scout", "answered_by", "note"}
    assert document["answered_by"] == "code"
    assert (scout["title"], scout["goal"], scout["search_queries"]) == ("Ferry", GOAL, ["a", "b"])
    assert (scout["schedule"], scout["timezone"]) == ("0 9 * * 1", "Asia/Tokyo")
    assert scout["location"] == {"city": "Bonn", "country": "Germany"}
    assert (scout["language"], scout["notify"]) == ("de", ["mailto:me@a.example"])
    assert (scout["urls"], scout["feeds"]) == (["https://a.example/"], ["https://a.example/feed"])
    assert (scout["include_domains"], scout["exclude_domains"]) == (["a.example"], ["b.example"])
    assert said.err == ""


def test_the_zone_is_the_machines(monkeypatch):
    """Without --tz the rhythm is meant where the machine stands."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert "rhythm  daily, Asia/Tokyo" in call("add", GOAL, "--title", "x", "--query", "y").out


@pytest.mark.parametrize(
    "url",
    [
        "resend://hunter2@api.resend.com?to=me@example.org",
        "tgram://123456:hunter2-hunter2-hunter2/1",
        "webhook+https://h/?token=hunter2",
    ],
)
def test_secrets_of_channels_come_in_on_stdin_only(url):
    """As an argument such a URL is refused; from stdin it is saved and never shown."""
    refused = call("add", GOAL, "--notify", url)
    assert (refused.code, refused.out) == (2, "")
    assert "--notify -" in refused.err
    saved = call("add", GOAL, "--notify", "-", "--title", "Quiet", stdin=f"\n{url}\n")
    assert saved.code == 0
    for said in (refused, saved, call("show", "Quiet"), call("list", "--json")):
        assert "hunter2" not in said.out + said.err


def test_a_channel_from_an_empty_stdin_is_an_error():
    """Silence is not a URL."""
    assert "no URL on standard input" in call("add", GOAL, "--notify", "-", stdin="").err


def test_a_first_argument_with_a_space_is_a_wish():
    """`scout "GOAL"` saves it and runs it, options included; one word stays a command."""
    said = call(GOAL, "--tz", "UTC")
    assert said.code == 0
    assert "14 May 2026" in said.out
    assert call("list", "--json").out.count('"last_run_at":"') == 1


def test_add_and_run_as_json_is_a_stream():
    """First the scout, then the events of its run."""
    rows = [json.loads(row) for row in call("add", GOAL, "--run", "--json").out.splitlines()]
    assert rows[0]["scout"]["goal"] == GOAL
    assert (rows[1]["event"], rows[-1]["event"]) == ("run_started", "run_finished")


def test_a_hostile_title_is_saved_and_shown_without_its_tricks():
    """Nothing hidden comes out in any of the views."""
    name = add("--title", HOSTILE)
    for said in (call("list"), call("show", name), call("history"), call("list", "--json")):
        assert said.code == 0
        assert not set("\x1b\x07\u202e\u200b\U000e0041") & set(said.out + said.err)
    assert "eviltitle" in call("list").out


def test_a_digest_is_kept():
    """`--digest` gathers the news of the new scout."""
    said = call("add", GOAL, "--digest", "weekly", "--json")
    assert json.loads(said.out)["scout"]["digest"] == "weekly"
    assert call("add", GOAL, "--digest", "hourly").code == 2


def test_a_wish_without_a_topic_is_called_after_its_place():
    """No model is asked for a title and queries that would be made of nothing."""
    said = call("add", "What is new here?", "--feed", "https://www.port.example/feed.xml")
    assert said.code == 0
    assert "port.example" in said.out.splitlines()[1]
    assert "names no topic" in said.out
    assert "filled in by the built-in engine" in said.err
    named = call("add", "What is new here?", "--url", "https://port.example/", "--title", "Port")
    assert "title   Port\n" in named.out
    assert "names no topic" in named.out
