"""Mails with codes: lost passwords, confirmations; and the codes that programs exchange."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scout_cli.errors import InvalidInput
from scout_cli.service.accounts.codes import checked_challenge
from scout_cli.service.accounts.redirects import allowed
from scout_cli.service.accounts.refusals import BadCode
from scout_cli.service.audit import Asker
from tests.channel_servers import MailServer
from tests.server.serving import PASSWORD, Server, serving, settings

EMAIL = "ann@example.org"
OTHER = "nine-yellow-herons"
HERE = Asker(address="127.0.0.1")


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    """Yield a mail server."""
    async with MailServer() as server:
        yield server


@pytest.fixture
async def server(tmp_path: Path, clock, mails: MailServer) -> AsyncIterator[Server]:
    """Yield a server that can send mail."""
    async with serving(mailing(tmp_path, mails), clock=clock) as running:
        yield running


def mailing(folder: Path, mails: MailServer, **more):
    """Return settings with a mail server."""
    return settings(
        f"sqlite:///{folder / 'scout.db'}",
        smtp_url=f"smtp://{mails.host}",
        mail_from="Scout <scout@example.org>",
        public_url="https://scout.example.org",
        **more,
    )


async def code_in(server: Server, mails: MailServer) -> str:
    """Return the code in the newest mail, once all mails are on their way."""
    await (await server.app.accounts()).mailing.settled()
    text = mails.got[-1].raw.decode()
    (code,) = set(re.findall(r"Code: ([a-z2-7]{32})", text))
    return code


async def test_a_lost_password_is_replaced_by_mail(server: Server, mails: MailServer) -> None:
    """The code in the mail sets a new password, once, and ends every session."""
    ann = await server.sign_up(EMAIL)
    said = await server.post("/auth/recover", json={"email": "Ann@Example.org"})
    assert (said.status, said.body) == (202, b"")
    code = await code_in(server, mails)
    assert mails.got[-1].recipients == [EMAIL]
    weak = {"code": code, "password": "short"}
    assert (await server.post("/auth/reset", json=weak)).json["code"] == "weak_password"
    new = {"code": f" {code.upper()} ", "password": OTHER}
    assert (await server.post("/auth/reset", json=new)).status == 204
    assert (await server.get("/auth/me", ann)).status == 401
    assert (
        await server.post("/auth/login", json={"email": EMAIL, "password": OTHER})
    ).status == 200
    again = await server.post("/auth/reset", json={**new, "password": PASSWORD})
    assert (again.status, again.json["code"]) == (400, "code_expired"), "A14: used"


async def test_a_code_grows_old_and_is_replaced(server: Server, mails: MailServer, clock) -> None:
    """A14: after an hour a code is good for nothing, and so is one before the newest."""
    await server.sign_up(EMAIL)
    codes = []
    for _ in range(2):
        assert (await server.post("/auth/recover", json={"email": EMAIL})).status == 202
        codes.append(await code_in(server, mails))
        clock.forward(61)
    assert (
        await server.post("/auth/reset", json={"code": codes[0], "password": OTHER})
    ).status == 400
    clock.forward(3_600)
    assert (
        await server.post("/auth/reset", json={"code": codes[1], "password": OTHER})
    ).status == 400


async def test_asking_for_a_code_tells_nothing(server: Server, mails: MailServer) -> None:
    """Known, unknown and impossible addresses get the same answer; one of them gets a mail."""
    await server.sign_up(EMAIL)
    said = set()
    for email in (EMAIL, "nobody@example.org", "no address", "a@b\r\nBcc: eve@x.test"):
        answer = await server.post("/auth/recover", json={"email": email})
        said.add((answer.status, answer.body))
    assert said == {(202, b"")}
    await (await server.app.accounts()).mailing.settled()
    assert [each.recipients for each in mails.got] == [[EMAIL]]


async def test_codes_are_asked_for_once_a_minute(server: Server, clock) -> None:
    """The second within a minute is 429, for an address without an account as well."""
    await server.sign_up(EMAIL)
    for email in (EMAIL, "nobody@example.org"):
        assert (await server.post("/auth/recover", json={"email": email})).status == 202
        assert (await server.post("/auth/recover", json={"email": email})).status == 429
    clock.forward(60)
    assert (await server.post("/auth/recover", json={"email": EMAIL})).status == 202


async def test_a_slow_mail_server_is_not_waited_for(tmp_path, clock) -> None:
    """Whoever asks is answered while the mail server has not even greeted."""
    async with (
        MailServer({"MAIL": "hang"}) as mails,
        serving(mailing(tmp_path, mails), clock=clock) as server,
    ):
        await server.sign_up(EMAIL)
        async with asyncio.timeout(15):
            assert (await server.post("/auth/recover", json={"email": EMAIL})).status == 202
        waiting = list((await server.app.accounts()).mailing._tasks)
        assert waiting
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_without_a_mail_server_the_operator_is_told(
    tmp_path, clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The asker gets the usual answer, the log says which settings are missing."""
    async with serving(f"sqlite:///{tmp_path / 's.db'}", clock=clock) as server:
        await server.sign_up(EMAIL)
        with caplog.at_level(logging.ERROR, "scout.accounts"):
            assert (await server.post("/auth/recover", json={"email": EMAIL})).status == 202
            await (await server.app.accounts()).mailing.settled()
    assert "smtp_url" in caplog.text


async def test_thirty_mails_an_hour_go_out_at_most(
    server: Server, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What an attacker asks for is bounded for the whole server; the log says so."""
    await server.sign_up(EMAIL)
    mailing_ = (await server.app.accounts()).mailing
    people = (await server.app.accounts()).people
    account = await people.add("eve@example.org", PASSWORD, HERE)
    with caplog.at_level(logging.ERROR, "scout.accounts"):
        for _ in range(32):
            mailing_.later(mailing_.send_code(account, "recover"))
        await mailing_.settled()
    assert len(mails.got) == 30
    assert caplog.text.count("30 went out") == 2


async def test_an_address_is_confirmed_by_mail(tmp_path, clock, mails: MailServer) -> None:
    """With `confirm_email` an account works once its code came back; the first works at once."""
    async with serving(mailing(tmp_path, mails, confirm_email=True), clock=clock) as server:
        await server.sign_up("first@example.org")
        body = {"email": EMAIL, "password": PASSWORD}
        said = await server.post("/auth/signup", json=body)
        assert (said.status, said.json) == (202, {"confirmation_sent": True})
        refused = await server.post("/auth/login", json=body)
        assert (refused.status, refused.json["code"]) == (403, "email_not_confirmed")
        wrong = await server.post("/auth/login", json={**body, "password": OTHER})
        assert (wrong.status, wrong.json["code"]) == (401, "invalid_credentials")
        code = {"code": await code_in(server, mails)}
        confirmed = await server.post("/auth/confirm", json=code)
        assert confirmed.json["user"]["email"] == EMAIL
        assert (await server.get("/auth/me", confirmed.json["access_token"])).status == 200
        assert (await server.post("/auth/confirm", json=code)).status == 400
        assert (await server.post("/auth/login", json=body)).status == 200


async def test_with_confirmation_nobody_learns_who_has_an_account(
    tmp_path, clock, mails: MailServer
) -> None:
    """A05: the same answer and the same work for a known address; its owner is told by mail."""
    async with serving(mailing(tmp_path, mails, confirm_email=True), clock=clock) as server:
        await server.sign_up(EMAIL)
        accounts = await server.app.accounts()
        said = []
        for email in (EMAIL, "new@example.org"):
            before = accounts.passwords.hashed
            body = {"email": email, "password": OTHER}
            answer = await server.post("/auth/signup", json=body)
            said.append((answer.status, answer.body, accounts.passwords.hashed - before))
        assert said[0] == said[1]
        await accounts.mailing.settled()
        told = {each.recipients[0]: each.raw for each in mails.got}
        assert b"has one already" in told[EMAIL]
        assert b"Code:" in told["new@example.org"]
        login = {"email": EMAIL, "password": OTHER}
        assert (await server.post("/auth/login", json=login)).status == 401


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def code_for(server: Server, verifier: str) -> str:
    """Return a code that was handed to a browser."""
    accounts = await server.app.accounts()
    if not await accounts.people.count():
        await accounts.people.add(EMAIL, PASSWORD, HERE)
    person = await accounts.people.named(EMAIL)
    db = await server.app.database()
    async with db.transaction() as tx:
        return await accounts.codes.make(
            tx, person.id, "authorise", challenge=challenge_of(verifier)
        )


async def test_a_code_is_exchanged_once_by_who_asked_for_it(server: Server) -> None:
    """A12: with its verifier a code opens a session; a second time it does not."""
    accounts = await server.app.accounts()
    verifier = secrets.token_hex(56)
    code = await code_for(server, verifier)
    session = await accounts.exchange(code, verifier, HERE)
    assert session.user.email == EMAIL
    assert (await server.get("/auth/me", session.access_token)).status == 200
    with pytest.raises(BadCode):
        await accounts.exchange(code, verifier, HERE)


@pytest.mark.parametrize("size", [0, 42, 129])
async def test_a_verifier_of_another_length_is_refused(server: Server, size: int) -> None:
    """A12: 43 to 128 characters, also when the challenge fits."""
    verifier = "a" * size
    code = await code_for(server, verifier)
    with pytest.raises(BadCode):
        await (await server.app.accounts()).exchange(code, verifier, HERE)


async def test_a_wrong_verifier_uses_the_code_up(server: Server) -> None:
    """A12: whoever guesses has one guess."""
    accounts = await server.app.accounts()
    verifier = secrets.token_hex(56)
    code = await code_for(server, verifier)
    for tried in ("b" * 64, verifier):
        with pytest.raises(BadCode):
            await accounts.exchange(code, tried, HERE)


async def test_a_code_for_a_browser_lasts_five_minutes(server: Server, clock) -> None:
    """A12: one of ten minutes ago is too old; a mailed code is none of this kind."""
    accounts = await server.app.accounts()
    verifier = secrets.token_hex(56)
    old = await code_for(server, verifier)
    clock.forward(301)
    with pytest.raises(BadCode):
        await accounts.exchange(old, verifier, HERE)
    fresh = await code_for(server, verifier)
    for path, more in (("/auth/confirm", {}), ("/auth/reset", {"password": OTHER})):
        assert (await server.post(path, json={"code": fresh, **more})).status == 400


@pytest.mark.parametrize(
    ("challenge", "method"),
    [("a" * 43, "plain"), ("a" * 43, ""), ("", "s256"), ("a" * 42, "s256"), ("a=" * 22, "S256")],
)
def test_other_challenges_are_refused(challenge: str, method: str) -> None:
    """A12: `plain`, and what is no SHA-256 in base64url."""
    with pytest.raises(InvalidInput):
        checked_challenge(challenge, method)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test", "//evil.test", "/\\evil.test", "javascript:alert(1)",
        "data:text/html,x", "http:evil.test",
        "https://news.example.org.evil.test/", "https://news.example.org@evil.test/",
        "https://news.example.org:8443/", "http://news.example.org/", "https:/\\evil.test",
        "https://news.example.org\\@evil.test/", " https://evil.test", "https://[::1", "", "/login",
        "https://news.example.org/\r\nSet-Cookie: a=b", "https://news.example.org:x/",
    ],
)  # fmt: skip
def test_a_browser_goes_nowhere_else(wanted: str) -> None:
    """A13: what is not exactly one of the pages of the settings becomes the site's own address."""
    site, others = "https://news.example.org", ("https://other.example.org",)
    assert allowed(wanted, site, others) == site


def test_a_browser_goes_where_the_settings_say() -> None:
    """A13: any path and query of a page that is named, ports that are usual or spelt out."""
    site, others = "https://news.example.org", ("http://localhost:3000",)
    for wanted in (
        "https://news.example.org/auth/callback?redirectTo=%2Fchat",
        "https://NEWS.example.org:443/",
        "http://localhost:3000/auth/callback?x=1",
    ):
        assert allowed(wanted, site, others) == wanted
