"""Where somebody is signed in: seen, and ended one by one or all but one."""

from __future__ import annotations

from uuid import uuid4

from tests.server.serving import PASSWORD

_PATH = "/auth/sessions"


async def again(server, who) -> str:
    """Sign somebody in once more; return the access token."""
    body = {"email": who.email, "password": PASSWORD}
    said = await server.post("/auth/login", json=body, headers={"User-Agent": "another"})
    assert said.status == 200, said.body
    return str(said.json["access_token"])


async def test_sessions_are_listed_and_ended_one_by_one(server_anywhere, clock):
    """Newest first, the asking one marked, no token in it; one that ended lets nobody in."""
    server = server_anywhere
    ann, bob = await server.sign_up(), await server.sign_up()
    clock.forward(60)
    other = await again(server, ann)
    listed = await server.get(_PATH, ann)
    second, first = listed.json["sessions"]
    assert (second["agent"], second["current"], first["current"]) == ("another", False, True)
    assert (first["address"], first["method"]) == ("127.0.0.1", "password")
    assert ann.token.encode() not in listed.body
    assert b"scr_" not in listed.body
    assert (await server.delete(f"{_PATH}/{second['id']}", bob)).status == 404
    assert (await server.delete(f"{_PATH}/{uuid4()}", ann)).status == 404
    assert (await server.delete(f"{_PATH}/{second['id']}", ann)).status == 204
    assert (await server.get("/auth/me", other)).status == 401
    assert [each["id"] for each in (await server.get(_PATH, ann)).json["sessions"]] == [first["id"]]


async def test_all_others_end_at_once(server):
    """The one that asks stays, and so does a token; a token itself has no session to keep."""
    ann = await server.sign_up()
    others = [await again(server, ann) for _ in range(2)]
    token = await server.token(ann)
    assert (await server.delete(_PATH, token)).status == 403
    assert (await server.delete(f"/api/v1{_PATH}", ann)).status == 204
    assert [(await server.get("/auth/me", each)).status for each in others] == [401, 401]
    assert (await server.get("/auth/me", ann)).status == 200
    assert len((await server.get(_PATH, token)).json["sessions"]) == 1


async def test_sessions_that_ran_out_are_not_shown(server, clock):
    """After thirty days without a refresh one is over, whether it was cleaned up or not."""
    ann = await server.sign_up()
    clock.forward(31 * 86_400)
    fresh = await again(server, ann)
    assert [each["current"] for each in (await server.get(_PATH, fresh)).json["sessions"]] == [True]


async def test_an_admin_makes_accounts_and_gives_passwords(server):
    """The new one signs in; a new password ends its sessions; others may do neither."""
    admin, bob = await server.sign_up(), await server.sign_up()
    body = {"email": "eve@example.org", "password": PASSWORD, "role": "admin"}
    assert (await server.post("/api/v1/users", bob, json=body)).status == 403
    made = await server.post("/api/v1/users", admin, json=body)
    assert (made.status, made.json["role"]) == (201, "admin")
    assert (await server.post("/api/v1/users", admin, json=body)).status == 409
    where = made.headers["Location"]
    assert (await server.get(where, admin)).json == made.json
    said = await server.post("/auth/login", json={"email": body["email"], "password": PASSWORD})
    fresh = {"password": "nine-yellow-herons"}
    assert (await server.patch(where, admin, json=fresh)).status == 200
    assert (await server.get("/auth/me", said.json["access_token"])).status == 401
    renewed = {"email": body["email"], **fresh}
    assert (await server.post("/auth/login", json=renewed)).status == 200
