"""The two tools of a scout, defined once: typed arguments, JSON Schema, validation.

A model that was trained to call tools gets them as tools; any other model answers the same
question under a schema (`questions.FollowUp`). Neither can name a URL: pages are asked for by the
number they have in the list of results.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Annotated, TypeAlias

from msgspec import Meta

from scout_cli.core import shape
from scout_cli.core.ports import Tool, ToolCall
from scout_cli.core.shape import Shape
from scout_cli.errors import InvalidInput


class SearchWeb(Shape, frozen=True, kw_only=True):
    """Search the web for something that is still missing."""

    query: Annotated[str, Meta(min_length=2, max_length=120, description="a few search words")]


class ScrapeWebsite(Shape, frozen=True, kw_only=True):
    """Read one of the listed results that was not read yet."""

    result: Annotated[int, Meta(ge=1, le=99, description="the number of the result")]


Arguments: TypeAlias = SearchWeb | ScrapeWebsite

TOOLS: dict[str, type[Arguments]] = {"search_web": SearchWeb, "scrape_website": ScrapeWebsite}


def offered() -> tuple[Tool, ...]:
    """Return the tools as a chat model wants them."""
    return tuple(
        Tool(name=name, description=getdoc(kind) or "", parameters=shape.schema(kind))
        for name, kind in TOOLS.items()
    )


def read(call: ToolCall) -> Arguments:
    """Validate one tool call.

    Raises:
        InvalidInput: an unknown tool, or arguments that are not of its shape.
    """
    kind = TOOLS.get(call.name)
    if kind is None:
        raise InvalidInput(f"unknown tool {call.name!r}", hint=f"known: {', '.join(TOOLS)}")
    return shape.convert(call.arguments, kind, what=call.name)
