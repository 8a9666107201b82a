"""News on its way out: what a command prints of it, and the sending after a run by hand."""

from __future__ import annotations

from collections.abc import Callable

from scout_cli.app import App
from scout_cli.cli import streams
from scout_cli.cli.looking import View


def writer(*, as_json: bool) -> Callable[[str], object]:
    """Return what prints a message of `console://`: as data, unless that is JSON."""
    put = streams.say if as_json else streams.put
    return lambda text: put(streams.block(text))


async def send(app: App, view: View) -> None:
    """Send what a run has queued, and say what could not be sent.

    A message that fails now waits in the outbox, and the next tick tries it again.
    """
    quiet = view.as_json or view.quiet
    deliveries = await app.deliveries(writer(as_json=quiet))
    done = await deliveries.deliver_due()
    if done.sent and not quiet:
        streams.say(f"Sent: {done.sent} message{'' if done.sent == 1 else 's'}.")
    if failed := done.retried + done.dead + done.unknown:
        streams.say(f"Not sent: {failed}. See why: scout outbox --failed")
