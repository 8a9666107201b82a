"""The accounts of the web interface against the running server, as its client libraries ask."""

import asyncio
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from scout_cli.service.accounts.api_keys import api_key
from tests.contract.databases import sqlite_url
from tests.server.serving import JWT_SECRET, PASSWORD, serving, settings

ANON = api_key("anon", JWT_SECRET)
SERVICE = api_key("service_role", JWT_SECRET)
KEY = {"apikey": ANON, "X-Supabase-Api-Version": "2024-01-01"}
SITE = "http://localhost:3100/auth/callback?redirectTo=%2Fscouts"
VERIFIER = "v" * 112
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def sign_up(server, email="ann@example.org", password=PASSWORD, **more):
    """Sign up as the interface does."""
    body = {"email": email, "password": password, "data": {}, "gotrue_meta_security": {}, **more}
    return await server.post("/auth/v1/signup", json=body, headers=KEY)


async def test_signing_up_gives_a_session_and_preferences(server_anywhere):
    """The answer is a session with its user; the page then asks for no place and no key."""
    server = server_anywhere
    said = await sign_up(server)
    assert said.status == 200, said.body
    session = said.json
    assert session["token_type"] == "bearer"
    assert session["expires_in"] > 3_000
    assert session["user"]["email"] == "ann@example.org"
    assert session["user"]["aud"] == session["user"]["role"] == "authenticated"
    assert session["user"]["email_confirmed_at"]
    token = session["access_token"]
    me = await server.get("/auth/v1/user", token, headers=KEY)
    assert (me.status, me.json["id"]) == (200, session["user"]["id"])
    rows = await server.get(
        "/rest/v1/user_preferences?select=location,firecrawl_key_status", token, headers=KEY
    )
    assert [(row["location"]["city"], row["firecrawl_key_status"]) for row in rows.json] == [
        ("any", "fallback")
    ]


async def test_one_account_serves_both_interfaces(server):
    """Who signed up at one signs in at the other."""
    await sign_up(server)
    body = {"email": "ann@example.org", "password": PASSWORD}
    said = await server.post("/auth/login", json=body)
    assert said.status == 200
    assert (await server.get("/auth/v1/user", said.json["access_token"], headers=KEY)).status == 200
    ben = await server.sign_up("ben@example.org")
    said = await server.post(
        "/auth/v1/token?grant_type=password",
        json={"email": ben.email, "password": ben.password},
        headers=KEY,
    )
    assert said.json["user"]["id"] == str(ben.id)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("signup", {"email": "ann@example.org", "password": PASSWORD}, 422, "user_already_exists"),
        ("signup", {"email": "new@example.org", "password": "short"}, 422, "weak_password"),
        ("signup", {"email": "nobody", "password": PASSWORD}, 400, "email_address_invalid"),
        (
            "token?grant_type=password",
            {"email": "ann@example.org", "password": "another-password"},
            400,
            "invalid_credentials",
        ),
        (
            "token?grant_type=password",
            {"email": "no@example.org", "password": PASSWORD},
            400,
            "invalid_credentials",
        ),
        (
            "token?grant_type=refresh_token",
            {"refresh_token": "55894685c31f9a1a"},
            400,
            "refresh_token_not_found",
        ),
        ("token?grant_type=id_token", {}, 400, "validation_failed"),
        ("signup", [], 400, "validation_failed"),
    ],
)
async def test_refusals_have_the_codes_that_clients_know(server, path, body, status, code):
    """Every error is JSON with its code and message in each spelling."""
    await sign_up(server)
    said = await server.post(f"/auth/v1/{path}", json=body, headers=KEY)
    assert said.status == status, said.body
    assert said.json["code"] == said.json["error_code"] == code
    assert said.json["message"] == said.json["msg"] != ""
    assert said.headers["X-Supabase-Api-Version"] == "2024-01-01"
    if code == "weak_password":
        assert said.json["weak_password"] == {"reasons": ["length"]}


async def test_two_refreshes_at_the_same_moment_both_succeed(server):
    """Browser and server refresh with one token; both go on."""
    session = (await sign_up(server)).json
    body = {"refresh_token": session["refresh_token"]}
    answers = await asyncio.gather(
        *(
            server.post("/auth/v1/token?grant_type=refresh_token", json=body, headers=KEY)
            for _ in range(5)
        )
    )
    assert [each.status for each in answers] == [200] * 5
    for each in answers:
        said = await server.get("/auth/v1/user", each.json["access_token"], headers=KEY)
        assert said.status == 200


async def test_a_session_that_is_gone_is_said_to_be(server):
    """After signing out everywhere, and for a token of another secret, the client drops it."""
    session = (await sign_up(server)).json
    token = session["access_token"]
    gone = await server.post("/auth/v1/logout?scope=global", token, headers=KEY)
    assert (gone.status, gone.body) == (204, b"")
    for stale in (token, token[:-4] + "AAAA"):
        said = await server.get("/auth/v1/user", stale, headers=KEY)
        assert (said.status, said.json["code"]) == (403, "session_not_found")
    assert (await server.get("/auth/v1/user", ANON, headers=KEY)).status == 401
    assert (await server.get("/auth/v1/user", token)).status == 401


async def test_accounts_are_managed_with_the_service_key_alone(server):
    """List, show and delete need the service key; ids must be ids."""
    session = (await sign_up(server)).json
    await sign_up(server, "ben@example.org")
    user = session["user"]["id"]
    service = {"apikey": SERVICE}
    for who in (ANON, session["access_token"]):
        for path in ("admin/users", f"admin/users/{user}"):
            assert (await server.get(f"/auth/v1/{path}", who, headers=KEY)).status == 401
    listed = await server.get("/auth/v1/admin/users?page=1&per_page=1000", SERVICE, headers=service)
    assert {each["email"] for each in listed.json["users"]} == {
        "ann@example.org",
        "ben@example.org",
    }
    assert listed.headers["X-Total-Count"] == "2"
    second = await server.get("/auth/v1/admin/users?page=3&per_page=1", SERVICE, headers=service)
    assert second.json["users"] == []
    odd = await server.get("/auth/v1/admin/users/..%2Fx", SERVICE, headers=service)
    assert odd.status in (400, 404)
    ben = next(each["id"] for each in listed.json["users"] if each["email"] == "ben@example.org")
    body = {"should_soft_delete": False}
    path = f"/auth/v1/admin/users/{ben}"
    assert (await server.delete(path, SERVICE, json=body, headers=service)).status == 200
    missing = await server.get(path, SERVICE, headers=service)
    assert (missing.status, missing.json["code"]) == (404, "user_not_found")


async def test_another_provider_is_refused_by_redirect(server):
    """The browser comes back to the page with an error, and is sent nowhere else."""
    path = "/auth/v1/authorize"
    said = await server.call(
        "GET",
        path,
        params={"provider": "google", "redirect_to": SITE},
        allow_redirects=False,
    )
    assert said.status == 302
    assert said.headers["Location"].startswith(f"{SITE}&error=server_error")
    for evil in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"):
        said = await server.call(
            "GET", path, params={"provider": "x", "redirect_to": evil}, allow_redirects=False
        )
        assert "evil" not in said.headers.get("Location", "")
        assert said.status == 400


async def test_an_address_is_confirmed_by_mail_and_the_browser_goes_on(tmp_path):
    """With confirmation on, the mail's link leads back with a code that the verifier opens."""
    letters = []

    async def post(letter):
        letters.append(letter)

    given = settings(sqlite_url(tmp_path / "scout.db"), confirm_email=True)
    async with serving(given) as server:
        first = await server.sign_up("first@example.org")
        assert first
        accounts = await server.app.accounts()
        accounts.mailing._post = post
        said = await server.post(
            "/auth/v1/signup",
            params={"redirect_to": SITE},
            json={
                "email": "ann@example.org",
                "password": PASSWORD,
                "code_challenge": CHALLENGE,
                "code_challenge_method": "s256",
            },
            headers=KEY,
        )
        assert said.status == 200
        assert "access_token" not in said.json
        assert said.json["email"] == "ann@example.org"
        credentials = {"email": "ann@example.org", "password": PASSWORD}
        path = "/auth/v1/token?grant_type=password"
        early = await server.post(path, json=credentials, headers=KEY)
        assert (early.status, early.json["code"]) == (400, "email_not_confirmed")
        await accounts.mailing.settled()
        link = re.search(r"/auth/v1/verify\S+", " ".join(letters[0].lines))[0]
        followed = await server.call("GET", link, allow_redirects=False)
        assert followed.status == 302
        code = re.fullmatch(re.escape(SITE) + r"&code=(\w+)", followed.headers["Location"])[1]
        exchange = {"auth_code": code, "code_verifier": VERIFIER}
        wrong = {"auth_code": code, "code_verifier": "w" * 112}
        pkce = "/auth/v1/token?grant_type=pkce"
        signed_in = await server.post(pkce, json=exchange, headers=KEY)
        assert signed_in.json["user"]["email"] == "ann@example.org"
        assert (await server.post(pkce, json=wrong, headers=KEY)).status == 403
        again = await server.call("GET", link, allow_redirects=False)
        assert "error=access_denied" in again.headers.get("Location", "error=access_denied")


async def test_a_lost_password_is_replaced_by_mail(tmp_path):
    """The mail's link opens a session in which a new password is set; the old one is no good."""
    letters = []

    async def post(letter):
        letters.append(letter)

    async with serving(sqlite_url(tmp_path / "scout.db")) as server:
        await sign_up(server)
        accounts = await server.app.accounts()
        accounts.mailing._post = post
        body = {
            "email": "ann@example.org",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "s256",
        }
        for email in ("ann@example.org", "nobody@example.org"):
            said = await server.post(
                "/auth/v1/recover",
                params={"redirect_to": SITE},
                json=body | {"email": email},
                headers=KEY,
            )
            assert (said.status, said.json) == (200, {})
        await accounts.mailing.settled()
        assert len(letters) == 1
        link = re.search(r"/auth/v1/verify\S+", " ".join(letters[0].lines))[0]
        followed = await server.call("GET", link, allow_redirects=False)
        code = followed.headers["Location"].rpartition("code=")[2]
        session = await server.post(
            "/auth/v1/token?grant_type=pkce",
            json={"auth_code": code, "code_verifier": VERIFIER},
            headers=KEY,
        )
        new = {"password": "eight-blue-herons"}
        said = await server.call(
            "PUT", "/auth/v1/user", session.json["access_token"], json=new, headers=KEY
        )
        assert said.status == 200
        grant = "/auth/v1/token?grant_type=password"
        old = {"email": "ann@example.org", "password": PASSWORD}
        assert (await server.post(grant, json=old, headers=KEY)).status == 400
        assert (await server.post(grant, json=old | new, headers=KEY)).status == 200


async def test_a_browser_of_this_machine_may_call_and_others_may_not(server):
    """Preflights of loopback pages are answered, with every header that the client sends."""
    wanted = "apikey,authorization,content-type,x-client-info,x-supabase-api-version"
    asked = {
        "Origin": "http://localhost:3100",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    said = await server.call("OPTIONS", "/auth/v1/signup", headers=asked)
    assert said.status == 204
    assert said.headers["Access-Control-Allow-Origin"] == "http://localhost:3100"
    allowed = said.headers["Access-Control-Allow-Headers"].split(",")
    assert set(wanted.split(",")) <= set(allowed)
    evil = await server.call("OPTIONS", "/auth/v1/signup", headers=asked | {"Origin": "http://x"})
    assert "Access-Control-Allow-Origin" not in evil.headers
    failed = await server.get(
        "/auth/v1/user", headers={"Origin": "http://localhost:3100", "apikey": "x"}
    )
    assert failed.status == 401
    assert failed.headers["Access-Control-Allow-Origin"] == "http://localhost:3100"
    assert "content-range" in failed.headers["Access-Control-Expose-Headers"]
