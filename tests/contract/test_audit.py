"""The log of who did what, and the allowances, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from scout_cli.errors import Conflict, TooMany
from scout_cli.service.accounts.limits import Limits, password, recover
from scout_cli.service.audit import COMMAND_LINE, Asker, Audit, Wanted
from scout_cli.service.upkeep import Retention, Upkeep


async def filled(database, count: int = 5) -> Audit:
    """Return a log with so many lines."""
    audit = Audit(database)
    for number in range(count):
        await audit.note("scout.pause", COMMAND_LINE, target=f"scout {number} ü")
    return audit


async def test_lines_are_numbered_and_whole(database) -> None:
    """Newest first, with everything that was said, and the whole log verifies."""
    audit = await filled(database)
    asker = Asker(address="192.0.2.1", agent="x", request_id="r", actor="user 1")
    owner = database.uuid()
    async with database.transaction() as tx:
        await audit.write(tx, "login", asker, user_id=owner, target="password", result="no")
    lines = await audit.list()
    assert [each.number for each in lines] == [6, 5, 4, 3, 2, 1]
    first = lines[0]
    assert (first.actor, first.address, first.result) == ("user 1", "192.0.2.1", "no")
    assert [each.number for each in await audit.list(Wanted(user_id=owner))] == [6]
    assert [each.number for each in await audit.list(Wanted(actions=("login", "x")))] == [6]
    assert [each.number for each in await audit.list(Wanted(before=3), limit=1)] == [2]
    assert (await audit.verify()).lines == 6
    assert (await audit.verify()).whole


async def test_a_line_goes_with_its_change(database) -> None:
    """A transaction that is rolled back leaves neither."""
    audit = await filled(database, 1)

    async def change() -> None:
        async with database.transaction() as tx:
            await audit.write(tx, "scout.remove", COMMAND_LINE)
            raise Conflict("it was in use")

    with pytest.raises(Conflict):
        await change()
    assert len(await audit.list()) == 1
    assert (await audit.verify()).whole


@pytest.mark.parametrize(
    ("harm", "at"),
    [
        ("UPDATE audit_log SET actor = 'somebody' WHERE number = 3", 3),
        ("UPDATE audit_log SET target = 'x' WHERE number = 5", 5),
        ("UPDATE audit_log SET at = '2001-01-01T00:00:00+00:00' WHERE number = 2", 2),
        ("DELETE FROM audit_log WHERE number = 3", 4),
        ("DELETE FROM audit_log WHERE number = 5", 5),
        ("UPDATE audit_log SET action = 'x' WHERE number = 1", 1),
    ],
)
async def test_a_changed_log_is_noticed(database, harm: str, at: int) -> None:
    """A line that was altered, taken out, or cut off at the end, is named."""
    audit = await filled(database)
    await database.execute(harm)
    assert (await audit.verify()).broken_at == at


async def test_many_writers_make_one_chain(database) -> None:
    """Thirty who write at the same moment leave thirty lines, one after the other."""
    audit = Audit(database)
    await asyncio.gather(*(audit.note("x", COMMAND_LINE, target=str(n)) for n in range(30)))
    verdict = await audit.verify()
    assert (verdict.lines, verdict.whole) == (30, True)


async def test_old_lines_go_and_the_rest_verifies(database, clock) -> None:
    """After a year, or as long as the settings say; what is left is still whole."""
    audit = await filled(database, 3)
    clock.forward(366 * 86_400)
    await audit.note("login", COMMAND_LINE)
    assert (await Upkeep(database, clock, Retention(audit=0)).clean()).audit == 0
    assert (await Upkeep(database, clock, Retention()).clean()).audit == 3
    assert [each.number for each in await audit.list()] == [4]
    assert (await audit.verify()).whole
    await audit.note("login", COMMAND_LINE)
    assert (await audit.verify()).lines == 2


async def test_allowances_are_shared_and_refill_evenly(database, clock) -> None:
    """What one process takes another lacks; a tenth of the time gives a tenth back."""
    one, two = Limits(database), Limits(database)
    wanted = password("ann@example.org", "")
    for limits in (one, two) * 5:
        await limits.take(wanted)
    with pytest.raises(TooMany) as refused:
        await two.take(wanted)
    assert refused.value.retry_after == pytest.approx(30)
    clock.forward(30)
    await one.take(wanted)
    with pytest.raises(TooMany):
        await one.take(wanted)
    await two.give_back(wanted)
    await one.take(wanted)


async def test_one_of_each_or_none_of_any(database) -> None:
    """Where one allowance is used up the others are not touched."""
    limits = Limits(database)
    account = recover("ann@example.org", "192.0.2.7")
    await limits.take(account)
    with pytest.raises(TooMany):
        await limits.take(account)
    left = await database.all(float, "SELECT left_over FROM allowances ORDER BY left_over")
    assert left == [0.0, 29.0]


async def test_twenty_at_once_get_what_there_is(database) -> None:
    """Ten of twenty who try at the same moment are let through."""
    limits = Limits(database)
    wanted = password("ann@example.org", "192.0.2.7")
    said = await asyncio.gather(*(limits.take(wanted) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, TooMany) for each in said) == 10
    assert said.count(None) == 10


async def test_names_of_allowances_hold_no_address(database) -> None:
    """An e-mail address stands in the database only where its account is."""
    await Limits(database).take(password("ann@example.org", "192.0.2.7"))
    names = await database.all(str, "SELECT name FROM allowances")
    assert not [each for each in names if "ann" in each]
