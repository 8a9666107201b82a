"""One turn of the interview about a scout, stored: the same for every surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal
from uuid import UUID

from msgspec.structs import asdict

from scout_cli.core import extractive
from scout_cli.core.chatting import ChatFinished, ChatStarted, Hear
from scout_cli.core.interview import MAX_MESSAGE, REMEMBERED, Interview, Said, Turn
from scout_cli.core.models import ChatMessage, Location, Scout
from scout_cli.core.ports import ChatModel, Clock
from scout_cli.core.setting_up import UNNAMED, Update, missing, patch_of
from scout_cli.errors import Conflict, DatabaseUnavailable, InvalidInput, ModelUnavailable
from scout_cli.service.scouts import Scouts
from scout_cli.store import messages
from scout_cli.store.database import Database

_BEAT = messages.TURN.total_seconds() / 3
"""Seconds between two signs of life of a turn."""

_LONGEST_PLACE = 200
"""Characters of the name of a town, state or country."""


class Chats:
    """The conversations of one user about their scouts.

    Args:
        db: where they are kept.
        clock: time and identifiers.
        saved: the user's scouts.
        model: opens the chat model; None from it is the built-in engine.
        timezone: IANA name of the zone in which a new scout's rhythm is meant.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        saved: Scouts,
        model: Callable[[], Awaitable[ChatModel | None]],
        *,
        timezone: str = "UTC",
    ) -> None:
        self._db = db
        self._clock = clock
        self._saved = saved
        self._model = model
        self._timezone = timezone

    async def talk(
        self,
        name: str | None,
        text: str,
        hear: Hear,
        *,
        location: Location | None = None,
    ) -> ChatFinished:
        """Take one turn; see `begin`."""
        async with self.begin(name, text, location=location) as conversation:
            return await conversation.go(hear)

    @asynccontextmanager
    async def begin(
        self, name: str | None, text: str, *, location: Location | None = None
    ) -> AsyncIterator[Conversation]:
        """Hold the turn in a conversation, with what the person said stored.

        Args:
            name: id, beginning of an id or title of a scout; None makes one for this wish, that
                rests.
            text: what the person says.
            location: where they are, if that is known.

        Raises:
            InvalidInput: nothing is said, or too much.
            NotFound: no such scout.
            Conflict: another turn about this scout is under way.
        """
        said = _checked(text)
        _check_place(location)
        scout = await (self._draft(said) if name is None else self._saved.find(name))
        token = self._clock.uuid()
        if not await messages.claim_turn(self._db, scout.id, token, await self._db.now()):
            raise Conflict(
                f"another message about {scout.title!r} is being answered",
                hint="wait for its answer, and say it again",
            )
        alive = asyncio.create_task(self._stay_alive(scout.id, token))
        try:
            history = await messages.latest(self._db, scout.id, REMEMBERED - 1)
            await self._store(scout, "user", said)
            yield Conversation(self, scout, history, said, created=name is None, location=location)
        finally:
            alive.cancel()
            with suppress(asyncio.CancelledError):
                await alive
            await asyncio.shield(messages.end_turn(self._db, scout.id, token))

    async def history(self, name: str, limit: int = 50) -> list[ChatMessage]:
        """Return the newest messages about a scout, oldest of them first.

        Raises:
            NotFound: no such scout.
        """
        return await messages.latest(self._db, (await self._saved.find(name)).id, limit)

    async def interview(
        self, scout: Scout, hear: Hear, location: Location | None = None
    ) -> Interview:
        """Return the interview about a scout, with the model that answers now."""
        model, note = None, ""
        try:
            model = await self._model()
        except ModelUnavailable as error:
            note = error.message
        current = scout

        async def learn(update: Update) -> Scout:
            nonlocal current
            patch = patch_of(update, current, self._clock.now(), location)
            current = await self._saved.change(current, patch)
            return current

        return Interview(model, learn, hear, here=location, note=note)

    async def remember(self, scout: Scout, text: str) -> None:
        """Store what was answered."""
        await self._store(scout, "assistant", text)

    async def _draft(self, text: str) -> Scout:
        """Save a scout that is to be filled in, and rests until somebody activates it."""
        now = self._clock.now()
        title = extractive.title(text)
        scout = Scout(
            id=self._clock.uuid(),
            user_id=await self._saved.owner(),
            title=title if len(title) > 1 else UNNAMED,
            is_active=False,
            timezone=self._timezone,
            created_at=now,
            updated_at=now,
        )
        await self._saved.keep(scout)
        return scout

    async def _store(self, scout: Scout, role: Literal["user", "assistant"], text: str) -> None:
        message = ChatMessage(
            id=self._clock.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            role=role,
            content=text,
            created_at=await self._db.now(),
        )
        await messages.add(self._db, message)

    async def _stay_alive(self, scout_id: UUID, token: UUID) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            # A database that is away for a moment is asked again; the turn may end meanwhile.
            with suppress(DatabaseUnavailable):
                await messages.claim_turn(self._db, scout_id, token, await self._db.now())


class Conversation:
    """A turn that is held: what was said before, and what the person says now."""

    def __init__(
        self,
        chats: Chats,
        scout: Scout,
        history: list[ChatMessage],
        text: str,
        *,
        created: bool,
        location: Location | None,
    ) -> None:
        self.scout = scout
        self._chats = chats
        self._history = history
        self._text = text
        self._created = created
        self._location = location

    async def go(self, hear: Hear) -> ChatFinished:
        """Answer, write down what was learned, and store what was said.

        Args:
            hear: receives every event; what it raises ends the turn.
        """
        scout = self.scout
        await hear(ChatStarted(scout_id=scout.id, title=scout.title, created=self._created))
        interview = await self._chats.interview(scout, hear, self._location)
        history = [Said(role=each.role, content=each.content) for each in self._history]
        turn = await interview.turn(scout, history, self._text)
        await self._chats.remember(turn.scout, turn.text)
        self.scout = turn.scout
        finished = _finished(turn)
        await hear(finished)
        return finished


def _finished(turn: Turn) -> ChatFinished:
    lacking = missing(turn.scout)
    return ChatFinished(
        scout_id=turn.scout.id,
        title=turn.scout.title,
        text=turn.text,
        answered_by=turn.by,
        missing=lacking,
        complete=not lacking,
        active=turn.scout.is_active,
        note=turn.note,
    )


def _check_place(location: Location | None) -> None:
    for value in asdict(location).values() if location else ():
        if isinstance(value, str) and len(value) > _LONGEST_PLACE:
            raise InvalidInput(f"location: a name has {len(value)} characters")


def _checked(text: str) -> str:
    said = text.strip()
    if not said:
        raise InvalidInput("nothing was said", hint="say what to look for, in plain words")
    if len(said) > MAX_MESSAGE:
        raise InvalidInput(f"the message has {len(said)} characters, {MAX_MESSAGE} are allowed")
    return said
