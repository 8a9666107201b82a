"""`scout user` and `scout token` as they are typed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.stage import Said, add, call, command
from tests.cli.terminal import on_terminal

PASSWORD = "seven-green-otters\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATABASE_URL", "sqlite:///scout.db")
    return tmp_path


def made(email: str, *more: str) -> Said:
    """Make an account with the password on stdin."""
    said = call("user", "add", email, *more, stdin=PASSWORD)
    assert said.code == 0, said.err
    return said


def users() -> dict[str, dict]:
    """Return the accounts by address."""
    return {each["email"]: each for each in json.loads(call("user", "list", "--json").out)["users"]}


def test_the_first_account_is_an_admins(folder: Path) -> None:
    """The password comes from stdin and stands nowhere; the second account is a user's."""
    assert "an admin's account" in made(" Ann@Example.org").err
    assert "a user's account" in made("bob@example.org").err
    assert made("eve@example.org", "--admin").out == ""
    roles = {email: each["role"] for email, each in users().items()}
    assert roles == {
        "ann@example.org": "admin",
        "bob@example.org": "user",
        "eve@example.org": "admin",
    }
    stored = b"".join(path.read_bytes() for path in folder.glob("scout.db*"))
    assert PASSWORD.strip().encode() not in stored
    assert "ann@example.org" in call("user", "list").out


def test_without_accounts_it_says_how_to_make_one() -> None:
    """An empty list is no table."""
    said = call("user", "list")
    assert (said.code, said.out) == (0, "")
    assert "scout user add EMAIL" in said.err


def test_the_scouts_of_the_command_line_can_get_an_owner() -> None:
    """`--owner` turns the local owner into the account: what was made before is theirs."""
    name = add()
    made("ann@example.org", "--owner")
    assert users()["ann@example.org"]["is_local"] is True
    assert name in call("list").out
    add(goal="Buses to the harbour of Saltmere")
    assert len(json.loads(call("list", "--json").out)["scouts"]) == 2
    said = call("user", "rm", "ann@example.org", "--yes")
    assert (said.code, "belong to this account" in said.err) == (1, True)


def test_a_made_up_password_is_data() -> None:
    """`--generate` prints it, and it is another one each time."""
    said = call("user", "add", "ann@example.org", "--generate")
    assert said.code == 0
    assert re.fullmatch(r"[\w-]{20}\n", said.out)
    again = json.loads(call("user", "passwd", "ann@example.org", "--generate", "--json").out)
    assert again["user"]["email"] == "ann@example.org"
    assert len({said.out.strip(), again["password"]}) == 2


@pytest.mark.parametrize(
    ("email", "typed", "code", "hint"),
    [
        ("ann", PASSWORD, 2, "me@example.org"),
        ("ann@example.org", "short\n", 2, "8 to 128"),
        ("ann@example.org", "password1\n", 2, "8 to 128"),
        ("ann@example.org", "", 2, "--generate"),
        ("bob@example.org", PASSWORD, 1, "sign in"),
    ],
)
def test_what_cannot_be_an_account_is_two_lines(email, typed, code, hint) -> None:
    """No address, no password, a weak one, an address that is taken."""
    made("bob@example.org")
    said = call("user", "add", email, stdin=typed)
    assert (said.code, said.out) == (code, "")
    assert re.fullmatch(r"scout: error: .*\n  .*\n", said.err), said.err
    assert hint in said.err
    assert not typed.strip() or typed.strip() not in said.err


def test_a_password_never_stands_on_the_command_line() -> None:
    """`--password` is refused before anything else happens."""
    said = call("user", "add", "ann@example.org", "--password", "seven-green-otters")
    assert said.code == 2
    assert "seven-green-otters" not in said.err


def test_a_password_that_is_typed_is_not_seen(folder: Path) -> None:
    """On a terminal it is asked for twice, without an echo; two that differ are asked again."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    typed = PASSWORD.strip()
    seen = on_terminal(
        command("user", "add", "ann@example.org"),
        env,
        folder,
        answers=[("Password:", f"{typed}\n"), ("Repeat", "another\n"), ("Password:", f"{typed}\n"),
                 ("Repeat", f"{typed}\n")],
    )  # fmt: skip
    assert seen.code == 0, seen.text
    assert typed not in seen.text
    assert "an admin's account" in seen.text


def test_an_account_is_disabled_enabled_and_removed() -> None:
    """The list shows the state; what is removed is gone; the last admin stays."""
    made("ann@example.org")
    made("bob@example.org")
    assert call("user", "disable", "bob@example.org").code == 0
    assert users()["bob@example.org"]["disabled_at"]
    assert "disabled" in call("user", "list").out
    assert call("user", "enable", "BOB@example.org").code == 0
    assert users()["bob@example.org"]["disabled_at"] is None
    refused = call("user", "rm", "bob@example.org")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert call("user", "rm", "bob@example.org", "--yes").code == 0
    assert list(users()) == ["ann@example.org"]
    for words in (["rm", "--yes"], ["disable"]):
        said = call("user", *words, "ann@example.org")
        assert (said.code, "last admin" in said.err) == (1, True)


@pytest.mark.parametrize("words", [["rm", "--yes"], ["disable"], ["enable"], ["passwd"]])
def test_an_account_that_is_not_there_is_exit_3(words: list[str]) -> None:
    """Two lines, whatever was asked of it."""
    said = call("user", *words, "nobody@example.org", stdin=PASSWORD)
    assert said.code == 3
    assert re.fullmatch(r"scout: error: .*\n  .*\n", said.err), said.err


def test_everybody_can_be_signed_out() -> None:
    """One account, or all with `--all`, but not both and not neither."""
    made("ann@example.org")
    assert "0 sessions" in call("user", "signout", "ann@example.org").err
    assert json.loads(call("user", "signout", "--all", "--json").out) == {"ended": 0}
    assert call("user", "signout").code == 2
    assert call("user", "signout", "ann@example.org", "--all").code == 2


def test_a_token_is_printed_once(folder: Path) -> None:
    """Stdout is the token alone; the list has its name, its scopes and its end, never the token."""
    said = call("token", "create", "--name", "dashboard", "--read-only", "--expires", "12w")
    assert said.code == 0, said.err
    token = said.out.strip()
    assert re.fullmatch(r"sct_[\w-]{43}", token)
    assert token not in said.err
    listed = call("token", "list")
    assert "dashboard" in listed.out
    assert token not in listed.out
    (shown,) = json.loads(call("token", "list", "--json").out)["tokens"]
    assert shown["scopes"] == ["read"]
    assert shown["expires_at"]
    stored = b"".join(path.read_bytes() for path in folder.glob("scout.db*"))
    assert token.encode() not in stored


def test_a_token_is_withdrawn_by_name_or_id() -> None:
    """A name that two have is refused; an id, or the beginning of one, is not."""
    for name in ("one", "two", "two"):
        assert call("token", "create", "--name", name).code == 0
    assert call("token", "rm", "one").code == 0
    said = call("token", "rm", "two")
    assert (said.code, "2 tokens" in said.err) == (2, True)
    first = json.loads(call("token", "list", "--json").out)["tokens"][0]["id"]
    assert call("token", "rm", first[:8]).code == 0
    assert call("token", "rm", "two").code == 0
    assert call("token", "rm", "two").code == 3
    assert "No tokens yet" in call("token", "list").err


def test_a_token_may_be_somebody_elses() -> None:
    """With `--user` it is that account's, and the owner's list does not show it."""
    made("ann@example.org")
    assert call("token", "create", "--user", "ann@example.org").code == 0
    assert "No tokens yet" in call("token", "list").err
    assert "command line" in call("token", "list", "--user", "ann@example.org").out
    assert call("token", "create", "--user", "nobody@example.org").code == 3


@pytest.mark.parametrize("life", ["0d", "-1d", "12", "1h", "99999d", "soon", ""])
def test_a_life_that_is_none_is_refused(life: str) -> None:
    """Days, weeks and years, at least one."""
    said = call("token", "create", f"--expires={life}")
    assert said.code == (0 if life == "" else 2)
