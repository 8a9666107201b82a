"""What can go wrong, in the words of the person it happens to.

ScoutError                  1  anything that ends a command
├── InvalidInput            2  an argument, a request body or a value that cannot be used
│   └── ConfigError         2  a setting, a scouts.toml or a URL that cannot be used
├── NotFound                3  no such scout, execution or finding
├── Conflict                1  it is already there, or already running
│   ├── FenceLost           1  another process has taken over this execution
│   └── Changed             1  somebody changed it since it was read
├── Refused                 1  a rule of scout's own forbids it (an address, a size, a policy)
│   ├── Unauthorized        1  who asks is not known: no token, or one that is not good any more
│   ├── Forbidden           1  who asks is known, and may not
│   └── TooMany             1  an allowance is used up for now
└── Unavailable             4  a part outside scout did not do its work
    ├── DatabaseUnavailable 4
    ├── ModelUnavailable    4
    ├── SearchUnavailable   4
    └── MissingPackage      4  an optional package is not installed

The number is the exit code of the command line. `code` is the name that programs branch on.
Every error says what happened (`message`) and what to do (`hint`, usually a command to type).
"""

from __future__ import annotations


class ScoutError(Exception):
    """Something went wrong that a person can understand.

    Args:
        message: what happened, one line, no trailing full stop needed.
        hint: what to do about it, usually a command; empty when nothing helps.
    """

    code = "failed"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInput(ScoutError):
    """A value that cannot be used."""

    code = "invalid"
    exit_code = 2


class ConfigError(InvalidInput):
    """A setting or configuration file that cannot be used."""

    code = "config"


class NotFound(ScoutError):
    """Nothing has that name."""

    code = "not_found"
    exit_code = 3


class Conflict(ScoutError):
    """It exists already, or is running already."""

    code = "conflict"


class FenceLost(Conflict):
    """Another process has taken over this execution; this one must stop writing."""

    code = "fence_lost"


class Changed(Conflict):
    """Somebody changed it since it was read; nothing was overwritten."""

    code = "changed"


class Refused(ScoutError):
    """A rule of scout's own forbids it."""

    code = "refused"


class Unauthorized(Refused):
    """Nobody is known by what the request brought."""

    code = "unauthorized"


class Forbidden(Refused):
    """Whoever asks is known, and may not."""

    code = "forbidden"


class TooMany(Refused):
    """An allowance is used up for now.

    Args:
        message: what happened.
        hint: what to do.
        retry_after: seconds until it is worth trying again.
    """

    code = "too_many"

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Unavailable(ScoutError):
    """A part outside scout did not do its work.

    Args:
        message: what happened.
        hint: what to do.
        retryable: whether the same call may succeed later without anyone changing anything.
    """

    code = "unavailable"
    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", retryable: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class DatabaseUnavailable(Unavailable):
    """The database cannot be opened, or is too new or too old for this program."""

    code = "database_unavailable"


class ModelUnavailable(Unavailable):
    """The language model or embedder did not answer."""

    code = "model_unavailable"


class SearchUnavailable(Unavailable):
    """No search engine answered."""

    code = "search_unavailable"


class MissingPackage(Unavailable):
    """A package that this part of scout needs is not installed."""

    code = "missing_package"
