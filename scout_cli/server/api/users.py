"""The accounts themselves, for admins."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta

from scout_cli.core.models import Record
from scout_cli.core.shape import Shape
from scout_cli.server.askers import asker_of
from scout_cli.server.calls import Call, Reply
from scout_cli.server.routing import Route
from scout_cli.service.accounts import Accounts, Person

_TAG = "accounts"
Role = Literal["user", "admin"]


class NewUser(Shape, frozen=True, kw_only=True):
    """An account that an admin makes for somebody; its address counts as confirmed."""

    email: str
    password: str
    role: Role = "user"


class ChangeUser(Shape, frozen=True, kw_only=True):
    """What an admin changes of an account."""

    disabled: bool | None = None
    role: Role | None = None
    password: str | None = None
    """A new one; it ends all sessions of the account."""


class UserQuery(Shape, frozen=True, kw_only=True):
    """Which accounts."""

    after: UUID | None = None
    """The last id of the page before."""
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class Users(Record, frozen=True, kw_only=True):
    """Accounts by their ids."""

    users: list[Person]
    after: UUID | None = None
    """Ask for those behind it; None when there are no more."""


async def list_users(call: Call[None, UserQuery]) -> Reply:
    """List accounts."""
    people = (await call.app.accounts()).people
    found = await people.all(after=call.query.after, limit=call.query.limit)
    more = found[-1].id if len(found) == call.query.limit else None
    return Reply(value=Users(users=found, after=more))


async def add_user(call: Call[NewUser, None]) -> Reply:
    """Make an account, whether sign-ups are open or not."""
    people, given = (await call.app.accounts()).people, call.body
    made = await people.add(
        given.email, given.password, asker_of(call), admin=given.role == "admin"
    )
    at = f"/api/v1/users/{made.id}"
    return Reply(value=await people.get(made.id), headers={"Location": at})


async def get_user(call: Call[None, None]) -> Reply:
    """Show an account."""
    return Reply(value=await (await call.app.accounts()).people.get(call.ids["user_id"]))


async def change_user(call: Call[ChangeUser, None]) -> Reply:
    """Let somebody in or keep them out, make them an admin or not, give them a new password."""
    accounts = await call.app.accounts()
    user, asker, given = call.ids["user_id"], asker_of(call), call.body
    if given.role is not None:
        await accounts.people.set_role(user, given.role, asker)
    if given.password is not None:
        await accounts.people.set_password(user, given.password, asker)
    if given.disabled is not None:
        change = accounts.people.disable if given.disabled else accounts.people.enable
        await change(user, asker)
    accounts.forget()
    return Reply(value=await accounts.people.get(user))


async def remove_user(call: Call[None, None]) -> Reply:
    """Delete an account with everything it has."""
    accounts: Accounts = await call.app.accounts()
    await accounts.people.remove(call.ids["user_id"], asker_of(call))
    accounts.forget()
    return Reply()


def _admin(method: Any, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        method=method,
        path=f"/api/v1/users{path}",
        handler=handler,
        summary=summary,
        tag=_TAG,
        access="admin",
        **more,
    )


ROUTES = (
    _admin("GET", "", list_users, "List accounts.", query=UserQuery, answer=Users),
    _admin(
        "POST", "", add_user, "Make an account.", body=NewUser, answer=Person, status=201,
        errors=(409,), example={"email": "bob@example.org", "password": "nine-yellow-herons"},
    ),
    _admin("GET", "/{user_id}", get_user, "Show an account.", answer=Person, errors=(404,)),
    _admin(
        "PATCH", "/{user_id}", change_user, "Disable, enable or promote an account.",
        body=ChangeUser, answer=Person, errors=(404, 409), example={"disabled": True},
    ),
    _admin(
        "DELETE", "/{user_id}", remove_user, "Delete an account with everything it has.",
        status=204, errors=(404, 409),
    ),
)  # fmt: skip
