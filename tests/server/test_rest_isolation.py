"""Three users, every table, every verb, every way to ask: nobody reaches another's rows."""

from itertools import product

import pytest

from scout_cli.core.models import ChatMessage
from scout_cli.service.accounts.api_keys import api_key
from scout_cli.store import executions, messages, preferences, scouts, steps
from tests.contract import rows
from tests.server.serving import JWT_SECRET

ANON = api_key("anon", JWT_SECRET)
KEY = {"apikey": ANON}
TABLES = (
    "scouts",
    "scout_messages",
    "scout_executions",
    "scout_execution_steps",
    "user_preferences",
    "firecrawl_usage_logs",
)
WAYS = {
    "everything": "select=*",
    "by id": "select=*&id=in.({ids})",
    "not mine": "select=id&id=not.in.({mine})",
    "or": "select=*&or=(id.not.is.null,id.in.({ids}))",
    "not and": "select=id&not.and=(id.is.null,id.is.null)",
    "order": "select=id&order=created_at.desc.nullslast&limit=1000",
    "range": "select=id&offset=0&limit=1000",
}
EMBEDS = {
    "scouts": ("scout_executions(id)", "scout_messages(id)"),
    "scout_messages": ("scouts(id)", "scouts!inner(id)"),
    "scout_executions": ("scouts(id)", "scouts!inner(id)", "scout_execution_steps(id)"),
    "scout_execution_steps": ("scout_executions(id)", "scout_executions!inner(id)"),
}


async def plant(server, who):
    """Give somebody a row in every table; return the ids by table."""
    db = await server.app.database()
    scout = rows.scout(who.id)
    await scouts.add(db, scout)
    execution = rows.execution(scout)
    await executions.add(db, execution)
    step = rows.step(execution)
    await steps.start(db, step)
    message = ChatMessage(
        id=db.uuid(),
        scout_id=scout.id,
        user_id=who.id,
        role="user",
        content="Hello",
        created_at=await db.now(),
    )
    await messages.add(db, message)
    row = await preferences.add(db, db.uuid(), who.id, {}, await db.now(), merge=True)
    log = db.uuid()
    await db.execute(
        "INSERT INTO firecrawl_usage_logs (id, user_id, created_at) VALUES ($1, $2, $3)",
        log,
        who.id,
        await db.now(),
    )
    ids = (scout.id, message.id, execution.id, step.id, row, log)
    return dict(zip(TABLES, map(str, ids), strict=True))


async def test_nobody_reaches_another_users_rows(server_anywhere):
    """Of all reads, counts, embeds and writes of three users none touches a foreign row."""
    server = server_anywhere
    people = [await server.sign_up() for _ in range(3)]
    owned = {who.id: await plant(server, who) for who in people}
    everybody = {table: {ids[table] for ids in owned.values()} for table in TABLES}
    asked = 0
    for who, table in product(people, TABLES):
        mine = owned[who.id][table]
        for way in WAYS.values():
            query = way.format(ids=",".join(sorted(everybody[table])), mine=mine)
            said = await server.get(f"/rest/v1/{table}?{query}", who, headers=KEY)
            assert said.status == 200, said.body
            assert {row["id"] for row in said.json} <= {mine}
            counted = await server.call(
                "HEAD", f"/rest/v1/{table}?{query}", who, headers=KEY | {"Prefer": "count=exact"}
            )
            assert counted.headers["Content-Range"].rpartition("/")[2] == str(len(said.json))
            asked += 2
        for embed in EMBEDS.get(table, ()):
            said = await server.get(f"/rest/v1/{table}?select=id,{embed}", who, headers=KEY)
            assert said.status == 200, said.body
            (row,) = said.json
            inside = row[embed.partition("(")[0].removesuffix("!inner")]
            found = {inside["id"]} if isinstance(inside, dict) else {each["id"] for each in inside}
            assert found <= set(owned[who.id].values())
            asked += 1
        for foreign in sorted(everybody[table] - {mine}):
            for method, body in (("PATCH", {"title": "x"}), ("DELETE", None)):
                said = await server.call(
                    method, f"/rest/v1/{table}?id=eq.{foreign}", who, json=body, headers=KEY
                )
                assert said.status in (204, 400, 403), said.body
                asked += 1
    for who in people:
        for table in TABLES:
            said = await server.get(f"/rest/v1/{table}?select=id", who, headers=KEY)
            assert [row["id"] for row in said.json] == [owned[who.id][table]]
            nobody = await server.get(f"/rest/v1/{table}?select=id", ANON, headers=KEY)
            assert nobody.json == []
    assert asked > 250


@pytest.mark.parametrize("table", TABLES)
async def test_columns_of_others_are_no_oracle(server, table):
    """A column that may not be read can be neither selected, filtered, sorted nor written by."""
    ann = await server.sign_up()
    await plant(server, ann)
    for hidden in ("user_preferences.firecrawl_api_key", "scouts.notify", "users.password_hash"):
        owner, _, column = hidden.partition(".")
        if owner != table:
            continue
        for query in (f"select={column}", f"{column}=not.is.null", f"order={column}"):
            said = await server.get(f"/rest/v1/{table}?{query}", ann, headers=KEY)
            assert said.status in (400, 403), (query, said.body)
