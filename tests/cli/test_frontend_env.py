"""`scout frontend-env`, `scout keys show` and `scout keys rotate --jwt`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scout_cli.config import Settings, keyring
from scout_cli.service.accounts.api_keys import opens_gateway, role_of
from tests.cli.stage import call

NAMES = [
    "NEXT_PUBLIC_SUPABASE_URL",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_ROLE_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "NEXT_PUBLIC_SITE_URL",
    "NEXT_TELEMETRY_DISABLED",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATABASE_URL", "sqlite:///scout.db")
    return tmp_path


def variables(*words: str) -> dict[str, str]:
    """Return the variables as JSON."""
    said = call("frontend-env", "--format", "json", *words)
    assert said.code == 0, said.err
    found: dict[str, str] = json.loads(said.out)
    return found


def secrets() -> tuple[str, ...]:
    """Return the secrets that sign here."""
    return keyring.jwt_secrets(Settings(database_url="sqlite:///scout.db"))


def test_the_variables_are_ready_for_a_file() -> None:
    """Each stands on a line of its own without quotes, and all of them are there, once."""
    said = call("frontend-env")
    rows = dict(line.split("=", 1) for line in said.out.splitlines())
    assert list(rows) == NAMES
    assert all(value and not set(value) & set(" '\"$#`\\") for value in rows.values())
    assert rows == variables() == json.loads(call("frontend-env", "--json").out)
    assert "keep the file to yourself" in said.err


def test_the_keys_are_those_that_the_server_takes() -> None:
    """Anon and service key are told apart, and the third opens the chat."""
    found = variables()
    assert role_of(found["NEXT_PUBLIC_SUPABASE_ANON_KEY"], secrets()) == "anon"
    assert role_of(found["SUPABASE_SERVICE_ROLE_KEY"], secrets()) == "service_role"
    assert opens_gateway(found["OPENAI_API_KEY"], secrets())
    assert not opens_gateway(found["NEXT_PUBLIC_SUPABASE_ANON_KEY"], secrets())
    shown = json.loads(call("keys", "show", "--json").out)
    assert shown == {
        "anon": found["NEXT_PUBLIC_SUPABASE_ANON_KEY"],
        "service_role": found["SUPABASE_SERVICE_ROLE_KEY"],
        "chat": found["OPENAI_API_KEY"],
    }
    assert [line.split()[1] for line in call("keys", "show").out.splitlines()] == [*shown.values()]


def test_addresses_are_taken_from_options_then_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slashes at the end go; the chat's address follows the server's."""
    monkeypatch.setenv("SCOUT_PUBLIC_URL", "https://scout.example.org")
    monkeypatch.setenv("SCOUT_SITE_URL", "https://news.example.org")
    found = variables()
    assert found["NEXT_PUBLIC_SUPABASE_URL"] == "https://scout.example.org"
    assert found["NEXT_PUBLIC_SITE_URL"] == "https://news.example.org"
    found = variables("--url", "http://127.0.0.1:9999/", "--site-url", "http://localhost:3100")
    assert found["OPENAI_BASE_URL"] == "http://127.0.0.1:9999/openai/v1"
    assert found["NEXT_PUBLIC_SITE_URL"] == "http://localhost:3100"


@pytest.mark.parametrize("url", ["localhost", "ftp://a.example", "http://a b", "http://a/$HOME"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Nothing is printed that would break the file."""
    said = call("frontend-env", "--url", url)
    assert (said.code, said.out) == (2, "")


def test_keys_stay_and_overlap_when_they_change() -> None:
    """After one rotation the old keys are still good, after two they are not."""
    first = variables()
    assert variables() == first
    assert call("keys", "rotate", "--jwt").code == 0
    second = variables()
    assert second["OPENAI_API_KEY"] != first["OPENAI_API_KEY"]
    assert role_of(first["SUPABASE_SERVICE_ROLE_KEY"], secrets()) == "service_role"
    assert opens_gateway(first["OPENAI_API_KEY"], secrets())
    done = json.loads(call("keys", "rotate", "--jwt", "--json").out)
    assert len(done["dropped"]) == 1
    assert role_of(first["SUPABASE_SERVICE_ROLE_KEY"], secrets()) is None
    assert not opens_gateway(first["OPENAI_API_KEY"], secrets())
    assert opens_gateway(second["OPENAI_API_KEY"], secrets())


def test_a_secret_that_was_set_by_hand_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the command says what to do instead."""
    monkeypatch.setenv("SCOUT_JWT_SECRET", "x" * 40)
    said = call("keys", "rotate", "--jwt")
    assert said.code == 2
    assert "scout keys new --jwt" in said.err
    assert call("keys", "rotate", "--jwt", "--keep").code == 2
