"""What can dial stands in few modules, each with its reason; and no case of a corpus is untested.

`python -m tests.security.test_no_other_way_out` prints which test files name which case.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_DIALS = frozenset(
    "aiosmtplib apprise crawl4ai ddgs ftplib httpx imaplib ollama poplib primp requests smtplib "
    "socks telnetlib urllib3 websockets xmlrpc".split()
)
"""Packages that dial by themselves, but for the driver of the operator's own database."""
_CALLS = frozenset(
    "ClientSession TCPConnector create_connection open_connection open_unix_connection "
    "sock_connect urlopen HTTPConnection HTTPSConnection".split()
)
"""What dials in packages that do other things too."""
_ANY = re.compile(rf"\b(?:{'|'.join(sorted(_DIALS | _CALLS))})\b")

PLACES = {
    "net/sessions.py": "one session behind the guard, one for what the operator configured",
    "net/dialling.py": "behind the guard: for the proxy and for mail",
    "net/proxy.py": "is handed the socket that net/dialling.py opened",
    "notify/smtp.py": "is handed the socket that net/dialling.py opened",
    "notify/apprise.py": "dials past the guard: URLs of the machine's owner alone",
    "search/ddgs_engine.py": "its client gets net/proxy.py, and no other way",
    "fetch/rendering.py": "Chromium, which gets net/proxy.py, and no other way",
    "fetch/markdown.py": "makes Markdown of HTML that it is given, in a child that cannot connect",
    "llm/ollama_server.py": "the operator's llm_url; keys for its host alone, no redirects",
    "llm/ollama_transport.py": "the operator's llm_url, its answers bounded",
    "llm/auto.py": "looks whether the operator's Ollama answers",
    "service/readiness.py": "looks whether the operator's Ollama answers",
}


def dialling(path: Path) -> bool:
    """Return whether a module imports, or calls by name, what opens connections."""
    text = path.read_text("utf-8")
    if not _ANY.search(text):  # as most: not worth being parsed
        return False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = {each.name.partition(".")[0] for each in node.names} & _DIALS
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = {(node.module or "").partition(".")[0]} & _DIALS
            names |= {each.name for each in node.names} & _CALLS
        elif isinstance(node, ast.Attribute):
            names = {node.attr} & _CALLS
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            names = {ast.unparse(node.args[0]).strip("'").partition(".")[0]} & _DIALS
        else:
            continue
        if names:
            return True
    return False


def test_only_known_modules_can_open_a_connection() -> None:
    """A new way out must be put behind the guard, or stand above with the reason why not."""
    package = _ROOT / "scout_cli"
    found = {str(path.relative_to(package)) for path in package.rglob("*.py") if dialling(path)}
    assert found == set(PLACES)


_CASES = {"U": 50, "H": 20, "L": 25, "X": 20}
_CASE = re.compile(r"\b([UHLX])(\d\d)(?:-[UHLX]?(\d\d))?\b")


def cases() -> dict[str, list[str]]:
    """Return each case of the corpora, and the test files that name it by its own number."""
    found: dict[str, list[str]] = {
        f"{kind}{number:02}": [] for kind, most in _CASES.items() for number in range(1, most + 1)
    }
    for path in sorted((_ROOT / "tests").rglob("*.py")):
        named = {
            f"{kind}{first}"
            for kind, first, last in _CASE.findall(path.read_text("utf-8"))
            if not last  # a range says that all are meant, not that all are there
        }
        for case in sorted(named & found.keys()):
            found[case].append(str(path.relative_to(_ROOT)))
    return found


@pytest.mark.parametrize("kind", _CASES)
def test_every_case_of_the_corpora_has_a_test(kind: str) -> None:
    """Hostile URLs, pages, answers of models, and orders in pages."""
    assert [case for case, files in cases().items() if case[0] == kind and not files] == []


if __name__ == "__main__":
    for case_, files_ in cases().items():
        sys.stdout.write(f"{case_}  {', '.join(files_)}\n")
