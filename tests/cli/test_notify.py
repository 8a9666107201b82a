"""`scout notify`: try a channel, list what there is, use one again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scout_cli.core.news import News
from scout_cli.store import channels, outbox
from scout_cli.store.database import Database
from scout_cli.store.outbox import Content, OutboxRow
from tests.cli.planted import FERRY, SECRET, call, inside, plant
from tests.contract.rows import AT

MAIL = "mailto:me@harbour.example"


class Receiver(HTTPServer):
    """Takes POSTs on loopback and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = 200
        self.ids: list[str] = []

    @property
    def place(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Note its id."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ids.append(self.headers["webhook-id"])
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    """Run a receiver that scout may reach."""
    server = Receiver()
    monkeypatch.setenv("SCOUT_ALLOW_PRIVATE_NETWORKS", server.place)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_test_on_the_console():
    """The message is on stdout, and what may be claimed of the channel."""
    said = call("notify", "test", "console://")
    assert (said.code, said.err) == (0, "")
    assert "scout's news arrives here." in said.out
    assert said.out.splitlines()[-1].split()[:5] == "console sent at least once:".split()


def test_a_test_of_a_webhook(receiver):
    """It arrives, and a repeat would be noticed; nothing is stored."""
    said = call("notify", "test", f"webhook+http://{receiver.place}/hook", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out) == {
        "tests": [
            {
                "channel": f"webhook {receiver.place} (unsigned)",
                "outcome": "sent",
                "promise": "once",
                "detail": "",
                "provider_id": "",
            }
        ]
    }
    assert len(receiver.ids) == 1
    assert json.loads(call("outbox", "--json").out) == {"messages": []}


def test_a_test_that_fails(receiver):
    """Exit 4, with what the far side said."""
    receiver.status = 500
    said = call("notify", "test", f"webhook+http://{receiver.place}/hook")
    assert said.code == 4
    assert "failed" in said.out
    assert "answered HTTP 500" in said.out


def test_a_scouts_channels_are_tested_together(receiver, monkeypatch):
    """Its own and those for all."""
    mine, shared = f"webhook+http://{receiver.place}/mine", f"webhook+http://{receiver.place}/all"
    monkeypatch.setenv("SCOUT_NOTIFY", f"{shared} console://")
    plant(notify=[mine])
    said = call("notify", "test", "hollen", "--json")
    assert said.code == 0, said.err
    assert [each["outcome"] for each in json.loads(said.out)["tests"]] == ["sent"] * 3
    assert len(receiver.ids) == 2
    assert "scout's news arrives here." in said.err


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["test", SECRET], 2, "holds a secret"),
        (["test", "ntfy://"], 2, "ntfy"),
        (["test", MAIL], 2, "smtp_url"),
        (["test", "nobody"], 3, "nobody"),
        (["enable", "ffff"], 3, "no channel 'ffff'"),
    ],
)
def test_what_cannot_be_done(words, code, error):
    """Two lines and an exit code, without the secret."""
    plant()
    said = call("notify", *words)
    assert (said.code, said.out) == (code, ""), said.err
    assert error in said.err
    assert len(said.err.splitlines()) == 2
    assert "canary-77" not in said.err


def test_a_secret_url_comes_from_standard_input(receiver):
    """As with every secret."""
    url = f"webhook+http://{receiver.place}/hook?secret=whsec_{'a' * 40}"
    said = call("notify", "test", "-", stdin=f"{url}\n")
    assert said.code == 0, said.err
    assert "whsec_" not in said.out + said.err
    assert f"webhook {receiver.place} " in said.out


def test_a_scout_that_tells_nobody():
    """The error says how to change that."""
    plant(notify=[])
    said = call("notify", "test", "hollen")
    assert said.code == 3
    assert "--notify URL" in said.err


def use(url: str) -> str:
    """Send a message to a channel and lose it; return the channel's id."""
    scout = plant()

    async def work(db: Database) -> str:
        async with db.transaction() as tx:
            (channel,) = await channels.ensure(tx, scout.user_id, [url])
            row = OutboxRow(
                id=FERRY, user_id=scout.user_id, channel_id=channel.id, scout_id=FERRY,
                kind="news", dedupe_key="1", batch="1", state="dead", next_attempt_at=AT,
                message=Content(subject="s", news=(News(title="t", at=AT),)), created_at=AT,
            )  # fmt: skip
            await outbox.add(tx, [row])
            await channels.disable(tx, channel, "HTTP 410")
        return str(channel.id)

    return inside(work)


def test_no_channels():
    """Nothing on stdout, and how to have one."""
    said = call("notify", "list")
    assert (said.code, said.out) == (0, "")
    assert "--notify URL" in said.err


def test_the_list():
    """Those in use with their numbers, then those that were never used; no secret."""
    id_ = use(SECRET)
    said = call("notify", "list")
    head, used, unused = said.out.splitlines()
    assert head.split()[:4] == ["ID", "CHANNEL", "STATE", "SERVED"]
    assert used.split() == f"{id_[:8]} telegram 42 disabled - - 0 1 0 HTTP 410".split()
    assert unused.split()[:5] == "- e-mail me@harbour.example unused -".split()
    assert "canary-77" not in said.out + said.err


def test_the_list_as_json():
    """Every field has its name."""
    id_ = use(SECRET)
    nothing = {"served_at": None, "last_sent_at": None, "failing_since": None}
    assert json.loads(call("notify", "list", "--json").out) == {
        "channels": [
            {
                "id": id_, "channel": "telegram 42", "state": "disabled", "reason": "HTTP 410",
                **nothing, "pending": 0, "dead": 1, "unknown": 0,
            },
            {
                "id": None, "channel": "e-mail me@harbour.example", "state": "unused",
                "reason": "", **nothing, "pending": 0, "dead": 0, "unknown": 0,
            },
        ]
    }  # fmt: skip


def test_enable():
    """It is used again; a second time changes nothing and says so."""
    id_ = use(SECRET)
    said = call("notify", "enable", id_[:8])
    assert (said.code, said.out.split()) == (0, [id_[:8], "telegram", "42", "active"])
    again = call("notify", "enable", id_)
    assert (again.code, again.out) == (0, "")
    assert "was active already" in again.err
    (now, _) = json.loads(call("notify", "list", "--json").out)["channels"]
    assert (now["state"], now["reason"], now["dead"]) == ("active", "", 1)
