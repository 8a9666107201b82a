"""Frames of the Phoenix channel protocol, in the two spellings that clients have.

`vsn=1.0.0` sends objects, `vsn=2.0.0` arrays `[join_ref, ref, topic, event, payload]`.
Source: phoenixframework/phoenix, assets/js/phoenix/serializer.js. All frames are text.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from scout_cli.core import shape

Version = Literal["1.0.0", "2.0.0"]
VERSIONS: tuple[Version, ...] = ("1.0.0", "2.0.0")
LONGEST = 64 * 1024
"""Bytes of a frame that comes in."""

Ref = str | int | None
"""Names a frame, or the join that it belongs to; clients choose it."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame."""

    topic: str
    event: str
    payload: dict[str, Any] | None = None
    ref: Ref = None
    join_ref: Ref = None


class _Listed(msgspec.Struct, array_like=True, frozen=True):
    join_ref: Ref
    ref: Ref
    topic: str
    event: str
    payload: dict[str, Any] | None


def read(text: str, version: Version) -> Frame:
    """Return the frame that a client sent.

    Raises:
        InvalidInput: it is none.
    """
    if version == "1.0.0":
        return shape.decode(text, Frame, what="the frame")
    found = shape.decode(text, _Listed, what="the frame")
    return Frame(
        topic=found.topic,
        event=found.event,
        payload=found.payload,
        ref=found.ref,
        join_ref=found.join_ref,
    )


def written(
    version: Version,
    topic: str,
    event: str,
    payload: bytes,
    *,
    ref: Ref = None,
    join_ref: Ref = None,
) -> bytes:
    """Return a frame for a client.

    Args:
        version: how the client spells frames.
        topic: of the channel.
        event: what happens.
        payload: JSON.
        ref: what it answers; None for what is told unasked.
        join_ref: the join that it belongs to; None for what any channel of the topic may take.
    """
    raw = cast("Any", msgspec.Raw(payload))
    if version == "2.0.0":
        return shape.encode((join_ref, ref, topic, event, raw))
    whole = {"topic": topic, "event": event, "payload": raw, "ref": ref}
    return shape.encode(whole if join_ref is None else {**whole, "join_ref": join_ref})
