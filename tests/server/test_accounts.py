"""Signing up, in and out, on a running server."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from scout_cli.errors import TooMany
from scout_cli.service.accounts import passwords
from scout_cli.service.audit import Wanted
from tests.server.serving import PASSWORD, Answer, Server, serving, settings

EMAIL = "ann@example.org"
OTHER = "nine-yellow-herons"


async def sign_in(server: Server, email: str, password: str = PASSWORD, **more) -> Answer:
    """Try to sign in."""
    return await server.post("/auth/login", json={"email": email, "password": password}, **more)


async def refresh(server: Server, token: str) -> Answer:
    """Try to refresh."""
    return await server.post("/auth/refresh", json={"refresh_token": token})


async def test_a_person_signs_up_in_and_out(server_anywhere: Server) -> None:
    """From the first account to the logout, on every database, at both of the paths."""
    server = server_anywhere
    ann = await server.sign_up(" Ann@Example.ORG ")
    assert ann.session["user"]["email"] == EMAIL
    assert ann.session["user"]["role"] == "admin"
    assert ann.session["expires_in"] == 3_600
    said = await server.post(
        "/api/v1/auth/login", json={"email": "ANN@example.org", "password": PASSWORD}
    )
    assert said.status == 200
    assert (await server.get("/api/v1/auth/me", said.json["access_token"])).json["id"] == str(
        ann.id
    )
    assert (await server.post("/auth/logout", said.json["access_token"])).status == 204
    assert (await server.get("/auth/me", said.json["access_token"])).status == 401
    assert (await server.get("/auth/me", ann)).status == 200
    assert (await server.sign_up()).session["user"]["role"] == "user"


async def test_an_unknown_account_and_a_wrong_password_look_alike(server: Server) -> None:
    """A01: the same body, and the same work: one hash each, whoever is asked for."""
    await server.sign_up(EMAIL)
    accounts = await server.app.accounts()
    said = []
    for email in (EMAIL, "nobody@example.org", "no address", "x" * 400):
        before = accounts.passwords.hashed
        answer = await sign_in(server, email, "wrong-but-long-enough")
        assert accounts.passwords.hashed == before + 1, email
        problem = answer.json
        problem.pop("instance")
        said.append((answer.status, problem))
    assert all(each == said[0] for each in said)
    assert said[0][0] == 401


async def test_nobodys_hash_costs_what_a_real_one_does() -> None:
    """A01: the hash that unknown accounts are compared with has the parameters of the others."""
    keeper = passwords.Passwords()
    real = await keeper.hash(PASSWORD)
    assert real.split("$")[:4] == passwords._NOBODY.split("$")[:4]
    assert not await keeper.verify(None, PASSWORD)
    assert await keeper.verify(real, PASSWORD)
    await keeper.close()


async def test_ten_wrong_passwords_close_an_account_for_a_while(
    server_anywhere: Server, clock
) -> None:
    """A02: the eleventh try is 429, with the right password too, until the allowance refills."""
    server = server_anywhere
    await server.sign_up(EMAIL)
    for _ in range(10):
        assert (await sign_in(server, EMAIL, "wrong-password")).status == 401
    accounts = await server.app.accounts()
    hashed = accounts.passwords.hashed
    for password in ("wrong-password", PASSWORD):
        said = await sign_in(server, EMAIL, password)
        assert said.status == 429
        assert 0 < int(said.headers["Retry-After"]) <= 30
    assert accounts.passwords.hashed == hashed
    clock.forward(30)
    assert (await sign_in(server, EMAIL)).status == 200


async def test_an_account_that_is_not_there_closes_as_well(server: Server) -> None:
    """A02: whether there is such an account cannot be told from the limit either."""
    for _ in range(10):
        assert (await sign_in(server, EMAIL, "wrong-password")).status == 401
    assert (await sign_in(server, EMAIL, "wrong-password")).status == 429


async def test_right_passwords_use_nothing_up(server: Server) -> None:
    """Whoever knows the password may sign in as often as they like."""
    await server.sign_up(EMAIL)
    assert {(await sign_in(server, EMAIL)).status for _ in range(35)} == {200}


async def test_many_accounts_from_one_address_are_stopped(server: Server) -> None:
    """A03: the thirty-first wrong password from one address is 429, each for another account."""
    said = [(await sign_in(server, f"n{n}@example.org")).status for n in range(32)]
    assert said == [401] * 30 + [429] * 2


async def test_a_forged_forwarding_header_changes_nothing(server: Server) -> None:
    """A04: from a peer that is no trusted proxy, another address each time is the same address."""
    said = []
    for number in range(31):
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=198.51.100.{number}"}
        said.append((await sign_in(server, f"n{number}@example.org", headers=forged)).status)
    assert said[-1] == 429


async def test_a_trusted_proxy_tells_addresses_apart(tmp_path, clock) -> None:
    """A04: behind a proxy that is named in the settings each caller has an allowance."""
    given = settings(f"sqlite:///{tmp_path / 's.db'}", trusted_proxies=("127.0.0.0/8",))
    async with serving(given, clock=clock) as server:
        for number in range(31):
            told = {"X-Forwarded-For": f"203.0.113.{number}"}
            said = await sign_in(server, f"n{number}@example.org", headers=told)
            assert said.status == 401
        for number in range(31):
            told = {"X-Forwarded-For": f"2001:db8::{number:x}"}
            said = await sign_in(server, f"m{number}@example.org", headers=told)
        assert said.status == 429, "one /64 is one caller"


async def test_an_address_signs_up_once(server_anywhere: Server) -> None:
    """A05: without confirmation a second sign-up is a conflict, however the address is written."""
    server = server_anywhere
    await server.sign_up(EMAIL)
    for email in (EMAIL, "ANN@example.org", " ann@EXAMPLE.org "):
        said = await server.post("/auth/signup", json={"email": email, "password": OTHER})
        assert (said.status, said.json["code"]) == (409, "user_already_exists")
    assert (await sign_in(server, EMAIL, OTHER)).status == 401


async def test_two_at_once_get_one_account(server_anywhere: Server) -> None:
    """A05: ten sign-ups of one address at the same moment make one account and nine conflicts."""
    server = server_anywhere
    body = {"email": EMAIL, "password": PASSWORD}
    said = await asyncio.gather(*(server.post("/auth/signup", json=body) for _ in range(10)))
    assert sorted(each.status for each in said) == [201] + [409] * 9


async def test_of_many_first_accounts_one_is_an_admin(server_anywhere: Server) -> None:
    """Ten people who sign up on an empty server at the same moment get one admin among them."""
    server = server_anywhere
    people = await asyncio.gather(*(server.sign_up() for _ in range(10)))
    roles = sorted(each.session["user"]["role"] for each in people)
    assert roles == ["admin"] + ["user"] * 9


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x", "length"), ("seven77", "length"), ("a1" * 64 + "b", "length"),
        ("ab" * 150_000, "length"),
        ("", "length"), ("password", "common"), ("Passw0rd!", "common"), ("12345678", "common"),
        ("qwertyuiop", "common"), ("aaaaaaaaaa", "common"), ("letmein123", "common"),
        ("iloveyou2024", "common"), ("ann@example.org", "common"), ("P@$$w0rd1", "common"),
        ("98765432", "common"), ("testtest", "common"), ("zxcvbnm1", "common"),
    ],
)  # fmt: skip
async def test_a_weak_password_is_refused(server: Server, password: str, reason: str) -> None:
    """A06: too short, too long, or one of those that are tried first; it is not repeated."""
    said = await server.post("/auth/signup", json={"email": EMAIL, "password": password})
    assert (said.status, said.json["code"]) == (400, "weak_password")
    assert password in ("x", "", "password") or password.encode() not in said.body
    expected = "characters" if reason == "length" else "tried first"
    assert expected in said.json["detail"]


@pytest.mark.parametrize("password", ["a\0bcdefghij", "\ud800bcdefghij"])
async def test_a_password_that_is_no_text_is_refused(server: Server, password: str) -> None:
    """A06: NUL and half a surrogate pair are 400 before anything else looks at them."""
    body = f'{{"email":"{EMAIL}","password":{json.dumps(password)}}}'
    said = await server.post(
        "/auth/signup", data=body, headers={"Content-Type": "application/json"}
    )
    assert said.status == 400


async def test_passwords_of_every_script_work_in_each_spelling(server: Server) -> None:
    """A06: full-width, composed and decomposed letters are one password; 128 characters do."""
    await server.sign_up(EMAIL, "Ａｎｎ’s zwölf Möwen")
    assert (await sign_in(server, EMAIL, "Ann’s zwo\u0308lf Mo\u0308wen")).status == 200
    await server.sign_up("long@example.org", "correct horse " * 9 + "ab")


@pytest.mark.parametrize(
    "email",
    [
        "a@b", "a@b\r\nBcc:x", "ann@example.org\r\nBcc: eve@x.test", "x" * 389 + "@x.test",
        '"a b"@x.test', "a b@x.test", "@example.org", "ann@", "ann", "", "a@b@c.test",
        "ann@-x.test", "ann@x..test", ".ann@x.test", "an..n@x.test", "ann@x.test.",
        "<ann@x.test>", "ann@x_y.test",
        "ann\u202e@x.test", "ann@ex\u200bample.org", "ann@[127.0.0.1]", "a" * 65 + "@x.test",
        "ann@x.test,eve@x.test", "Ann <ann@x.test>", "ann@x.te\tst",
    ],
)  # fmt: skip
async def test_what_is_no_address_is_refused(server: Server, email: str) -> None:
    """A07: line breaks, two addresses, quotes, names, invisible letters: 400, and no account."""
    said = await server.post("/auth/signup", json={"email": email, "password": PASSWORD})
    assert (said.status, said.json["code"]) == (400, "email_address_invalid")
    assert await (await server.app.accounts()).people.count() == 0


async def test_addresses_that_look_alike_are_two(server: Server) -> None:
    """A07: a Cyrillic letter makes another account; it does not open the first."""
    await server.sign_up("ann@example.org")
    await server.sign_up("аnn@example.org", OTHER)
    assert (await sign_in(server, "аnn@example.org")).status == 401
    await server.sign_up("jürgen@münchen.example", OTHER)
    assert (await sign_in(server, "JÜRGEN@MÜNCHEN.example", OTHER)).status == 200


async def test_nobody_makes_themselves_an_admin(server: Server) -> None:
    """A08: what users say of themselves stays that; fields that are not theirs are refused."""
    await server.sign_up()
    bob = await server.sign_up(data={"role": "service_role", "app_metadata": {"role": "admin"}})
    assert bob.session["user"]["role"] == "user"
    assert (await server.get("/api/v1/users", bob)).status == 403
    for field in ("app_metadata", "role", "is_local", "id"):
        body = {"email": "eve@example.org", "password": PASSWORD, field: "admin"}
        said = await server.post("/auth/signup", json=body)
        assert said.status == 400
        assert field in said.json["detail"]


async def test_what_users_say_of_themselves_has_an_end(server: Server) -> None:
    """A kilobyte is taken, also of wide letters, and its token works; more, or deeper, is not."""
    email = "ä" * 30 + "@" + ".".join(["ü" * 30] * 3) + ".test"
    ann = await server.sign_up(email, data={"x": "ü" * 168})
    assert (await server.get("/auth/me", ann)).status == 200
    deep: dict = {}
    for _ in range(145):
        deep = {"a": deep}
    eve = await server.sign_up(data=deep)
    assert (await server.get("/auth/me", eve)).status == 200
    for data in ({"x": "y" * 1_025}, {"x": "ü" * 171}, {"x": [deep] * 2}):
        body = {"email": "eve@example.org", "password": PASSWORD, "data": data}
        said = await server.post("/auth/signup", json=body)
        assert said.status == 400
        assert "data" in said.json["detail"]


async def test_a_refresh_token_is_taken_once_more_and_then_never(
    server_anywhere: Server, clock
) -> None:
    """A09: the one before the newest gives the newest again; one before that ends the session."""
    server = server_anywhere
    ann = await server.sign_up()
    first = ann.session["refresh_token"]
    clock.forward(60)
    second = (await refresh(server, first)).json["refresh_token"]
    clock.forward(60)
    assert (await refresh(server, first)).json["refresh_token"] == second
    third = (await refresh(server, second)).json["refresh_token"]
    assert len({first, second, third}) == 3
    clock.forward(11)
    said = await refresh(server, first)
    assert (said.status, said.json["code"]) == (400, "refresh_token_not_found")
    assert (await refresh(server, third)).status == 400
    assert (await sign_in(server, ann.email)).status == 200
    (line,) = await (await server.app.audit()).list(Wanted(actions=("token.reuse",)))
    assert line.user_id == ann.id


async def test_older_tokens_are_taken_within_ten_seconds(server: Server, clock) -> None:
    """A09: a slow tab that still has the token of two refreshes ago is not signed out for it."""
    ann = await server.sign_up()
    second = (await refresh(server, ann.session["refresh_token"])).json["refresh_token"]
    third = (await refresh(server, second)).json["refresh_token"]
    clock.forward(9)
    assert (await refresh(server, ann.session["refresh_token"])).json["refresh_token"] == third


async def test_twenty_refreshes_at_once_are_one(server_anywhere: Server) -> None:
    """A10: all of them get the same answer, to the letter, and the session has counted once."""
    server = server_anywhere
    ann = await server.sign_up()
    token = ann.session["refresh_token"]
    said = await asyncio.gather(*(refresh(server, token) for _ in range(20)))
    assert {each.status for each in said} == {200}
    assert len({(a.json["refresh_token"], a.json["access_token"]) for a in said}) == 1
    db = await server.app.database()
    assert await db.value(int, 'SELECT "count" FROM sessions') == 1


async def test_a_flipped_bit_is_noticed_without_the_database(server: Server) -> None:
    """A11: each of the token's bits is needed; noise is 400 and touches no table."""
    ann = await server.sign_up()
    token = ann.session["refresh_token"]
    accounts = await server.app.accounts()
    raw = base64.urlsafe_b64decode(token.removeprefix("scr_") + "=")
    db = await server.app.database()
    async with db.transaction() as tx:  # whoever writes now would wait for ever
        for bit in range(len(raw) * 8):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            forged = "scr_" + base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
            async with asyncio.timeout(15):
                said = await refresh(server, forged)
            assert said.status == 400, bit
        await tx.value(int, "SELECT 1")
    for forged in (token + "=", token[:-1], token[4:], token.upper(), "", "scr_", token + "A", "ä"):
        assert (await refresh(server, forged)).status == 400, forged
    assert accounts is await server.app.accounts()
    assert (await refresh(server, token)).status == 200


async def test_too_many_refreshes_from_one_address_are_stopped(server: Server) -> None:
    """The allowance of 150 in five minutes is one for all sessions of a network."""
    ann = await server.sign_up()
    token = ann.session["refresh_token"]
    said = [(await refresh(server, token)).status for _ in range(152)]
    assert said == [200] * 150 + [429] * 2


async def test_a_global_logout_ends_all_sessions(server: Server) -> None:
    """A15: all of them, while `local` ends one and `others` all but one."""
    ann = await server.sign_up(EMAIL)

    async def sessions(count: int) -> list[str]:
        said = [await sign_in(server, EMAIL) for _ in range(count)]
        return [each.json["access_token"] for each in said]

    async def alive(*tokens: str) -> list[bool]:
        return [(await server.get("/auth/me", each)).status == 200 for each in tokens]

    one, two = await sessions(2)
    assert (await server.post("/auth/logout", one, json={"scope": "local"})).status == 204
    assert await alive(ann.token, one, two) == [True, False, True]
    assert (await server.post("/auth/logout", two, json={"scope": "others"})).status == 204
    assert await alive(ann.token, one, two) == [False, False, True]
    (three,) = await sessions(1)
    assert (await server.post("/auth/logout", two, json={"scope": "global"})).status == 204
    assert await alive(two, three) == [False, False]
    assert (await server.post("/auth/logout", three, json={"scope": "all"})).status in (400, 401)


async def test_a_password_change_ends_the_other_sessions(server_anywhere: Server) -> None:
    """A16: the one that changed it stays; the old password is good for nothing."""
    server = server_anywhere
    ann = await server.sign_up(EMAIL)
    other = (await sign_in(server, EMAIL)).json
    wrong = {"current_password": "wrong-password", "password": OTHER}
    assert (await server.patch("/auth/password", ann, json=wrong)).status == 401
    right = {"current_password": PASSWORD, "password": OTHER}
    assert (await server.patch("/auth/password", ann, json=right)).status == 204
    assert (await server.get("/auth/me", ann)).status == 200
    assert (await server.get("/auth/me", other["access_token"])).status == 401
    assert (await refresh(server, other["refresh_token"])).status == 400
    assert (await sign_in(server, EMAIL)).status == 401
    assert (await sign_in(server, EMAIL, OTHER)).status == 200


async def test_a_session_ends_when_it_is_not_used(server: Server, clock) -> None:
    """Thirty days without a refresh end it; each refresh begins them again."""
    ann = await server.sign_up()
    token = ann.session["refresh_token"]
    for _ in range(3):
        clock.forward(29 * 86_400)
        token = (await refresh(server, token)).json["refresh_token"]
    clock.forward(30 * 86_400)
    assert (await refresh(server, token)).status == 400


async def test_a_hash_of_other_parameters_is_made_anew(server: Server) -> None:
    """A password that was hashed with less is hashed with today's parameters at the next login."""
    from argon2 import PasswordHasher  # noqa: PLC0415

    await server.sign_up(EMAIL)
    db = await server.app.database()
    weak = PasswordHasher(time_cost=1, memory_cost=1_024, parallelism=1).hash(PASSWORD)
    await db.execute("UPDATE users SET password_hash = $1", weak)
    assert (await sign_in(server, EMAIL)).status == 200
    kept = await db.value(str, "SELECT password_hash FROM users") or ""
    assert "m=19456,t=2,p=1" in kept
    assert (await sign_in(server, EMAIL)).status == 200


async def test_the_queue_of_passwords_has_an_end(server: Server) -> None:
    """Two are at work and twenty wait; whoever comes then is sent away, and nobody else."""
    await server.sign_up(EMAIL)
    keeper = (await server.app.accounts()).passwords
    said = await asyncio.gather(
        *(keeper.verify(None, PASSWORD) for _ in range(100)), return_exceptions=True
    )
    refused = [each for each in said if isinstance(each, TooMany)]
    assert said.count(False) == 100 - len(refused) >= 22
    assert len(refused) > 20
    assert (await sign_in(server, EMAIL)).status == 200
