"""Hostile requests over the table interface that test_rest_table leaves out, by their numbers.

Each list is asked of one server: nothing that is refused may change what comes after it.
"""

from __future__ import annotations

from uuid import uuid4

from scout_cli.store import scouts
from tests.contract import rows
from tests.server.forging import forgeries
from tests.server.phoenix import SCOUTS, page
from tests.server.test_rest_table import ANON, BACK, OBJECT, SERVICE, draft, key

ID, OTHER = uuid4(), "00000000-0000-4000-8000-0000000000ff"
LONE = "%ED%A0%80"
READS = [
    ("P04", 'scouts?"user_id"=eq.BEN', 200, "[]"),
    ("P04", "scouts?user_id=neq.ANN", 200, "[]"),
    ("P06", "scouts?select=title&not.or=(user_id.eq.BEN,title.eq.x)", 200, '[{"title":"Hers"}]'),
    ("P06", "scouts?select=title&not.and=(user_id.eq.ANN)", 200, "[]"),
    ("P07", "scouts?select=*,users(encrypted_password)", 400, "PGRST200"),
    ("P08", "user_preferences?select=firecrawl_api_key", 403, "42501"),
    ("P09", "user_preferences?select=*", 200, "firecrawl_key_status"),
    ("P10", "user_preferences?firecrawl_api_key=like.fc-*", 403, "42501"),
    ("P11", "user_preferences?order=firecrawl_api_key", 403, "42501"),
    ("P12", "scouts?select=id::regclass", 400, "PGRST100"),
    ("P12", "scouts?select=id::text;drop", 400, "PGRST100"),
    ("P13", "scouts?title=in.(" + ",".join("a" * 1_001) + ")", 400, "PGRST100"),
    ("P14", 'scouts?title=in.(a"b)', 200, "[]"),
    ("P15", "scouts?title=imatch.(a+)+$", 400, "PGRST127"),
    ("P15", "scouts?title=fts.a", 400, "PGRST127"),
    ("P17", f"scouts?title=eq.{LONE}", 400, "PGRST100"),
    ("P18", "scouts?limit=99999999999999999999", 400, "PGRST100"),
    ("P18", "scouts?offset=-5", 400, "PGRST100"),
    ("P32", "information_schema.tables", 404, "PGRST205"),
    ("P32", "%2e%2e%2fauth%2fv1%2fadmin%2fusers", 404, "PGRST205"),
    ("P33", "rpc/pg_read_file", 404, "PGRST202"),
    ("P34", "scouts?title=eq." + "x" * 9_000, 400, ""),
    ("P35", "scouts?search_queries->>a';--=eq.1", 400, "PGRST100"),
]
HEADERS = [
    ("P19", {"Range": "a-b"}, 200, '[{"title":"Hers"}]'),
    ("P19", {"Range": "0-0", "Range-Unit": "bytes"}, 200, '[{"title":"Hers"}]'),
    (
        "P20",
        {"Prefer": ", ".join(["tx=rollback, resolution=x, handling=strict"] * 100)},
        200,
        "Hers",
    ),
    ("P22", {"Accept-Profile": "pg_catalog"}, 406, "PGRST106"),
    ("P37", {"X-HTTP-Method-Override": "DELETE"}, 200, '[{"title":"Hers"}]'),
]
WRITES = [
    ("P17", "POST", "scouts", rb'{"title":"\ud800"}', 400, "PGRST102"),
    ("P29", "POST", "scouts", b"[" + b'{"title":"a"},' * 10_000 + b'{"title":"a"}]', 413, ""),
    ("P31", "POST", "scouts?columns=title,user_id", b'{"title":"a","user_id":"BEN"}', 403, "42501"),
    ("P31", "POST", "scouts", b'{"title":"a","user_id":"ANN","user_id":"BEN"}', 403, "42501"),
    ("P33", "POST", "rpc/pg_read_file", b"{}", 404, "PGRST202"),
    ("P36", "PATCH", f"scout_executions?id=eq.{ID}", b'{"summary_embedding":"[NaN]"}', 403, ""),
    ("P36", "PATCH", f"scout_executions?id=eq.{ID}", b'{"summary_embedding":[1]}', 403, ""),
    ("P37", "GET", "scouts?select=title", b"DELETE", 200, '[{"title":"Hers"}]'),
]


async def test_what_is_read_is_ones_own_or_refused(server):
    """Each query and header has its answer, and none of them has a row of another user."""
    ann, ben = await server.sign_up(), await server.sign_up()
    await draft(server, ben, "Of somebody else")
    await draft(server, ann, "Hers")
    await (await server.app.tables()).prepare(ann.id)
    asked = [(name, query, {}, status, told) for name, query, status, told in READS]
    asked += [(name, "scouts?select=title", *rest) for name, *rest in HEADERS]
    for name, query, headers, status, told in asked:
        path = query.replace("ANN", str(ann.id)).replace("BEN", str(ben.id))
        said = await server.get(f"/rest/v1/{path}", ann, headers=key(**headers))
        assert (said.status, told in said.body.decode()) == (status, True), (name, said.body)
        assert b"Of somebody" not in said.body
        assert b"firecrawl_api_key" not in said.body


async def test_only_the_service_key_gets_all_rows(server):
    """P18: a page of a user has a thousand rows, the admin's as many as there are."""
    ann = await server.sign_up()
    db = await server.app.database()
    async with db.transaction() as tx:
        for _ in range(1_001):
            await scouts.add(tx, rows.scout(ann.id, id=tx.uuid()))
    for who, headers, many in ((ann, key(), 1_000), (SERVICE, key(SERVICE), 1_001)):
        said = await server.get("/rest/v1/scouts?select=id&limit=10000", who, headers=headers)
        assert len(said.json) == many


async def test_one_row_that_is_two_is_none(server):
    """P21: where one row was asked for and two are there, there is neither."""
    ann = await server.sign_up()
    for title in ("One", "Two"):
        await draft(server, ann, title)
    said = await server.get("/rest/v1/scouts?select=*", ann, headers=key(**OBJECT))
    assert (said.status, said.json["code"]) == (406, "PGRST116")
    assert said.json["details"] == "The result contains 2 rows"


async def test_what_may_not_be_written_is_not(server):
    """Each body has its answer, and the scouts are what they were."""
    ann, ben = await server.sign_up(), await server.sign_up()
    before = [await draft(server, ann, "Hers")]
    for name, method, path, body, status, told in WRITES:
        data = body.replace(b"ANN", str(ann.id).encode()).replace(b"BEN", str(ben.id).encode())
        headers = key(**{"Content-Type": "application/json"})
        said = await server.call(method, f"/rest/v1/{path}", ann, data=data, headers=headers)
        assert (said.status, told in said.body.decode()) == (status, True), (name, said.body)
    profile = key(**BACK, **{"Content-Profile": "pg_catalog"})
    said = await server.post("/rest/v1/scouts", ann, json={"title": "a"}, headers=profile)
    assert (said.status, said.json["code"]) == (406, "PGRST106")
    assert (await server.get("/rest/v1/scouts?select=*", ann, headers=key())).json == before
    assert (await server.get("/rest/v1/scouts?select=*", ben, headers=key())).json == []


async def test_forged_tokens_open_none_of_the_interfaces_surfaces(server):
    """J01 to J17 and J23 on the tables, the account, the functions and the realtime socket."""
    ann = await server.sign_up()
    await draft(server, ann)
    tokens = {what: token for _, what, token in forgeries(ann.token) if len(token) < 7_000}
    surfaces = (
        ("GET", "/rest/v1/scouts", 401, b"PGRST301"),
        ("GET", "/auth/v1/user", 403, b"session_not_found"),
        ("POST", f"/functions/v1/scout-cron?scoutId={ID}", 401, b"error"),
    )
    async with page(server, ann.token) as open_page:
        for what, token in tokens.items():
            if not token.isascii() or token != token.strip():
                continue  # no header holds it
            for method, path, status, told in surfaces:
                said = await server.call(method, path, token, headers=key())
                assert (said.status, told in said.body) == (status, True), (what, path, said.body)
                assert token[:60].encode() not in said.body
            assert (await open_page.join("a", SCOUTS, token=token)).status == "error", what
        assert (await open_page.join("a", SCOUTS)).status == "ok"
    for name in ("access_token", "token"):
        said = await server.get(f"/rest/v1/scouts?apikey={ANON}&{name}={ann.token}")
        assert said.status == 401
    both = [("Authorization", f"Bearer {ann.token}")] * 2 + [("apikey", ANON)]
    async with server.client.get(f"{server.url}/rest/v1/scouts", headers=both) as refused:
        assert refused.status == 401
