"""`scout outbox`: what waits, what became of it, and the words that send or hold it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from scout_cli.core.news import News, NewsItem
from scout_cli.store import channels, outbox
from scout_cli.store.channels import ChannelRow
from scout_cli.store.database import Database
from scout_cli.store.outbox import Content, OutboxRow
from tests.cli.planted import BUSES, FERRY, NEWS, SECRET, call, inside, plant
from tests.contract.rows import AT

NTFY = "ntfy://ntfy.example/ferries"
STATES = ("pending", "sent", "dead", "held", "unknown", "sending")


def message(number: int) -> str:
    """Return how a planted message is named."""
    return f"{number}bbbbbbb"


def post() -> list[ChannelRow]:
    """Plant a message in each state, on two channels; return the channels."""
    scout = plant()

    async def work(db: Database) -> list[ChannelRow]:
        async with db.transaction() as tx:
            made = await channels.ensure(tx, scout.user_id, [SECRET, NTFY])
            rows = [_row(n, state, made[n % 2]) for n, state in enumerate(STATES)]
            await outbox.add(tx, rows)
        return made

    return inside(work)


def _row(number: int, state: str, channel: ChannelRow) -> OutboxRow:
    id_ = UUID(f"{number}bbbbbbb-0000-4000-8000-000000000000")
    news = News(scout_id=FERRY, title="Hollen ferry", items=(NewsItem(text="It is back."),), at=AT)
    more: dict[str, Any] = {"dead": {"last_error": "HTTP 422", "attempt": 1}}.get(state, {})
    if state == "sent":
        more = {"sent_at": AT - timedelta(minutes=4), "provider_id": "m-1", "attempt": 2}
    return OutboxRow(
        id=id_,
        user_id=channel.user_id,
        channel_id=channel.id,
        scout_id=FERRY if number != 5 else None,
        execution_id=NEWS if number < 3 else None,
        kind="news" if number != 5 else "channel_lost",
        dedupe_key=str(number),
        batch=str(id_),
        message=Content(subject="Hollen ferry: It is back.", news=(news,)),
        state=state,
        next_attempt_at=AT + timedelta(minutes=2),
        created_at=AT - timedelta(minutes=30 - number),
        **more,
    )


def rows(*words: str) -> list[dict[str, Any]]:
    """Return what `scout outbox --json` prints."""
    said = call("outbox", *words, "--json")
    assert (said.code, said.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(said.out)["messages"]
    return found


def test_an_empty_outbox():
    """Nothing on stdout, and where to look next."""
    said = call("outbox")
    assert (said.code, said.out) == (0, "")
    assert "scout notify list" in said.err


def test_the_table():
    """Newest first; whom, how it stands and why; no secret."""
    post()
    said = call("outbox")
    lines = said.out.splitlines()
    assert lines[0].split() == "ID MADE SCOUT CHANNEL STATE TRIES NEXT LAST ERROR".split()
    assert [line.split()[0] for line in lines[1:]] == [message(n) for n in (5, 4, 3, 2, 1, 0)]
    assert "channel lost" in lines[1]
    assert "ntfy ntfy.example/ferries" in lines[1]
    assert lines[4].split() == (
        "2bbbbbbb 28 min ago Hollen ferry telegram 42 dead 1 - HTTP 422".split()
    )
    assert "in 2 min" in lines[6]
    assert "canary-77" not in said.out + said.err


def test_the_json():
    """Every field has its name; scripts rely on them."""
    first, second = post()
    found = rows()
    assert found[-1] == {
        "id": "0bbbbbbb-0000-4000-8000-000000000000",
        "created_at": "2026-11-21T02:07:14.140666Z",
        "kind": "news",
        "subject": "Hollen ferry: It is back.",
        "scout_id": str(FERRY),
        "scout": "Hollen ferry",
        "execution_id": str(NEWS),
        "channel_id": str(first.id),
        "channel": "telegram 42",
        "state": "pending",
        "attempt": 0,
        "next_attempt_at": "2026-11-21T02:39:14.140666Z",
        "sent_at": None,
        "provider_id": "",
        "last_error": "",
    }
    assert {key: found[-2][key] for key in ("channel_id", "attempt", "sent_at", "provider_id")} == {
        "channel_id": str(second.id),
        "attempt": 2,
        "sent_at": "2026-11-21T02:33:14.140666Z",
        "provider_id": "m-1",
    }
    assert found[-2]["next_attempt_at"] is None
    assert (found[0]["scout_id"], found[0]["scout"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--failed"], [4, 2]),
        (["--state", "pending"], [0]),
        (["--state", "pending", "--failed"], [4, 2, 0]),
        (["--scout", "hollen"], [4, 3, 2, 1, 0]),
        (["--scout", str(BUSES)[:8]], []),
        (["--state", "dead", "--scout", "hollen"], [2]),
    ],
)
def test_some_of_them(words, expected):
    """By state, by scout, by both."""
    post()
    assert [row["id"][:8] for row in rows(*words)] == [message(number) for number in expected]


def test_a_limit_is_said():
    """What is left out is not left out in silence."""
    post()
    said = call("outbox", "--limit", "2")
    assert len(said.out.splitlines()) == 3
    assert "--limit 10" in said.err


def test_hold_and_retry():
    """A held message waits for a person, who then sends it; one that was given up goes again."""
    post()
    (held,) = rows("--hold", message(0))
    assert (held["state"], held["next_attempt_at"]) == ("held", None)
    found = rows("--retry", message(0), "--retry", message(2))
    assert [(row["state"], row["attempt"]) for row in found] == [("pending", 0), ("pending", 1)]
    assert {row["next_attempt_at"] for row in found} == {"2026-11-21T02:37:14.140666Z"}


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["--retry", "ffff"], 3, "no message 'ffff'"),
        (["--retry", message(1)], 1, "message 1bbbbbbb was sent"),
        (["--retry", message(5)], 1, "message 5bbbbbbb is being sent just now"),
        (["--hold", message(2)], 1, "message 2bbbbbbb is dead"),
        (["--hold", message(0), "--retry", message(1)], 2, "--retry and --hold at once"),
        (["--scout", "nobody"], 3, "nobody"),
    ],
)
def test_what_cannot_be_done(words, code, error):
    """Two lines and an exit code; nothing has changed."""
    post()
    before = rows()
    said = call("outbox", *words)
    assert (said.code, said.out) == (code, "")
    assert error in said.err
    assert len(said.err.splitlines()) == 2
    assert rows() == before
