"""Every route of the server, gathered from the modules that handle them."""

from __future__ import annotations

from scout_cli.server import auth, chat, live, operations
from scout_cli.server.api import (
    audit,
    document,
    executions,
    feeds,
    findings,
    household,
    mail,
    scouts,
    sessions,
    tokens,
    users,
)
from scout_cli.server.routing import Route, checked

ROUTES: tuple[Route, ...] = checked(
    (
        *scouts.ROUTES,
        *executions.ROUTES,
        *findings.ROUTES,
        *feeds.ROUTES,
        *mail.ROUTES,
        *household.ROUTES,
        *audit.ROUTES,
        *document.ROUTES,
        *auth.ROUTES,
        *sessions.ROUTES,
        *tokens.ROUTES,
        *users.ROUTES,
        *chat.ROUTES,
        *live.ROUTES,
        *operations.ROUTES,
    )
)
