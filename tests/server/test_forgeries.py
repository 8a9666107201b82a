"""Access tokens that scout did not make, or that stopped being good."""

from __future__ import annotations

import pytest

from scout_cli.errors import Unauthorized
from tests.server.forging import GOOD_HEADER, forgeries, opened, signed
from tests.server.serving import Server, serving, settings

ME = "/api/v1/auth/me"
NUMBERS = [f"J{number:02}" for number in range(1, 18)]
_HEADER_LIMIT = 8_000
"""A longer one does not reach the token's reader; test_server tells what becomes of it."""


async def refused(server: Server, token: str) -> tuple[int, str]:
    """Return what the server says to a token, which nobody may take for an inner fault."""
    said = await server.get(ME, token)
    return said.status, said.json["code"] if said.status != 200 else "taken"


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_forged_token_is_refused(server: Server, number: str) -> None:
    """Whatever is wrong with a token, the answer is 401, and nothing of it is repeated."""
    ann = await server.sign_up()
    assert (await server.get(ME, ann)).status == 200
    tried = 0
    for attack, what, token in forgeries(ann.token):
        if attack != number or len(token) > _HEADER_LIMIT:
            continue
        tried += 1
        assert (await refused(server, token))[0] == 401, f"{attack}: {what}"
    assert tried


async def test_the_forgeries_are_many_and_differ(server: Server) -> None:
    """The corpus holds more than 150 different tokens, and none of them is the good one."""
    ann = await server.sign_up()
    tokens = [token for _, _, token in forgeries(ann.token)]
    assert len(set(tokens)) > 150
    assert ann.token not in tokens


async def test_a_token_signed_here_with_the_same_claims_is_good(server: Server) -> None:
    """The forger makes a good token when nothing is wrong, so that refusals mean something."""
    ann = await server.sign_up()
    assert (await server.get(ME, signed(GOOD_HEADER, opened(ann.token)))).status == 200


async def test_tokens_too_long_for_a_header_are_refused_by_the_reader(server: Server) -> None:
    """A megabyte and 20,000 levels of lists are refused before anything is parsed."""
    ann = await server.sign_up()
    accounts = await server.app.accounts()
    for _, what, token in forgeries(ann.token):
        if len(token) > _HEADER_LIMIT:
            with pytest.raises(Unauthorized):
                await accounts.caller(token)
            assert what


async def test_an_expired_token_is_refused(server: Server, clock) -> None:
    """J11: after an hour, and ten seconds for clocks that differ, it is over."""
    ann = await server.sign_up()
    clock.forward(3_609)
    assert (await server.get(ME, ann)).status == 200
    clock.forward(2)
    assert (await server.get(ME, ann)).status == 401


async def test_a_user_is_no_admin(server: Server) -> None:
    """J18: a user's token on a route for admins is 403, also when it claims the role."""
    await server.sign_up()
    bob = await server.sign_up()
    claims = {**opened(bob.token), "app_metadata": {"role": "admin"}}
    for token in (bob.token, signed(GOOD_HEADER, claims)):
        for path in ("/api/v1/users", f"/api/v1/users/{bob.id}"):
            assert (await server.get(path, token)).status == 403


async def test_a_deleted_or_disabled_users_token_is_refused(server_anywhere: Server) -> None:
    """J19: the token is as it was, and good for nothing."""
    server = server_anywhere
    admin, bob, eve = [await server.sign_up() for _ in range(3)]
    key = await server.token(eve)
    assert (await server.delete(f"/api/v1/users/{bob.id}", admin)).status == 204
    change = {"disabled": True}
    assert (await server.patch(f"/api/v1/users/{eve.id}", admin, json=change)).status == 200
    for token in (bob.token, eve.token, key):
        assert (await server.get(ME, token)).status == 401
    refreshed = {"refresh_token": eve.session["refresh_token"]}
    assert (await server.post("/auth/refresh", json=refreshed)).status == 400


async def test_a_logged_out_sessions_token_is_refused(server: Server) -> None:
    """J20: at once where it logged out, and its refresh token with it."""
    ann = await server.sign_up()
    assert (await server.post("/auth/logout", ann)).status == 204
    said = await server.get(ME, ann)
    assert (said.status, said.json["code"]) == (401, "session_not_found")
    refreshed = {"refresh_token": ann.session["refresh_token"]}
    assert (await server.post("/auth/refresh", json=refreshed)).status == 400


async def test_a_logout_elsewhere_is_noticed_within_five_seconds(database_url: str, clock) -> None:
    """J20: another process of the same database remembers a session for five seconds, no longer."""
    async with (
        serving(settings(database_url), clock=clock) as one,
        serving(settings(database_url), clock=clock) as two,
    ):
        ann = await one.sign_up()
        assert (await two.get(ME, ann)).status == 200
        assert (await one.post("/auth/logout", ann)).status == 204
        clock.forward(5)
        assert (await two.get(ME, ann)).status == 401


async def test_a_refresh_token_is_no_access_token(server: Server) -> None:
    """J21: and an access token is no refresh token."""
    ann = await server.sign_up()
    assert (await server.get(ME, ann.session["refresh_token"])).status == 401
    wrong = {"refresh_token": ann.token}
    assert (await server.post("/auth/refresh", json=wrong)).status == 400


async def test_two_authorization_headers_are_refused(server: Server) -> None:
    """J22: also when both are good."""
    ann = await server.sign_up()
    bearer = ("Authorization", f"Bearer {ann.token}")
    async with server.client.get(server.url + ME, headers=[bearer, bearer]) as said:
        assert said.status in (400, 401)


@pytest.mark.parametrize(
    "header", ["Basic YW5uOng=", "Bearer", "Bearer  ", "token x", "Bearer a b"]
)
async def test_other_authorization_headers_are_refused(server: Server, header: str) -> None:
    """What is not one bearer token is 401."""
    assert (await server.get(ME, headers={"Authorization": header})).status == 401


async def test_a_token_in_the_url_counts_for_nothing(server: Server) -> None:
    """J23: neither as `access_token` nor as `token` or `apikey`."""
    ann = await server.sign_up()
    for name in ("access_token", "token", "apikey", "authorization"):
        said = await server.get(ME, params={name: ann.token})
        assert said.status == 401
        assert ann.token.encode() not in said.body


async def test_a_newer_secret_signs_and_the_older_one_still_verifies(tmp_path, clock) -> None:
    """With two secrets a token of the older is good; without it, it is not."""
    url, newer = f"sqlite:///{tmp_path / 's.db'}", "another secret for tests, of 32 bytes or more"
    async with serving(settings(url), clock=clock) as server:
        ann = await server.sign_up()
    both = (newer, *settings(url).jwt_secret)
    async with serving(settings(url, jwt_secret=both), clock=clock) as server:
        assert (await server.get(ME, ann)).status == 200
        wish = {"refresh_token": ann.session["refresh_token"]}
        fresh = (await server.post("/auth/refresh", json=wish)).json
        assert (await server.get(ME, fresh["access_token"])).status == 200
    async with serving(settings(url, jwt_secret=(newer,)), clock=clock) as server:
        assert (await server.get(ME, ann)).status == 401
        assert (await server.get(ME, fresh["access_token"])).status == 200
