"""Channels by owner: the operator's are the local owner's alone, and other people's are bounded."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scout_cli.core.models import User
from scout_cli.errors import ConfigError
from scout_cli.service import guests
from scout_cli.store import channels, users
from scout_cli.store import scouts as stored
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.post import ONE, Office


@pytest.fixture
async def guest(database) -> User:
    """Return an account that is not the local owner's; its address is confirmed."""
    user = User(
        id=uuid4(), email="guest@example.org", created_at=rows.AT, email_confirmed_at=rows.AT
    )
    await users.local_owner(database)
    await database.execute(insert("users", User), *values(user))
    return user


async def test_operators_channels_hear_only_of_the_local_owners_scouts(database, clock, guest):
    """News of another user's scout goes to that scout's channels and not to `notify`."""
    shared = "ntfy://ntfy.example/operator"
    office = Office(database, clock, settings={"notify": (shared,)})
    own = await office.scout()
    theirs = rows.scout(guest.id, goal="Ferries", notify=[ONE])
    await stored.add(database, theirs)
    assert await office.news(own) == 2
    assert await office.news(theirs) == 1
    used = [each.url for each in await channels.active(database, guest.id)]
    assert used == [ONE]


async def test_channel_of_a_guest_is_opened_within_bounds(database, clock, guest):
    """Deliveries open a guest's channel by the guest's opener, the owner's by the owner's."""
    office = Office(database, clock)
    public = "ntfy://ntfy.sh/guest"
    owners, guests_ = office.box(ONE), office.box(public)
    await office.news(await office.scout())
    theirs = rows.scout(guest.id, goal="Ferries", notify=[public])
    await stored.add(database, theirs)
    await office.news(theirs)
    opened = []

    async def open_guest(url: str):
        opened.append(url)
        return office.boxes[url]

    deliveries = office.deliveries()
    deliveries._open_guest = open_guest
    done = await deliveries.deliver_due()
    assert done.sent == 2
    assert (len(owners.got), len(guests_.got), opened) == (1, 1, [public])


async def test_channel_that_a_guest_may_not_name_is_never_opened(database, clock, guest):
    """A URL that stands in a guest's row, however it came there, is refused when it is due."""
    office = Office(database, clock)
    inside = "webhook+https://127.0.0.1/hook"
    box = office.box(inside)
    theirs = rows.scout(guest.id, goal="Ferries", notify=[inside])
    await stored.add(database, theirs)
    await office.news(theirs)
    done = await office.deliveries().deliver_due()
    assert (done.sent, done.retried, box.got) == (0, 1, [])


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://ntfy.sh/topic",
        "webhook+https://hooks.example.org/x",
        "mailto://guest@example.org",
        "tgram://123456:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi/42",
    ],
)
async def test_guest_may_name_what_is_public_or_their_own(database, guest, url):
    """Public services and the account's own confirmed address pass."""
    await guests.refuse(database, guest.id, [url])


async def test_address_that_is_not_confirmed_gets_no_mail(database, guest):
    """Until an address is confirmed, mail to it is refused."""
    await database.execute("UPDATE users SET email_confirmed_at = NULL WHERE id = $1", guest.id)
    with pytest.raises(ConfigError):
        await guests.refuse(database, guest.id, ["mailto://guest@example.org"])


async def test_local_owner_may_name_anything(database):
    """Whoever owns the machine is not asked, signed in or not."""
    owner = await users.local_owner(database)
    for who in (None, owner.id):
        await guests.refuse(database, who, ["json://127.0.0.1/x", "webhook+https://10.0.0.1/"])
