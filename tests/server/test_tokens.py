"""Tokens for programs, and what admins do with accounts, on a running server."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scout_cli.service.accounts.refusals import BadToken
from scout_cli.service.audit import COMMAND_LINE, Wanted
from tests.server.serving import Server

TOKENS = "/api/v1/auth/tokens"
USERS = "/api/v1/users"


async def test_a_token_is_shown_once_and_kept_as_a_hash(server_anywhere: Server) -> None:
    """It opens the API; the list shows its name and when it was used, and no table holds it."""
    server = server_anywhere
    ann = await server.sign_up()
    body = {"name": " my  dashboard ", "scopes": ["read"], "expires_in_days": 90}
    made = await server.post(TOKENS, ann, json=body)
    assert made.status == 201
    token = made.json["token"]
    assert token.startswith("sct_")
    assert (await server.get("/auth/me", token)).json["id"] == str(ann.id)
    listed = await server.get(TOKENS, ann)
    (shown,) = listed.json["tokens"]
    assert (shown["name"], shown["scopes"]) == ("my dashboard", ["read"])
    assert shown["used_at"]
    assert token.encode() not in listed.body
    assert b"hash" not in listed.body
    db = await server.app.database()
    (kept,) = await db.all(str, "SELECT hash FROM tokens")
    assert token not in kept
    assert len(kept) == 64


async def test_a_token_for_reading_changes_nothing(server: Server) -> None:
    """A read-only token may look, and gets 403 for everything else."""
    ann = await server.sign_up()
    token = await server.token(ann, "read")
    assert (await server.get(TOKENS, token)).status == 200
    assert (await server.post(TOKENS, token, json={"name": "x"})).status == 403
    assert (await server.delete(f"{TOKENS}/{uuid4()}", token)).status == 403


async def test_a_token_cannot_take_an_account_over(server: Server) -> None:
    """It makes no tokens, changes no password and ends no session: those would outlive it."""
    ann = await server.sign_up()
    token = await server.token(ann)
    change = {"current_password": ann.password, "password": "nine-yellow-herons"}
    assert (await server.post(TOKENS, token, json={"name": "x"})).status == 403
    assert (await server.patch("/auth/password", token, json=change)).status == 403
    assert (await server.post("/auth/logout", token)).status == 403
    assert (await server.get("/auth/me", ann)).status == 200


async def test_a_withdrawn_token_is_good_for_nothing(server: Server) -> None:
    """At once on the server that withdrew it; a second time there is nothing to withdraw."""
    ann = await server.sign_up()
    made = (await server.post(TOKENS, ann, json={"name": "x"})).json
    assert (await server.get("/auth/me", made["token"])).status == 200
    assert (await server.delete(f"{TOKENS}/{made['id']}", ann)).status == 204
    assert (await server.get("/auth/me", made["token"])).status == 401
    assert (await server.delete(f"{TOKENS}/{made['id']}", ann)).status == 404


async def test_a_token_ends_when_it_was_made_to(server: Server, clock) -> None:
    """To the moment, although callers are remembered for some seconds."""
    ann = await server.sign_up()
    wish = {"name": "x", "expires_in_days": 1}
    token = (await server.post(TOKENS, ann, json=wish)).json["token"]
    clock.forward(86_399)
    assert (await server.get("/auth/me", token)).status == 200
    clock.forward(1)
    assert (await server.get("/auth/me", token)).status == 401


async def test_other_peoples_tokens_are_not_there(server: Server) -> None:
    """Another user's token is 404 and stays."""
    ann, bob = await server.sign_up(), await server.sign_up()
    made = (await server.post(TOKENS, ann, json={"name": "x"})).json
    assert (await server.delete(f"{TOKENS}/{made['id']}", bob)).status == 404
    assert (await server.get(TOKENS, bob)).json == {"tokens": []}
    assert (await server.get("/auth/me", made["token"])).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "   "}, {"name": "x" * 101}, {"name": 1},
        {"name": "x", "scopes": []}, {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": "read"},
        {"name": "x", "expires_in_days": 0}, {"name": "x", "expires_in_days": 1.5},
        {"name": "x", "user_id": "0"}, [], "x",
    ],
)  # fmt: skip
async def test_a_wish_that_cannot_be_met_is_400(server: Server, body) -> None:
    """Wrong names, scopes, ends and unknown fields make no token."""
    ann = await server.sign_up()
    assert (await server.post(TOKENS, ann, json=body)).status == 400
    assert (await server.get(TOKENS, ann)).json == {"tokens": []}


@pytest.mark.parametrize(
    "token", ["sct_", "sct_x", "sct_" + "A" * 43, "sct_" + "A" * 4_000, "scf_x"]
)
async def test_invented_tokens_are_refused(server: Server, token: str) -> None:
    """401, whatever their length."""
    assert (await server.get("/auth/me", token)).status == 401


async def test_a_hundred_tokens_are_the_most(server: Server) -> None:
    """The hundred-and-first is a conflict."""
    ann = await server.sign_up()
    tokens = (await server.app.accounts()).tokens
    for number in range(100):
        await tokens.create(ann.id, f"n{number}", COMMAND_LINE)
    assert (await server.post(TOKENS, ann, json={"name": "x"})).status == 409


async def test_a_feeds_key_opens_the_feed_and_nothing_else(server: Server) -> None:
    """It is no bearer token, and a bearer token is no key of a feed."""
    ann = await server.sign_up()
    tokens = (await server.app.accounts()).tokens
    made = await tokens.create(ann.id, "reader", COMMAND_LINE, scopes=("read",), kind="feed")
    assert made.token.startswith("scf_")
    assert (await tokens.feed(made.token)).user_id == ann.id
    assert (await server.get("/auth/me", made.token)).status == 401
    with pytest.raises(BadToken):
        await tokens.feed(await server.token(ann))
    await tokens.remove(ann.id, made.id, COMMAND_LINE)
    with pytest.raises(BadToken):
        await tokens.feed(made.token)


async def test_admins_list_accounts_page_by_page(server_anywhere: Server) -> None:
    """Every account once, in pages; passwords and the local owner without an account not at all."""
    server = server_anywhere
    admin = await server.sign_up()
    await (await server.app.scouts()).owner()
    people = {admin.id, *[(await server.sign_up()).id for _ in range(4)]}
    found, after = [], None
    while True:
        query = {"limit": "2", **({"after": after} if after else {})}
        said = await server.get(USERS, admin, params=query)
        assert b"password" not in said.body
        assert b"argon2" not in said.body
        found += [each["id"] for each in said.json["users"]]
        after = said.json["after"]
        if after is None:
            break
    assert sorted(found) == sorted(map(str, people))
    assert (await server.get(USERS, admin, params={"limit": "0"})).status == 400
    assert (await server.get(USERS, admin, params={"after": "x"})).status == 400


async def test_a_disabled_account_stays_out_until_it_is_enabled(server: Server) -> None:
    """Its sessions end; with the right password it is told, with another it is not."""
    admin, bob = await server.sign_up(), await server.sign_up()
    change = await server.patch(f"{USERS}/{bob.id}", admin, json={"disabled": True})
    assert change.json["disabled_at"]
    login = {"email": bob.email, "password": bob.password}
    said = await server.post("/auth/login", json=login)
    assert (said.status, said.json["code"]) == (403, "user_banned")
    wrong = await server.post("/auth/login", json={**login, "password": "wrong-password"})
    assert (wrong.status, wrong.json["code"]) == (401, "invalid_credentials")
    await server.patch(f"{USERS}/{bob.id}", admin, json={"disabled": False})
    assert (await server.post("/auth/login", json=login)).status == 200


async def test_an_admin_always_remains(server_anywhere: Server) -> None:
    """The last admin cannot be removed, disabled or made a user, also not by two at once."""
    server = server_anywhere
    admin = await server.sign_up()
    path = f"{USERS}/{admin.id}"
    assert (await server.delete(path, admin)).status == 409
    for change in ({"disabled": True}, {"role": "user"}):
        assert (await server.patch(path, admin, json=change)).status == 409
    bob = await server.sign_up()
    made = await server.patch(f"{USERS}/{bob.id}", admin, json={"role": "admin"})
    assert made.json["role"] == "admin"
    assert (await server.get(USERS, bob)).status == 200
    assert (await server.patch(path, admin, json={"role": "user"})).status == 200
    assert (await server.get(USERS, admin)).status == 403


async def test_a_removed_account_takes_everything_with_it(server_anywhere: Server) -> None:
    """Scouts, sessions, tokens: nothing of the account is left but the log's lines about it."""
    server = server_anywhere
    admin, bob = await server.sign_up(), await server.sign_up()
    await server.token(bob)
    assert (await server.delete(f"{USERS}/{bob.id}", admin)).status == 204
    assert (await server.delete(f"{USERS}/{bob.id}", admin)).status == 404
    assert (await server.get(f"{USERS}/{bob.id}", admin)).status == 404
    db = await server.app.database()
    for table in ("sessions", "tokens"):
        sql = f"SELECT count(*) FROM {table} WHERE user_id = $1"
        assert await db.value(int, sql, bob.id) == 0
    lines = await (await server.app.audit()).list(Wanted(user_id=bob.id))
    assert [each.action for each in lines] == ["user.remove", "token.create", "login", "signup"]
    assert lines[0].actor == f"user {admin.id}"
    assert lines[0].address == "127.0.0.1"


async def test_the_owner_of_the_command_lines_scouts_is_not_removed(server: Server) -> None:
    """Whoever has the database can still disable the account."""
    accounts = await server.app.accounts()
    owner = await accounts.people.own("ann@example.org", "seven-green-otters", COMMAND_LINE)
    login = {"email": "ann@example.org", "password": "seven-green-otters"}
    token = (await server.post("/auth/login", json=login)).json["access_token"]
    assert (await server.get("/auth/me", token)).json["is_local"] is True
    assert await (await server.app.scouts()).owner() == owner.id
    assert (await server.delete(f"{USERS}/{owner.id}", token)).status == 409
