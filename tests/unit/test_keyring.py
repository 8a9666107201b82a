"""The file of keys: made once, private, and never quoted."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scout_cli.config import Settings, keyring
from scout_cli.errors import ConfigError

FERNET = "A" * 43 + "="


def settings(folder: Path, **given: tuple[str, ...]) -> Settings:
    """Return settings whose database, and so whose keys, are in `folder`."""
    return Settings(database_url=f"sqlite:///{folder / 'scout.db'}", **given)


def kept(folder: Path) -> Path:
    """Return where the keys of that folder are."""
    return folder / "keys.toml"


def test_keys_are_made_on_first_need_for_their_owner_alone(tmp_path: Path) -> None:
    """The first need makes a 0600 file in a 0700 folder; the second reads the same keys."""
    given = settings(tmp_path / "new")
    ring = keyring.open_keyring(given)
    assert keyring.open_keyring(given) == ring
    assert stat.S_IMODE(kept(tmp_path / "new").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert len(ring.jwt_secrets[0]) >= 32


def test_looking_makes_no_keys(tmp_path: Path) -> None:
    """Who only asks which keys there are leaves no file behind."""
    assert keyring.known(settings(tmp_path)) == keyring.Keyring(jwt_secrets=(), secret_keys=())
    assert not list(tmp_path.iterdir())


def test_settings_win_over_the_file_and_need_none(tmp_path: Path) -> None:
    """Keys set by hand are the keys, and no file is made."""
    given = settings(tmp_path, jwt_secret=("x" * 32,), secret_keys=(FERNET,))
    ring = keyring.open_keyring(given)
    assert (ring.jwt_secrets, ring.secret_keys) == (("x" * 32,), (FERNET,))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o601])
def test_a_file_that_others_can_open_is_refused_with_what_to_type(
    tmp_path: Path, mode: int
) -> None:
    """Looser modes than 0600 are refused, and the hint mends it."""
    given = settings(tmp_path)
    ring = keyring.open_keyring(given)
    kept(tmp_path).chmod(mode)
    with pytest.raises(ConfigError) as refused:
        keyring.open_keyring(given)
    subprocess.run(["/bin/sh", "-c", refused.value.hint], check=True)
    assert keyring.open_keyring(given) == ring


def test_a_folder_in_which_anybody_may_replace_the_file_is_refused(tmp_path: Path) -> None:
    """A folder that every user may write to is no place for keys."""
    given = settings(tmp_path / "open")
    keyring.open_keyring(given)
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ConfigError, match="every user can replace them"):
        keyring.open_keyring(given)


@pytest.mark.parametrize(
    "text",
    [
        "secret_keys = ['CANARY-short']",
        "CANARY = [",
        "jwt_secrets = ['CANARY']",
        "other = 'CANARY'",
    ],
)
def test_a_broken_file_is_named_and_no_key_of_it_told(tmp_path: Path, text: str) -> None:
    """What cannot be used is refused; the error repeats nothing that stands in the file."""
    kept(tmp_path).write_text(text)
    kept(tmp_path).chmod(0o600)
    with pytest.raises(ConfigError) as refused:
        keyring.open_keyring(settings(tmp_path))
    assert "CANARY" not in refused.value.message + refused.value.hint
    assert str(kept(tmp_path)) in refused.value.message
    assert kept(tmp_path).read_text() == text


def test_a_link_and_a_device_are_no_files_of_keys(tmp_path: Path) -> None:
    """A link is not followed, and a pipe is not waited for."""
    (tmp_path / "elsewhere").write_text("")
    kept(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError):
        keyring.open_keyring(settings(tmp_path))
    kept(tmp_path).unlink()
    os.mkfifo(kept(tmp_path), 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        keyring.open_keyring(settings(tmp_path))


def test_processes_that_need_keys_at_the_same_time_get_the_same(tmp_path: Path) -> None:
    """Six processes race for the first keys; one makes them and all have those."""
    code = (
        "import sys; from scout_cli.config import Settings, keyring;"
        "sys.stdin.read();"
        f"print(keyring.open_keyring(Settings(database_url='sqlite:///{tmp_path}/scout.db'))"
        ".secret_keys[0])"
    )
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in racing:
        assert process.stdin
        process.stdin.close()
    said = set()
    for process in racing:
        assert process.stdout
        said.add(process.stdout.read())
        process.stdout.close()
        assert process.wait() == 0
    assert len(said) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".keys.toml.lock", "keys.toml"]


def test_a_ring_and_its_settings_print_no_key(tmp_path: Path) -> None:
    """Tracebacks are shared: neither object shows a key."""
    given = settings(tmp_path, jwt_secret=("CANARY" * 6,))
    assert "CANARY" not in repr(keyring.open_keyring(given)) + repr(given)


def test_the_last_key_is_never_dropped(tmp_path: Path) -> None:
    """Dropping all keys keeps them: what is encrypted would be lost."""
    given = settings(tmp_path)
    ring = keyring.open_keyring(given)
    keyring.drop(given, "secret_keys", ring.secret_keys)
    assert keyring.open_keyring(given) == ring


def test_keys_set_by_hand_are_not_changed(tmp_path: Path) -> None:
    """A new key is not put where it would not be read; the hint says what to type."""
    with pytest.raises(ConfigError) as refused:
        keyring.add(settings(tmp_path, secret_keys=(FERNET,)), "secret_keys")
    assert "scout keys new" in refused.value.hint
    assert FERNET not in refused.value.message + refused.value.hint
