"""Turns what a recorder noted into conversations: short, readable, without ids, tokens and times.

`python -m tests.clients.condensing said.jsonl FOLDER --key anon=… --key service=…` writes one file
for each scene. What a client says is kept as it was, with names for what it had from an answer;
of answers the shapes are kept. Said twice is kept once, and of a run only how it ended.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.clients.recorder import Said
from tests.clients.shapes import KINDS, merged, shape

ASKED = (
    "apikey authorization accept prefer accept-profile content-profile content-type range"
    " access-control-request-headers access-control-request-method x-supabase-api-version"
).split()
"""Headers of requests that are kept."""
ANSWERED = (
    "access-control-allow-origin content-range content-type location preference-applied"
).split()
PREFLIGHT = "access-control-allow-headers access-control-allow-methods".split()
"""What else is kept of the answer to OPTIONS."""
_LONG = 80
_JOINS = 2
"""Joins of one channel that are kept; pages make a hundred in a run."""
_WRAPPINGS = ("data", "item", "old_record", "payload", "record", "response")
_SENDABLE = re.compile(r"[\w.-]{12,}")
_RUNS = "/functions/v1/scout-cron"


class Names:
    """Names for values that a server gave out and was sent back.

    Args:
        keys: names of what clients know beforehand.
    """

    def __init__(self, said: list[Said], keys: dict[str, str]) -> None:
        self._names = {value: name for name, value in keys.items()}
        self._counts: Counter[str] = Counter()
        asked = "\n".join(
            "\n".join([each.path, each.body, *each.headers.values()])
            for each in said
            if each.kind != "received"
        )
        for each in said:
            for document in documents(each):
                self._gather(document, _about(each, document), asked)

    def _gather(self, value: Any, about: str, asked: str, key: str = "") -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                row = isinstance(inner, dict | list) and name not in _WRAPPINGS
                within = name if row else about
                self._gather(inner, within, asked, name)
        elif isinstance(value, list):
            for inner in value:
                self._gather(inner, about, asked, key)
        elif isinstance(value, str) and value not in self._names and _SENDABLE.fullmatch(value):
            opaque = key.endswith("token") or KINDS["uuid"].fullmatch(value) or _token(value)
            if opaque and value in asked:
                word = key.removesuffix("_id") if key != "id" else about
                self._counts[word] += 1
                self._names[value] = f"{word}{self._counts[word]}"

    def hide(self, text: str) -> str:
        """Return `text` with names instead of values."""
        for value in sorted(self._names, key=len, reverse=True):
            text = text.replace(value, f"{{{{{self._names[value]}}}}}")
        return text


def _token(value: str) -> bool:
    return bool(KINDS["token"].fullmatch(value))


def _about(said: Said, document: Any) -> str:
    """Return what the row with a bare `id` is: a table's name, or the last word of a path."""
    if said.kind == "received":
        return str(document.get("payload", {}).get("data", {}).get("table", "frame")).rstrip("s")
    return urlsplit(said.path).path.rstrip("/").rpartition("/")[2].rstrip("s").replace("-", "_")


def documents(said: Said) -> list[Any]:
    """Return what JSON the server sent: one for an answer or a frame, several for a stream."""
    if said.kind == "received":
        return [json.loads(said.body)]
    kind = said.answer_headers.get("content-type", "")
    if "event-stream" in kind:
        lines = [line[6:] for line in said.answer.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]
    return [json.loads(said.answer)] if "json" in kind and said.answer else []


class Condenser:
    """Makes the scenes.

    Args:
        names: for what is sent back.
        leave_out: beginnings of paths that are not kept.
    """

    def __init__(self, names: Names, leave_out: tuple[str, ...] = ()) -> None:
        self._names = names
        self._leave_out = leave_out
        self._turns: list[dict[str, Any]] = []
        self._running = False
        self._sent: Counter[tuple[Any, ...]] = Counter()
        self._preflights: set[tuple[str, ...]] = set()
        self._joined: set[tuple[Any, ...]] = set()
        self._awaited: set[tuple[Any, ...]] = set()

    def scene(self, said: list[Said]) -> list[dict[str, Any]]:
        """Return the turns of one scene."""
        self._turns, self._running = [], False
        self._sent.clear()
        for each in said:
            if each.kind == "request":
                self._request(each)
            elif each.kind == "socket":
                opened = {"socket": each.socket, "open": self._names.hide(each.path)}
                self._turns.append(opened)
            else:
                self._frame(each)
        return self._turns

    def _request(self, said: Said) -> None:
        if said.status in (0, 502) or said.path.startswith(self._leave_out):
            return
        turn: dict[str, Any] = {
            "who": "program" if "node" in said.headers.get("user-agent", "") else "browser",
            "ask": f"{said.method} {self._names.hide(said.path)}",
            "headers": self._headers(said.headers, ASKED),
        }
        if said.body:
            turn["body"] = self._said(json.loads(self._names.hide(said.body)))
        turn["status"] = said.status
        kept = [*ANSWERED, *PREFLIGHT] if said.method == "OPTIONS" else ANSWERED
        turn["answer_headers"] = self._headers(said.answer_headers, kept)
        if said.answer:
            turn["answer"] = self._answer(said)
        self._keep(turn)
        self._running = self._running or said.path.startswith(_RUNS)

    def _keep(self, turn: dict[str, Any]) -> None:
        """Keep a turn, unless it is known; while something runs, the last of its kind."""
        reads = turn["ask"].startswith(("GET", "HEAD", "OPTIONS"))
        alike = [each for each in self._turns if _question(each) == _question(turn)]
        if turn["ask"].startswith("OPTIONS") and not self._first(turn):
            return
        if reads and alike and self._running:
            self._turns.remove(alike[-1])
        elif reads and alike and alike[-1] == turn:
            return
        self._turns.append(turn)

    def _first(self, turn: dict[str, Any]) -> bool:
        """Return whether pages ask for the first time whether they may."""
        asks = (turn["ask"].partition("?")[0], *turn["headers"].values())
        first = asks not in self._preflights
        self._preflights.add(asks)
        return first

    def _headers(self, headers: dict[str, str], kept: list[str]) -> dict[str, str]:
        found = {name: self._names.hide(headers[name]) for name in kept if name in headers}
        if "content-range" in found:
            found["content-range"] = many(found["content-range"])
        return {name: value for name, value in found.items() if (name, value) != ("accept", "*/*")}

    def _answer(self, said: Said) -> Any:
        found = [shape(json.loads(self._names.hide(json.dumps(each)))) for each in documents(said)]
        if "event-stream" not in said.answer_headers.get("content-type", ""):
            return found[0] if found else "text"
        events: dict[str, Any] = {}
        for each in found:
            events[each["type"]] = merged(events.get(each["type"], each), each)
        return {"events": list(events.values())}

    def _said(self, value: Any) -> Any:
        """Return what a client says: the moment is that of the replay, texts are short."""
        if isinstance(value, dict):
            prose = {"description"} if "type" in value else set()
            return {key: self._said(inner) for key, inner in value.items() if key not in prose}
        if isinstance(value, list):
            return [self._said(inner) for inner in value]
        if isinstance(value, str) and KINDS["time"].fullmatch(value):
            return "{{now}}"
        if isinstance(value, str) and len(value) > _LONG and not value.startswith("{"):
            return value[: value.rfind(" ", 0, _LONG)] + " ..."
        return value

    def _frame(self, said: Said) -> None:
        frame = json.loads(self._names.hide(said.body))
        if said.kind == "sent":
            self._say(said.socket, frame)
            return
        heard = shape(frame)
        if frame.get("ref") and (said.socket, frame["event"], frame["ref"]) not in self._awaited:
            return
        alike = [
            each
            for each in self._turns
            if each.get("socket") == said.socket and _news(each.get("hear")) == _news(heard)
        ]
        if alike:
            if heard["event"] == "=postgres_changes":
                alike[-1]["hear"] = merged(alike[-1]["hear"], heard)
        else:
            self._turns.append({"socket": said.socket, "hear": heard})

    def _say(self, socket: int, frame: dict[str, Any]) -> None:
        event, ref, join = frame["event"], frame["ref"], frame.get("join_ref")
        key = (socket, frame["topic"], event)
        known = join is None or event == "phx_join" or (socket, join) in self._joined
        if not known or self._sent[key] == (_JOINS if event == "phx_join" else 1):
            return
        self._sent[key] += 1
        self._turns.append({"socket": socket, "say": frame})
        self._awaited.add((socket, "phx_reply", ref))
        if event == "phx_join":
            self._joined.add((socket, join))
        elif event == "phx_leave":
            self._awaited.add((socket, "phx_close", join))


def many(content_range: str) -> str:
    """Return a `Content-Range` in which more than one row is any number of them."""
    return re.sub(r"^0-[1-9]\d*/(\d\d*)?", lambda has: "0-n/n" if has[1] else "0-n/", content_range)


def _question(turn: dict[str, Any]) -> tuple[Any, ...]:
    return turn.get("ask"), turn.get("headers")


def _news(heard: dict[str, Any] | None) -> Any:
    """Return what makes a frame worth a line of its own."""
    if heard is None:
        return object()
    data = heard["payload"].get("data", {})
    record = data.get("record", {})
    ends = record.get("status") if data.get("table") == "=scout_executions" else ""
    return heard["topic"], heard["event"], heard.get("ref"), data.get("type"), ends


def condensed(
    said: list[Said], keys: dict[str, str], leave_out: tuple[str, ...] = ()
) -> dict[str, list[dict[str, Any]]]:
    """Return the turns of each scene, by its name."""
    condenser = Condenser(Names(said, keys), leave_out)
    scenes = dict.fromkeys(each.scene for each in said)
    return {name: condenser.scene([each for each in said if each.scene == name]) for name in scenes}


def written(turns: list[dict[str, Any]]) -> str:
    """Return turns as JSON with one line for each part of a turn."""
    lines = []
    for turn in turns:
        parts = [
            f"{json.dumps(key)}: {json.dumps(value)}" for key, value in turn.items() if value != {}
        ]
        lines.append("  {" + ",\n   ".join(parts) + "}")
    return '{"turns": [\n' + ",\n".join(lines) + "\n]}\n"


def main() -> None:
    """Write the scenes of a recording."""
    parser = argparse.ArgumentParser(description="Makes conversations of a recording.")
    parser.add_argument("said", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--leave-out", action="append", default=[], metavar="PATH")
    given = parser.parse_args()
    said = [Said(**json.loads(line)) for line in given.said.read_text().splitlines()]
    keys = dict(each.split("=", 1) for each in given.key)
    scenes = condensed(said, keys, tuple(given.leave_out))
    for number, (name, turns) in enumerate(scenes.items(), 1):
        if turns:
            slug = re.sub(r"\W+", "-", name).strip("-")
            (given.folder / f"{number:02}-{slug}.json").write_text(written(turns))


if __name__ == "__main__":
    main()
