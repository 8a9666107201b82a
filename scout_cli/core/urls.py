"""What a URL identifies: one spelling per page, its host, and whether a scout wants that host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

_TRACKING = frozenset(
    "fbclid gclid dclid gbraid wbraid msclkid mc_cid mc_eid igshid yclid twclid ttclid ref_src "
    "ref_url cmpid ocid ncid smid src_campaign spm _hsenc _hsmi oly_enc_id oly_anon_id "
    "vero_id wickedid mkt_tok trk at_medium at_campaign".split()
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_INDEX_FILE = re.compile(r"/(?:index\.html?|index\.php|default\.aspx)$")
_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]*|[0-9a-f:.]*:[0-9a-f:.]*")
_NEVER_IN_URL = re.compile(r"[\s\\\x00-\x1f\x7f\ud800-\udfff]")

LONGEST = 2_000
"""Characters of a URL; longer ones are not read."""

UNREADABLE_HOSTS = frozenset(
    "facebook.com instagram.com x.com twitter.com tiktok.com linkedin.com pinterest.com "
    "threads.net snapchat.com youtube.com youtu.be vk.com t.me discord.com quora.com "
    "whatsapp.com".split()
)
"""Hosts that show strangers a log-in wall or a video: skipped unless a scout includes them."""

_SECOND_LEVEL = frozenset(
    "ac asn asso co com edu go gob gouv gov gv id ltd me mil ne net nhs nom or org plc sch".split()
)
_SHARED_HOSTS = frozenset(
    "blogspot.com wordpress.com github.io gitlab.io substack.com tumblr.com medium.com "
    "netlify.app vercel.app pages.dev web.app herokuapp.com readthedocs.io wixsite.com".split()
)


def canonical(url: str) -> str:
    """Return the one spelling by which pages are compared.

    Scheme and host are lower-cased, `www.`, fragments, default ports, index files, trailing
    slashes and campaign parameters go, the remaining parameters are sorted, and `http` on its
    default port counts as `https`. The result identifies a page; it is not for fetching.
    """
    parts, host = _parts(url), host_of(url)
    if parts is None or not _HOST.fullmatch(host):
        return url.strip()
    scheme = parts.scheme.lower()
    netloc = f"[{host}]" if ":" in host else host
    if parts.port in (None, _DEFAULT_PORTS.get(scheme)):
        scheme = "https" if scheme == "http" else scheme
    else:
        netloc = f"{netloc}:{parts.port}"
    query = sorted(
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if key.lower() not in _TRACKING and not key.lower().startswith("utm_")
    )
    text = urlencode(query, errors="replace")
    return urlunsplit((scheme, netloc, _bare(parts.path), text, ""))


def _bare(path: str) -> str:
    """Return a path without trailing slashes and index files."""
    while (shorter := _INDEX_FILE.sub("", path.strip().rstrip("/"))) != path:
        path = shorter
    return path


@lru_cache(maxsize=1024)
def host_of(url: str) -> str:
    """Return the host name of `url` in ASCII, without `www.` and port; empty if it has none.

    Names in other scripts become their `xn--` form (RFC 3490), so that no letter can pass for
    another.
    """
    parts = _parts(url)
    host = ((parts.hostname or "") if parts else "").lower().rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower().rstrip(".")
        except UnicodeError:
            return host
    while host.startswith("www.") and host.count(".") > 1:
        host = host.removeprefix("www.")
    return host


def place_of(url: str) -> str:
    """Return the `host:port` that an http or https `url` leads to; empty when it is none."""
    parts = _parts(url)
    if parts is None or not parts.hostname or parts.scheme.lower() not in _DEFAULT_PORTS:
        return ""
    return f"{parts.hostname}:{parts.port or _DEFAULT_PORTS[parts.scheme.lower()]}"


def is_web(url: str) -> bool:
    """Return whether `url` is an absolute http or https URL that can be read and shown.

    It has a host, a usable port and a usable length, and no user name, white space or backslash.
    """
    if len(url) > LONGEST or _NEVER_IN_URL.search(url.strip()):
        return False
    parts = _parts(url)
    if parts is None or parts.scheme.lower() not in _DEFAULT_PORTS or "@" in parts.netloc:
        return False
    return bool(_HOST.fullmatch(host_of(url)))


@lru_cache(maxsize=1024)
def registrable(host: str) -> str:
    """Return the domain that somebody registered: `news.example.co.uk` is of `example.co.uk`.

    A rule of thumb in place of the Public Suffix List, which is data to be kept fresh: the last
    two labels, three below a country's `co`, `com`, `org` and the like and below the well-known
    hosts of other people's sites. An address in numbers is itself.
    """
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit() or len(labels) < 3:
        return host
    shared = ".".join(labels[-2:]) in _SHARED_HOSTS
    national = len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if shared or national else labels[-2:])


def belongs_to(host: str, domains: Sequence[str] | frozenset[str]) -> bool:
    """Return whether `host` is one of `domains` or a subdomain of one."""
    labels = host.split(".")
    wanted = _bare_names(domains if isinstance(domains, frozenset) else tuple(domains))
    return any(".".join(labels[start:]) in wanted for start in range(len(labels)))


@lru_cache(maxsize=64)
def _bare_names(domains: tuple[str, ...] | frozenset[str]) -> frozenset[str]:
    return frozenset(domain.lower().removeprefix("www.").strip(".") for domain in domains)


def wanted(url: str, *, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Return whether a scout with these domain lists reads `url`.

    An included domain is read even when it is on the list of unreadable hosts.
    """
    if not is_web(url):
        return False
    host = host_of(url)
    if belongs_to(host, exclude):
        return False
    if include:
        return belongs_to(host, include)
    return not belongs_to(host, UNREADABLE_HOSTS)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL, or None when host or port cannot be read."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        return None
    return parts
