"""Settings: where they come from, which one wins, and what is refused with which words."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import msgspec
import pytest

from scout_cli import config
from scout_cli.config import Settings, holds_secret, load, machine_timezone
from scout_cli.errors import ConfigError

ROOT = Path(__file__).parents[2]
PRIVATE = "SCOUT_ALLOW_PRIVATE_NETWORKS"
NAMES = [info.name for info in msgspec.structs.fields(Settings)]


@pytest.fixture
def write(tmp_path):
    """Write a scouts.toml and return its path."""

    def write(text: str | bytes, *, mode: int = 0o600) -> Path:
        path = tmp_path / "scouts.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return write


def refused(path: Path | None = None, **given) -> ConfigError:
    """Load what cannot be loaded and return the error."""
    with pytest.raises(ConfigError) as caught:
        load(path, given.get("flags"), given.get("environ", {}), given.get("cwd", Path("/")))
    return caught.value


def test_defaults_need_nothing(isolated, tmp_path):
    """Without file, environment and flags there is a SQLite file in the platform's folder."""
    loaded = load(environ={}, cwd=tmp_path)
    assert loaded.settings.database_url == f"sqlite:///{isolated}/data/scout/scout.db"
    assert loaded.settings.search_url == ("ddgs://",)
    assert (loaded.path, set(loaded.origins.values())) == (None, {"default"})
    assert set(loaded.origins) == set(NAMES)


def test_later_sources_win(write):
    """The environment wins over the file and a flag over both, and each says where it came from."""
    path = write('[settings]\nnum_ctx = 4096\nmax_pages = 3\ndatabase_url = "sqlite:///f.db"\n')
    environ = {"SCOUT_MAX_PAGES": "5", "SCOUT_DATABASE_URL": "sqlite:///e.db"}
    settings, origins, _ = load(path, {"database_url": "sqlite:///flag.db"}, environ)
    assert (settings.num_ctx, settings.max_pages) == (4096, 5)
    assert settings.database_url == "sqlite:///flag.db"
    assert origins["num_ctx"] == f"{path}:2"
    assert (origins["max_pages"], origins["database_url"]) == ("SCOUT_MAX_PAGES", "--database")
    assert origins["rounds"] == "default"


def test_files_are_looked_for_in_order(isolated, tmp_path, write):
    """`--config`, then `SCOUT_CONFIG`, then the working folder, then the platform's folder."""
    platform = isolated / "config" / "scout" / "scouts.toml"
    platform.parent.mkdir(parents=True)
    platform.write_text("[settings]\nrounds = 4\n")
    empty, here = tmp_path / "empty", tmp_path / "here"
    empty.mkdir()
    here.mkdir()
    assert load(environ={}, cwd=empty).path == platform
    (here / "scouts.toml").write_text("[settings]\nrounds = 3\n")
    assert load(environ={}, cwd=here).settings.rounds == 3
    named = tmp_path / "named.toml"
    named.write_text("[settings]\nrounds = 2\n")
    environ = {"SCOUT_CONFIG": str(named)}
    assert load(environ=environ, cwd=here).path == named
    assert load(write("[settings]\nrounds = 1\n"), environ=environ, cwd=here).settings.rounds == 1


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("SCOUT_SEARCH_URL", " ddgs://  searxng+http://h ", "search_url", ("ddgs://", "searxng+http://h")),
        (PRIVATE, "true", "allow_private_networks", True),
        (PRIVATE, "0", "allow_private_networks", False),
        (PRIVATE, "a:1 [::1]:2", "allow_private_networks", ("a:1", "[::1]:2")),
        ("SCOUT_DEADLINE", "90", "deadline", 90.0),
        ("SCOUT_NUM_CTX", "", "num_ctx", 8192),
        ("OLLAMA_HOST", "10.0.0.5:11434", "ollama_host", "10.0.0.5:11434"),
        ("OLLAMA_API_KEY", "k", "ollama_api_key", "k"),
    ],
)  # fmt: skip
def test_environment_values_are_read(variable, text, name, value):
    """Numbers, truth, lists by white space; an empty variable counts as not set."""
    loaded = load(environ={variable: text}, cwd=Path("/"))
    assert getattr(loaded.settings, name) == value
    assert loaded.origins[name] == (variable if text else "default")


def test_lists_may_be_one_string_in_the_file(write):
    """`search_url` reads well as a single string too."""
    settings = load(
        write('[settings]\nsearch_url = "ddgs:// searxng+http://h"\n'), environ={}
    ).settings
    assert settings.search_url == ("ddgs://", "searxng+http://h")


def test_scout_tables_are_let_through(write):
    """`[[scout]]` belongs to another command."""
    path = write('[settings]\nrounds = 1\n[[scout]]\ntitle = "x"\nanything = 3\n')
    assert load(path, environ={}).settings.rounds == 1


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[settings]\n\nnum_ctz = 1\n", ":3: unknown key 'num_ctz'", "did you mean num_ctx?"),
        ("[setings]\nrounds = 1\n", ":1: unknown key 'setings'", "did you mean settings?"),
        ("rounds = 1\n", ":1: unknown key 'rounds'", "known: settings, scout"),
        ("[settings]\nzzzz = 1\n", ":2: unknown key 'zzzz'", "known: database_url"),
        ("settings = 3\n", "settings is not a table", "[settings]"),
        ("scout = 3\n", "scout is not a list of tables", "[[scout]]"),
        ("[settings]\nrounds = 1\nrounds = 2\n", "at line 3", "edit"),
        ('[settings]\nnum_ctx = "8192"\n', ":2: num_ctx: Expected `int`, got `str`", "edit"),
        ("[settings]\nnum_ctx = true\n", ":2: num_ctx: Expected `int`, got `bool`", "edit"),
        ("[settings]\nnum_ctx = -1\n", ":2: num_ctx: Expected `int` >= 512", "edit"),
        ("[settings]\nmax_pages = 0\n", ":2: max_pages: Expected `int` >= 1", "edit"),
        ("[settings]\nmax_pages = 1e99\n", ":2: max_pages: Expected `int`", "edit"),
        ("[settings]\ndeadline = 1e99\n", ":2: deadline: Expected `float` <= 86400", "edit"),
        ("[settings]\ndeadline = nan\n", ":2: deadline: Expected `float` >= 1", "edit"),
        ("[settings]\nsearch_url = []\n", ":2: search_url: Expected `array` of", "edit"),
        ("[settings]\nsearch_url = [1]\n", ":2: search_url: Expected `str`", "edit"),
        ("[settings]\nllm_url = ['a']\n", ":2: llm_url: Expected `str`, got `array`", "edit"),
        ("[settings]\nallow_private_networks = ['x']\n", "networks: Expected", "edit"),
        ("[settings]\ncontact = 'a'\ncontact = 1", "Cannot overwrite", "edit"),
        ('[settings]\ncontact = "a\\r\\nX: y"\n', ":2: contact: Expected `str` matching", "edit"),
        ("x = " + "9" * 5_000, "integer string conversion", "edit"),
        ("a = " + "[" * 20_000, "nested too deeply", "edit"),
        ("[[" * 10_000, "at line 1", "edit"),
        (b"a = 1\nb = '\xff'\n", ":2: not UTF-8", "UTF-8"),
        ("a = '\0'\n", "at line 1", "edit"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_place(write, text, message, hint):
    """The error names the file, the line where it is known, the key, and what to do."""
    path = write(text)
    error = refused(path)
    assert str(path) in error.message
    assert message in error.message
    assert hint in error.hint
    assert error.exit_code == 2


def test_windows_files_are_read(write):
    """A byte order mark and CRLF are no reason to fail."""
    assert load(write(b"\xef\xbb\xbf[settings]\r\nrounds = 1\r\n"), environ={}).settings.rounds == 1


def test_a_large_file_is_refused(write):
    """Ten megabytes are a mistake."""
    assert "larger than 1 MiB" in refused(write(b"#" * 10_000_000)).message


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin", "/tmp"])
def test_only_regular_files_are_read(tmp_path, target):
    """A link to an endless device, a terminal or a folder ends at once."""
    link = tmp_path / "scouts.toml"
    link.symlink_to(target)
    assert refused(cwd=tmp_path).exit_code == 2


def test_a_pipe_does_not_hang(tmp_path):
    """A named pipe that nobody writes to is refused, not waited for."""
    os.mkfifo(tmp_path / "scouts.toml")
    assert "not a regular file" in refused(cwd=tmp_path).message


def test_a_named_file_must_exist(tmp_path):
    """`--config` and `SCOUT_CONFIG` are not taken for wishes; NUL is not a path."""
    assert "No such file" in refused(tmp_path / "no.toml").message
    assert "No such file" in refused(environ={"SCOUT_CONFIG": str(tmp_path / "no.toml")}).message
    assert "not a path" in refused(Path("a\0b")).message


@pytest.mark.parametrize(
    "text",
    [
        '[settings]\ndatabase_url = "postgresql://u:pw@h/db"\n',
        '[settings]\nollama_api_key = "abc"\n',
        '[[scout]]\nnotify = ["tgram://123:abc/45"]\n',
        '[[scout]]\nnotify = ["webhook+https://h/x?token=abc"]\n',
        '[[scout]]\nnotify = ["mailto://me:pw@h"]\n',
    ],
)
def test_a_secret_that_others_can_read_is_refused(write, text):
    """The error holds the command that mends it; afterwards the file is read."""
    path = write(text, mode=0o644)
    error = refused(path)
    assert error.hint == f"chmod 600 {path}"
    assert "pw" not in error.message
    path.chmod(0o600)
    assert load(path, environ={}).path == path


def test_a_file_without_secrets_may_be_read_by_all(write):
    """Only a secret makes the mode matter; an empty key is none."""
    path = write(
        '[settings]\nollama_api_key = ""\n[[scout]]\nnotify = ["mailto://me@h"]\n', mode=0o644
    )
    assert load(path, environ={}).path == path


@pytest.mark.parametrize(
    ("environ", "message", "hint"),
    [
        ({"SCOUT_NUM_CTX": "many"}, "SCOUT_NUM_CTX: Expected `int`", "unset SCOUT_NUM_CTX"),
        ({"SCOUT_DEADLINE": "nan"}, "DEADLINE: Expected `float` >= 1", "unset"),
        ({"SCOUT_MAX_PAGES": "-3"}, "SCOUT_MAX_PAGES: Expected `int` >= 1", "unset"),
        ({"SCOUT_DATABSE_URL": "x"}, "DATABSE_URL: no such", "mean SCOUT_DATABASE_URL?"),
        ({"SCOUT_ALLOW_PRIVATE_NETWORKS": "maybe"}, "Expected", "unset"),
    ],
)  # fmt: skip
def test_a_bad_variable_is_refused(environ, message, hint):
    """The error names the variable, never its value."""
    error = refused(environ=environ)
    assert message in error.message
    assert hint in error.hint


def test_variables_of_other_programs_are_left_alone():
    """Somebody else may call their variable SCOUT_KEY."""
    assert load(environ={"SCOUT_KEY": "x", "SCOUT_APP_NAME": "y"}, cwd=Path("/")).settings


def test_a_password_as_a_flag_is_refused():
    """The error names the variable to use and keeps the password to itself."""
    error = refused(flags={"database_url": "postgresql://u:hunter2@h/db"})
    assert "SCOUT_DATABASE_URL" in error.hint
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://u:p@h/db", True),
        ("postgresql://u@h/db", False),
        ("https://h/x?api_key=1", True),
        ("https://h/x?apikey=1", True),
        ("https://h/x?monkey=1", False),
        ("https://h/x?token=", False),
        ("tgram://1:2/3", True),
        ("ntfy://h/topic", False),
        ("ntfy://tk_1@h/topic", True),
        ("resend://re_1@api.resend.com?to=me@example.org", True),
        ("webhook+https://h/x", False),
        ("webhook+https://whsec_1@h/x", True),
        ("webhook+https://h/x#secret=whsec_1", True),
        ("mailto://me@example.org", False),
        ("http://[x@y", True),
        ("just words", False),
    ],
)
def test_secrets_in_urls_are_recognised(url, secret):
    """A password, a key parameter, and the channels whose path is the key."""
    assert holds_secret(url) is secret


def test_settings_do_not_show_their_values():
    """A traceback with the settings in it may be shared."""
    assert "hunter2" not in repr(Settings(ollama_api_key="hunter2"))


def test_a_home_with_odd_characters_gives_a_url_that_can_be_read_back(monkeypatch):
    """Percent signs and question marks in the path are escaped."""
    from scout_cli.store.sqlite_file import path_of  # noqa: PLC0415 - only this test opens URLs

    monkeypatch.setenv("XDG_DATA_HOME", "/tmp/50% of?#")
    assert path_of(Settings().database_url) == Path("/tmp/50% of?#/scout/scout.db")


@pytest.mark.parametrize(
    ("variable", "zone"), [("Europe/Berlin", "Europe/Berlin"), (":UTC", "UTC")]
)
def test_the_zone_of_the_machine_is_tz(variable, zone):
    """`TZ` wins."""
    assert machine_timezone({"TZ": variable}) == zone


def test_the_zone_of_the_machine_is_its_link(tmp_path):
    """Without `TZ` the link says it, and a machine without one is at UTC."""
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert machine_timezone({}, link) == "Asia/Tokyo"
    assert machine_timezone({}, tmp_path / "none") == "UTC"


def test_an_unknown_zone_is_refused():
    """`TZ` is corrected, not guessed."""
    with pytest.raises(ConfigError, match="unknown time zone 'Europe/Berln'") as caught:
        machine_timezone({"TZ": "Europe/Berln"})
    assert "Europe/Berlin" in caught.value.hint


def test_the_example_file_holds_every_setting_at_its_default(tmp_path):
    """Copying the example changes nothing and hides nothing."""
    text = (ROOT / "scouts.toml.example").read_text()
    path = tmp_path / "scouts.toml"
    path.write_text(text)
    path.chmod(0o644)
    assert load(path, environ={}).settings == Settings()
    missing = [n for n in NAMES if n not in tomllib.loads(text)["settings"] and n != "database_url"]
    assert missing == []
    assert all(config.environment_name(name) in text for name in NAMES)
