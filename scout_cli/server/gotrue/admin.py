"""Accounts for the server of the web interface, which holds the service key."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from aiohttp import web

from scout_cli.errors import InvalidInput
from scout_cli.server.gotrue import shapes
from scout_cli.server.gotrue.asking import Asked

_MOST_USERS = 1_000
"""Accounts on one page."""


async def users(asked: Asked) -> web.Response:
    """List accounts, for the server of the interface."""
    asked.require_service()
    page = _number(asked.request.query, "page", 1)
    size = min(_number(asked.request.query, "per_page", 50), _MOST_USERS)
    people = asked.accounts.people
    found, after = [], None
    for _ in range(page):
        found = await people.all(after=after, limit=size)
        after = found[-1].id if found else None
        if len(found) < size:
            break
    told = {"users": [shapes.user_of(each) for each in found], "aud": "authenticated"}
    return shapes.answer(told, headers={"X-Total-Count": str(await people.count())})


async def one_user(asked: Asked) -> web.Response:
    """Return an account, for the server of the interface."""
    asked.require_service()
    return shapes.answer(shapes.user_of(await asked.accounts.people.get(_user_id(asked))))


async def delete_user(asked: Asked) -> web.Response:
    """Delete an account with everything it has, for the server of the interface."""
    asked.require_service()
    removed = await asked.accounts.people.remove(_user_id(asked), asked.asker)
    asked.accounts.forget()
    return shapes.answer(shapes.user_of(removed))


def _user_id(asked: Asked) -> UUID:
    text = asked.request.match_info["user"]
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("user_id must be an UUID") from None


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text[:9]) > 0 else default
