"""Channel URLs: what they mean, what people may see of them, and which are refused."""

from __future__ import annotations

import pytest

from scout_cli.errors import ConfigError, MissingPackage
from scout_cli.notify import check_channel, describe, split_url
from tests.channels import SECRETS, SENDING, URLS

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"  # of Apprise, on Pythons that still have it
)


@pytest.mark.parametrize("kind", [kind for kind in SENDING if kind in URLS])
def test_names_without_secrets(kind):
    """What people see of a URL is known without opening it, and holds no secret."""
    url = URLS[kind].format(host="hooks.example:8080")
    shown = describe(f"{url}{'&' if '?' in url else '?'}digest=daily")
    assert shown
    assert [secret for secret in SECRETS if secret in shown] == []
    check_channel(url, apprise=True)


BROKEN = [
    "nonsense",
    "mailto://",
    "mailto://nobody",
    "mailto://a@example.org,b@example.org",
    "mailto://me:pw@example.org",
    "mailto://me@example.org?subject=x",
    "mailto://me@exa mple.org",
    "mailto://m\r\nBcc:x@example.org",
    "webhook+https://",
    "webhook+https://host:99999/",
    "webhook+https://host/?secret=short",
    "webhook+https://user:pw@host/",
    "webhook+https://host/#frag",
    "webhook+ftp://host/",
    "ntfy://my-own-subject",
    "ntfy://ntfy.sh/a/b",
    "ntfy://ntfy.sh/t?priority=5",
    "tgram://token/5",
    "tgram://123456:ABCDEFGHIJKLMN/",
    "tgram://123456:ABCDEFGHIJKLMN/5/../..",
    "resend://mail.example?to=me@example.org",
    "resend://re_x@api.resend.com",
    "resend://re_x@api.resend.com?to=me@example.org&from=a@b,c@d",
    "console://tty9",
    "mailto:me@example.org?digest=hourly",
    "mailto:me@example.org?doubt=resend&doubt=hold",
    "ntfi://ntfy.sh/topic",
]


@pytest.mark.parametrize("url", BROKEN)
def test_urls_that_cannot_be_used(url):
    """They are refused before anything is stored, in words that repeat none of it."""
    with pytest.raises(ConfigError) as refused:
        check_channel(url)
    told = refused.value.message + refused.value.hint
    assert refused.value.hint or "twice" in told
    rest = url.partition(":")[2].strip("/")
    assert not rest or rest not in told
    assert isinstance(describe(url), str)


def test_other_schemes_need_leave():
    """Apprise gets a URL only where the caller says so; a near miss is named."""
    with pytest.raises(ConfigError, match="slack"):
        check_channel("slack://a/b/c")
    with pytest.raises(ConfigError) as near:
        check_channel("webhok+https://host/")
    assert "webhook+https://" in near.value.hint
    with pytest.raises(ConfigError, match="Apprise cannot use"):
        check_channel("nosuchservice://a/b/c", apprise=True)
    check_channel("json://example.org/", apprise=True)
    assert MissingPackage.exit_code == 4


def test_scouts_own_parameters():
    """They are taken out, the rest stays as it was written."""
    url = "webhook+https://h/p?b=%20x&digest=weekly&a=1&a=2&doubt=hold"
    bare, options = split_url(url)
    assert bare == "webhook+https://h/p?b=%20x&a=1&a=2"
    assert (options.digest, options.doubt) == ("weekly", "hold")
    assert split_url("console://")[1].doubt == "resend"
    assert split_url("mailto:me@h?digest=daily")[0] == "mailto:me@h"
