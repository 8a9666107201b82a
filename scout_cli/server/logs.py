"""The log of the server: a line for each request, for people or as JSON; secrets are not in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from scout_cli.core import shape
from scout_cli.server.middleware import LOG


class Lines(logging.Formatter):
    """Lines for people.

    Args:
        clean: takes out of a text what is secret, and what a terminal would obey.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; with a traceback, several."""
        at = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = getattr(record, "fields", {})
        if record.getMessage() == "request":
            told = "{method:6} {route} {status} {ms} ms  {address} {id}".format(**fields)
        else:
            more = " ".join(f"{name}={value}" for name, value in fields.items())
            told = f"{record.getMessage()} {more}".rstrip()
        lines = [f"{at:%H:%M:%S} {told}"]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(self._clean(line) for text in lines for line in text.split("\n"))


class JsonLines(logging.Formatter):
    """JSON Lines for machines.

    Args:
        clean: takes out of a text what is secret.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object on one line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "message": self._clean(record.getMessage()),
        }
        for name, value in getattr(record, "fields", {}).items():
            told[name] = self._clean(value) if isinstance(value, str) else value
        if record.exc_info:
            told["traceback"] = self._clean(self.formatException(record.exc_info))
        return shape.encode(told).decode()


def keep(formatter: logging.Formatter, *, quiet: bool = False) -> None:
    """Write the server's log to standard error.

    Args:
        formatter: `Lines` or `JsonLines`.
        quiet: leave out requests that went well.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    if quiet:
        handler.addFilter(_is_news)
    LOG.handlers = [handler]
    LOG.propagate = False
    LOG.setLevel(logging.INFO)


def note(message: str, **fields: Any) -> None:
    """Write a line of the server's own."""
    LOG.info(message, extra={"fields": fields})


def warn(message: str, **fields: Any) -> None:
    """Write a line about something that went wrong."""
    LOG.warning(message, extra={"fields": fields})


def _is_news(record: logging.LogRecord) -> bool:
    status = getattr(record, "fields", {}).get("status", 0)
    return bool(record.getMessage() != "request" or status >= 500)
