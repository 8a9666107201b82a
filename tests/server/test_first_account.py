"""Who may make the first account, and whose secret signs."""

from __future__ import annotations

import pytest

from scout_cli.errors import ConfigError
from scout_cli.service.audit import COMMAND_LINE
from tests.server.serving import PASSWORD, Server, serving, settings

NEWER = "another secret for tests, of 32 bytes or more"


async def sign_up(server: Server, email: str = "ann@example.org", **more) -> tuple[int, str]:
    """Try to sign up; return the status and the code of the refusal."""
    body = {"email": email, "password": PASSWORD, **more}
    said = await server.post("/auth/signup", json=body)
    return said.status, said.json.get("code", "")


async def test_the_first_account_needs_the_token_where_it_is_demanded(
    server_anywhere: Server,
) -> None:
    """Without it, or with another, 403; with it an admin; afterwards nobody needs it any more."""
    server = server_anywhere
    accounts = await server.app.accounts()
    token = await accounts.joining.setup_token()
    assert token
    assert token == await accounts.joining.setup_token()
    for wrong in ("", "x", token[:-1], token + "a"):
        assert await sign_up(server, setup_token=wrong) == (403, "signup_disabled")
    assert await sign_up(server, setup_token=token.upper()) == (201, "")
    assert await accounts.joining.setup_token() is None
    assert await sign_up(server, "bob@example.org") == (201, "")
    found = {each.email: each.role for each in await accounts.people.all()}
    assert found == {"ann@example.org": "admin", "bob@example.org": "user"}


async def test_an_account_of_the_command_line_is_the_first(server: Server) -> None:
    """After `scout user add` nobody can become an admin by signing up."""
    accounts = await server.app.accounts()
    await accounts.joining.setup_token()
    await accounts.people.add("ann@example.org", PASSWORD, COMMAND_LINE)
    assert await accounts.joining.setup_token() is None
    bob = await server.sign_up("bob@example.org")
    assert bob.session["user"]["role"] == "user"


async def test_where_signing_up_is_closed_only_the_token_opens_it(tmp_path, clock) -> None:
    """Also for the first account, also on this machine."""
    given = settings(f"sqlite:///{tmp_path / 's.db'}", signup="closed")
    async with serving(given, clock=clock) as server:
        assert await sign_up(server) == (403, "signup_disabled")
        token = await (await server.app.accounts()).joining.setup_token()
        assert await sign_up(server, setup_token=token) == (201, "")
        assert await sign_up(server, "bob@example.org", setup_token=token) == (
            403,
            "signup_disabled",
        )


async def test_sign_ups_from_one_address_have_an_end(server: Server) -> None:
    """The thirty-first within the hour is 429, whatever became of the others."""
    said = [(await sign_up(server, f"n{number % 3}@example.org"))[0] for number in range(31)]
    assert said == [201] * 3 + [409] * 27 + [429]


async def test_a_server_with_another_secret_refuses_to_start(database_url: str, clock) -> None:
    """The first secret belongs to the database; a newer one takes over while the older is there."""
    (older,) = settings(database_url).jwt_secret

    async def check(*secrets: str) -> None:
        async with serving(settings(database_url, jwt_secret=secrets), clock=clock) as server:
            await (await server.app.accounts()).check_secret()

    await check(older)
    await check(older)
    with pytest.raises(ConfigError, match="which is not here") as refused:
        await check(NEWER)
    assert older not in refused.value.message + refused.value.hint
    await check(NEWER, older)
    await check(NEWER)
    with pytest.raises(ConfigError):
        await check(older)


async def test_signing_everybody_out_takes_the_secret_that_is_here(tmp_path, clock) -> None:
    """It is the way on when a secret is lost: all sessions end, and the server starts again."""
    url = f"sqlite:///{tmp_path / 's.db'}"
    async with serving(settings(url), clock=clock) as server:
        await (await server.app.accounts()).check_secret()
        await server.sign_up()
    async with serving(settings(url, jwt_secret=(NEWER,)), clock=clock) as server:
        accounts = await server.app.accounts()
        with pytest.raises(ConfigError):
            await accounts.check_secret()
        assert await accounts.sign_everybody_out() == 1
        await accounts.check_secret()
