"""Takes out one clause of the guard at a time, in a copy of scout: a test must notice.

`python -m tests.security.mutations` tries all of them, two at a time, and prints a line of JSON for
each; a name as argument tries those that contain it. It ends with 1 when one went unnoticed. That
the same tests pass with every clause in its place is what the suite itself shows.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FAILED = 1
"""pytest's exit code when tests ran and some failed; anything else is no proof."""
_AT_ONCE = 2

_GUARD = "scout_cli/net/guard.py"
_SPELLING = "scout_cli/net/spelling.py"
_HTTP = "scout_cli/net/http.py"
_BODY = "scout_cli/net/body.py"
_PROXY = "scout_cli/net/proxy.py"
_DIALLING = "scout_cli/net/dialling.py"
_ASKING = "scout_cli/core/asking.py"
_ADDRESSES = "tests/security/test_addresses.py"
_WAYS = "tests/security/test_every_way_out.py"


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause less."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    """File, what stands there once, and what takes its place."""
    tests: tuple[str, ...]
    """What pytest is told to run."""


CLAUSES = (
    Clause(
        name="schemes",
        edits=(
            (_SPELLING, '(r"(?i:https?)://', '(r"(?i:[a-z]+)://'),
            (_SPELLING, ' or target.scheme not in {"http", "https"}', ""),
        ),
        tests=(_ADDRESSES, "-k", "U45"),
    ),
    Clause(
        name="user names",
        edits=(
            (_SPELLING, 'if "@" in authority:', "if False:"),
            (_SPELLING, "or target.user is not None ", ""),
        ),
        tests=(_ADDRESSES, "-k", "U08"),
    ),
    Clause(
        name="spaces, backslashes and controls",
        edits=((_SPELLING, "if _FORBIDDEN.search(url):", "if False:"),),
        tests=(_ADDRESSES, "-k", "U09 or U47 or U49"),
    ),
    Clause(
        name="numbers for hosts",
        edits=((_SPELLING, "if _NUMBER.fullmatch(labels[-1]):", "if False:"),),
        tests=(_ADDRESSES, "-k", "U05"),
    ),
    Clause(
        name="ports",
        edits=(
            (_GUARD, "if port not in PORTS:", "if False:"),
            (_GUARD, "return listed or port in PORTS", "return True"),
        ),
        tests=(_ADDRESSES, "-k", "U46"),
    ),
    Clause(
        name="names of private networks",
        edits=((_GUARD, " or host in _DENIED_NAMES or host.endswith(_DENIED_SUFFIXES)", ""),),
        tests=(_ADDRESSES, "-k", "U32"),
    ),
    Clause(
        name="the address rule",
        edits=(
            (
                "scout_cli/net/addresses.py",
                "        return not _within(address, _DENIED_4)",
                "        return True",
            ),
        ),
        tests=(_WAYS, "-k", "literal"),
    ),
    Clause(
        name="the address rule for IPv6",
        edits=(
            (
                "scout_cli/net/addresses.py",
                " and not _within(address, _DENIED_6)",
                "",
            ),
        ),
        tests=(_WAYS, "-k", "literal"),
    ),
    Clause(
        name="addresses that no setting opens",
        edits=((_GUARD, "self._everything) and addresses.is_own(address)", "self._everything)"),),
        tests=("tests/unit/test_net_guard.py",),
    ),
    Clause(
        name="every address of a name",
        edits=(
            (
                _GUARD,
                "for text in found:\n            if not",
                "for text in found[:1]:\n            if not",
            ),
        ),
        tests=(_ADDRESSES, "-k", "U34"),
    ),
    Clause(
        name="the socket",
        edits=((_GUARD, "if not self._may_dial(text, port):", "if False:"),),
        tests=(_ADDRESSES, "-k", "without_our_own_check"),
    ),
    Clause(
        name="a name borrows an opened address",
        edits=((_GUARD, "listed = self._lists(_bare(name), port)", "listed = True"),),
        tests=(_ADDRESSES, "-k", "borrow or evil"),
    ),
    Clause(
        name="redirects are checked",
        edits=(
            (
                _HTTP,
                'self._check(urljoin(str(here), location.replace(" ", "%20")))',
                'URL(urljoin(str(here), location.replace(" ", "%20")))',
            ),
        ),
        tests=(_ADDRESSES, "-k", "redirect_to_a_forbidden_place"),
    ),
    Clause(
        name="redirects from https to http",
        edits=((_HTTP, 'if (here.scheme, there.scheme) == ("https", "http"):', "if False:"),),
        tests=(_WAYS, "-k", "https_to_http"),
    ),
    Clause(
        name="the number of redirects",
        edits=((_HTTP, "range(self.limits.redirects + 1)", "range(50)"),),
        tests=(_ADDRESSES, "-k", "redirect_loop"),
    ),
    Clause(
        name="credentials stay with their host",
        edits=((_HTTP, "            self._drop(_CREDENTIALS)", "            pass"),),
        tests=("tests/unit/test_net_http.py", "-k", "credentials"),
    ),
    Clause(
        name="the size cap",
        edits=((_BODY, "if len(content) > room:", "if False:"),),
        tests=("tests/unit/test_net_http.py", "-k", "stream_stops or error_page"),
    ),
    Clause(
        name="the declared size",
        edits=((_BODY, "(response.content_length or 0) > room", "False"),),
        tests=("tests/unit/test_net_http.py", "-k", "declared"),
    ),
    Clause(
        name="the ratio cap",
        edits=((_BODY, "received * limits.ratio)", "received * 1_000_000)"),),
        tests=("tests/unit/test_net_http.py", "-k", "bomb"),
    ),
    Clause(
        name="the time cap",
        edits=((_HTTP, "asyncio.timeout(call.limits.total)", "asyncio.timeout(3_600)"),),
        tests=("tests/unit/test_net_http.py", "-k", "slow_servers", "--timeout", "6"),
    ),
    Clause(
        name="no proxy of the environment",
        edits=(("scout_cli/net/sessions.py", "trust_env=False", "trust_env=True"),),
        tests=(_WAYS, "-k", "environment"),
    ),
    Clause(
        name="certificates",
        edits=(
            (
                "scout_cli/net/sessions.py",
                "resolver=self.guard.resolver(),",
                "resolver=self.guard.resolver(), ssl=False,",
            ),
        ),
        tests=("tests/security/test_receivers.py", "-k", "certificate"),
    ),
    Clause(
        name="the proxy checks what it is asked for",
        edits=((_PROXY, "self._guard.check(request.url)", "URL(request.url)"),),
        tests=("tests/unit/test_net_proxy.py", "-k", "only_the_check_knows", "--timeout", "6"),
    ),
    Clause(
        name="the proxy serves no browser's own business",
        edits=((_PROXY, 'request.host.rstrip(".") in _CHROMIUMS_OWN', "False"),),
        tests=("tests/unit/test_net_proxy.py", "-k", "own_business", "--timeout", "6"),
    ),
    Clause(
        name="what is dialled for proxy and mail is checked",
        edits=((_DIALLING, "guard.open_socket(info)", "socket.socket(*info[:3])"),),
        tests=("tests/unit/test_net_dialling.py", "-k", "special and 0.0.0.0", "--timeout", "6"),
    ),
    Clause(
        name="what a name becomes for proxy and mail is checked",
        edits=(
            (_DIALLING, "guard.resolver().resolve(", "ThreadedResolver().resolve("),
            (
                _DIALLING,
                "from scout_cli.net import addresses",
                "from aiohttp import ThreadedResolver\nfrom scout_cli.net import addresses",
            ),
        ),
        tests=("tests/unit/test_net_proxy.py", "-k", "changes_its_mind", "--timeout", "6"),
    ),
    Clause(
        name="the browser does not go around its proxy",
        edits=(("scout_cli/fetch/launching.py", "list=<-loopback>", "list="),),
        tests=("tests/security/test_browser.py", "-k", "no_way_leads"),
    ),
    Clause(
        name="the search package has no other way out",
        edits=(("scout_cli/search/ddgs_engine.py", "made(proxy=question.proxy, ", "made("),),
        tests=("tests/contract/test_search_engine.py", "-k", "no_way_around"),
    ),
    Clause(
        name="scout's own server",
        edits=((_GUARD, "if _join(host, port) in self._own:", "if False:"),),
        tests=(_ADDRESSES, "-k", "ask_itself"),
    ),
    Clause(
        name="robots.txt",
        edits=(
            (
                "scout_cli/net/robots.py",
                "if not rules.parsed.can_fetch(str(target), TOKEN):",
                "if False:",
            ),
        ),
        tests=("tests/unit/test_net_robots.py", "-k", "rules_that_hold"),
    ),
    Clause(
        name="a silent robots.txt",
        edits=(
            (
                "scout_cli/net/robots.py",
                "if answer.status >= 500:\n            return None",
                "if False:\n            return None",
            ),
        ),
        tests=("tests/unit/test_net_robots.py", "-k", "status_means"),
    ),
    Clause(
        name="forged fences",
        edits=(
            (
                _ASKING,
                '_FORGED.sub("", _TURN.sub(r"(\\1\\2\\3)", text))',
                '_TURN.sub(r"(\\1\\2\\3)", text)',
            ),
        ),
        tests=("tests/unit/test_core_asking.py", "-k", "break_out"),
    ),
    Clause(
        name="forged turns",
        edits=((_ASKING, '_TURN.sub(r"(\\1\\2\\3)", text)', "text"),),
        tests=("tests/unit/test_core_asking.py", "-k", "break_out"),
    ),
    Clause(
        name="invisible characters in prompts",
        edits=((_ASKING, 'text = _UNSEEN.sub("", ', "text = str("),),
        tests=("tests/unit/test_core_asking.py", "-k", "no_reader_sees"),
    ),
    Clause(
        name="the canary",
        edits=((_ASKING, "if self.fence in self.last.text:", "if False:"),),
        tests=("tests/unit/test_core_asking.py", "-k", "repeats_the_fence"),
    ),
    Clause(
        name="addresses in searches",
        edits=(
            (
                "scout_cli/core/questions.py",
                'without_links(_OPERATORS.sub(" ", clean(query)))',
                '_OPERATORS.sub(" ", clean(query))',
            ),
        ),
        tests=("tests/unit/test_core_asking.py", "-k", "holds_no_address"),
    ),
    Clause(
        name="addresses in facts",
        edits=(("scout_cli/core/grounds.py", "if not _URL.search(word))", "if word)"),),
        tests=("tests/security/test_obedient.py", "-k", "X05 or X20"),
    ),
    Clause(
        name="secrets are sealed",
        edits=(
            (
                "scout_cli/store/sealing.py",
                "    if vault is None:\n        return record\n",
                "    return record\n",
            ),
        ),
        tests=("tests/contract/test_sealing.py", "-k", "sqlite and stored"),
    ),
    Clause(
        name="keys are private",
        edits=(("scout_cli/config/keyfile.py", "if status.st_mode & 0o077:", "if False:"),),
        tests=("tests/unit/test_keyring.py", "-k", "others_can_open"),
    ),
)


def copied(folder: Path) -> Path:
    """Return a copy of scout and its tests."""
    for name in ("scout_cli", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / name, folder / name, ignore=ignored)
    shutil.copy(_ROOT / "pyproject.toml", folder)
    return folder


def tried(clause: Clause, mutant: Path) -> dict[str, object]:
    """Run tests against a scout without a clause, and put the clause back.

    Args:
        clause: what is missing.
        mutant: a copy of scout, which nobody else uses meanwhile.
    """
    began = time.monotonic()
    kept = {path: (mutant / path).read_text() for path, _, _ in clause.edits}
    try:
        for path, old, new in clause.edits:
            text = (mutant / path).read_text()
            assert text.count(old) == 1, f"{path} has changed: {clause.name}"
            (mutant / path).write_text(text.replace(old, new))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
                # Words about a failure, which would cost half the time, are read by nobody here.
                *("-p", "no:randomly", "--assert=plain", *clause.tests),
            ],
            cwd=mutant,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for path, text in kept.items():
            (mutant / path).write_text(text)
    noticed = done.returncode == _FAILED
    told = {
        "clause": clause.name,
        "noticed": noticed,
        "seconds": round(time.monotonic() - began, 1),
    }
    return told if noticed else {**told, "said": done.stdout[-1_500:] + done.stderr[-500:]}


def main(wanted: str = "") -> int:
    """Try the clauses whose name contains `wanted`; return how many went unnoticed."""
    chosen = [clause for clause in CLAUSES if wanted in clause.name]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="scout-mutant-") as folder:
        free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(_AT_ONCE):
            free.put(copied(Path(folder) / str(number)))

        def work(clause: Clause) -> dict[str, object]:
            mutant = free.get()
            try:
                return tried(clause, mutant)
            finally:
                free.put(mutant)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for told in pool.map(work, chosen):
                sys.stdout.write(json.dumps(told) + "\n")
                sys.stdout.flush()
                unnoticed += not told["noticed"]
    return unnoticed


if __name__ == "__main__":
    sys.exit(int(main(*sys.argv[1:2]) > 0))
