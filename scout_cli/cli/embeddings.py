"""`scout embeddings`: the vectors by which findings are compared, and making them anew."""

from __future__ import annotations

import click

from scout_cli.app import App
from scout_cli.cli import bar, streams, tables
from scout_cli.cli.session import Session, pass_session
from scout_cli.cli.tables import Column
from scout_cli.service import rebuilding
from scout_cli.service.rebuilding import Stock

_COLUMNS = (
    Column("embedder", wide=True),
    Column("findings", number=True),
    Column("dimensions", rank=2, number=True),
    Column("in use", rank=1),
)


@click.group("embeddings", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Count and rebuild the vectors that findings have.

    Vectors of different embedders are never compared. After `scout config set embed_url ...` every
    scout makes up what it lacks at its next run; `scout embeddings rebuild` does so at once.

    \b
    Example:
      scout embeddings rebuild
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """Count the vectors of every embedder.

    \b
    Example:
      scout embeddings list
    """  # noqa: D301 - see above

    async def work(app: App) -> Stock:
        return await rebuilding.stock(await app.database(), (await app.embedder()).name)

    stock = session.run(work)
    if as_json:
        streams.put_json(_document(stock))
        return
    rows = [
        [each.embedder, f"{each.findings:,}", str(each.dimension), _mark(each.embedder, stock)]
        for each in stock.holdings
    ]
    tables.show(_COLUMNS, rows)
    if stock.lacking:
        streams.say(f"{stock.lacking:,} of {stock.findings:,} findings lack a vector of")
        streams.say(f"{streams.line(stock.current)}: scout embeddings rebuild")
    else:
        streams.say(f"All {stock.findings:,} findings have a vector of {stock.current}.")


@command.command("rebuild")
@click.option("--again", is_flag=True, help="Make all anew, for a model that changed.")
@click.option("--only", is_flag=True, help="Then delete the vectors of other embedders.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def rebuild(session: Session, *, again: bool, only: bool, quiet: bool, as_json: bool) -> None:
    """Give every finding a vector of the embedder in use.

    What is interrupted goes on where it was: only what is lacking is made. With --again each vector
    stays until its new one is there, and an interruption means to begin again.

    \b
    Example:
      scout embeddings rebuild --only
    """  # noqa: D301 - see above

    async def work(app: App) -> tuple[int, int, Stock]:
        database, embedder = await app.database(), await app.embedder()
        made = 0
        with bar.bar("Vectors", quiet=quiet or as_json) as move:
            async for step in rebuilding.rebuild(database, embedder, again=again):
                made = step.done
                move(step.done, step.of)
        gone = await rebuilding.keep_only(database, embedder.name) if only else 0
        return made, gone, await rebuilding.stock(database, embedder.name)

    made, gone, stock = session.run(work)
    if as_json:
        streams.put_json({"made": made, "deleted": gone, **_document(stock)})
        return
    streams.say(f"{made:,} vectors of {streams.line(stock.current)} made.")
    if gone:
        streams.say(f"{gone:,} vectors of other embedders deleted.")


def _mark(name: str, stock: Stock) -> str:
    return "yes" if name == stock.current else ""


def _document(stock: Stock) -> dict[str, object]:
    return {
        "embedder": stock.current,
        "findings": stock.findings,
        "lacking": stock.lacking,
        "embedders": stock.holdings,
    }
