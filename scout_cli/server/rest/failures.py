"""Errors as PostgREST words them: `code`, `message`, `details`, `hint`.

Source: https://docs.postgrest.org/en/stable/references/errors.html
"""

from __future__ import annotations

from scout_cli.core.models import Record


class Failure(Record, frozen=True, kw_only=True):
    """The body of an error."""

    code: str
    message: str
    details: str | None = None
    hint: str | None = None


class RestError(Exception):
    """A request over the table interface that cannot be answered.

    Args:
        status: of the response.
        code: PostgREST's, or PostgreSQL's SQLSTATE.
        message: what happened.
        details: more of it.
        hint: what to do.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.failure = Failure(code=code, message=message, details=details, hint=hint)


def unparsable(what: str, details: str = "") -> RestError:
    """Return the error of text that is not in the grammar."""
    return RestError(400, "PGRST100", f"failed to parse {what}", details=details or None)


def not_offered(what: str) -> RestError:
    """Return the error of something that PostgREST has and scout has not."""
    return RestError(400, "PGRST127", "Feature not implemented", details=what)


def no_column(table: str, column: str) -> RestError:
    """Return the error of a column that does not exist, or that nobody may name."""
    shown = column[:100]
    return RestError(400, "42703", f"column {table}.{shown} does not exist")


def unwritable(table: str, column: str) -> RestError:
    """Return the error of a body with a column that cannot be written."""
    return RestError(
        400,
        "PGRST204",
        f"Could not find the '{column[:100]}' column of '{table}' in the schema cache",
    )


def denied(what: str, *, anonymous: bool = False) -> RestError:
    """Return the error of something that this caller may not do."""
    return RestError(401 if anonymous else 403, "42501", f"permission denied for {what}")


def row_refused(table: str, *, anonymous: bool = False) -> RestError:
    """Return the error of a row that would belong to somebody else."""
    return RestError(
        401 if anonymous else 403,
        "42501",
        f'new row violates row-level security policy for table "{table}"',
    )


def bad_value(kind: str, text: str) -> RestError:
    """Return the error of a value that is not of the column's type."""
    code = "22007" if kind == "timestamp with time zone" else "22P02"
    return RestError(400, code, f'invalid input syntax for type {kind}: "{text[:100]}"')
