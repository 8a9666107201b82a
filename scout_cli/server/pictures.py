"""`/storage/v1/screenshots/TOKEN`: pictures of pages, for whoever has the link to one."""

from __future__ import annotations

import asyncio

from aiohttp import web

from scout_cli import derived
from scout_cli.errors import NotFound
from scout_cli.server.calls import APP, SECRETS
from scout_cli.service import picture_links

_PATH = "/storage/v1/screenshots"


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the pictures to an application."""
    router.add_route("GET", _PATH + "/{token}", show)


async def show(request: web.Request) -> web.Response:
    """Answer a picture."""
    app = request.app[APP]
    name = picture_links.picture(request.match_info["token"], request.app[SECRETS], app.clock.now())
    kept = derived.screenshots(app.settings)
    if kept is None:
        raise NotFound("no pictures are kept here")
    data = await asyncio.to_thread(kept.open, name)
    headers = {
        "Content-Type": "image/jpeg",
        "Cache-Control": "private, max-age=3600, immutable",
        "Content-Security-Policy": "default-src 'none'",
    }
    return web.Response(body=data, headers=headers)


def address(request: web.Request, name: str) -> str:
    """Return the address of a picture, for an hour or two."""
    app = request.app[APP]
    base = app.settings.public_url or f"{request.scheme}://{request.host}"
    made = picture_links.token(name, request.app[SECRETS][0], app.clock.now())
    return f"{base}{_PATH}/{made}"
