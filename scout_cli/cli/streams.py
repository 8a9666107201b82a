"""stdout is data, stderr is talk: this module alone writes to them and owns the exit codes.

Nothing that came from outside reaches a terminal without passing `line` or `block`.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO

import click

from scout_cli.errors import ScoutError

if TYPE_CHECKING:
    from rich.console import Console


class ExitCode(IntEnum):
    """How a command ends."""

    OK = 0
    """It did what was asked."""
    FAILED = 1
    """It did not, for a reason inside scout."""
    USAGE = 2
    """An argument, a setting or a file cannot be used."""
    NOT_FOUND = 3
    """Nothing has that name."""
    UNAVAILABLE = 4
    """A part outside scout (model, search, database) did not do its work."""
    NOTHING_NEW = 10
    """Only with `--exit-code`: it looked, and nothing is new."""
    DEGRADED = 20
    """Only with `--exit-code`: nothing is new in what could be read, but not all could be."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM."""
    BROKEN_PIPE = 141
    """Whoever read the output went away, as in `scout findings | head -1`."""


_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, APC
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, zero width
    "\ud800-\udfff\U000e0000-\U000e0fff]"  # surrogates, tags
)
_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]*@")


def block(text: str) -> str:
    """Return `text` with new lines and tabs but no control, direction or invisible character."""
    return _HIDDEN.sub("", _SEQUENCES.sub("", text.replace("\r\n", "\n")))


def line(text: str) -> str:
    """Return `text` on one line, safe for a terminal."""
    return " ".join(block(text).split())


def redact(text: str) -> str:
    """Return `text` with the password of every URL in it hidden."""
    return _PASSWORD.sub(r"\1:***@", text)


def put(text: str) -> None:
    """Write one piece of data and a new line to stdout."""
    _write(sys.stdout, f"{text}\n")


def put_json(value: Any) -> None:
    """Write `value` as one line of JSON to stdout; hidden characters are escaped, not lost."""
    from scout_cli.core import shape  # noqa: PLC0415 - msgspec stays out of `scout --help`

    put(_HIDDEN.sub(_escaped, shape.encode(value).decode()))
    flush()


def say(text: str) -> None:
    """Write one line of talk to stderr, after the data before it; a closed stderr hears nothing."""
    flush()
    _write_error(f"{text}\n")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person looks at `stream`."""
    return stream is not None and not stream.closed and stream.isatty()


def console(stream: TextIO) -> Console:
    """Return a rich console on `stream` that takes text literally; it honours `NO_COLOR`."""
    from rich.console import Console  # noqa: PLC0415 - only a person's terminal needs it

    return Console(file=stream, markup=False, emoji=False, highlight=False)


def error(message: str, hint: str, *, code: str, as_json: bool) -> None:
    """Write an error: what happened, and what to type.

    Args:
        message: what happened.
        hint: what to do.
        code: the name that programs branch on.
        as_json: write `{"error": {...}}` instead of two lines.
    """
    message, hint = line(redact(message)), line(redact(hint))
    if as_json:
        from json import dumps  # noqa: PLC0415 - only when asked for

        _write_error(dumps({"error": {"code": code, "message": message, "hint": hint}}) + "\n")
        return
    _write_error(f"scout: error: {message}\n  {hint or 'scout --help'}\n")


def guard(work: Callable[[], object], given: Sequence[str]) -> int:
    """Run a command and return its exit code, whatever happens in it.

    Args:
        work: the command; its return value is the exit code, None means 0.
        given: the arguments; `--json` and `--debug` in them decide how errors look.
    """
    flags = given[: given.index("--")] if "--" in given else given
    as_json = "--json" in flags
    try:
        code = work()
        flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, click.Abort):
        error("interrupted", "run it again", code="interrupted", as_json=as_json)
        return ExitCode.INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - the outermost border: all of it becomes two lines
        if _is_broken_pipe(problem):
            return _hush()
        if "--debug" in flags and not isinstance(problem, click.ClickException):
            say(block(redact("".join(traceback.format_exception(problem)))))
        return tell(problem, as_json=as_json)
    return code if isinstance(code, int) else ExitCode.OK


def tell(problem: BaseException, *, as_json: bool) -> int:
    """Write `problem` as an error and return its exit code."""
    problem = _leaf(problem)
    if isinstance(problem, ScoutError):
        error(problem.message, problem.hint, code=problem.code, as_json=as_json)
        return problem.exit_code
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        say(problem.format_message())
        return ExitCode.USAGE
    if isinstance(problem, click.ClickException):
        message, hint = _usage(problem)
        error(message, hint, code="usage", as_json=as_json)
        return ExitCode.USAGE
    kind = f"{type(problem).__name__}: {problem}"[:300]
    hint = "to see where, put --debug before the command: scout --debug ..."
    error(f"something went wrong inside scout: {kind}", hint, code="internal", as_json=as_json)
    return ExitCode.FAILED


def keep_standard_descriptors() -> None:
    """Open /dev/null on a standard descriptor that is closed, so that no database gets it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _usage(problem: click.ClickException) -> tuple[str, str]:
    ctx = problem.ctx if isinstance(problem, click.UsageError) else None
    path = ctx.command_path if ctx else "scout"
    if not isinstance(problem, click.NoSuchOption):
        return problem.format_message().rstrip("."), f"{path} --help"
    message = f"no such option {problem.option_name}"
    if ctx and ctx.parent and _has_option(ctx.find_root().command, problem.option_name):
        return (
            message,
            f"put it before the command: scout {problem.option_name} ... {ctx.info_name}",
        )
    near = " or ".join(problem.possibilities or ())
    return message, f"did you mean {near}?" if near else f"{path} --help"


def _has_option(command: click.Command, name: str) -> bool:
    return any(name in parameter.opts for parameter in command.params)


def _leaf(problem: BaseException) -> BaseException:
    """Return what a person can act on out of an exception group."""
    if not isinstance(problem, BaseExceptionGroup):
        return problem
    leaves = [_leaf(inner) for inner in problem.exceptions]
    return next((leaf for leaf in leaves if isinstance(leaf, ScoutError)), leaves[0])


def _is_broken_pipe(problem: BaseException) -> bool:
    problem = _leaf(problem)
    return isinstance(problem, OSError) and problem.errno == errno.EPIPE


def _hush() -> int:
    """Point stdout at /dev/null, so that the interpreter's own last flush is quiet too."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        sys.stdout = None  # as Python itself has it when it is closed
    return ExitCode.BROKEN_PIPE


def flush() -> None:
    """Hand what was written to stdout to whoever reads it."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))


def _write_error(text: str) -> None:
    try:
        _write(sys.stderr, text)
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        """Nobody is left to tell; the exit code still says it."""


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
