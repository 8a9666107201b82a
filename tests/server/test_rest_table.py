"""The table interface against the running server: what clients of PostgREST ask and are told."""

import pytest

from scout_cli.service.accounts.api_keys import api_key
from tests.server.serving import JWT_SECRET

ANON = api_key("anon", JWT_SECRET)
SERVICE = api_key("service_role", JWT_SECRET)
OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
BACK = {"Prefer": "return=representation"}


def key(role=ANON, **more):
    """Return the headers of a client."""
    return {"apikey": role, **more}


async def draft(server, who, title="Ferries", **fields):
    """Save a scout as the web interface does, and return its row."""
    said = await server.post(
        "/rest/v1/scouts?select=*",
        who,
        json={"title": title, "location": None, "user_id": str(who.id), **fields},
        headers=key(**OBJECT, **BACK),
    )
    assert said.status == 201, said.body
    return said.json


async def test_a_scout_is_saved_changed_read_and_removed(server_anywhere):
    """What the web interface does with a scout, from its first sentence to its end."""
    server = server_anywhere
    ann = await server.sign_up()
    row = await draft(server, ann, "Tell me about ferries")
    assert row["is_active"] is False
    assert row["search_queries"] == []
    assert row["created_at"].endswith("+00:00")
    path = f"/rest/v1/scouts?id=eq.{row['id']}"
    fields = {
        "goal": "Ferries to Hollen",
        "description": "Ferries.",
        "search_queries": ["ferry Hollen"],
        "frequency": "weekly",
        "location": {"city": "any", "latitude": 0, "longitude": 0},
    }
    assert (await server.patch(path, ann, json=fields, headers=key())).status == 204
    assert (await server.patch(path, ann, json={"is_active": True}, headers=key())).status == 204
    said = await server.get(f"{path}&select=*", ann, headers=key(**OBJECT))
    assert said.status == 200
    assert {name: said.json[name] for name in fields} == fields
    assert said.json["is_active"] is True
    assert said.json["schedule"] == "weekly"
    gone = await server.delete(path, ann, headers=key())
    assert (gone.status, gone.body) == (204, b"")
    missing = await server.get(f"{path}&select=*", ann, headers=key(**OBJECT))
    assert missing.status == 406
    assert missing.json == {
        "code": "PGRST116",
        "details": "The result contains 0 rows",
        "hint": None,
        "message": "Cannot coerce the result to a single JSON object",
    }


async def test_rows_are_counted_without_a_body(server):
    """A HEAD request with an exact count answers by a header alone."""
    ann = await server.sign_up()
    for title in ("One", "Two", "Three"):
        await draft(server, ann, title)
    path = f"/rest/v1/scouts?select=*&user_id=eq.{ann.id}"
    said = await server.call("HEAD", path, ann, headers=key(Prefer="count=exact"))
    assert (said.status, said.headers["Content-Range"]) == (200, "0-2/3")
    ben = await server.sign_up()
    said = await server.call("HEAD", path, ben, headers=key(Prefer="count=exact"))
    assert (said.status, said.headers["Content-Range"]) == (200, "*/0")


async def test_messages_belong_to_own_scouts(server_anywhere):
    """A message is stored for one's own scout, with its server's key for anybody's."""
    server = server_anywhere
    ann, ben = await server.sign_up(), await server.sign_up()
    row = await draft(server, ann)
    message = {"scout_id": row["id"], "role": "user", "content": "Hello"}
    path = "/rest/v1/scout_messages"
    assert (await server.post(path, ann, json=message, headers=key())).status == 201
    refused = await server.post(path, ben, json=message, headers=key())
    assert (refused.status, refused.json["code"]) == (403, "42501")
    by_service = await server.post(path, SERVICE, json=message, headers=key(SERVICE))
    assert (by_service.status, by_service.body) == (201, b"")
    listed = await server.get(
        f"{path}?select=*&scout_id=eq.{row['id']}&order=created_at.asc", ann, headers=key()
    )
    assert [each["content"] for each in listed.json] == ["Hello", "Hello"]
    embedded = await server.get(
        f"/rest/v1/scouts?select=title,scout_messages(role,content)&id=eq.{row['id']}",
        ann,
        headers=key(),
    )
    assert embedded.json == [
        {"title": "Ferries", "scout_messages": [{"role": "user", "content": "Hello"}] * 2}
    ]


async def test_preferences_are_merged_and_keys_never_shown_whole(server_anywhere):
    """Preferences of a user are one row; a key is kept by its end alone."""
    server = server_anywhere
    ann = await server.sign_up()
    place = {"city": "Bonn", "country": "Germany", "latitude": 50.7, "longitude": 7.1}
    path = "/rest/v1/user_preferences"
    body = {"user_id": str(ann.id), "location": place}
    merging = {"Prefer": "resolution=merge-duplicates"}
    for _ in range(2):
        said = await server.post(
            f"{path}?on_conflict=user_id", ann, json=body, headers=key(**merging)
        )
        assert said.status == 201, said.body
    said = await server.get(f"{path}?select=location&user_id=eq.{ann.id}", ann, headers=key())
    assert said.json == [{"location": place}]
    secret = {"firecrawl_custom_api_key": "fc-0123456789abcdef", "firecrawl_key_status": "active"}
    mine = f"{path}?user_id=eq.{ann.id}"
    assert (await server.patch(mine, ann, json=secret, headers=key())).status == 403
    assert (await server.patch(mine, SERVICE, json=secret, headers=key(SERVICE))).status == 204
    hidden = await server.get(f"{mine}&select=firecrawl_custom_api_key", ann, headers=key())
    assert (hidden.status, hidden.json["code"]) == (403, "42501")
    shown = await server.get(
        f"{mine}&select=firecrawl_custom_api_key", SERVICE, headers=key(SERVICE)
    )
    assert shown.json == [{"firecrawl_custom_api_key": "fc-...cdef"}]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        pytest.param("id=eq.1' or '1'='1", 400, "22P02", id="P01"),
        pytest.param("title=eq.x';drop table scouts;--", 200, None, id="P02"),
        pytest.param("title);drop table scouts;--=eq.1", 400, "PGRST100", id="P03"),
        pytest.param("or=(id.not.is.null,title.eq.x)", 200, None, id="P05"),
        pytest.param("or=(and(or(and(or(and(title.eq.x))))))", 400, "PGRST100", id="P06"),
        pytest.param("select=*,auth_users(*)", 400, "PGRST200", id="P07"),
        pytest.param("order=firecrawl_api_key", 400, "42703", id="P11-column"),
        pytest.param("order=(select 1)", 400, "PGRST100", id="P11-expression"),
        pytest.param("select=id::text", 400, "PGRST100", id="P12-cast"),
        pytest.param("select=count()", 400, "PGRST100", id="P12-aggregate"),
        pytest.param("id=in.()", 200, None, id="P14-empty"),
        pytest.param('title=in.("a,b")', 200, None, id="P14-quoted"),
        pytest.param('title=in.("a)', 400, "PGRST100", id="P14-open"),
        pytest.param("title=match.(a+)+$", 400, "PGRST127", id="P15"),
        pytest.param(f"title=like.{'*a' * 60}", 400, "PGRST100", id="P16"),
        pytest.param("title=eq.%00", 400, "22021", id="P17"),
        pytest.param("limit=-1", 400, "PGRST100", id="P18-negative"),
        pytest.param("limit=1e9", 400, "PGRST100", id="P18-float"),
        pytest.param("limit=1000000000", 200, None, id="P18-clamped"),
        pytest.param("&".join("title=eq.a" for _ in range(31)), 400, "PGRST100", id="P34"),
        pytest.param("search_queries->0->>'x'=eq.1", 400, "PGRST100", id="P35"),
        pytest.param("search_queries=eq.1", 400, "42883", id="P35-document"),
        pytest.param("id=eq.undefined", 400, "22P02", id="undefined"),
        pytest.param("is_active=is.true&last_run_at=is.null", 200, None, id="words"),
        pytest.param("created_at=gt.2026-01-01T00:00:00%2B00:00", 200, None, id="moment"),
        pytest.param("created_at=gt.yesterday", 400, "22007", id="no-moment"),
        pytest.param("consecutive_failures=lt.99999999999", 400, "22003", id="too-big"),
        pytest.param("title=ilike.*FERR*", 200, None, id="ilike"),
        pytest.param("title=like.%5C", 400, "22025", id="lone-backslash"),
    ],
)
async def test_hostile_and_odd_queries_have_stated_answers(server, query, status, code):
    """No query is a server error, none reaches what it may not, and each answer has its code."""
    ann, ben = await server.sign_up(), await server.sign_up()
    await draft(server, ben, "Of somebody else")
    own = await draft(server, ann)
    said = await server.get(f"/rest/v1/scouts?{query}", ann, headers=key())
    assert said.status == status, said.body
    if code:
        assert said.json["code"] == code
    else:
        assert {row["id"] for row in said.json} <= {own["id"]}


@pytest.mark.parametrize("path", ["pg_user", "users", "sessions", "tokens", "codes"])
async def test_other_tables_are_not_there(server, path):
    """Only the tables of the interface exist."""
    ann = await server.sign_up()
    said = await server.get(f"/rest/v1/{path}", ann, headers=key())
    assert (said.status, said.json["code"]) == (404, "PGRST205")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        pytest.param("PATCH", "scouts", {"title": "x"}, 400, "21000", id="P23-patch"),
        pytest.param("DELETE", "scouts", None, 400, "21000", id="P23-delete"),
        pytest.param("PATCH", "scouts?id=eq.ID", {"user_id": "OTHER"}, 403, "42501", id="P24"),
        pytest.param("POST", "scouts", {"title": "x", "user_id": "OTHER"}, 403, "42501", id="P25"),
        pytest.param(
            "PATCH", "scouts?id=eq.ID", {"consecutive_failures": -1}, 403, "42501", id="P26"
        ),
        pytest.param("PATCH", "scouts?id=eq.ID", {"state": "x"}, 400, "PGRST204", id="P26-unknown"),
        pytest.param("POST", "scout_executions", {"status": "completed"}, 403, "42501", id="P27"),
        pytest.param(
            "POST", "scouts", [{"title": "a"}, {"goal": "b"}], 400, "PGRST102", id="P29-keys"
        ),
        pytest.param("POST", "scouts", [{"title": "a"}] * 1_001, 413, "PGRST102", id="P29-rows"),
        pytest.param("POST", "scouts", {"title": "a\0"}, 400, "PGRST102", id="P17-body"),
        pytest.param(
            "POST", "scouts?columns=title,state", {"title": "a"}, 400, "PGRST204", id="P31"
        ),
        pytest.param("PATCH", "scouts?id=eq.ID", {}, 204, None, id="empty"),
        pytest.param(
            "PATCH", "scouts?id=eq.ID", {"frequency": "yearly"}, 400, "22023", id="frequency"
        ),
        pytest.param(
            "PATCH", "scouts?id=eq.ID", {"search_queries": "x"}, 400, "22P02", id="document"
        ),
        pytest.param(
            "PATCH", "scouts?id=eq.ID", {"search_queries": [1]}, 400, "22023", id="queries"
        ),
    ],
)
async def test_writes_keep_to_their_columns_and_rows(server, method, path, body, status, code):
    """What may not be written is refused, and nothing is changed by it."""
    ann, ben = await server.sign_up(), await server.sign_up()
    own = await draft(server, ann)

    def filled(value):
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return str(ben.id) if value == "OTHER" else value

    said = await server.call(
        method, f"/rest/v1/{path.replace('ID', own['id'])}", ann, json=filled(body), headers=key()
    )
    assert said.status == status, said.body
    if code:
        assert said.json["code"] == code
    left = await server.get("/rest/v1/scouts?select=*", SERVICE, headers=key(SERVICE))
    assert [row | {"updated_at": ""} for row in left.json] == [own | {"updated_at": ""}]


async def test_somebody_elses_rows_stay_theirs(server_anywhere):
    """Changing, removing or overwriting another user's scout finds nothing, and changes nothing."""
    server = server_anywhere
    ann, ben = await server.sign_up(), await server.sign_up()
    row = await draft(server, ann)
    mine = f"/rest/v1/scouts?id=eq.{row['id']}"
    assert (await server.patch(mine, ben, json={"title": "x"}, headers=key())).status == 204
    assert (await server.delete(mine, ben, headers=key())).status == 204
    over = await server.post(
        "/rest/v1/scouts?on_conflict=id",
        ben,
        json={"id": row["id"], "title": "x"},
        headers=key(Prefer="resolution=merge-duplicates"),
    )
    assert (over.status, over.json["code"]) == (403, "42501")
    message = {"scout_id": row["id"], "role": "user", "content": "x"}
    said = await server.post("/rest/v1/scout_messages", ben, json=message, headers=key())
    assert said.status == 403
    assert (await server.get(f"{mine}&select=*", ann, headers=key())).json == [row]


async def test_nobody_sees_nothing_and_writes_nothing(server):
    """With the public key alone every table is empty; without a key there is no answer."""
    ann = await server.sign_up()
    await draft(server, ann)
    said = await server.get("/rest/v1/scouts?select=*", ANON, headers=key())
    assert (said.status, said.json) == (200, [])
    refused = await server.post("/rest/v1/scouts", ANON, json={"title": "x"}, headers=key())
    assert (refused.status, refused.json["code"]) == (401, "42501")
    assert (await server.get("/rest/v1/scouts")).status == 401
    assert (await server.get("/rest/v1/scouts", headers=key("nonsense"))).status == 401


async def test_pages_are_asked_for_by_range_and_by_limit(server):
    """A range is a page; past the end of counted rows there is none."""
    ann = await server.sign_up()
    for title in "ABCDE":
        await draft(server, ann, f"Scout {title}")
    path = "/rest/v1/scouts?select=title&order=title.asc"
    counted = key(Prefer="count=exact")
    said = await server.get(path, ann, headers={**counted, "Range": "1-2"})
    assert (said.status, said.headers["Content-Range"]) == (206, "1-2/5")
    assert said.json == [{"title": "Scout B"}, {"title": "Scout C"}]
    said = await server.get(f"{path}&limit=2&offset=4", ann, headers=counted)
    assert (said.status, said.headers["Content-Range"]) == (206, "4-4/5")
    past = await server.get(f"{path}&offset=9", ann, headers=counted)
    assert (past.status, past.json["code"]) == (416, "PGRST103")
    odd = await server.get(path, ann, headers=key(Range="5-2"))
    assert (odd.status, odd.json["code"]) == (416, "PGRST103")


async def test_other_schemas_are_not_exposed(server):
    """Profile headers name the public schema, or nothing."""
    ann = await server.sign_up()
    fine = await server.get("/rest/v1/scouts", ann, headers=key(**{"Accept-Profile": "public"}))
    assert fine.status == 200
    said = await server.get("/rest/v1/scouts", ann, headers=key(**{"Accept-Profile": "auth"}))
    assert (said.status, said.json["code"]) == (406, "PGRST106")
