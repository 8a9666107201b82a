"""The keys of the web interface while its secret is changed: both are good until the older goes."""

from __future__ import annotations

import pytest
from aiohttp import WSServerHandshakeError

from scout_cli.errors import NotFound
from scout_cli.service import picture_links
from scout_cli.service.accounts.api_keys import api_key, gateway_key
from tests.contract.databases import sqlite_url
from tests.server.phoenix import SCOUTS, page
from tests.server.serving import JWT_SECRET, serving, settings

NEWER = "another secret for tests only, of 32 bytes or more"


async def answers(server, secret, person):
    """Return what each surface answers to the keys that a secret makes, by its name."""
    anon, service = api_key("anon", secret), api_key("service_role", secret)
    asked = {
        "tables": server.get("/rest/v1/scouts", anon, headers={"apikey": anon}),
        "account": server.get("/auth/v1/user", person.token, headers={"apikey": anon}),
        "admin": server.get("/auth/v1/admin/users", service, headers={"apikey": service}),
        "functions": server.post("/functions/v1/scout-cron?scoutId=x", anon),
        "chat": server.get("/openai/v1/models", gateway_key(secret)),
    }
    found = {name: (await each).status for name, each in asked.items()}
    try:
        async with page(server, person.token, apikey=anon) as open_page:
            found["realtime"] = 200 if (await open_page.join("a", SCOUTS)).status == "ok" else 401
    except WSServerHandshakeError as refused:
        found["realtime"] = refused.status
    return found


async def test_a_rotation_has_an_overlap(tmp_path):
    """With two secrets the keys of both open everything, and then those of the newer alone."""
    url = sqlite_url(tmp_path / "scout.db")
    async with serving(url) as server:
        ann = await server.sign_up()
    async with serving(settings(url, jwt_secret=(NEWER, JWT_SECRET))) as server:
        for secret in (NEWER, JWT_SECRET):
            assert set((await answers(server, secret, ann)).values()) == {200}
        fresh = await server.sign_up()
    async with serving(settings(url, jwt_secret=(NEWER,))) as server:
        assert set((await answers(server, NEWER, fresh)).values()) == {200}
        assert set((await answers(server, JWT_SECRET, fresh)).values()) == {401}


def test_a_link_to_a_picture_outlives_a_rotation(clock):
    """A page that is open goes on showing what it shows."""
    now = clock.now()
    link = picture_links.token("one.jpg", JWT_SECRET, now)
    assert picture_links.picture(link, (NEWER, JWT_SECRET), now) == "one.jpg"
    with pytest.raises(NotFound):
        picture_links.picture(link, (NEWER,), now)
