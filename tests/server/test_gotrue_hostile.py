"""Attacks on the accounts of the web interface, by their numbers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.contract.databases import sqlite_url
from tests.server.forging import opened
from tests.server.serving import serving, settings
from tests.server.test_gotrue import KEY, SITE, sign_up

GRANT = "/auth/v1/token?grant_type=password"


async def test_guessing_is_stopped_in_the_words_of_the_client(server):
    """A01, A02: the same answer for every wrong guess, then 429 with the time to wait."""
    await sign_up(server)
    seen = set()
    for email in ("ann@example.org", "nobody@example.org"):
        guess = {"email": email, "password": "another-password"}
        for _ in range(10):
            said = await server.post(GRANT, json=guess, headers=KEY)
            seen.add((said.status, said.body))
        stopped = await server.post(GRANT, json=guess, headers=KEY)
        assert (stopped.status, stopped.json["code"]) == (429, "over_request_rate_limit")
        assert int(stopped.headers["Retry-After"]) > 0
    assert len(seen) == 1


async def test_with_confirmation_a_second_sign_up_tells_nothing(tmp_path):
    """A05: an address that is taken is answered like a new one, and gets no session."""
    given = settings(sqlite_url(tmp_path / "scout.db"), confirm_email=True)
    async with serving(given) as server:
        taken = await server.sign_up("ann@example.org")
        answers = [await sign_up(server, email) for email in (taken.email, "new@example.org")]
        assert [each.status for each in answers] == [200, 200]
        first, second = [each.json for each in answers]
        assert set(first) == set(second)
        assert "access_token" not in first
        assert first["id"] != str(taken.id)
        assert first["identities"] == second["identities"]


async def test_nobody_gives_themselves_a_role(server):
    """A08: what a sign-up says of roles and ids is kept as the user's own words, or not at all."""
    await sign_up(server)
    claimed = {"role": "service_role", "app_metadata": {"role": "admin"}, "id": "x", "aud": "x"}
    said = await sign_up(server, "eve@example.org", data={"role": "service_role"}, **claimed)
    assert said.status == 200, said.body
    user, claims = said.json["user"], opened(said.json["access_token"])
    assert user["role"] == claims["role"] == claims["aud"] == "authenticated"
    assert user["app_metadata"]["role"] == claims["app_metadata"]["role"] == "user"
    token = said.json["access_token"]
    assert (await server.get("/auth/v1/admin/users", token, headers=KEY)).status == 401


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "evil.test",
        "http://localhost.evil.test/", "http://localhost@evil.test/", "http://evil.test\\@localhost/",
        "http://localhost\\.evil.test/", "http://127.0.0.1.evil.test/", "http://[::1].evil.test/",
        "http:///evil.test", "http://evil.test#@localhost/", "http://evil.test?@localhost/",
        "http://localhost:3100/\r\nSet-Cookie: a=b", "http://localhost/\0", "http://localhost/\x1f",
        "http://localhost:99999999/", "http://localhost:x/", "ftp://localhost/", "http://[",
        "data:text/html,x", " http://evil.test", "\thttp://evil.test", "http://ⓛocalhost.evil.test",
    ],
)  # fmt: skip
async def test_the_browser_is_sent_to_no_other_page(server, target):
    """A13: where a link leads is a page of this machine or of the settings, or nowhere."""
    for path in ("/auth/v1/authorize", "/auth/v1/verify"):
        asked = {"provider": "google", "token": "x", "type": "signup", "redirect_to": target}
        said = await server.call("GET", path, params=asked, allow_redirects=False)
        assert said.status in (302, 400), said.body
        leads = said.headers.get("Location", "")
        assert "evil" not in urlsplit(leads).netloc
        assert "Set-Cookie" not in said.headers
        assert leads.isprintable()
    recovery = {"email": "nobody@example.org"}
    said = await server.post(
        "/auth/v1/recover", params={"redirect_to": target}, json=recovery, headers=KEY
    )
    assert said.status == 200, said.body
    good = {"provider": "google", "redirect_to": SITE}
    said = await server.call("GET", "/auth/v1/authorize", params=good, allow_redirects=False)
    assert said.headers["Location"].startswith(SITE)
