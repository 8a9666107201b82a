"""What one client is told, in its own spelling of frames."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from scout_cli.core import shape
from scout_cli.server.realtime import frames
from scout_cli.server.realtime.channels import Channel
from scout_cli.server.realtime.frames import Frame, Ref, Version
from scout_cli.server.realtime.outgoing import Outgoing


class Voice:
    """Writes frames for one client.

    Args:
        version: how the client spells them.
        outgoing: takes them.
    """

    def __init__(self, version: Version, outgoing: Outgoing) -> None:
        self._version = version
        self._outgoing = outgoing

    def change(self, topic: str, payload: bytes, owner: UUID) -> None:
        """Tell of a row; any channel of the topic may take it."""
        frame = frames.written(self._version, topic, "postgres_changes", payload)
        self._outgoing.put(frame, topic, owner)

    def reply(self, frame: Frame, response: Any, status: str = "ok") -> None:
        """Answer a frame."""
        said = {"status": status, "response": response}
        join_ref = frame.join_ref if self._version == "2.0.0" else None
        self._send(frame.topic, "phx_reply", said, ref=frame.ref, join_ref=join_ref)

    def fail(self, frame: Frame, reason: str) -> None:
        """Answer a frame with what is wrong with it."""
        self.reply(frame, {"reason": reason}, "error")

    def system(self, channel: Channel, message: str, status: str) -> None:
        """Say how a channel is."""
        said = {
            "message": message,
            "status": status,
            "extension": "postgres_changes" if status == "ok" else "system",
            "channel": channel.name,
        }
        ref = channel.join_ref if self._version == "2.0.0" else None
        self._send(channel.topic, "system", said, join_ref=ref)

    def closed(self, channel: Channel) -> None:
        """Say that a channel is closed."""
        # Without its own ref a client would take it for the end of the channel's successor.
        ref = channel.join_ref
        self._send(channel.topic, "phx_close", {}, ref=ref, join_ref=ref)

    def _send(
        self, topic: str, event: str, said: Any, *, ref: Ref = None, join_ref: Ref = None
    ) -> None:
        payload = shape.encode(said)
        self._outgoing.put(
            frames.written(self._version, topic, event, payload, ref=ref, join_ref=join_ref)
        )
