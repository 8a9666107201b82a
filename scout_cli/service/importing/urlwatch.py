"""urlwatch's list of jobs: YAML documents, one a job.

Source: https://urlwatch.readthedocs.io/en/latest/jobs.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from scout_cli.errors import InvalidInput
from scout_cli.service.importing.archives import File
from scout_cli.service.importing.found import (
    MOST,
    Found,
    Reading,
    Skipped,
    address,
    reading,
    shown,
    words,
)

_LEFT = {
    "filter": "its filters",
    "diff_filter": "its filters of differences",
    "headers": "its request headers",
    "cookies": "its cookies",
    "http_proxy": "its proxy",
    "https_proxy": "its proxy",
    "diff_tool": "its own way to compare",
    "user_visible_url": "the other address that it shows",
    "ssl_no_verify": "that it takes any certificate",
    "wait_for": "what it waits for in the browser",
}
_COLLECTIONS = (yaml.events.MappingStartEvent, yaml.events.SequenceStartEvent)
_DEEPEST = 50


def read(file: File) -> Reading:
    """Return the jobs of a list.

    Raises:
        InvalidInput: it is not YAML, or made to do harm.
    """
    text = file.text()
    try:
        _check(file, text)
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise InvalidInput(f"{file.name}: this is not YAML{where}") from error
    jobs = [job for each in documents for job in (each if isinstance(each, list) else [each])]
    if not any(isinstance(job, dict) for job in jobs):
        raise InvalidInput(f"{file.name}: this is no list of jobs")
    return reading("urlwatch", _jobs(jobs))


def _check(file: File, text: str) -> None:
    """Refuse what only an attack has: aliases, which multiply, and depth or number without end."""
    depth = many = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.events.AliasEvent):
            raise InvalidInput(f"{file.name}: it uses YAML aliases", hint="write the values out")
        if isinstance(event, _COLLECTIONS):
            depth, many = depth + 1, many + 1
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST or many > 20 * MOST:
            raise InvalidInput(f"{file.name}: it is too deep or too large")


def _jobs(jobs: list[Any]) -> Iterator[Found | Skipped]:
    for job in jobs:
        if isinstance(job, dict):
            yield _job(job)
        elif job is not None:
            yield Skipped(what=shown(job), why="it is not a job")


def _job(job: Mapping[Any, Any]) -> Found | Skipped:
    name = words(job.get("name"))
    if "command" in job:
        return Skipped(
            what=name or shown(job["command"]), why="it runs a command, which scout never does"
        )
    browser = "navigate" in job and "url" not in job
    url, why = address(job.get("navigate") if browser else job.get("url"))
    if not why and (job.get("data") or str(job.get("method") or "GET").upper() != "GET"):
        why = "it sends a form or a request body"
    if why:
        return Skipped(what=name or shown(job.get("url", job.get("navigate", ""))), why=why)
    left = list(dict.fromkeys(text for key, text in _LEFT.items() if job.get(key)))
    if browser:
        left.append("that it always uses a browser; scout does when a page needs it")
    tags = job.get("tags")
    named = [words(each) for each in tags] if isinstance(tags, list) else []
    return Found(
        url=url,
        title=name,
        tags=tuple(filter(None, named)),
        active=job.get("enabled") is not False,
        left=tuple(left),
    )
