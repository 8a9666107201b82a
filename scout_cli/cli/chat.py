"""`scout chat`: set a scout up by talking about it."""

from __future__ import annotations

import click

from scout_cli import config
from scout_cli.app import App
from scout_cli.cli import looking, slash, streams, talking
from scout_cli.cli.names import SCOUT
from scout_cli.cli.session import Session, pass_session
from scout_cli.core import schedule
from scout_cli.core.chatting import ChatEvent, ChatStarted
from scout_cli.core.models import ChatMessage, Location, Scout
from scout_cli.core.setting_up import missing
from scout_cli.errors import InvalidInput, ScoutError
from scout_cli.service.wishes import place


@click.command("chat")
@click.argument("name", metavar="[SCOUT]", required=False, type=SCOUT)
@click.option("--location", metavar="PLACE", help="Where you are, such as 'Bonn, Germany'.")
@click.option(
    "--tz", metavar="ZONE", help="Time zone of the rhythm; default: this machine's.  [env: TZ]"
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON Lines.")
@pass_session
def command(
    session: Session,
    name: str | None,
    *,
    location: str | None,
    tz: str | None,
    as_json: bool,
) -> int:
    """Set a scout up by talking about it.

    Without SCOUT your first message becomes a new one, which rests until you activate it. Without
    a terminal each line of standard input is one message. /help lists what else can be typed.

    \b
    Example:
      scout chat 1a2b3c4d
      echo "Concerts in Bonn, every week" | scout chat
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    zone = schedule.parse(timezone=tz or config.machine_timezone()).timezone
    chat = Chat(session, talking.choose(as_json=as_json), place(location), zone)
    if name is not None:
        chat.open(name)
    code = chat.go()
    chat.close()
    return code


class Chat:
    """A conversation in this process; each message opens the app anew, so that Ctrl-C is safe.

    Args:
        session: the command line.
        view: where it is read and shown.
        here: where the person is.
        zone: in which a rhythm is meant.
    """

    def __init__(
        self, session: Session, view: talking.View, here: Location | None, zone: str
    ) -> None:
        self._session = session
        self._view = view
        self._here = here
        self._zone = zone
        self._scout: Scout | None = None

    def open(self, name: str) -> None:
        """Go on with a scout, and show what was said last.

        Raises:
            NotFound: no such scout.
        """

        async def work(app: App) -> tuple[Scout, list[ChatMessage]]:
            scout = await (await app.scouts()).find(name)
            chats = await app.chats(timezone=self._zone)
            return scout, await chats.history(str(scout.id))

        self._scout, said = self._session.run(work)
        self._view.opened(self._scout, said)

    def go(self) -> int:
        """Talk until there is nothing more to read; return the exit code."""
        if self._scout is None:
            self._view.hint("What should I look out for? /help lists what else you can type.")
        while (text := self._view.read()) is not None:
            if not text.strip():
                continue
            if text.strip() in ("/quit", "/exit", "/q"):
                break
            code = self._take(text.strip())
            if code != streams.ExitCode.OK and not self._view.patient:
                return code
        return streams.ExitCode.OK

    def close(self) -> None:
        """Say how the scout stands and what makes it run."""
        scout = self._scout
        ready = scout is not None and not missing(scout) and not scout.is_active
        if scout and ready and self._view.agrees(f"Activate “{streams.line(scout.title)}” now?"):
            self._take("/activate")
        self._view.closed(self._scout)

    def _take(self, text: str) -> int:
        try:
            if text.startswith("/"):
                return self._command(text)
            self._say(text)
        except KeyboardInterrupt:
            if not self._view.patient:
                raise
            self._view.hint("(stopped)")
        except ScoutError as error:
            return streams.tell(error, as_json=self._view.as_json)
        return streams.ExitCode.OK

    def _command(self, text: str) -> int:
        if text.split(maxsplit=1)[0] == "/help":
            self._view.hint(slash.HELP)
            return streams.ExitCode.OK
        if self._scout is None:
            raise InvalidInput("there is no scout yet", hint="say what to look for")
        scout_id, view = str(self._scout.id), self._view

        async def work(app: App) -> tuple[Scout, int]:
            return await slash.carry_out(app, scout_id, text, as_json=view.as_json)

        self._scout, code = self._session.run(work)
        return code

    def _say(self, text: str) -> None:
        name = str(self._scout.id) if self._scout else None

        async def work(app: App) -> Scout:
            chats = await app.chats(timezone=self._zone)
            async with chats.begin(name, text, location=self._here) as conversation:
                self._scout = conversation.scout

                async def hear(event: ChatEvent) -> None:
                    if not isinstance(event, ChatStarted):  # the model was chosen by now
                        for note in looking.taken(app.notes):
                            self._view.hint(streams.line(note))
                    await self._view.see(event)

                await conversation.go(hear)
                return conversation.scout

        try:
            self._scout = self._session.run(work)
        finally:
            self._view.settle()
