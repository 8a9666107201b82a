"""PostgreSQL: what is refused before anything is stored, and what happens when it goes away."""

import asyncio

import pytest

from scout_cli.errors import ConfigError, DatabaseUnavailable
from scout_cli.store import open_database
from scout_cli.store.postgres_url import address_of
from tests.contract.databases import StoppedClock


@pytest.fixture
def name(postgres):
    """Return the name of an empty database."""
    name = postgres.create()
    yield name
    postgres.drop(name)


@pytest.fixture
async def db(postgres, name, opened):
    """Return an open, empty database."""
    return await opened(postgres.url(name))


async def refused(url) -> DatabaseUnavailable:
    """Return why a database is refused; the password is never in it."""
    with pytest.raises(DatabaseUnavailable) as caught:
        await open_database(url, StoppedClock())
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == 4
    return caught.value


async def test_no_server_is_said_with_what_to_do(tmp_path):
    """A socket that is not there, and a port where nobody listens."""
    for place in (f"?host={tmp_path}", "127.0.0.1:9/x"):
        url = f"postgresql://me:hunter2@{'/x' if place[0] == '?' else ''}{place}"
        why = await refused(url)
        assert "no PostgreSQL server answers there" in why.message
        assert "SCOUT_DATABASE_URL=sqlite:///" in why.hint
        assert why.retryable


async def test_a_missing_database_is_offered_its_command(postgres):
    """The hint is `createdb` with the name of the database."""
    why = await refused(postgres.url("absent"))
    assert why.hint == "create it: createdb absent"
    assert not why.retryable


async def test_an_unknown_user_is_refused_as_a_user(postgres):
    """A login that the server refuses is about user and password, not about the network."""
    url = postgres.url("postgres").replace("postgres@", "stranger:hunter2@")
    why = await refused(url)
    assert "refuses this user or password" in why.message
    assert not why.retryable


async def test_a_server_that_does_not_sync_is_refused(postgres, name):
    """A server with fsync off is for tests that say so."""
    why = await refused(postgres.url(name, safe=True))
    assert "fsync off" in why.message
    assert not why.retryable


async def test_an_unknown_parameter_is_a_mistake_of_the_setting(postgres, name, opened):
    """What follows the question mark is read by the server, which says so."""
    with pytest.raises(ConfigError, match="parameter"):
        await opened(postgres.url(name) + "&speed=11")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:me:hunter2@host/x",
        "postgresql://me:hunter2@host:port/x",
        "postgresql://me:hunter2/x@host:5432/x",
        "postgresql://me:hunter2@[::1/x",
        "postgresql://me:hunter2@host/x?y",
        "postgresql://me:hunter2@host/x#y",
    ],
)
async def test_a_url_that_cannot_be_read_is_not_repeated(url, opened):
    """The message of a bad URL does not hold the URL: there may be a password in it."""
    with pytest.raises(ConfigError) as caught:
        await opened(url)
    assert "hunter2" not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://me:hunter2@db.example:5433/scout", "postgresql://me@db.example:5433/scout"),
        ("postgresql://me:p%40ss@[::1]/scout", "postgresql://me@[::1]/scout"),
        ("postgresql:///scout", "postgresql:///scout"),
        ("postgresql://u@/s?host=/run/pg&password=x", "postgresql://u@/s?host=/run/pg"),
        ("postgresql://h/s?sslmode=require&scout_unsafe=1", "postgresql://h/s?sslmode=require"),
    ],
)
def test_an_address_is_shown_without_its_password(url, shown):
    """What people see has user, host, port and name, and no secret."""
    assert address_of(url).shown == shown


def test_our_own_parameter_does_not_reach_the_driver():
    """`scout_unsafe` is taken out, the rest stays as it was; the password stays too."""
    address = address_of("postgresql://me:p%40ss@h/s?scout_unsafe=1&sslmode=require")
    assert address.dsn == "postgresql://me:p%40ss@h/s?sslmode=require"
    assert address.unsafe
    assert not address_of("postgresql://h/s?scout_unsafe=0").unsafe


async def test_a_connection_lost_on_the_way_is_retryable(postgres, name, db):
    """A backend that is killed under a statement is an outage, and the next call reconnects."""
    running = asyncio.create_task(db.value(int, "SELECT 1 FROM pg_sleep(10)"))
    kill = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = '{}' AND query LIKE '%pg_sleep(10)%' AND pid <> pg_backend_pid()"""
    async with asyncio.timeout(10):
        while postgres.sql("postgres", kill.format(name)) == "0":  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable, match="was lost") as caught:
        await running
    assert caught.value.retryable
    assert await db.value(int, "SELECT 1") == 1


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_database_that_lets_nobody_in_is_an_outage(postgres, name, db, dropped):
    """One that takes no connections for a while, or was dropped, is asked again later."""
    shut = (
        f"DROP DATABASE {name} WITH (FORCE)"
        if dropped
        else f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
    )
    postgres.sql("postgres", shut)
    others = f"pg_stat_activity WHERE datname = '{name}'"
    postgres.sql("postgres", f"SELECT pg_terminate_backend(pid, 5000) FROM {others}")
    for _ in range(3):  # the first may only learn that its connection is gone
        with pytest.raises(DatabaseUnavailable) as caught:
            await db.value(int, "SELECT 1")
        assert caught.value.retryable
    assert "lets nobody in" in caught.value.message


async def test_a_transaction_that_loses_its_connection_is_not_committed(postgres, name, db):
    """The block ends with the outage, and nothing of it is there afterwards."""
    await db.script("CREATE TABLE t (a TEXT)")

    async def work():
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO t (a) VALUES ('half')")
            pid = await tx.value(int, "SELECT pg_backend_pid()")
            postgres.sql("postgres", f"SELECT pg_terminate_backend({pid}, 5000)")
            await tx.execute("INSERT INTO t (a) VALUES ('whole')")

    with pytest.raises(DatabaseUnavailable) as caught:
        await work()
    assert caught.value.retryable
    assert await db.value(int, "SELECT count(*) FROM t") == 0


async def test_a_statement_that_takes_too_long_is_ended(postgres, name, opened):
    """The server's own limits are set, and a URL may tighten them."""
    db = await opened(postgres.url(name) + "&statement_timeout=50")
    with pytest.raises(DatabaseUnavailable, match="too long"):
        await db.value(int, "SELECT 1 FROM pg_sleep(5)")
    settings = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    found = [await db.value(str, f"SHOW {setting}") for setting in settings]
    assert found == ["50ms", "5s", "30s"]
    assert (await db.value(str, "SHOW application_name")).startswith("scout/")
    await db.close()


async def test_the_clock_is_the_servers_unless_it_is_frozen(postgres, name):
    """Many machines share one clock: PostgreSQL's."""
    clock = StoppedClock(frozen=False)
    db = await open_database(postgres.url(name), clock)
    assert await db.now() != clock.now()
    assert (await db.now()).utcoffset().total_seconds() == 0
    async with db.transaction() as tx:
        first = await tx.now()
        assert await tx.now() > first
    await db.close()


async def test_a_server_that_is_gone_is_an_outage(postgres, name, opened):
    """After `close` nothing is left, and a statement says so without hanging."""
    db = await opened(postgres.url(name))
    await db.close()
    await db.close()
    with pytest.raises(DatabaseUnavailable):
        await db.value(int, "SELECT 1")


async def test_claims_skip_what_others_hold(db):
    """`skip_locked` lets two claimers take two rows at once."""
    await db.script("CREATE TABLE jobs (n INTEGER); INSERT INTO jobs VALUES (1), (2)")
    sql = f"SELECT n FROM jobs ORDER BY n LIMIT 1 {db.skip_locked}"
    async with db.transaction() as one, db.transaction() as two:
        assert [await one.value(int, sql), await two.value(int, sql)] == [1, 2]
