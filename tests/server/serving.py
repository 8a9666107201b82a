"""A running server for tests, and people who have signed up on it.

async with serving(url) as server:
    ann = await server.sign_up()
    answer = await server.get("/scouts", ann)      # an `Answer`: status, headers, body, json
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from aiohttp import ClientSession, ClientTimeout, web

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.server.application import Rules, create
from scout_cli.server.running import Place, listening

PASSWORD = "seven-green-otters"
JWT_SECRET = "a secret for tests only, of more than 32 bytes"
SECRET_KEY = "c2NvdXQgdGVzdHMgb25seSAtIG5vdCBhIHNlY3JldCE="


def settings(database_url: str, **more: Any) -> Settings:
    """Return settings for a server in a test: keys that are known, no model, no network."""
    given: dict[str, Any] = {
        "database_url": database_url,
        "jwt_secret": (JWT_SECRET,),
        "secret_keys": (SECRET_KEY,),
        "llm_url": "builtin://",
        "embed_url": "builtin://",
        "ballast": 0,
    }
    return Settings(**{**given, **more})


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Someone:
    """Somebody who has signed up."""

    id: UUID
    email: str
    password: str
    session: dict[str, Any] = field(repr=False)

    @property
    def token(self) -> str:
        """Return the access token."""
        return str(self.session["access_token"])

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that tells who they are."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Server:
    """A server that listens on loopback, and a client for it."""

    url: str
    client: ClientSession
    app: App
    application: web.Application | None = None
    """What aiohttp serves, when this process does."""

    async def call(
        self,
        method: str,
        path: str,
        who: Someone | str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """Ask, and return the whole answer.

        Args:
            method: such as `GET`.
            path: such as `/api/v1/scouts`.
            who: a person, or a bearer token.
            headers: further ones.
            **more: `json=`, `data=` or `params=`, as aiohttp has them.
        """
        told = dict(headers or {})
        if isinstance(who, Someone):
            told = {**who.headers, **told}
        elif who is not None:
            told = {"Authorization": f"Bearer {who}", **told}
        async with self.client.request(method, self.url + path, headers=told, **more) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def get(self, path: str, who: Someone | str | None = None, **more: Any) -> Answer:
        """Ask with GET."""
        return await self.call("GET", path, who, **more)

    async def post(self, path: str, who: Someone | str | None = None, **more: Any) -> Answer:
        """Ask with POST."""
        return await self.call("POST", path, who, **more)

    async def patch(self, path: str, who: Someone | str | None = None, **more: Any) -> Answer:
        """Ask with PATCH."""
        return await self.call("PATCH", path, who, **more)

    async def delete(self, path: str, who: Someone | str | None = None, **more: Any) -> Answer:
        """Ask with DELETE."""
        return await self.call("DELETE", path, who, **more)

    async def sign_up(self, email: str = "", password: str = PASSWORD, **more: Any) -> Someone:
        """Make an account; the first one on a server is an admin's."""
        email = email or f"someone-{uuid4().hex[:12]}@example.org"
        said = await self.post("/auth/signup", json={"email": email, "password": password, **more})
        assert said.status == 201, said.body
        return Someone(UUID(said.json["user"]["id"]), email, password, said.json)

    async def token(self, who: Someone, *scopes: str, name: str = "a program") -> str:
        """Make a token for a program; without scopes it may do everything."""
        wish = {"name": name, **({"scopes": scopes} if scopes else {})}
        said = await self.post("/auth/tokens", who, json=wish)
        assert said.status == 201, said.body
        return str(said.json["token"])


@asynccontextmanager
async def serving(
    given: str | Settings | App,
    *,
    rules: Rules | None = None,
    opener: Any = App.open,
    **opening: Any,
) -> AsyncIterator[Server]:
    """Serve inside the block.

    Args:
        given: the URL of a database, settings, or an open app that somebody else closes.
        rules: who may call; by default whoever the settings allow.
        opener: `App.open`, or that of an app with fakes in it, such as `StagedApp.open`.
        **opening: its further arguments, such as `clock=`.
    """
    if isinstance(given, App):
        async with _listening(given, rules) as server:
            yield server
        return
    wanted = settings(given) if isinstance(given, str) else given
    async with opener(wanted, **opening) as app, _listening(app, rules) as server:
        yield server


@asynccontextmanager
async def _listening(app: App, rules: Rules | None) -> AsyncIterator[Server]:
    await app.database()
    place = Place(host="127.0.0.1", port=0)
    async with (
        listening(create(app, rules), place) as running,
        ClientSession(timeout=ClientTimeout(total=30)) as client,
    ):
        yield Server(running.place.url, client, app, running.application)
