"""The table interface from query string to SQL: golden, and sound for whatever is asked."""

import json
import os
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout_cli.server.rest import parse, plan
from scout_cli.server.rest.failures import RestError
from scout_cli.server.rest.plan import Viewer
from scout_cli.store.query import sql
from scout_cli.store.query.catalogue import TABLES

GOLDEN = Path(__file__).parent / "golden" / "rest-sql.json"
ANN = UUID("11111111-1111-4111-8111-111111111111")
USER = Viewer(role="user", user_id=ANN)
SCOUT = "22222222-2222-4222-8222-222222222222"

ASKED = [
    # What the web interface asks.
    ("scouts", f"select=*&user_id=eq.{ANN}"),
    ("scouts", f"select=*&user_id=eq.{ANN}&order=updated_at.desc"),
    ("scouts", f"select=id,frequency,last_run_at,is_active&id=eq.{SCOUT}"),
    ("scout_messages", f"select=*&scout_id=eq.{SCOUT}&order=created_at.asc"),
    ("scout_executions", f"select=*&scout_id=eq.{SCOUT}&order=started_at.desc&limit=10"),
    ("scout_execution_steps", f"select=*&execution_id=eq.{SCOUT}&order=step_number.asc"),
    (
        "scout_executions",
        "select=id,scout_id,summary_text,created_at,scouts!inner(title)"
        "&summary_text=not.is.null&order=created_at.desc&limit=3",
    ),
    ("user_preferences", f"select=location&user_id=eq.{ANN}"),
    # The rest of the grammar.
    ("scouts", "or=(title.eq.a,not.and(is_active.is.true,goal.like.*b*))"),
    ("scouts", 'title=in.("a,b",c)&id=not.in.()'),
    ("scouts", "consecutive_failures=gte.1&created_at=lt.2026-01-01T00:00:00Z"),
    ("scouts", "title=ilike.*ferry*&order=frequency.asc.nullsfirst,title.desc.nullslast"),
    ("scouts", "select=name:title,scout_executions(id,status)&scout_executions.limit=2"),
    ("scout_executions", "select=id,scouts(title)&scouts.title=eq.x&offset=5"),
]


def compiled(table, asked, viewer=USER):
    """Return the statements of one query."""
    query = plan.query(plan.table_of(table), parse.query(parse_qsl(asked, True)), viewer)
    said = {
        "rows": sql.rows(query).text,
        "count": sql.count(query).text,
        "ids": sql.ids(query).text,
    }
    for embed in query.selection.embeds:
        if embed.link.many:
            said[embed.name] = sql.many(embed, query, [ANN]).text
    return query, said


def test_the_sql_of_each_query_is_the_reviewed_one():
    """Every query string has the statements that were looked at; WRITE_GOLDEN=1 writes them."""
    found = [{"table": t, "query": q, "sql": compiled(t, q)[1]} for t, q in ASKED]
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_the_service_key_sees_all_and_nobody_sees_nothing():
    """Only the owner's condition differs between the roles."""
    _, everything = compiled("scouts", "select=id", Viewer(role="service"))
    assert "user_id" not in everything["rows"]
    _, nothing = compiled("scouts", "select=id", Viewer(role="anon"))
    assert "1 = 0" in nothing["rows"]


_COLUMNS = sorted({c.name for table in TABLES.values() for c in table.columns} | {"password_hash"})
_VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["null", "true", "1", str(ANN), "2026-01-01", "(a,b)", "'; --", '"', "\\", "%"]
    ),
)
_PAIRS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(_COLUMNS),
            st.tuples(
                st.sampled_from(["eq", "neq", "gt", "like", "is", "in", "not.eq", "not.is", "x"]),
                _VALUES,
            ).map(".".join),
        ),
        st.tuples(
            st.sampled_from(["or", "and", "not.or"]),
            st.lists(
                st.tuples(
                    st.sampled_from(_COLUMNS), st.sampled_from(["eq", "is", "not.in"]), _VALUES
                ).map(".".join),
                max_size=4,
            ).map(lambda each: f"({','.join(each)})"),
        ),
        st.tuples(st.just("order"), st.sampled_from(_COLUMNS)),
        st.tuples(st.sampled_from(["limit", "offset", "select", "scouts.title"]), _VALUES),
        st.tuples(st.text(max_size=10), st.text(max_size=10)),
    ),
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(table=st.sampled_from(sorted(TABLES)), pairs=_PAIRS)
def test_whatever_is_asked_is_refused_or_bound_to_its_owner(table, pairs):
    """No text reaches SQL, no owner is left out, and every failure is one of the interface's."""
    try:
        query = plan.query(plan.table_of(table), parse.query(pairs), USER)
    except RestError as refused:
        error = refused
    else:
        error = None
    if error is not None:
        assert 400 <= error.status < 500
        assert error.failure.code
        return
    statement = sql.rows(query)
    assert "t.user_id = $" in statement.text
    assert ANN in statement.values
    assert "'" not in statement.text.replace("ESCAPE '\\'", "")
    assert ";" not in statement.text
    assert statement.text.count("$") == len(statement.values)
    assert "password_hash" not in statement.text


@pytest.mark.parametrize("alias", ["linked_by0", "embedded0_id"])
def test_names_that_the_statements_use_are_no_aliases(alias):
    """An alias cannot take the place of a column that rows are put together by."""
    with pytest.raises(RestError):
        compiled("scout_executions", f"select={alias}:status,scouts(title)")


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_of_the_list_exists_and_every_link_leads_somewhere(table):
    """The list of what may be asked holds no column twice, and links to tables that are on it."""
    columns = [column.name for column in TABLES[table].columns]
    assert len(columns) == len(set(columns))
    for link in TABLES[table].links:
        assert link.table in TABLES
