"""`scout why`: how the novelty of a finding was decided, with its numbers."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import streams, tables, times
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.cli.times import Times
from scout_cli.core.cutoffs import LEAST
from scout_cli.core.models import DateOrigin, Finding, Path
from scout_cli.core.tastes import unwanted
from scout_cli.service.findings import NearFinding, Why

_RUNGS = {
    "page": "the page",
    "words": "the same words",
    "details": "numbers, names, not",
    "cosine": "likeness",
    "model": "the model",
    "opinion": "what you said",
    "window": "how old it is",
}
_STEPS = (Column("asked"), Column("outcome"), Column("detail", wide=True, least=20))
_NEAR = (
    Column("id"),
    Column("likeness", number=True),
    Column("found", rank=2),
    Column("speaks against a repeat", rank=1, wide=True, least=16),
    Column("earlier finding", wide=True, least=20),
)
_DATES: dict[DateOrigin, str] = {
    "json-ld": "the page's structured data",
    "meta": "the page's meta tags",
    "time": "a time element of the page",
    "feed": "the feed",
    "url": "the address of the page",
    "header": "the server's Last-Modified",
    "search": "the search result",
    "none": "",
}


@click.command("why")
@click.argument("name", metavar="FINDING")
@times.utc_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def command(session: Session, name: str, *, utc: bool, as_json: bool) -> None:
    """Say why a finding was told, or was held back.

    FINDING is an id or the beginning of one, as `scout findings` and `scout suppressed` show it.

    \b
    Example:
      scout why 9f8e7d6c
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    async def work(app: App) -> None:
        told = await (await app.findings()).why(name)
        if as_json:
            streams.put_json(told)
            return
        _show(told, Times(app.clock.now(), utc))

    session.run(work)


def _show(told: Why, shown: Times) -> None:
    tables.pairs(_rows(told, shown))
    path = told.finding.path
    if path and path.rungs:
        streams.put("")
        rows = [(_RUNGS[each.name], each.outcome, each.detail) for each in path.rungs]
        tables.show(_STEPS, rows)
    if told.near:
        streams.put("")
        tables.show(_NEAR, [_earlier(each, shown) for each in told.near])
    if path is None:
        streams.say("It was found before scout kept how it decides.")
    short = str(told.finding.id)[:8]
    streams.say(f"Not right? scout feedback {short} useful|not-useful|repeat|wrong")


def _rows(told: Why, shown: Times) -> list[tuple[str, str]]:
    finding = told.finding
    path = finding.path or Path()
    opinion = told.opinion.replace("_", "-") if told.opinion else ""
    return [
        ("finding", str(finding.id)),
        ("fact", finding.fact),
        ("status", finding.novelty.replace("_", " ")),
        ("because", finding.reason),
        ("changed", finding.changed),
        ("quote", finding.quote),
        ("page", finding.url),
        ("published", _published(finding, shown)),
        ("found", shown.at(finding.created_at)),
        ("story", str(finding.story_id or "")),
        ("embedder", path.embedder),
        ("cut-offs", _cutoffs(path)),
        ("background", _background(path)),
        ("moved by you", _moved(path.shift, told.liking_then)),
        ("you said", opinion),
        ("from now on", _from_now_on(told)),
    ]


def _from_now_on(told: Why) -> str:
    moved = _moved(told.shift_now, told.liking_now)
    follows = "what closely follows it is held back" if unwanted(told.opinion) else ""
    nothing = "nothing moves" if told.opinion else ""
    return ", ".join(filter(None, (moved, follows))) or nothing


def _moved(shift: float, liking: float) -> str:
    """Return what opinions move: the cut-offs, and the place of results like this one."""
    told = [f"cut-offs {shift:+.2f}"] if shift else []
    if liking:
        way = "sooner" if liking > 0 else "later"
        told.append(f"results like it are read {way} ({liking:+.3f} of the rank)")
    return ", ".join(told)


def _published(finding: Finding, shown: Times) -> str:
    if finding.published_at is None:
        return "not known"
    origin = _DATES[finding.published_from]
    return shown.at(finding.published_at) + (f", from {origin}" if origin else "")


def _cutoffs(path: Path) -> str:
    if path.cutoffs is None:
        return ""
    lower, upper = path.cutoffs
    return f"new below {lower:.2f}, the same from {upper:.2f}"


def _background(path: Path) -> str:
    if path.background is None:
        return ""
    own = path.sample < LEAST  # earlier versions kept the number of the few stories there were
    of = f"the embedder's own below {LEAST} stories" if own else f"of {path.sample} stories"
    return f"{path.background:.2f}, {of}"


def _earlier(each: NearFinding, shown: Times) -> tuple[str, ...]:
    found = each.finding
    return (
        str(each.near.id)[:8],
        f"{each.near.cosine:.2f}",
        shown.past(found.created_at) if found else "-",
        each.near.differs or "nothing",
        found.fact if found else "(forgotten)",
    )
