"""What was found: why each fact was told or not, stories, what a user says of them, and search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core import tastes
from scout_cli.core.models import HELD_BACK, REPORTED, Finding, Near, Novelty, Opinion, Record
from scout_cli.core.ports import Embedder, Habits
from scout_cli.core.report import clean
from scout_cli.core.tastes import Said
from scout_cli.core.together import together
from scout_cli.core.urls import registrable
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.service import forgetting
from scout_cli.service.matching import Match, checked, depth_of, fused
from scout_cli.service.meaning import Meaning
from scout_cli.store import findings, opinions, users, words
from scout_cli.store.database import Database
from scout_cli.store.opinions import OpinionRow

_LONGEST_STORY = 1_000
_SHORTEST_ID = 4


class NearFinding(Record, frozen=True, kw_only=True):
    """An earlier finding that a fact was compared with."""

    near: Near
    finding: Finding | None
    """None after it was forgotten."""


class Why(Record, frozen=True, kw_only=True):
    """Why a finding was told, or was not."""

    finding: Finding
    near: tuple[NearFinding, ...]
    """Closest first."""
    opinion: Opinion | None
    shift_now: float
    """By how much all opinions on this scout move its cut-offs from now on."""
    liking_then: float
    """By how much what had been said moved results like this one when it was found: a part of the
    scale from 0 to 1 on which results are ranked. What was taken back since is not in it."""
    liking_now: float
    """The same of all opinions, from now on."""


class Story(Record, frozen=True, kw_only=True):
    """Findings of one event across runs and outlets."""

    id: UUID
    scout_id: UUID
    title: str
    """The fact that it began with."""
    first_at: datetime
    last_at: datetime
    domains: tuple[str, ...]
    """The independent registrable domains that told of it, in the order in which they did."""
    findings: tuple[Finding, ...]
    """Oldest first."""


class Feedback(Record, frozen=True, kw_only=True):
    """What a user said of a finding, and what it changes."""

    finding: Finding
    opinion: Opinion | None
    """None when it was taken back."""
    effect: str
    """One sentence."""


class Findings:
    """The findings of one user.

    Args:
        db: where they are kept.
        embedder: opens the embedder, when a search needs it.
        meaning: compares vectors, and keeps them between two searches.
        user: whose findings; None for the local owner's.
    """

    def __init__(
        self,
        db: Database,
        embedder: Callable[[], Awaitable[Embedder]],
        meaning: Meaning,
        user: UUID | None = None,
    ) -> None:
        self._db = db
        self._embedder = embedder
        self._meaning = meaning
        self._user = user

    async def owner(self) -> UUID:
        """Return whose findings these are."""
        return self._user or (await users.local_owner(self._db)).id

    async def find(self, name: str) -> Finding:
        """Return the finding that an id, or the beginning of one, means.

        Raises:
            NotFound: it means none.
            InvalidInput: it may mean several.
        """
        (found,) = await forgetting.find(self._db, await self.owner(), [name])
        return found

    async def why(self, name: str) -> Why:
        """Return how the novelty of a finding was decided.

        Raises:
            NotFound: there is no such finding.
            InvalidInput: the name may mean several.
        """
        finding = await self.find(name)
        near = finding.path.near if finding.path else ()
        if not near and finding.same_as:
            near = (Near(id=finding.same_as, cosine=finding.similarity or 0.0),)
        known = await findings.by_ids(self._db, finding.user_id, [each.id for each in near])
        by_id = {each.id: each for each in known}
        said = await opinions.get(self._db, finding.id)
        habits = await self._habits(finding)
        return Why(
            finding=finding,
            near=tuple(NearFinding(near=each, finding=by_id.get(each.id)) for each in near),
            opinion=said.opinion if said else None,
            shift_now=habits.shift,
            liking_then=_liked(finding, await self._habits(finding, finding.created_at)),
            liking_now=_liked(finding, habits),
        )

    async def suppressed(
        self, *, scout_ids: Sequence[UUID] = (), since: datetime | None = None, limit: int = 50
    ) -> list[Finding]:
        """Return what was held back, newest first.

        Args:
            scout_ids: of these scouts only; empty for all.
            since: only found at or after this moment.
            limit: at most so many.
        """
        return await findings.listing(
            self._db,
            await self.owner(),
            scout_ids=scout_ids,
            since=since,
            novelty=HELD_BACK,
            limit=limit,
        )

    async def feedback(self, name: str, opinion: Opinion | None) -> Feedback:
        """Store what the user says of a finding; None takes it back.

        Raises:
            NotFound: there is no such finding, or nothing to take back.
            InvalidInput: the name may mean several.
        """
        finding = await self.find(name)
        past = await opinions.get(self._db, finding.id)
        before = await self._habits(finding)
        await self._say(finding, opinion)
        effect = tastes.effect(
            _said(finding, opinion),
            _said(finding, past.opinion if past else None),
            before,
            await self._habits(finding),
        )
        return Feedback(finding=finding, opinion=opinion, effect=effect)

    async def _say(self, finding: Finding, opinion: Opinion | None) -> None:
        if opinion is None:
            if not await opinions.remove(self._db, finding.id):
                raise NotFound("nothing was said of this finding", hint="there is nothing to undo")
            return
        row = OpinionRow(
            finding_id=finding.id,
            user_id=finding.user_id,
            scout_id=finding.scout_id,
            opinion=opinion,
            created_at=await self._db.now(),
        )
        await opinions.put(self._db, row)

    async def _habits(self, finding: Finding, until: datetime | None = None) -> Habits:
        """Return what opinions on the scout of a finding mean, now or as of a moment."""
        return tastes.habits_of(await opinions.of_scout(self._db, finding.scout_id, until))

    async def stories(self, *, scout_ids: Sequence[UUID] = (), limit: int = 20) -> list[Story]:
        """Return the stories that something was found of last, newest first."""
        owner = await self.owner()
        ids = await findings.stories(self._db, owner, scout_ids=scout_ids, limit=limit)
        return [await self._story(owner, each) for each in ids]

    async def story(self, name: str) -> Story:
        """Return the story that an id means, of it or of one of its findings, or its beginning.

        Raises:
            NotFound: it means none.
            InvalidInput: it may mean several.
        """
        owner, wanted = await self.owner(), name.strip()
        if len(wanted) < _SHORTEST_ID:
            raise NotFound(f"no story {clean(wanted)!r}", hint="scout findings shows the ids")
        of = {
            each.story_id or each.id for each in await findings.by_prefix(self._db, owner, wanted)
        }
        if not of:
            said = clean(wanted)[:80]
            raise NotFound(f"no story {said!r}", hint="scout findings shows the ids")
        if len(of) > 1:
            said = clean(wanted)[:80]
            raise InvalidInput(f"{said!r} may be {len(of)} stories", hint="give more of the id")
        return await self._story(owner, of.pop())

    async def _story(self, owner: UUID, story_id: UUID) -> Story:
        found = await findings.of_story(self._db, owner, story_id, _LONGEST_STORY)
        found = found or await findings.by_ids(self._db, owner, [story_id])
        return Story(
            id=story_id,
            scout_id=found[0].scout_id,
            title=found[0].fact,
            first_at=found[0].created_at,
            last_at=found[-1].created_at,
            domains=tuple(dict.fromkeys(registrable(each.host) for each in found)),
            findings=tuple(found),
        )

    async def search(
        self,
        text: str,
        *,
        scout_ids: Sequence[UUID] = (),
        novelty: Sequence[Novelty] = REPORTED,
        limit: int = 20,
    ) -> list[Match]:
        """Return findings that have the words of `text` or mean something like it, best first.

        Two rankings are fused by their places (reciprocal rank fusion); every character of `text`
        is text, none is an operator.

        Args:
            text: any words, in any language.
            scout_ids: of these scouts only; empty for all.
            novelty: of these kinds only; empty for all.
            limit: at most so many.

        Raises:
            InvalidInput: there is no word in it, or it is too long.
            ModelUnavailable: the embedder is absent.
        """
        text = checked(text)
        owner, depth = await self.owner(), depth_of(limit)
        embedder = await self._embedder()
        by_words = words.ranked(
            self._db, owner, text, scout_ids=scout_ids, novelty=novelty, limit=depth
        )
        by_meaning = self._meaning.ranked(
            self._db, owner, embedder, text, scout_ids=scout_ids, novelty=novelty, limit=depth
        )
        worded, meant = await together([by_words, by_meaning])
        return await fused(self._db, owner, worded, meant, limit)


def _said(finding: Finding, opinion: Opinion | None) -> Said | None:
    if opinion is None:
        return None
    return Said(opinion=opinion, novelty=finding.novelty, host=finding.host, fact=finding.fact)


def _liked(finding: Finding, habits: Habits) -> float:
    return round(tastes.WEIGHT * tastes.liking(habits, finding.host, finding.fact), 3)
