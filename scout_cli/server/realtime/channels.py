"""A channel: one topic of one socket, with what it wants to hear of and who listens."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from scout_cli.core import shape
from scout_cli.errors import InvalidInput
from scout_cli.server.realtime.bindings import Asked, Binding, parsed
from scout_cli.server.realtime.changed import COLUMNS, Changed
from scout_cli.server.realtime.frames import Frame, Ref
from scout_cli.server.realtime.identities import Identity

_PREFIX = "realtime:"
_LONGEST = 255
_CLOSED_SCHEMAS = frozenset(("auth", "storage", "realtime", "pg_catalog", "information_schema"))


class Config(Struct, frozen=True, kw_only=True):
    """What a client says of a channel; `broadcast` and `presence` are not offered, so not read."""

    postgres_changes: list[Asked] | None = None
    private: bool | None = None


class Join(Struct, frozen=True, kw_only=True):
    """The payload of `phx_join`."""

    config: Config | None = None
    access_token: str | None = None


class Client(Protocol):
    """What a channel and the hub ask of a socket."""

    def tell(self, topic: str, payload: bytes, owner: UUID) -> None:
        """Send a change of a row."""

    def expel(self, channel: Channel, why: str) -> None:
        """Close one channel."""

    def end(self, code: int, why: str) -> None:
        """Close the socket."""


class Channel:
    """A channel that was joined.

    Args:
        socket: whose.
        topic: its name on the wire.
        join_ref: the join that made it.
        bindings: what it hears of.
        identity: who listens.
    """

    def __init__(
        self,
        socket: Client,
        topic: str,
        join_ref: Ref,
        bindings: tuple[Binding, ...],
        identity: Identity,
    ) -> None:
        self.socket = socket
        self.topic = topic
        self.join_ref = join_ref
        self.bindings = bindings
        self.identity = identity

    @property
    def name(self) -> str:
        """Return its name without the prefix."""
        return self.topic.removeprefix(_PREFIX)

    def hear(self, changed: Changed) -> None:
        """Tell of a change that its listener may see, once for each choice of columns."""
        takers: dict[frozenset[str], dict[int, None]] = {}
        for each in self.bindings:
            if each.takes(changed):
                takers.setdefault(each.columns, {})[each.id] = None
        for columns, ids in takers.items():
            payload = b'{"ids":%b,"data":%b}' % (shape.encode([*ids]), changed.told(columns))
            self.socket.tell(self.topic, payload, changed.change.user_id)


def asked_of(frame: Frame) -> tuple[Join, tuple[Binding, ...]]:
    """Return what a join asks for.

    Raises:
        InvalidInput: a topic, a binding or a filter that is not offered.
    """
    _check_topic(frame.topic)
    said: Any = frame.payload or {}
    join = shape.convert(said, Join, what="the join")
    config = join.config or Config()
    if config.private:
        raise InvalidInput("private channels are not offered")
    return join, parsed(frame.topic, config.postgres_changes or ())


def _check_topic(topic: str) -> None:
    name = topic.removeprefix(_PREFIX)
    schema, colon, table = name.partition(":")
    strange = schema in _CLOSED_SCHEMAS or (
        schema == "public" and table.partition(":")[0] not in (*COLUMNS, "*")
    )
    sound = topic.startswith(_PREFIX) and name.isprintable() and name not in ("", "*")
    if not sound or len(topic) > _LONGEST or (colon and strange):
        raise InvalidInput(f"there is no channel {name[:80]!r}")
