"""Two users: nobody sees, changes or even notices what is the other's."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from scout_cli.server.routes import ROUTES
from tests.server.furnishing import furnish

_NAMES = re.compile(r"\{(\w+)\}")
_OWNED = {"scout_id", "execution_id", "finding_id", "channel_id", "message_id"}
_CASES = [
    (route, path)
    for route in ROUTES
    for path in (route.path, *route.aliases)
    if _OWNED.intersection(_NAMES.findall(path))
]
_LISTS = [
    path
    for route in ROUTES
    for path in (route.path, *route.aliases)
    if route.method == "GET" and route.access == "user" and "{" not in path and not route.stream
]


async def _state(server, who, has) -> list[bytes]:
    """Return everything that somebody sees of what they have."""
    paths = [
        f"/scouts/{has.scout.id}",
        f"/scouts/{has.scout.id}/messages",
        f"/api/v1/executions/{has.execution.id}",
        f"/api/v1/executions/{has.execution.id}/steps",
        f"/api/v1/findings/{has.finding.id}/why",
        "/api/v1/channels",
        "/api/v1/outbox",
        "/api/v1/executions",
        "/scouts",
    ]
    return [(await server.get(path, who)).body for path in paths]


async def _asked(server, route, path, who, ids: dict) -> tuple[int, str]:
    """Return how the server answers, without the ids that were asked for."""
    body = route.example if route.body else None
    said = await server.call(route.method, path.format(**ids), who, json=body)
    told = " ".join(str(said.json[name]) for name in ("code", "detail", "hint"))
    for id_ in ids.values():
        told = told.replace(str(id_), "ID")
    return said.status, told


async def test_another_users_row_is_not_there(server):
    """Every route with an id answers for another's row what it answers for one that is nowhere."""
    ann, bob = await server.sign_up(), await server.sign_up()
    has = await furnish(server, ann)
    before = await _state(server, ann, has)
    nowhere = {name: uuid4() for name in has.ids}
    assert len(_CASES) > 25
    for route, path in _CASES:
        answer = await _asked(server, route, path, bob, has.ids)
        assert answer[0] == 404, (route.method, path, answer)
        assert answer == await _asked(server, route, path, bob, nowhere), (route.method, path)
    assert await _state(server, ann, has) == before


async def test_lists_hold_nothing_of_another(server_anywhere):
    """No list, search or account of one user holds an id or a word of the other's."""
    ann, bob = await server_anywhere.sign_up(), await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann, title="Canary-Saltmere")
    own = await furnish(server_anywhere, bob, title="Own")
    secrets = [str(id_).encode() for id_ in has.ids.values()] + [b"Canary", ann.email.encode()]
    for path in _LISTS:
        query = "?q=ferry" if path.endswith("/search") else ""
        said = await server_anywhere.get(path + query, bob)
        assert said.status == 200, (path, said.body)
        assert not [each for each in secrets if each in said.body], path
    assert str(own.scout.id).encode() in (await server_anywhere.get("/scouts", bob)).body


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/findings/search?q=ferry&scout_id={scout_id}",
        "/api/v1/findings?execution_id={execution_id}",
        "/api/v1/outbox?scout_id={scout_id}",
        "/api/v1/usage?scout_id={scout_id}",
    ],
)
async def test_filter_by_anothers_id_is_not_found(server, path):
    """An id in a filter is checked like one in the path."""
    ann, bob = await server.sign_up(), await server.sign_up()
    has = await furnish(server, ann)
    assert (await server.get(path.format(**has.ids), ann)).status == 200
    assert (await server.get(path.format(**has.ids), bob)).status == 404


async def test_nobody_is_let_in_without_a_token(server):
    """Every route of users is 401 without credentials, before anything else is looked at."""
    for route in ROUTES:
        if route.access not in ("user", "admin"):
            continue
        path = re.sub(r"\{\w+\*?\}", str(uuid4()), route.path)
        said = await server.call(route.method, path, data=b"{not json")
        assert (said.status, said.json["code"]) == (401, "unauthorized"), path
        assert said.headers["WWW-Authenticate"].startswith("Bearer")


async def test_unknown_ids_are_not_found_and_never_an_error(server):
    """What is no UUID, or one in an odd spelling, is 404 like any other that is not there."""
    ann = await server.sign_up()
    for odd in ("1", "'; DROP TABLE scouts", "..%2f..", "%00", "x" * 5_000, "null", "{id}"):
        said = await server.get(f"/scouts/{odd}", ann)
        assert said.status in (400, 404, 414), odd
