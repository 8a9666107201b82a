"""The real `@supabase/supabase-js`, in the version that the web interface ships and the newest."""

from __future__ import annotations

from uuid import UUID

import pytest

from scout_cli.core.models import Scout
from scout_cli.store import executions, scouts, steps
from tests.clients.node import Kit, kit
from tests.clients.restarting import Restarting
from tests.contract import rows
from tests.contract.databases import migrated_at, sqlite_url
from tests.server.phoenix import key
from tests.server.serving import serving, settings
from tests.server.test_realtime import ended

VERSIONS = ("@supabase/supabase-js", "supabase-newest")


@pytest.fixture(scope="session")
def supabase(tmp_path_factory) -> Kit:
    """Return the client libraries of Supabase, installed."""
    return kit("supabase", tmp_path_factory.mktemp("clients"))


class Hand:
    """Does what a run does, when a script asks for it."""

    def __init__(self, server) -> None:
        self.server = server

    async def run(self, said):
        """Begin a run with one step."""
        db = await self.server.app.database()
        scout = await scouts.get(db, UUID(said["scout_id"]))
        assert isinstance(scout, Scout)
        execution = rows.execution(scout)
        await executions.add(db, execution)
        await steps.start(db, rows.step(execution))
        return {"execution_id": str(execution.id)}

    async def finish(self, said):
        """End it."""
        db = await self.server.app.database()
        execution = await executions.get(db, UUID(said["execution_id"]))
        await executions.finish(db, ended(execution, summary_text="Nine."))


@pytest.mark.slow
@pytest.mark.parametrize("library", VERSIONS)
async def test_a_person_with_the_client_library(supabase, database_url, library):
    """Sign-up, rows, embeds, counts, changes, churn, refresh and sign-out work as it expects."""
    async with serving(database_url) as server:
        hand = Hand(server)
        seen = await supabase.converse(
            "journey.mjs",
            library,
            server.url,
            key(),
            key("service_role"),
            handlers={"run": hand.run, "finish": hand.finish},
        )
    assert seen == "sign-up rows changes run churn refresh sign-out".split()


@pytest.mark.slow
async def test_a_session_in_cookies(supabase, database_url):
    """`@supabase/ssr` keeps the session in one small cookie, and finds it at the next request."""
    async with serving(database_url) as server:
        seen = await supabase.converse("cookies.mjs", server.url, key(), handlers={})
    assert seen == ["cookie", "next request", "refresh", "sign-out"]


@pytest.mark.slow
@pytest.mark.parametrize("library", VERSIONS)
async def test_a_page_outlives_a_restart(supabase, tmp_path, library):
    """Its session still counts, and it hears of changes again without being loaded anew."""
    url = sqlite_url(tmp_path / "scout.db")
    await migrated_at(url)
    server = Restarting(settings(url))
    await server.start()
    try:
        seen = await supabase.converse(
            "restart.mjs", library, server.url, key(), handlers={"restart": server.restart}
        )
    finally:
        await server.stop()
    assert seen == ["before", "after"]
