"""A story on screen: what was found of one event, in the order of time."""

from __future__ import annotations

from scout_cli.cli import streams, tables
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.models import Finding
from scout_cli.service.findings import Story

_COLUMNS = (
    Column("found"),
    Column("published", rank=2),
    Column("status", rank=1),
    Column("fact", wide=True, least=20),
    Column("changed", rank=4, wide=True, least=12),
    Column("source", rank=3),
    Column("id"),
)


def show(story: Story, when: Times) -> None:
    """Print a story: what it is, who told of it, and its timeline."""
    number = len(story.domains)
    told = f"{number} independent {'domain' if number == 1 else 'domains'}"
    tables.pairs(
        [
            ("story", str(story.id)),
            ("began with", story.title),
            ("first", when.at(story.first_at)),
            ("last", when.at(story.last_at)),
            ("told by", f"{told}: {', '.join(story.domains)}"),
        ]
    )
    streams.put("")
    tables.show(_COLUMNS, [_row(each, when) for each in story.findings])
    streams.say(f"Why it was told: scout why {str(story.findings[0].id)[:8]}")


def _row(found: Finding, when: Times) -> tuple[str, ...]:
    return (
        when.at(found.created_at),
        f"{found.published_at:%Y-%m-%d}" if found.published_at else "-",
        found.novelty.replace("_", " "),
        found.fact,
        found.changed,
        found.host,
        str(found.id)[:8],
    )
