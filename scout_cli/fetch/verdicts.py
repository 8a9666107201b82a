"""Is this a page, or a wall in front of one? Decided by wording and length, never by one word.

An article may be about captchas, cookies or denied access: a wall is short and says little else.
"""

from __future__ import annotations

import re

from scout_cli.fetch.wire import Verdict

_SHORT = 1_200
"""Characters: no wall says more, hardly an article says less."""
_TERSE = 350

_CAPTCHA = re.compile(
    r"verify (that )?you are (a )?human|are you (a )?(human|robot)|(i'?m|you're) not a robot"
    r"|prove you are (a )?human|complete the (security check|captcha)|solve (the|this) captcha"
    r"|unusual traffic|press (and|&) hold|enter the characters|please complete the captcha"
    r"|ich bin kein roboter|je ne suis pas un robot|no soy un robot|não sou um robô"
    r"|я не робот|security verification|checking if the site connection is secure"
    r"|human verification",
)
_CAPTCHA_WIDGET = re.compile(
    r"g-recaptcha|h-captcha|hcaptcha\.com|cf-turnstile|challenges\.cloudflare\.com|px-captcha"
    r"|captcha-delivery\.com|geo\.captcha|arkoselabs|friendly-captcha|smart-captcha|awswaf",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"access (to this (page|site|website) )?(is |has been |was )?(denied|forbidden|blocked)"
    r"|you have been blocked|request (was |has been )?(blocked|rejected|unsuccessful)"
    r"|you don'?t have permission to access|checking your browser|just a moment"
    r"|attention required|pardon our interruption|error 10(05|06|07|08|09|10|12|15|20)\b"
    r"|automated (access|requests|queries)|bot detection|ddos protection by|ray id"
    r"|incapsula incident|your ip( address)? (has been|is|was) (blocked|banned)"
    r"|not available in your (country|region)|enable javascript and cookies to continue"
    r"|zugriff verweigert|accès refusé|acceso denegado|доступ (запрещ[её]н|ограничен)",
)
_CONSENT = re.compile(
    r"before you continue|bevor sie (fortfahren|zu )|avant d['’]accéder|antes de continuar"
    r"|we (and our|value your)[^.]{0,60}(partners|privacy)"
    r"|(accept|agree to|allow) (all|our)?( of our)? ?cookies|use (of )?cookies"
    r"|cookies? (consent|settings|preferences)|manage (options|preferences|choices)"
    r"|alle(n)? (cookies )?(akzeptieren|zustimmen)|mit werbung weiterlesen|tout accepter"
    r"|aceptar (todo|todas|y continuar)|aceitar todos|accetta tutti|принять все",
)
_NEEDS_SCRIPTS = re.compile(
    r"(enable|activate|requires?|need|without|turn on|allow) (your )?java ?script"
    r"|java ?script (is )?(disabled|required|not enabled|must be)|javascript aktivieren"
    r"|^\W*(loading|please wait|laden|chargement)\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_CONSENT_ADDRESS = re.compile(r"//(consent|guce|privacy-?mgmt|cmp)\.|/consent(/|\?|$)")


def judge(
    *,
    title: str,
    seen: str,
    text: str,
    html: str,
    url: str,
    scripts: bool,
    status: int,
    scripts_ran: bool = False,
) -> Verdict:
    """Return what kind of page this is.

    Args:
        title: the page's title.
        seen: everything a visitor could read, walls and bars included.
        text: the main text, cleaned.
        html: the source.
        url: the final address.
        scripts: the page brings scripts.
        status: the HTTP status; an error page is taken for a wall more readily.
        scripts_ran: they have run, so that a short text is no sign of more to come.
    """
    wall = _wall(f"{title}\n{seen}".lower(), text, html, url, status)
    if wall is not None:
        return wall
    shell = len(text) < 120 and not scripts_ran
    if len(text) < _TERSE and scripts and (shell or _NEEDS_SCRIPTS.search(seen)):
        return "scripts"
    return "page" if re.search(r"\w{2}", text) else "empty"


def _wall(seen: str, text: str, html: str, url: str, status: int) -> Verdict | None:
    if len(text) > _SHORT:
        return None
    refused = status >= 400
    if _sure(_CAPTCHA, seen, text, refused=refused) or _guarded_form(html, text, seen):
        return "captcha"
    if _sure(_BLOCKED, seen, text, refused=refused):
        return "blocked"
    said = len({match[0] for match in _CONSENT.finditer(seen)})
    asked = said >= 2 or (said == 1 and _CONSENT_ADDRESS.search(url) is not None)
    if asked and len(_without_consent(text)) < _TERSE:
        return "consent"
    return None


def _sure(markers: re.Pattern[str], seen: str, text: str, *, refused: bool) -> bool:
    found = {match[0] for match in markers.finditer(seen)}
    return bool(found) and (refused or len(found) >= 2 or len(text) < _TERSE)


def _guarded_form(html: str, text: str, seen: str) -> bool:
    return (
        len(text) < _TERSE
        and _CAPTCHA_WIDGET.search(html) is not None
        and re.search(r"captcha|robot|human|verif|security", seen, re.IGNORECASE) is not None
    )


def _without_consent(text: str) -> str:
    lines = re.split(r"(?<=[.!?])\s+|\n", text)
    return " ".join(
        line for line in lines if not _CONSENT.search(line.lower()) and "cookie" not in line.lower()
    )
