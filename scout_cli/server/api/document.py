"""`/openapi.json` and `/docs`: the interface described for programs, and for people."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from aiohttp import web

from scout_cli.core import shape
from scout_cli.server.calls import Call, Reply
from scout_cli.server.routing import Route

_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_CACHE = {"Cache-Control": "public, max-age=300"}


async def openapi(_: Call[None, None]) -> Reply:
    """Answer the OpenAPI document."""
    return Reply(value=_document(), headers=_CACHE)


async def docs(_: Call[None, None]) -> web.StreamResponse:
    """Answer the reference as a page."""
    headers = {**_CACHE, "Content-Security-Policy": _POLICY}
    return web.Response(text=_page(), content_type="text/html", headers=headers)


@cache
def _document() -> bytes:
    return shape.encode(described())


def described() -> dict[str, Any]:
    """Return the OpenAPI document of every route."""
    from scout_cli import __version__  # noqa: PLC0415 - reads the installed package's metadata
    from scout_cli.server.openapi import document  # noqa: PLC0415 - for whoever asks
    from scout_cli.server.routes import ROUTES as EVERY  # noqa: PLC0415 - it imports this module

    return document(EVERY, version=__version__)


@cache
def _page() -> str:
    from scout_cli.server.reference import page  # noqa: PLC0415 - for whoever asks

    style = resources.files("scout_cli.server").joinpath("reference.css").read_text("utf-8")
    return page(described(), style)


ROUTES = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=openapi,
        summary="Describe the interface (OpenAPI 3.1)",
        tag="about",
        access="public",
        answer=dict[str, Any],
    ),
    Route(
        method="GET",
        path="/docs",
        handler=docs,
        summary="Describe the interface, for people",
        tag="about",
        access="public",
        content_type="text/html",
        answer=str,
    ),
)
