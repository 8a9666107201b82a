"""The interview when another program holds the scout: the web interface with its own prompt.

What the scout is stands in that prompt; what was learned goes back as a call of the program's tool,
which writes it down. The built-in engine can hold such a conversation without any model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, field
from msgspec.structs import asdict, replace

from scout_cli.core import phrases, setting_up, shape
from scout_cli.core.asking import render
from scout_cli.core.built_in_interview import answered, next_words, overheard
from scout_cli.core.interview import known as shown
from scout_cli.core.models import Location, Record, Scout
from scout_cli.core.ports import Message, Tool, ToolCall
from scout_cli.core.setting_up import NAME, Update, missing
from scout_cli.core.words import fold
from scout_cli.errors import InvalidInput

_NOBODY = UUID(int=0)
_FIELD = re.compile(
    r"^[-*] *(Title|Goal|Description|Location|Search Queries|Frequency): *(\S.*?) *$", re.MULTILINE
)
_HERE = re.compile(r"Detected Location:\W*([^\n(*]{1,80}?) *\((-?[\d.]{1,12}), *(-?[\d.]{1,12})\)")
_NOT_SET = "Not set"
_LONGEST_TOLD = 2_000
_ORPHAN = "(An earlier tool answered: "


class Relay(Record, frozen=True, kw_only=True):
    """Where such a conversation stands."""

    scout: Scout
    """As the prompt tells it, with what was learned since; its owner and times are made up."""
    told: bool
    """The prompt says what the scout is."""
    tool: Tool
    text: str
    """What the person said last."""
    asked: str = ""
    """What was said to them before that."""
    results: bool = False
    """Tools have answered since the person spoke."""
    here: Location | None = None
    language: str = "en"


class Step(Record, frozen=True, kw_only=True):
    """What the built-in engine does next: a call, then its words; or words alone."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    text: str


def relay(messages: Sequence[Message], tools: Sequence[Tool], now: datetime) -> Relay | None:
    """Return where a conversation about a scout stands; None when it is about something else.

    Args:
        messages: all of it; the program's prompt comes first.
        tools: what may be called; the one named `update_scout_config` is what this is about.
        now: the present.
    """
    tool = next((each for each in tools if each.name == NAME), None)
    last = last_of_person(messages)
    if tool is None or last < 0:
        return None
    prompt = "\n".join(each.content for each in messages if each.role == "system")
    fields = {name: text for name, text in _FIELD.findall(prompt) if text != _NOT_SET}
    told = _FIELD.search(prompt) is not None
    own = [each.content for each in reversed(messages) if _is_person(each)]
    scout = _scout(fields, now)
    found = Relay(
        scout=scout,
        told=told,
        tool=tool,
        text=messages[last].content,
        asked=_said_before(messages[:last]),
        results=last + 1 < len(messages),
        here=_here(prompt),
        language=phrases.spoken(own[0], scout.goal or "", *own[1:]),
    )
    # A prompt that tells the scout tells it as it was when the person spoke.
    for each in messages[last + 1 if told else 0 :]:
        for call in each.tool_calls:
            found = _after(found, call)
    return found


def last_of_person(messages: Sequence[Message]) -> int:
    """Return the place of what the person said last, -1 when they said nothing."""
    return max((at for at, each in enumerate(messages) if _is_person(each)), default=-1)


def orphan(output: str) -> Message:
    """Return the answer of a tool whose call nobody knows any more, as plain text."""
    return Message(role="user", content=f"{_ORPHAN}{output})")


def arguments_of(found: Relay, call: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what of a model's arguments can be used and is new, in the tool's own terms."""
    return _arguments(found, setting_up.read(call).update, now)


def noticed(found: Relay, now: datetime) -> dict[str, Any]:
    """Return the arguments for what a person said in so many words and is missing."""
    if not found.told or found.results:
        return {}
    return _arguments(found, overheard(found.scout, found.text, found.here), now)


def with_update(found: Relay, arguments: dict[str, Any]) -> Relay:
    """Return where the conversation stands after a call."""
    return _after(found, ToolCall(name=NAME, arguments=arguments))


def built_in(found: Relay, now: datetime) -> Step:
    """Return the next step without a model; words when tools have answered."""
    if found.results:
        return Step(text=words(found))
    seen = answered(found.scout, found.asked, found.text, found.here)
    arguments = _arguments(found, seen.update, now)
    noted = [name for name in seen.noted if name == _city(arguments)]
    if seen.noted and "frequency" in arguments:
        noted.append(arguments["frequency"])
    after = with_update(found, arguments)
    unclear = not (arguments or seen.understood)
    text = next_words(after.scout, found.language, noted=tuple(noted), unclear=unclear)
    return Step(arguments=arguments, text=text)


def repeats(messages: Sequence[Message], text: str, *, whole: bool = False) -> bool:
    """Return whether a model only says again what it was told, as poor ones do.

    Args:
        messages: the conversation.
        text: of the model, so far.
        whole: it is all that the model said.
    """
    heard = " ".join(fold(text).split())
    if heard.startswith("{"):
        return True  # what a tool answered, or a call that is none
    said = (" ".join(fold(each.content).split()) for each in messages if _is_person(each))
    return any(each == heard if whole else each.startswith(heard) for each in said)


def words(found: Relay) -> str:
    """Return the next question, or that nothing is missing."""
    return next_words(found.scout, found.language)


def complete(found: Relay) -> bool:
    """Return whether the scout has all it needs."""
    return not missing(found.scout)


def prompt(found: Relay) -> Message:
    """Return scout's own prompt of the interview, for models that long ones confuse."""
    place = found.here.city if found.here else ""
    slots = {
        "known": shown(found.scout),
        "missing": ", ".join(missing(found.scout)) or "nothing",
        "here": place or "unknown",
    }
    return Message(role="system", content=render("interview", slots))


def _is_person(message: Message) -> bool:
    return message.role == "user" and not message.content.startswith(_ORPHAN)


def _scout(fields: Mapping[str, str], now: datetime) -> Scout:
    queries: list[str] = []
    try:
        queries = shape.decode(fields.get("Search Queries", "[]"), list[str])
    except InvalidInput:
        queries = [fields["Search Queries"]]
    frequency = fields.get("Frequency")
    return Scout(
        id=_NOBODY,
        user_id=_NOBODY,
        title=fields.get("Title", setting_up.UNNAMED),
        goal=_cut(fields.get("Goal")),
        description=_cut(fields.get("Description")),
        search_queries=queries,
        location=Location(city=fields["Location"]) if "Location" in fields else None,
        frequency=frequency,
        schedule=frequency or "daily",
        is_active=False,
        created_at=now,
        updated_at=now,
    )


def _cut(text: str | None) -> str | None:
    return text[:_LONGEST_TOLD] if text else None


def _here(prompt: str) -> Location | None:
    seen = _HERE.search(prompt)
    if seen is None:
        return None
    try:
        latitude, longitude = float(seen[2]), float(seen[3])
    except ValueError:
        return None
    return Location(city=seen[1].strip(), latitude=latitude, longitude=longitude)


def _said_before(messages: Sequence[Message]) -> str:
    said = (each.content for each in reversed(messages) if each.role == "assistant")
    return next((text for text in said if text), "")


def _arguments(found: Relay, update: Update, now: datetime) -> dict[str, Any]:
    patch = asdict(setting_up.patch_of(update, found.scout, now, found.here))
    made: dict[str, Any] = {}
    for name, kind in found.tool.parameters.get("properties", {}).items():
        value = patch.get(name, UNSET)
        if value is UNSET or value is None or _same(value, getattr(found.scout, name)):
            continue
        if isinstance(value, Location):
            made[name] = _place(value, kind)
        elif value in kind.get("enum", (value,)):
            made[name] = value
    return made


def _place(place: Location, kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return a place as the tool wants it: it insists on numbers, and 0, 0 stands for unknown."""
    fields = kind.get("properties", {})
    plain: dict[str, Any] = shape.plain(place)
    made = {name: value for name, value in plain.items() if name in fields}
    numbers = {name: 0 for name in ("latitude", "longitude") if name in fields}
    return {**numbers, **made}


def _same(new: Any, old: Any) -> bool:
    if isinstance(new, Location) and isinstance(old, Location):
        return (new.city or "").casefold() == (old.city or "").casefold()
    return bool(new == old)


def _city(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("location", {}).get("city", ""))


def _after(found: Relay, call: ToolCall) -> Relay:
    if call.name != NAME:
        return found
    update = setting_up.read(call.arguments).update
    given = {name: each for name, each in asdict(update).items() if each is not UNSET}
    if (place := given.pop("location", None)) is not None:
        given["location"] = Location(city=place.city)
    if rhythm := given.get("frequency"):
        given["schedule"] = rhythm
    return replace(found, scout=replace(found.scout, **given))
