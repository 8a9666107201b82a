"""HEAD: whatever can be read answers it with the headers of GET and no body."""

from __future__ import annotations

from uuid import uuid4

import pytest

from scout_cli.server.routes import ROUTES
from tests.server.furnishing import furnish

_OWN = {"date", "x-request-id", "content-length"}


async def test_every_route_that_reads_answers_head(server):
    """Status and headers are those of GET, aliases and streams included; nothing follows."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    ids = {**has.ids, "user_id": ann.id}
    asked = 0
    for route in ROUTES:
        if route.method != "GET" or route.path in ("/metrics", "/readyz"):
            continue
        query = "?q=ferry" if route.path.endswith("/search") else ""
        for path in (route.path, *route.aliases):
            where = path.format(**ids) + query
            got = await server.get(where, ann) if not route.stream else None
            head = await server.call("HEAD", where, ann)
            assert head.body == b"", path
            if got is not None:
                assert head.status == got.status, path
                assert _shown(head) == _shown(got), path
                assert head.headers["Content-Length"] == str(len(got.body)), path
            else:
                assert (head.status, head.headers["Content-Type"]) == (200, "text/event-stream")
            asked += 1
    assert asked > 25


async def test_head_asks_for_the_same_rights(server):
    """No token is 401, somebody else's row is 404, and what is not read at all is 405."""
    ann, bob = await server.sign_up(), await server.sign_up()
    path = f"/api/v1/scouts/{(await furnish(server, ann)).scout.id}"
    assert (await server.call("HEAD", path)).status == 401
    assert (await server.call("HEAD", path, bob)).status == 404
    assert (await server.call("HEAD", f"{path}/pause", ann)).status == 405
    assert (await server.call("HEAD", f"/api/v1/executions/{uuid4()}/events", ann)).status == 404
    tag = (await server.get(path, ann)).headers["Etag"]
    known = await server.call("HEAD", path, ann, headers={"If-None-Match": tag})
    assert known.status == 304


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_token_that_reads_may_ask(server, method):
    """HEAD is reading: a read-only token is enough."""
    ann = await server.sign_up()
    token = await server.token(ann, "read")
    assert (await server.call(method, "/scouts", token)).status == 200


def _shown(answer):
    return {name: text for name, text in answer.headers.items() if name.lower() not in _OWN}
