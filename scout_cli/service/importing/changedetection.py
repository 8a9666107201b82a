"""Backups of changedetection.io: a zip archive whose `url-watches.json` lists the watches.

The JSON file alone, out of the data folder, is read as well.
Source: https://github.com/dgtlmoon/changedetection.io (its data store and backup modules).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from scout_cli.errors import InvalidInput
from scout_cli.service.importing.archives import File, member, unusable
from scout_cli.service.importing.found import Found, Reading, Skipped, address, reading, words

_INDEX = "url-watches.json"
_UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_YEAR = 366 * 86_400
_LEFT = {
    "include_filters": "the filters of the page",
    "subtractive_selectors": "the parts of the page that it leaves out",
    "css_filter": "the filters of the page",
    "trigger_text": "the text that it waits for",
    "ignore_text": "the text that it ignores",
    "text_should_not_be_present": "the text that must be missing",
    "extract_text": "the text that it takes out of the page",
    "headers": "its request headers",
    "proxy": "its proxy",
    "browser_steps": "its steps in the browser",
    "webdriver_js_execute_code": "its script in the browser",
    "notification_urls": "its channels; give them with scout edit --notify",
    "conditions": "its conditions",
}


def read(file: File) -> Reading:
    """Return the watches of a backup.

    Raises:
        InvalidInput: it is not a backup, or damaged, or made to do harm.
    """
    data = member(file, _INDEX) if file.is_zip else file.data
    if data is None:
        raise unusable(file, f"it holds no {_INDEX}")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise unusable(file, f"{_INDEX} is not JSON") from error
    watching = _table(_table(document).get("watching"))
    if not isinstance(document, dict) or "watching" not in document:
        raise InvalidInput(f"{file.name}: this is no backup of changedetection.io")
    settings = _table(document.get("settings"))
    application = _table(settings.get("application"))
    tags = {
        key: words(_table(tag).get("title")) for key, tag in _table(application.get("tags")).items()
    }
    usual = _seconds(_table(settings.get("requests")).get("time_between_check"))
    left = (
        ["the channels of all watches; see the setting notify"]
        if application.get("notification_urls")
        else []
    )
    return reading("changedetection", _watches(watching, tags, usual), left)


def _watches(
    watching: Mapping[str, Any], tags: Mapping[str, str], usual: int | None
) -> Iterator[Found | Skipped]:
    for key, each in watching.items():
        watch = _table(each)
        yield _watch(key, watch, tags, usual)


def _watch(
    key: str, watch: Mapping[str, Any], tags: Mapping[str, str], usual: int | None
) -> Found | Skipped:
    given = watch.get("url")
    source = given.removeprefix("source:") if isinstance(given, str) else given
    url, why = address(source)
    if not why and str(watch.get("method") or "GET").upper() != "GET":
        why = "it sends a form or a request body"
    if why:
        return Skipped(what=words(watch.get("title")) or words(given) or key, why=why)
    left = list(dict.fromkeys(text for name, text in _LEFT.items() if watch.get(name)))
    if source != given:
        left.append("it watches the page's source")
    if watch.get("processor") not in (None, "", "text_json_diff"):
        left.append("its way to look, such as for stock or prices")
    own = (
        None
        if watch.get("time_between_check_use_default") is True
        else _seconds(watch.get("time_between_check"))
    )
    return Found(
        url=url,
        title=words(watch.get("title")) or words(watch.get("page_title")),
        tags=_tags(watch, tags),
        seconds=own or usual,
        active=watch.get("paused") is not True,
        left=tuple(left),
    )


def _tags(watch: Mapping[str, Any], tags: Mapping[str, str]) -> tuple[str, ...]:
    given = watch.get("tags")
    names = (
        [tags.get(each, "") for each in given if isinstance(each, str)]
        if isinstance(given, list)
        else []
    )
    old = watch.get("tag")
    names += [words(each) for each in old.split(",")] if isinstance(old, str) else []
    return tuple(dict.fromkeys(name for name in names if name))


def _seconds(given: Any) -> int | None:
    total = 0
    for unit, seconds in _UNITS.items():
        many = _table(given).get(unit)
        if isinstance(many, int) and 0 < many <= _YEAR:
            total += many * seconds
    return total or None


def _table(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}
