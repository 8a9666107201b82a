"""Hostile messages and hostile receivers: nothing live in markup, no header that is not ours."""

from __future__ import annotations

from email.headerregistry import Address as Mailbox
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from scout_cli.errors import ConfigError, Refused
from scout_cli.notify import ntfy, telegram
from scout_cli.notify.letter import letter
from scout_cli.notify.mailbox import mailbox, server
from scout_cli.notify.message import compose, verify
from scout_cli.notify.plain import plain
from scout_cli.notify.safe import safe
from scout_cli.notify.smtp import MailChannel
from tests.channel_servers import MailServer
from tests.notices import ID, item, link, news, notice

XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<body onload=alert(1)>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=pw></form>",
    "<object data=https://evil.example/x.swf></object>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "</li></ul></body><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    '"><img src=https://evil.example/pixel.gif>',
    "' autofocus onfocus=alert(1) x='",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<scr\u200bipt>alert(1)</scr\u200bipt>",
    "{title} {content} {0.__class__} %s %(x)s ${x}",
]
BAD_LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x",
    "/relative",
    "vbscript:x",
    "file:///etc/passwd",
    "https://user:pw@evil.example/",
    'https://news.example/" onmouseover="alert(1)',
    "https://news.example/'><script>",
    "https://news.example/\r\nX: y",
    "https:\\\\evil.example",
    "",
]
HEADERS = [
    "x\r\nBcc: evil@example.org",
    "x\nBcc: evil@example.org",
    "x\rBcc: evil@example.org",
    "=?utf-8?q?a=0d=0aBcc:_evil@example.org?=",
    "=?utf-8?b?YQ0KQmNjOiBldmlsQGV4YW1wbGUub3Jn?=",
    "=\u200b?utf-8?q?a=0d=0aBcc:_evil@example.org?=",
    "= ?utf-8?q?a=0d=0aBcc:_evil@example.org?=",
    "x" * 5_000,
    "nul\x00 and half \ud800 and line\u2028break\u2029s",
    "x\x85Bcc: evil@example.org",
    "x\x0b\x0cBcc: evil@example.org",
    "",
    "   ",
    "\u202eslanigiro eht \u2066not\u2069",
]
_ELEMENTS = set("html head meta title style body h1 h2 p ul li em span a".split())


class Live(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.links = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        """Keep every element and attribute that our template does not have."""
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href"))
        if tag not in _ELEMENTS or not given.keys() <= {
            "class",
            "href",
            "name",
            "content",
            "charset",
        }:
            self.found.append((tag, attrs))

    def handle_data(self, data):
        """Keep the text."""
        self.text += data


def live(html):
    """Return the vectors, links and text of a page."""
    parser = Live()
    parser.feed(html)
    parser.close()
    return parser


def hostile(text):
    """Return a message with `text` in every field that a stranger can fill."""
    return notice(
        news(
            title=text,
            summary=text,
            items=(item(text, links=(link(title=text, host=text),)),),
        ),
        subject=text,
    )


def mailed(told, *, sender="scout@example.org"):
    """Return the raw message."""
    return compose(
        told,
        sender=mailbox(sender, what="mail_from"),
        recipient=Mailbox(addr_spec="me@example.org"),
        host="example.org",
    )


@pytest.mark.parametrize("text", XSS)
def test_no_live_vector_in_a_letter(text):
    """What strangers wrote is text in the page: no element, attribute or style is theirs."""
    page = live(letter(safe(hostile(text))))
    assert page.found == []
    assert page.links == ["https://news.example/ferry"]
    assert letter(safe(hostile(text))).count("<style>") == 1


@pytest.mark.parametrize("text", XSS)
def test_no_live_vector_in_telegram(text):
    """Telegram gets its four elements, ours, and the whole text."""
    body = telegram.message(hostile(text), "5")["text"]
    page = live(body.replace("<b>", "<em>").replace("</b>", "</em>"))
    assert page.found == []
    assert page.links == ["https://news.example/ferry"]


@pytest.mark.parametrize("url", BAD_LINKS)
def test_only_links_to_the_web(url):
    """A link that is no plain web address is left out everywhere; the line stays."""
    told = notice(
        news(
            items=(
                item(
                    "A line.",
                    links=(link(4, url), link(5)),
                ),
            )
        )
    )
    assert live(letter(safe(told))).links == ["https://news.example/ferry"]
    assert "[S4]" not in plain(safe(told))
    assert "A line." in plain(safe(told))
    assert ntfy.message(told, "t")["click"] == "https://news.example/ferry"
    assert telegram.message(told, "5")["text"].count("<a ") == 1


def test_a_link_shows_the_host_it_leads_to():
    """A page cannot lend its link another name, nor one in look-alike letters."""
    told = notice(
        news(items=(item(links=(link(url="https://еxample.org/x", host="example.org"),)),))
    )
    assert ">xn--xample-2of.org<" in letter(safe(told))


def test_an_address_stays_as_it_is():
    """What looks like an entity in a link's address is none."""
    url = "https://news.example/?a=1&lt;=2&copy=3&amp;b='x'"
    told = notice(news(items=(item(links=(link(url=url),)),)))
    assert live(letter(safe(told))).links == [url]
    assert live(telegram.message(told, "5")["text"]).links == [url]


@pytest.mark.parametrize("text", HEADERS)
def test_no_header_but_ours(text):
    """Whatever stands in a subject, the message has our headers, each once, and no other."""
    raw = mailed(hostile(text))
    head = raw.partition(b"\r\n\r\n")[0].decode()
    names = sorted(row.partition(":")[0] for row in head.split("\r\n") if row[:1] not in " \t")
    assert names == sorted(
        "From To Date Subject Message-ID List-Id Auto-Submitted MIME-Version Content-Type".split()
    )
    assert max(len(row) for row in raw.split(b"\r\n")) <= 998


@settings(max_examples=150, deadline=None)
@given(some.text(max_size=300))
def test_no_text_breaks_a_message(text):
    """Any text at all can be mailed, and its subject stays one short line."""
    raw = mailed(hostile(text))
    assert b"Bcc" not in raw.partition(b"\r\n\r\n")[0]
    assert len(safe(hostile(text)).subject) <= 150


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject:", b"Bcc: evil@example.org\r\nSubject:"),
        (b"Subject:", b"Subject: again\r\nSubject:"),
        (b"To: me@example.org", b"To: me@example.org, evil@example.org"),
        (b"Subject: Saltmere", b"Subject: Another"),
        (b"Auto-Submitted: auto-generated\r\n", b""),
        (b"Subject:", b"X-Y: z\nSubject:"),
        (b"Content-Type: text/html", b"Content-Type: application/zip"),
    ],
)
def test_a_message_that_is_not_what_was_meant_is_not_sent(old, new):
    """The last look before sending finds headers and parts that should not be there."""
    raw = mailed(notice())
    expected = {
        "Subject": notice().subject,
        "Message-ID": f"<{ID}@example.org>",
        "List-Id": f"<{notice().news[0].scout_id}.scout.example.org>",
        "Auto-Submitted": "auto-generated",
        "From": "scout@example.org",
        "To": "me@example.org",
    }
    verify(raw, expected)
    assert old in raw
    with pytest.raises(Refused):
        verify(raw.replace(old, new, 1), expected)


@pytest.mark.parametrize(
    "sender",
    ["a@x.org, b@y.org", "a@x.org\r\nBcc: b@y.org", '"a" <b@x.org> <c@y.org>', "<>", "a b@x.org"],
)
def test_senders_that_are_not_one_address(sender):
    """Two addresses in one, and line breaks, are refused when the setting is read."""
    with pytest.raises(ConfigError):
        mailbox(sender, what="mail_from")


@pytest.mark.parametrize("text", HEADERS[3:5])
def test_what_gets_past_the_cleaning_is_not_sent(text):
    """An encoded line break that a parser puts into a header is seen in the finished message."""
    try:
        raw = compose(
            notice(),
            sender=Mailbox(display_name=text, addr_spec="scout@example.org"),
            recipient=Mailbox(addr_spec="me@example.org"),
            host="example.org",
        )
    except Refused:
        return
    assert b"\nBcc" not in raw


def test_a_display_name_is_a_name():
    """A quoted name with an address in it stays a name."""
    raw = mailed(notice(), sender='"boss@bank.example" <scout@example.org>')
    assert b'From: "boss@bank.example" <scout@example.org>' in raw


async def test_dots_and_long_lines_arrive_as_they_are():
    """A line of one dot does not end a mail, and one of 5,000 letters is no line of it."""
    lines = (item("."), item(".."), item("x" * 1_900), item(".\r\n.\r\nQUIT"))
    async with MailServer() as smtp:
        channel = MailChannel(
            Mailbox(addr_spec="me@example.org"),
            server(f"smtp://{smtp.host}"),
            Mailbox(addr_spec="scout@example.org"),
        )

        async def committing():
            pass

        told = await channel.send(notice(news(items=lines)), committing)
        assert told.outcome == "sent"
        text = smtp.got[0].parsed.get_body(("plain",)).get_content()
        assert [row for row in text.splitlines() if row.startswith("- ")] == [
            "- .",
            "- ..",
            f"- {'x' * 1_900}",
            "- . . QUIT",
        ]


def units(html):
    """Return the length of a message as Telegram counts it."""
    return len(live(html).text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", ["", "x" * 400, "🛳" * 300, "&<>" * 200, "é" * 400])
@pytest.mark.parametrize("count", [1, 9, 60, 400])
def test_telegram_messages_fit(text, count):
    """They have at most 4,096 units, and say how many lines are left out."""
    told = notice(news(items=tuple(item(f"{number} {text}") for number in range(count))))
    body = telegram.message(told, "5")["text"]
    assert units(body) <= 4_096
    shown = body.count("•")
    assert shown >= 1
    assert (f"… and {count - shown} more" in body) == (shown < count)


@pytest.mark.parametrize("text", ["x" * 400, "🛳" * 900, "語" * 500])
@pytest.mark.parametrize("count", [1, 9, 60])
def test_ntfy_messages_fit(text, count):
    """They stay below the size from which ntfy makes an attachment of them."""
    told = notice(news(items=tuple(item(f"{number} {text}") for number in range(count))))
    body = ntfy.message(told, "t")["message"]
    assert len(body.encode()) <= 4_096
    shown = body.count("- ")
    assert shown >= 1
    assert (f"… and {count - shown} more" in body) == (shown < count)


def test_terminals_get_no_commands():
    """Escape sequences, direction marks and tags do not reach a terminal."""
    text = "\x1b]0;pwned\x07\x1b[2J red \u202egnirts\u202c \U000e0041 \u200b."
    shown = plain(safe(hostile(text)))
    assert not [c for c in shown if not (c.isprintable() or c == "\n")]
