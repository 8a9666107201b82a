"""Files of other watchers become scouts, and what they cannot say as a scout is told."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from scout_cli.errors import InvalidInput
from scout_cli.service import importing
from scout_cli.service.importing import archives, becoming
from scout_cli.service.importing.archives import File, given

USUAL = {"weeks": None, "days": None, "hours": 3, "minutes": None, "seconds": None}
NOTHING = dict.fromkeys(USUAL)


def watch(url, **more):
    """Return a watch as changedetection.io stores it, with the fields that matter here."""
    fields = {
        "url": url,
        "title": None,
        "tag": "",
        "tags": [],
        "method": "GET",
        "headers": {},
        "body": None,
        "paused": False,
        "processor": "text_json_diff",
        "fetch_backend": "system",
        "include_filters": [],
        "subtractive_selectors": [],
        "trigger_text": [],
        "ignore_text": [],
        "browser_steps": [],
        "notification_urls": [],
        "time_between_check": dict(NOTHING),
        "time_between_check_use_default": True,
        "last_checked": 1763690000,
    }
    return {**fields, **more}


INDEX = {
    "note": "Hello! If you change this file manually, please be sure to restart.",
    "app_guid": "6f1a2f4e-6a0c-4e7a-9a0f-0b9a8d6f5c21",
    "version_tag": "0.50.20",
    "settings": {
        "headers": {},
        "requests": {"timeout": 45, "time_between_check": USUAL, "workers": 10},
        "application": {
            "notification_urls": ["mailto://me:pw@mail.example"],
            "tags": {"5a7d": {"title": "Harbours", "uuid": "5a7d"}},
        },
    },
    "watching": {
        "aa01": watch("https://harbour.example/timetable", title="Ferry timetable", tags=["5a7d"]),
        "aa02": watch(
            "https://shop.example/boat",
            processor="restock_diff",
            include_filters=[".price"],
            time_between_check={**NOTHING, "minutes": 10},
            time_between_check_use_default=False,
            paused=True,
        ),
        "aa03": watch("https://api.example/search", method="POST", body="q=1", title="A form"),
        "aa04": watch("https://x.example/{{ today }}"),
        "aa05": watch("file:///etc/passwd", title="Mine"),
        "aa06": watch("source:https://raw.example/index.html", title="Raw"),
        "aa07": watch("https://harbour.example/timetable", title="Again"),
    },
}


def packed(members, compression=zipfile.ZIP_DEFLATED):
    """Return a zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def backup(index=INDEX):
    """Return a backup as changedetection.io makes it."""
    return packed(
        [
            ("url-watches.json", json.dumps(index)),
            ("secret.txt", "5eed" * 16),
            ("aa01/history.txt", "1763690000,abc.txt\n"),
            ("aa01/abc.txt", "Departures"),
            ("url-list.txt", "https://harbour.example/timetable\r\n"),
        ]
    )


def read(data, origin=None):
    """Read bytes as a file."""
    return importing.read(given("file", data if isinstance(data, bytes) else data.encode()), origin)


def test_a_backup_of_changedetection():
    """Titles, tags, intervals and pauses come along; the rest is told, watch by watch."""
    found = read(backup())
    assert found.origin == "changedetection"
    first, second, raw = found.found
    assert (first.url, first.title) == ("https://harbour.example/timetable", "Ferry timetable")
    assert (first.tags, first.seconds, first.left) == (("Harbours",), 10_800, ())
    assert (second.seconds, second.active) == (600, False)
    assert second.left == (
        "the filters of the page",
        "its way to look, such as for stock or prices",
    )
    assert raw.url == "https://raw.example/index.html"
    assert [(each.what, each.why.partition(",")[0]) for each in found.skipped] == [
        ("A form", "it sends a form or a request body"),
        ("https://x.example/{{ today }}", "its address is a template"),
        ("Mine", "its address is not one of the web (http or https)"),
        ("https://harbour.example/timetable", "it stands in the file twice"),
    ]
    assert found.left == ("the channels of all watches; see the setting notify",)


def test_the_index_alone_is_read_as_well():
    """`url-watches.json` out of the data folder is enough."""
    assert len(read(json.dumps(INDEX)).found) == 3


URLWATCH = """\
name: "Ferry news"
url: "https://harbour.example/news"
filter:
  - css: "#main"
  - html2text
---
# A page that only a browser can show
name: Tide table
navigate: https://tides.example/today
wait_for: networkidle
---
command: df -h
name: Disk
---
url: https://harbour.example/form
data: {q: ferry}
---
url: https://plain.example/
headers: {Accept-Language: de}
enabled: false
---
- url: https://listed.example/
"""


def test_urlwatch_jobs():
    """Pages are taken over, commands and forms are not, and filters are told."""
    found = read(URLWATCH)
    assert found.origin == "urlwatch"
    assert [(each.url, each.title, each.active) for each in found.found] == [
        ("https://harbour.example/news", "Ferry news", True),
        ("https://tides.example/today", "Tide table", True),
        ("https://plain.example/", "", False),
        ("https://listed.example/", "", True),
    ]
    assert found.found[0].left == ("its filters",)
    assert found.found[1].left[0] == "what it waits for in the browser"
    assert [each.what for each in found.skipped] == ["Disk", "https://harbour.example/form"]
    assert "never" in found.skipped[0].why


OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head><title>Subscriptions</title></head>
  <body>
    <outline text="Harbours" title="Harbours">
      <outline type="rss" text="Port news" xmlUrl="https://port.example/feed.xml"
        htmlUrl="https://port.example/" category="/Sea/Ferries"/>
    </outline>
    <outline type="rss" text="Google Alert - ferry &amp; bridge"
      xmlUrl="https://www.google.com/alerts/feeds/0123456789/9876543210"/>
    <outline type="rss" text="Mine" xmlUrl="ftp://port.example/feed.xml"/>
    <outline text="An empty folder"/>
  </body>
</opml>
"""


def test_opml():
    """Feeds come with their names and folders."""
    found = read(OPML)
    assert found.origin == "opml"
    port, alert = found.found
    assert (port.url, port.title, port.feed) == ("https://port.example/feed.xml", "Port news", True)
    assert port.tags == ("Harbours", "Sea/Ferries")
    assert alert.title == "Google Alert - ferry & bridge"
    assert [each.what for each in found.skipped] == ["Mine", "An empty folder"]


def test_a_list_of_google_alerts():
    """One address a line, maybe with a name; remarks are passed over, the rest is told."""
    lines = (
        "# my alerts\n\n"
        "https://www.google.com/alerts/feeds/0123/4567 Ferries\n"
        "https://www.google.com/alerts/feeds/0123/8910\r\n"
        "ferries in Bonn\n"
        "https://me:pw@private.example/feed\n"
    )
    found = read(lines)
    assert found.origin == "google-alerts"
    assert [(each.title, each.feed) for each in found.found] == [("Ferries", True), ("", True)]
    assert [each.why for each in found.skipped] == [
        "its address is not one of the web (http or https)",
        "its address holds a user name or password",
    ]
    assert len(read(OPML, "google-alerts").found) == 2


@pytest.mark.parametrize(
    ("seconds", "rhythm"),
    [
        (None, "daily"),
        (30, "hourly"),
        (3_600, "hourly"),
        (10_800, "0 */3 * * *"),
        (43_200, "0 */12 * * *"),
        (86_400, "daily"),
        (200_000, "every_3_days"),
        (604_800, "weekly"),
        (31 * 86_400, "0 9 1 * *"),
    ],
)
def test_the_nearest_rhythm(seconds, rhythm):
    """Intervals become rhythms; that one was changed is told."""
    made = becoming.rhythm_of(seconds)
    assert (made.every or made.cron) == rhythm


def test_what_a_page_becomes():
    """A name, the page itself, and a wish without a topic; whoever names one stays on its site."""
    first, second, _ = becoming.candidates(read(backup()), "backup.zip")
    table = first.declaration.table
    assert (table.title, table.urls, table.cron) == (
        "Ferry timetable",
        ("https://harbour.example/timetable",),
        "0 */3 * * *",
    )
    assert (table.include_domains, table.feeds, table.active) == (("harbour.example",), (), None)
    assert (table.goal, table.queries) == ("What changes on this page", ("Ferry timetable",))
    assert second.declaration.table.active is False
    assert second.left[-2:] == ("its interval of 10 minutes", "no name; scout edit gives it one")


def test_a_key_follows_the_address_alone():
    """Another title, rhythm or file: the same scout."""
    (one,) = becoming.candidates(read("https://a.example/feed One\n"), "a")
    (two,) = becoming.candidates(read("https://a.example/feed Two\n"), "b")
    (other,) = becoming.candidates(read("https://a.example/feed2 One\n"), "a")
    assert one.declaration.key == two.declaration.key != other.declaration.key


BOMB = "a: &a [x]\n" + "b: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n" * 3 + "url: https://a.example\n"
HOSTILE = {
    "nothing": b"",
    "words": b"hello there",
    "bytes": b"\xff\xfe\x00url",
    "json of something else": b'{"a": 1}',
    "deep json": b'{"watching":' + b"[" * 100_000,
    "yaml bomb": BOMB.encode(),
    "deep yaml": b"url: " + b"[" * 1_000,
    "yaml object": b"url: !!python/object/apply:os.system ['true']\n",
    "broken yaml": b"url: 'open\n",
    "xml bomb": b'<!DOCTYPE o [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><opml><b>&b;</b></opml>',
    "xml file": b'<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>',
    "html": b"<html><body>no</body></html>",
    "broken xml": b"<opml><body>",
    "no index": packed([("other.json", "{}")]),
    "index that is no JSON": packed([("url-watches.json", "{")]),
    "zip bomb": packed([("url-watches.json", b" " * 30_000_000)]),
    "cut zip": backup()[:-30],
    "cut in the middle": backup()[:200],
    "lzma": packed([("url-watches.json", json.dumps(INDEX))], zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_broken_files_are_refused(name):
    """Two lines of an error, never a traceback, a hang or a file of this machine."""
    with pytest.raises(InvalidInput) as told:
        read(HOSTILE[name])
    assert "root:" not in told.value.message


def test_an_index_that_stands_twice_is_refused():
    """Which one counts would be a guess."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("url-watches.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("url-watches.json", json.dumps(INDEX))
    with pytest.raises(InvalidInput, match="twice"):
        read(data.getvalue())


def test_a_size_that_lies_is_refused():
    """The list of members says one byte, the member is longer."""
    data = bytearray(backup())
    at = data.rindex(b"PK\x01\x02", 0, data.index(b"url-watches.json", data.index(b"PK\x01\x02")))
    data[at + 24 : at + 28] = (1).to_bytes(4, "little")
    with pytest.raises(InvalidInput, match="cannot be used"):
        read(bytes(data))


def test_a_list_of_members_without_end_is_refused():
    """Its size is looked at before it is read."""
    data = bytearray(backup())
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = (2**31).to_bytes(4, "little")
    with pytest.raises(InvalidInput, match="too many members"):
        read(bytes(data))


def test_only_regular_files_are_opened(tmp_path):
    """A folder, a pipe without a writer and a file that is not there."""
    import os  # noqa: PLC0415 - one pipe

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none"):
        with pytest.raises(InvalidInput):
            archives.open_file(path)


def test_an_archive_on_disk_is_read_from_there(tmp_path):
    """Snapshots may make it large; only one member is read."""
    path = tmp_path / "backup.zip"
    path.write_bytes(backup())
    file = archives.open_file(path)
    assert isinstance(file, File)
    assert len(file.data) == 4
    assert len(importing.read(file).found) == 3


def test_more_entries_than_anybody_has():
    """What is beyond the bound is told, not lost in silence."""
    lines = "".join(f"https://a.example/{number}\n" for number in range(10_002))
    found = read(lines)
    assert (len(found.found), len(found.skipped)) == (10_000, 2)
