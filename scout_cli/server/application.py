"""The aiohttp application: every route of the table behind the same middleware."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web

from scout_cli.app import App
from scout_cli.errors import ConfigError
from scout_cli.server import functions, middleware, pictures
from scout_cli.server.access import networks
from scout_cli.server.calls import APP, RULES, SECRETS, STOPPING, Rules
from scout_cli.server.dispatch import handling
from scout_cli.server.gotrue import handling as gotrue
from scout_cli.server.metrics import REQUESTS, Requests
from scout_cli.server.openai import handling as openai
from scout_cli.server.realtime import handling as realtime
from scout_cli.server.rest import handling as rest
from scout_cli.server.routes import ROUTES
from scout_cli.server.routing import MIB, Route
from scout_cli.server.streaming import AUDIENCE, Audience
from scout_cli.server.under_way import UNDER_WAY, UnderWay


def create(app: App, rules: Rules | None = None) -> web.Application:
    """Return the application; opening and closing `app` is the caller's business.

    Args:
        app: what it serves.
        rules: who may call; by default whoever the settings allow, by any name.

    Raises:
        ConfigError: a trusted proxy is no address.
    """
    rules = rules or Rules(origins=frozenset(app.settings.allowed_origins))
    try:
        trusted = networks(app.settings.trusted_proxies)
    except ValueError as error:
        raise ConfigError(
            f"trusted_proxies: {error}", hint="addresses or networks, such as 10.0.0.0/8"
        ) from error
    server = web.Application(
        client_max_size=MIB,
        middlewares=[
            middleware.naming(trusted),
            middleware.securing(rules.hosts, rules.origins),
            middleware.telling,
        ],
    )
    server[APP] = app
    server[RULES] = rules
    server[SECRETS] = app.keyring().jwt_secrets
    server[STOPPING] = asyncio.Event()
    server[UNDER_WAY] = UnderWay()
    server[AUDIENCE] = Audience()
    server[REQUESTS] = Requests()
    _add(server, ROUTES)
    gotrue.add_routes(server.router)
    rest.add_routes(server.router)
    realtime.add_routes(server.router)
    openai.add_routes(server.router)
    functions.add_routes(server)
    pictures.add_routes(server.router)
    return server


def _add(server: web.Application, routes: Iterable[Route]) -> None:
    for route in routes:
        handle = handling(route)
        for path in (route.path, *route.aliases):
            resource = server.router.add_resource(path.replace("*}", "}"))
            resource.add_route(route.method, handle)
            if route.method == "GET":
                resource.add_route("HEAD", handle)
