"""Rows of somebody on a test server, one of each kind that a path can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from scout_cli.core.models import Execution, Finding, Scout, Step
from scout_cli.store import channels, executions, findings, outbox, scouts, steps
from scout_cli.store.channels import ChannelRow
from scout_cli.store.outbox import Content, OutboxRow
from tests.contract import rows
from tests.server.serving import Server, Someone

CHANNEL = "ntfy://ntfy.example/a-secret-topic"


@dataclass
class Furniture:
    """What somebody has."""

    scout: Scout
    execution: Execution
    step: Step
    finding: Finding
    channel: ChannelRow
    message: OutboxRow

    @property
    def ids(self) -> dict[str, UUID]:
        """Return the ids by the names that paths give them."""
        return {
            "scout_id": self.scout.id,
            "execution_id": self.execution.id,
            "step_id": self.step.id,
            "finding_id": self.finding.id,
            "channel_id": self.channel.id,
            "message_id": self.message.id,
        }


async def furnish(server: Server, who: Someone, **scout: Any) -> Furniture:
    """Give somebody a scout with a completed run, a finding, a channel and a held message."""
    db = await server.app.database()
    wish = {"goal": "News about the ferry", "notify": [CHANNEL], **scout}
    saved = rows.scout(who.id, **wish)
    await scouts.add(db, saved)
    execution = rows.execution(saved)
    await executions.add(db, execution)
    step = rows.step(execution)
    await steps.start(db, step)
    ended = replace(execution, state="completed", status="completed", outcome="new")
    await executions.finish(db, replace(ended, completed_at=rows.AT, lease_until=None))
    found = rows.finding(saved, execution_id=execution.id, path=None)
    await findings.add_many(db, [found])
    async with db.transaction() as tx:
        (channel,) = await channels.ensure(tx, who.id, [CHANNEL])
        message = OutboxRow(
            id=uuid4(),
            user_id=who.id,
            channel_id=channel.id,
            scout_id=saved.id,
            execution_id=execution.id,
            kind="news",
            dedupe_key=uuid4().hex,
            batch=uuid4().hex,
            message=Content(subject="The ferry sails again"),
            state="held",
            next_attempt_at=rows.AT,
            created_at=rows.AT,
        )
        await outbox.add(tx, [message])
    return Furniture(saved, ended, step, found, channel, message)
