"""`scout eval`, `scout calibrate` and `scout embeddings`, as a person and a program see them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from scout_cli import config
from scout_cli.config import levels
from scout_cli.config.levels import Levels
from scout_cli.core import asking
from scout_cli.errors import ConfigError
from tests.cli.stage import add, call

BUILT_IN = ("--llm", "builtin://", "--embed", "builtin://")


@pytest.fixture(autouse=True)
def _built_in(monkeypatch, tmp_path):
    """Let no test look for a model, and write no file outside its folder."""
    monkeypatch.setenv("SCOUT_EMBED_URL", "builtin://")
    monkeypatch.setenv("SCOUT_LLM_URL", "builtin://")
    monkeypatch.chdir(tmp_path)


def test_eval_puts_engines_side_by_side():
    """One row for each `--llm`, the pairs once, and only results on stdout."""
    said = call("eval", *BUILT_IN, "--llm", "builtin://", "--quick", "--json")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert document["schema"] == "scout.eval/1"
    assert [each["model"] for each in document["engines"]] == ["built-in", "built-in"]
    assert [rule["rule"] for rule in document["duplicates"][0]["rules"]][-1] == "ladder"


ABSENT = ("--llm", "ollama://127.0.0.1:1/x")


@pytest.mark.parametrize("given", [(*BUILT_IN, *ABSENT), (*ABSENT, *BUILT_IN)])
def test_eval_shows_what_answered_and_names_what_did_not(given):
    """A model that is away takes no figures of another with it, and the exit code tells."""
    said = call("eval", *given, "--quick")
    assert said.code == 4
    assert "built-in" in said.out
    assert "ollama://127.0.0.1:1/x (failed)" in said.out
    assert "No Ollama answers" in said.err
    said = call("eval", *given, "--quick", "--json")
    assert (said.code, said.err) == (4, "")
    document = json.loads(said.out)
    assert [each["model"] for each in document["engines"]] == ["built-in"]
    (failed,) = document["failed"]
    assert (failed["llm"], failed["code"]) == ("ollama://127.0.0.1:1/x", "model_unavailable")
    assert document["duplicates"]


def test_eval_of_nothing_but_absent_models_is_an_error():
    """Two lines and nothing on stdout, as everywhere."""
    said = call("eval", *ABSENT, "--embed", "builtin://", "--quick", "--json")
    assert (said.code, said.out) == (4, "")
    assert json.loads(said.err)["error"]["code"] == "model_unavailable"


def test_eval_takes_what_is_there_when_nothing_is_set(monkeypatch):
    """As it comes, without an Ollama: the built-in engine, whose embedder is tried on the pairs."""
    monkeypatch.delenv("SCOUT_EMBED_URL")
    monkeypatch.delenv("SCOUT_LLM_URL")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    said = call("eval", "--quick", "--json")
    assert (said.code, said.err) == (0, "")
    document = json.loads(said.out)
    assert [each["model"] for each in document["engines"]] == ["built-in"]
    assert [each["embedder"] for each in document["duplicates"]] == ["built-in/lexical-1"]


def test_eval_shows_tables_and_progress():
    """Two tables on stdout; each run is named on stderr."""
    said = call("eval", *BUILT_IN, "--quick")
    assert said.code == 0
    assert "labelled web, 4 runs each" in said.out
    assert "best single cosine, with hindsight" in said.out
    assert said.err.count("corvid, day") == 4


def test_calibrate_writes_what_is_read_again():
    """The fitted cut-offs go into the file, hold from then on, and are taken back by `unset`."""
    Path("scouts.toml").write_text("# mine\n[settings]\nnum_ctx = 4096\n", encoding="utf-8")
    said = json.loads(call("calibrate", "--write", "--json").out)
    assert Path(said["written"]).samefile("scouts.toml")
    text = Path("scouts.toml").read_text("utf-8")
    (line,) = tomllib.loads(text)["settings"]["cutoffs"]
    assert text.startswith("# mine\n")
    fitted = said["fitted"]
    read = levels.parsed(config.load().settings.cutoffs)["built-in/lexical-1"]
    assert (read.lower, read.upper) == (fitted["lower"], fitted["upper"])
    assert line.startswith("built-in/lexical-1=")
    after = json.loads(call("calibrate", "--json").out)
    in_force = after["outcomes"][0]
    assert (in_force["lower"], in_force["upper"]) == (fitted["lower"], fitted["upper"])
    assert call("config", "unset", "cutoffs").code == 0


def test_calibrate_takes_back_its_own_line_only():
    """Another embedder's cut-offs stay, when they are written and when they are taken back."""
    given = '[settings]\ncutoffs = ["use/multilingual-3=0.700:0.900"]\n'
    Path("scouts.toml").write_text(given, encoding="utf-8")
    assert call("calibrate", "--write").code == 0
    assert len(config.load().settings.cutoffs) == 2
    said = json.loads(call("calibrate", "--unset", "--json").out)
    assert said["embedder"] == "built-in/lexical-1"
    assert Path("scouts.toml").read_text("utf-8") == given
    again = call("calibrate", "--unset")
    assert (again.code, "has none" in again.err) == (0, True)
    assert Path("scouts.toml").read_text("utf-8") == given
    assert call("calibrate", "--unset", "--write").code == 2


def test_calibrate_says_when_the_environment_wins(monkeypatch):
    """As `config set` does; what the variable holds for others does not come into the file."""
    Path("scouts.toml").write_text('[settings]\ncutoffs = ["a=0.100:0.200"]\n', encoding="utf-8")
    monkeypatch.setenv("SCOUT_CUTOFFS", "b=0.3:0.4")
    wins = "SCOUT_CUTOFFS in the environment still wins"
    assert wins in call("calibrate", "--write").err
    written = tomllib.loads(Path("scouts.toml").read_text("utf-8"))["settings"]["cutoffs"]
    assert [line.partition("=")[0] for line in written] == ["a", "built-in/lexical-1"]
    assert wins in call("calibrate", "--unset").err


def test_calibrate_asks_nobody_without_a_terminal():
    """It shows the trade-off and says how to write."""
    said = call("calibrate")
    assert said.code == 0
    assert "in force" in said.out
    assert "scout calibrate --write" in said.err
    assert not Path("scouts.toml").exists()


def test_calibrate_looks_at_the_users_own_findings():
    """The share of them that would be held back stands beside the pairs."""
    add("--run")
    document = json.loads(call("calibrate", "--json").out)
    assert document["written"] is None
    assert document["findings"] > 0
    assert document["outcomes"][0]["history"] is not None


def test_embeddings_are_listed_and_rebuilt():
    """After a run all findings have a vector; `--again` makes them anew."""
    add("--run")
    listed = json.loads(call("embeddings", "list", "--json").out)
    assert (listed["embedder"], listed["lacking"]) == ("built-in/lexical-1", 0)
    assert listed["findings"] > 0
    assert json.loads(call("embeddings", "rebuild", "--json").out)["made"] == 0
    again = json.loads(call("embeddings", "rebuild", "--again", "--only", "--json").out)
    assert again["made"] == listed["findings"]
    assert "built-in/lexical-1" in call("embeddings", "list").out


@pytest.mark.parametrize(
    "text", ["x=0.5:0.4", "x=0.2:0.4:0.3", "ollama/nomic-embed-text:v1.5=0.9:0.8"]
)
def test_cutoffs_out_of_order_are_refused(text):
    """Lower above upper, or a background above both, is a mistake that is named."""
    with pytest.raises(ConfigError, match="cutoffs"):
        levels.parsed([text])


def test_cutoffs_are_written_as_they_are_read():
    """A name may hold colons; another embedder's line stays."""
    name = "ollama/nomic-embed-text:v1.5"
    given = levels.replaced(["a=0.100:0.200"], name, Levels(0.8, 0.9, 0.6))
    assert levels.parsed(given) == {"a": Levels(0.1, 0.2), name: Levels(0.8, 0.9, 0.6)}
    assert levels.replaced(given, "a", Levels(0.3, 0.4)) == [given[1], "a=0.300:0.400"]


def test_a_run_keeps_the_hash_of_its_prompts():
    """Two runs can be told apart by the wording that they were asked with."""
    add("--run")
    (run,) = json.loads(call("history", "--json").out)["executions"]
    assert run["prompts"] == asking.fingerprint()
