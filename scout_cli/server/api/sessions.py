"""`/api/v1/auth/sessions`: where somebody is signed in."""

from __future__ import annotations

from scout_cli.core.models import Record
from scout_cli.server.askers import asker_of
from scout_cli.server.auth import route
from scout_cli.server.calls import Call, Reply
from scout_cli.service.accounts.sessions import SessionView


class SessionList(Record, frozen=True, kw_only=True):
    """Where somebody is signed in, newest first."""

    sessions: list[SessionView]


async def list_sessions(call: Call[None, None]) -> Reply:
    """Answer every session of whoever asks, never its tokens."""
    sessions = (await call.app.accounts()).sessions
    return Reply(value=SessionList(sessions=await sessions.of(call.caller)))


async def end_others(call: Call[None, None]) -> Reply:
    """End every session but the one that asks, as `POST /auth/logout` does for `others`."""
    await (await call.app.accounts()).sign_out(call.caller, "others", asker_of(call))
    return Reply()


async def end(call: Call[None, None]) -> Reply:
    """End one session."""
    accounts = await call.app.accounts()
    await accounts.sessions.end_one(call.user, call.ids["session_id"], asker_of(call))
    accounts.forget()
    return Reply()


ROUTES = (
    route("GET", "/sessions", list_sessions, "List where you are signed in.", answer=SessionList),
    route("DELETE", "/sessions", end_others, "End all sessions but this one.", status=204),
    route("DELETE", "/sessions/{session_id}", end, "End one session.", status=204, errors=(404,)),
)
