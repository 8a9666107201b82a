"""A notice as an e-mail: text and HTML, and no header but ours, whatever the texts contain.

The message is the same on every attempt, its Message-ID too, so that mailboxes can tell a repeat.
After it is made it is read again as a mail server would: an unexpected header stops it, also on
Pythons whose `email` module lets encoded line breaks through (CVE-2024-6923).

Source: RFC 5322, RFC 2919 (List-Id), RFC 3834 (Auto-Submitted).
"""

from __future__ import annotations

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage

from scout_cli.core.news import Notice
from scout_cli.errors import Refused
from scout_cli.notify.letter import letter
from scout_cli.notify.plain import plain
from scout_cli.notify.safe import safe

_OF_A_PART = {"content-type", "content-transfer-encoding", "mime-version"}
_KINDS = ["multipart/alternative", "text/plain", "text/html"]


def compose(notice: Notice, *, sender: Mailbox, recipient: Mailbox, host: str) -> bytes:
    """Return the message, ready for DATA.

    Args:
        notice: what to say, as it came.
        sender: stands in From.
        recipient: stands in To.
        host: the right half of Message-ID and List-Id.

    Raises:
        Refused: reading it again did not give what was put in.
    """
    told = safe(notice)
    headers = {"Subject": told.subject, "Message-ID": f"<{notice.id}@{host}>"}
    headers |= list_headers(notice, host)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"] = sender, recipient
    mail["Date"] = notice.created_at
    for name, value in headers.items():
        mail[name] = value
    mail.set_content(_text(told), cte="quoted-printable")
    mail.add_alternative(letter(told), subtype="html", cte="quoted-printable")
    # Quoted-printable text never holds "=_", so no body can end a part.
    mail.set_boundary(f"=_{notice.id}")
    raw = mail.as_bytes()
    headers |= {"From": sender.addr_spec, "To": recipient.addr_spec}
    verify(raw, headers)
    return raw


def list_headers(notice: Notice, host: str) -> dict[str, str]:
    """Return the headers by which mail programs file a message and hold back automatic replies."""
    scouts = {news.scout_id for news in notice.news if news.scout_id}
    of_one = f"{next(iter(scouts))}." if len(scouts) == 1 else ""
    return {"List-Id": f"<{of_one}scout.{host}>", "Auto-Submitted": "auto-generated"}


def verify(raw: bytes, expected: Mapping[str, str]) -> None:
    """Read a message as a mail server would, and require exactly the headers that were meant.

    Args:
        raw: the message.
        expected: header to value; of From and To, the address. Date, MIME-Version and
            Content-Type are required besides.

    Raises:
        Refused: there is another header, one twice, another value, or another structure.
    """
    parsed = message_from_bytes(raw, policy=policy.SMTP)
    allowed = sorted(name.lower() for name in (*expected, "Date", "MIME-Version", "Content-Type"))
    try:
        same = all(_value(parsed, name) == value for name, value in expected.items())
    except ValueError:  # newer Pythons do not even read an address with a line break in it
        same = False
    if sorted(name.lower() for name in parsed) != allowed or not same:
        raise Refused("The message's headers are not those that were meant; it was not sent")
    parts = list(parsed.walk())
    shape = [part.get_content_type() for part in parts]
    names = {name.lower() for part in parts[1:] for name in part}
    if shape != _KINDS or not names <= _OF_A_PART or any(part.defects for part in parts):
        raise Refused("The message's parts are not those that were meant; it was not sent")


def _value(parsed: EmailMessage, name: str) -> str:
    found = parsed[name]
    boxes = getattr(found, "addresses", None)
    return ",".join(box.addr_spec for box in boxes) if boxes is not None else str(found)


def _text(told: Notice) -> str:
    return f"{plain(told)}\n\n--\nSent by scout.\n"
