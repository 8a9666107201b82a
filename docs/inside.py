# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""Reference pages of what stands inside: routes, tables, figures and prompts."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from scout_cli.core import judging, questions, writing
from scout_cli.server import metrics, openapi, operations
from scout_cli.server.routes import ROUTES
from scout_cli.server.routing import Route
from scout_cli.service.clocks import SystemClock
from scout_cli.store import migrate, open_database

_WHO = {
    "public": "nobody needs to sign in",
    "user": "a session, or a token",
    "admin": "a session or token of an admin",
    "operator": "a call from this machine, or one with the metrics token",
}
_SHADOW = re.compile(r"finding_words_\w+|sqlite_\w+")
_COLUMN = re.compile(r"(?:ALTER TABLE (\w+) ADD COLUMN |^ {4})(\w+) [A-Z]")
_TABLE = re.compile(r"CREATE (?:VIRTUAL )?TABLE (\w+)")
_METRIC = re.compile(r"^# (HELP|TYPE) (\w+) (.*)$", re.MULTILINE)
_LABELS = re.compile(r"^(\w+)\{(.*)\} ", re.MULTILINE)


def http() -> str:
    """Return the page of the server's own routes, by tag, and of the types they speak."""
    described = openapi.document(ROUTES, version="")
    parts = [_HEAD_HTTP]
    for tag in dict.fromkeys(route.tag for route in ROUTES):
        parts.append(f"## {tag}")
        parts += [_route(route, described) for route in ROUTES if route.tag == tag]
    parts.append("## Types")
    for name, schema in sorted(described["components"]["schemas"].items()):
        parts.append(_type(name, schema))
    return "\n\n".join(parts)


def _route(route: Route, described: Mapping[str, Any]) -> str:
    path = re.sub(r"\{(\w+)\*?\}", r"{\1}", route.path)
    operation = described["paths"][path][route.method.lower()]
    lines = [f"### `{route.method} {path}`", "", f"{route.summary}.".replace("?.", "?"), ""]
    lines += [f"- Who: {_WHO[route.access]}"]
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    if query:
        told = ", ".join(f"`{each['name']}`: {_form(each['schema'])}" for each in query)
        lines.append(f"- Query: {told}")
    if route.idempotent_by_key:
        lines.append("- Header: `Idempotency-Key`")
    if "requestBody" in operation:
        lines.append(f"- Body: {_form(_content(operation['requestBody']))}")
    lines.append(f"- Answers: {', '.join(_answers(operation['responses']))}")
    return "\n".join(lines)


def _answers(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, told in responses.items():
        good = status < "400"
        form = _form(_content(told)) if good and told.get("content") else ""
        yield f"{status} {form}".strip()


def _content(told: Mapping[str, Any]) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = next(iter(told["content"].values())).get("schema", {})
    return schema


def _type(name: str, schema: Mapping[str, Any]) -> str:
    about = schema.get("description", "")
    if "properties" not in schema:
        return f"### `{name}`\n\n{about}\n\n{_form(schema)}"
    needed = set(schema.get("required", ()))
    rows = [
        f"| `{field}`{'' if field in needed else ' ?'} | {_form(each)} |"
        for field, each in schema["properties"].items()
    ]
    return "\n".join([f"### `{name}`", "", about, "", "| field | form |", "|---|---|", *rows])


def _form(schema: Mapping[str, Any]) -> str:
    """Return a JSON Schema in a few words, for a cell of a table."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower().replace('.', '')})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_form(each) for each in schema[several])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list, each {_form(schema['items'])}" if schema.get("items") else "list"
    kind = str(schema.get("type", "anything"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def tables() -> str:
    """Return the page of all tables, as a new database has them."""
    told = _comments()
    parts = [_HEAD_TABLES]
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(_new()[0])
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (name,) in names.fetchall():
            if not _SHADOW.fullmatch(name):
                parts.append(_table(db, name, told))
    return "\n\n".join(parts)


def _table(db: sqlite3.Connection, name: str, told: Mapping[tuple[str, str], str]) -> str:
    owners = {row[3]: row[2] for row in db.execute(f"PRAGMA foreign_key_list({name})")}
    rows = []
    for _, column, kind, needed, default, key in db.execute(f"PRAGMA table_info({name})"):
        notes = [
            "key" if key else "",
            "" if needed or key else "may be null",
            f"default `{default}`" if default is not None else "",
            f"of [{owners[column]}](#{owners[column]})" if column in owners else "",
        ]
        about = _COLUMNS.get((name, column)) or told.get((name, column), "")
        rows.append(
            f"| `{column}` | {kind} | {', '.join(note for note in notes if note)} | {about} |"
        )
    head = [f"## `{name}`", "", _TABLES.get(name) or told[name, ""], ""]
    return "\n".join([*head, "| column | type | | |", "|---|---|---|---|", *rows])


def _comments() -> dict[tuple[str, str], str]:
    """Return (table, column) -> the comment above it; of the table itself, column is empty."""
    found: dict[tuple[str, str], str] = {}
    for each in migrate.migrations("sqlite"):
        table, above = "", list[str]()
        for line in each.sql.splitlines():
            if line.lstrip().startswith("--"):
                above.append(line.lstrip(" -"))
                continue
            if made := _TABLE.match(line):
                table = made[1]
                found[table, ""] = " ".join(above)
            elif (column := _COLUMN.match(line)) and above:
                found[column[1] or table, column[2]] = " ".join(above)
            above = []
    return found


def figures() -> str:
    """Return the page of all metrics."""
    requests = metrics.Requests()
    requests.note("GET", "/healthz", 200, 0.0)
    text = "".join([*requests.lines(), *metrics.process(), _STREAMS, *_new()[1]])
    labels = {name: re.findall(r'(\w+)="', inner) for name, inner in _LABELS.findall(text)}
    known: dict[str, dict[str, str]] = {}
    for word, name, value in _METRIC.findall(text):
        known.setdefault(name, {})[word] = value
    rows = [
        f"| `{name}` | {each['TYPE']} | {_of(labels, name)} | {each['HELP']} |"
        for name, each in sorted(known.items())
    ]
    return "\n".join([_HEAD_METRICS, "", "| name | kind | labels | |", "|---|---|---|---|", *rows])


def _of(labels: Mapping[str, list[str]], name: str) -> str:
    found = [*labels.get(name, ()), *labels.get(f"{name}_bucket", ())] or _UNFILLED.get(name, [])
    return ", ".join(f"`{each}`" for each in found)


@cache
def _new() -> tuple[bytes, tuple[str, ...]]:
    """Return a new database as bytes, and the lines that the server tells of it."""

    async def made(path: Path) -> tuple[str, ...]:
        db = await open_database(f"sqlite:///{path}", SystemClock())
        try:
            await migrate.migrate(db)
            return tuple(await operations.stored(db))
        finally:
            await db.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scout.db"
        lines = asyncio.run(made(path))
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # the other kind cannot live in memory
            return db.serialize(), lines


def prompts() -> str:
    """Return the page of everything that is said to a model."""
    about = dict(_ABOUT)
    for module in (questions, writing, judging):
        for kind in vars(module).values():
            if isinstance(kind, type) and isinstance(task := getattr(kind, "task", None), str):
                about[task] = (kind.__doc__ or "").partition("\n")[0]
    parts = [_HEAD_PROMPTS]
    for name in _prompt_names():
        text = (_PROMPTS / f"{name}.md").read_text("utf-8").strip()
        parts.append(f"## `{name}`\n\n{about[name]}\n\n```text\n{text}\n```")
    return "\n\n".join(parts)


def _prompt_names() -> list[str]:
    return sorted(each.name.removesuffix(".md") for each in _PROMPTS.iterdir())


PAGES = {"http.md": http, "tables.md": tables, "metrics.md": figures, "prompts.md": prompts}
"""File below docs/reference -> what makes its text."""

_PROMPTS = resources.files("scout_cli.core") / "prompts"
_ABOUT = {
    "system": "What stands before every question.",
    "repair": "What follows an answer that could not be used, once.",
    "follow_up_tools": "As `follow_up`, for models that call tools.",
    "interview": "What the chat that sets up a scout says first.",
    "conversation_form": "How that chat works with models that call no tools.",
}
_TABLES = {
    "changes": "What changed in any table, with its owner, for whoever watches from any process.",
    "channels": "Where news goes: one address each, encrypted.",
    "embeddings": "Vectors of findings, for each embedder that made them.",
    "engine_state": "Which search engines and models rest after a failure, and until when.",
    "firecrawl_usage_logs": "Kept for the web interface, which reads it; scout writes nothing.",
    "migrations": "Which migrations this database has had.",
    "notification_outbox": "News on its way out: one row for each message and channel.",
    "resolved": "What `auto` was resolved to, and with which key secrets are sealed.",
    "scout_execution_steps": "The steps of runs, as the web interface shows them.",
    "scout_executions": "Runs: those that wait, those under way, and those that have ended.",
    "scout_findings": "Facts, each with the sentence that proves it.",
    "scout_messages": "The chat that set a scout up.",
    "scout_pages": "Pages that a scout has seen, so that unchanged ones are not read again.",
    "scouts": "The wishes, with their rhythm and where to look.",
    "search_cache": "Answers of search engines, for a while.",
    "user_preferences": "What a user set for all scouts.",
    "users": "Accounts; the command line's own is the local one.",
    "vector_blocks": "Vectors packed by the hundred: a copy, for searching through all of them.",
}
"""What no comment in the migrations says."""
_COLUMNS = {
    ("scout_executions", "model"): "Provider and name of the model that was asked.",
    ("scout_executions", "embedder"): "Whose vectors the facts were compared by.",
    ("scout_executions", "prompts"): "A hash of what was shown to the model whatever the wish: the "
    "[prompts](prompts.md), the schemas of the answers, the tools. Runs with other ones compare "
    "badly; `scout history --steps` shows it.",
}
"""The same, of columns."""
_STREAMS = "".join(metrics.metric("scout_streams", "gauge", "Event streams that are open.", []))
_UNFILLED = {
    "scout_runs_day": ["outcome"],
    "scout_run_seconds_day": ["outcome"],
    "scout_model_calls_day": ["outcome"],
    "scout_prompt_tokens_day": ["outcome"],
    "scout_completion_tokens_day": ["outcome"],
    "scout_pages_hour": ["outcome"],
    "scout_model_steps_hour": ["answered_by"],
    "scout_model_step_seconds_hour": ["answered_by"],
}
"""Labels of what a new database has no line of."""

_HEAD_HTTP = """# HTTP

What `scout serve` answers. A running server describes itself: `/openapi.json` for programs,
`/docs` for people. How to use it: [from a program](../how-to/http-api.md). The addresses that
Supabase's client libraries and the web interface use (`/rest/v1`, `/auth/v1`, `/realtime/v1`,
`/functions/v1`, `/openai/v1`) have those interfaces' own rules, see [the web
interface](../how-to/web-interface.md).

Send `Authorization: Bearer TOKEN`: the access token of a session (`POST /auth/login`), or one
of `scout token create`. An error is `application/problem+json` (RFC 9457) with a `code` for
programs and a `hint` for people. A `?` marks fields that may be missing. HEAD is answered where
GET is."""

_HEAD_TABLES = """# Tables

What a new database holds, in SQLite's words; on PostgreSQL the same columns have the types that
their names say. Both are made by the same migrations in `scout_cli/store/migrations/`. The
tables that the web interface reads keep its names. SQLite's index of words, `finding_words`,
has tables of its own; PostgreSQL has an index instead. The queue of `procrastinate://` has a
schema of its own, `scout_jobs`.

Read as you like; write through scout, which keeps promises that no constraint can."""

_HEAD_METRICS = """# Metrics

What `/metrics` of `scout serve` tells Prometheus, to callers on the same machine and to whoever
has `metrics_token`. Figures of requests and of the process are of that process; everything else
comes from the database and is the same whichever server is asked."""

_HEAD_PROMPTS = """# Prompts

Everything that is said to a language model, as it stands in `scout_cli/core/prompts/`. Words in
double braces are filled in. After each question stands the JSON Schema of its answer; models
that take a format get it there as well. Pages stand between two lines that nobody can guess,
and are called material. The schemas are made of `core/answers.py`, the tools of `core/tools.py`.

A run stores a hash of all that it shows a model whatever the wish, its texts, schemas and tools, so
that results of other words are told apart: `prompts` in [its row](tables.md#scout_executions), over
HTTP and in `scout history --json`, and above the steps of `scout history --steps`. The chat that
sets up a scout is not part of it."""
