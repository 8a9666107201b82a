"""What may be read and written over the table interface: the one list that decides it.

A column that is not here does not exist for anybody. `reads` and `writes` name who may: `user` for
whoever owns the row, `service` for the holder of the service key, who sees all rows.
"""

from __future__ import annotations

from typing import Literal

from scout_cli.core.models import Record

Role = Literal["anon", "user", "service"]
Kind = Literal["uuid", "text", "boolean", "integer", "moment", "document"]

TYPES: dict[Kind, str] = {
    "uuid": "uuid",
    "text": "text",
    "boolean": "bool",
    "integer": "int4",
    "moment": "timestamptz",
    "document": "jsonb",
}
"""PostgreSQL's names, as clients of change events expect them."""

_BOTH = frozenset[Role]({"user", "service"})
_SERVICE = frozenset[Role]({"service"})
_NOBODY = frozenset[Role]()


class Column(Record, frozen=True, kw_only=True):
    """A column and who may do what with it."""

    name: str
    kind: Kind
    reads: frozenset[Role] = _BOTH
    inserts: frozenset[Role] = _NOBODY
    updates: frozenset[Role] = _NOBODY


class Link(Record, frozen=True, kw_only=True):
    """How one table refers to another."""

    table: str
    """The other table."""
    many: bool
    """The other has the reference, so there may be many rows."""
    column: str
    """The column that refers: of the other table when `many`, else of this one."""


class Table(Record, frozen=True, kw_only=True):
    """A table of the interface; every row of it names its owner in `user_id`."""

    name: str
    columns: tuple[Column, ...]
    links: tuple[Link, ...] = ()
    only: str = ""
    """A condition on `t` that every row that is shown fulfils."""

    @property
    def by_name(self) -> dict[str, Column]:
        """Return its columns by name."""
        return {column.name: column for column in self.columns}


def _columns(text: str) -> tuple[Column, ...]:
    """Return the columns of a list: name, kind, who reads, who inserts, who updates."""
    who = {"both": _BOTH, "service": _SERVICE, "-": _NOBODY}
    rows = [line.split() for line in text.strip().splitlines()]
    return tuple(
        Column(name=n, kind=k, reads=who[r], inserts=who[i], updates=who[u])  # type: ignore[arg-type]
        for n, k, r, i, u in rows
    )


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            name="scouts",
            columns=_columns("""
                id                   uuid      both     both     -
                user_id              uuid      both     both     -
                title                text      both     both     both
                description          text      both     both     both
                goal                 text      both     both     both
                search_queries       document  both     both     both
                location             document  both     both     both
                frequency            text      both     both     both
                is_active            boolean   both     both     both
                last_run_at          moment    both     -        -
                consecutive_failures integer   both     -        -
                created_at           moment    both     -        -
                updated_at           moment    both     -        -
                next_run_at          moment    both     -        -
                schedule             text      both     -        -
                timezone             text      both     -        -
                paused_reason        text      both     -        -
            """),
            links=(
                Link(table="scout_executions", many=True, column="scout_id"),
                Link(table="scout_messages", many=True, column="scout_id"),
            ),
        ),
        Table(
            name="scout_messages",
            columns=_columns("""
                id                   uuid      both     both     -
                scout_id             uuid      both     both     -
                role                 text      both     both     -
                content              text      both     both     -
                created_at           moment    both     -        -
            """),
            links=(Link(table="scouts", many=False, column="scout_id"),),
        ),
        Table(
            name="scout_executions",
            columns=_columns("""
                id                   uuid      both     -        -
                scout_id             uuid      both     -        -
                status               text      both     -        -
                started_at           moment    both     -        -
                completed_at         moment    both     -        -
                error_message        text      both     -        -
                results_summary      document  both     -        -
                summary_text         text      both     -        -
                summary_embedding    text      both     -        -
                created_at           moment    both     -        -
            """),
            links=(
                Link(table="scouts", many=False, column="scout_id"),
                Link(table="scout_execution_steps", many=True, column="execution_id"),
            ),
        ),
        Table(
            name="scout_execution_steps",
            columns=_columns("""
                id                   uuid      both     -        -
                execution_id         uuid      both     -        -
                step_number          integer   both     -        -
                step_type            text      both     -        -
                description          text      both     -        -
                input_data           document  both     -        -
                output_data          document  both     -        -
                status               text      both     -        -
                started_at           moment    both     -        -
                completed_at         moment    both     -        -
                error_message        text      both     -        -
                created_at           moment    both     -        -
            """),
            links=(Link(table="scout_executions", many=False, column="execution_id"),),
            # What an attempt wrote that lost its run is not part of the run.
            only="t.fence = (SELECT fence FROM scout_executions WHERE id = t.execution_id)",
        ),
        Table(
            name="user_preferences",
            columns=_columns("""
                id                        uuid      both     both     -
                user_id                   uuid      both     both     -
                location                  document  both     both     both
                firecrawl_api_key         text      service  service  service
                firecrawl_custom_api_key  text      service  service  service
                firecrawl_key_status      text      both     service  service
                firecrawl_key_created_at  moment    both     service  service
                firecrawl_key_error       text      both     service  service
                last_test_email_at        moment    both     both     both
                created_at                moment    both     -        -
                updated_at                moment    both     -        -
            """),
        ),
        Table(
            name="firecrawl_usage_logs",
            columns=_columns("""
                id                   uuid      both     -        -
                user_id              uuid      both     -        -
                scout_id             uuid      both     -        -
                execution_id         uuid      both     -        -
                used_fallback        boolean   both     -        -
                fallback_reason      text      both     -        -
                api_calls_count      integer   both     -        -
                created_at           moment    both     -        -
            """),
        ),
    )
}
