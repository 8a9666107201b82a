"""What a URL identifies: one spelling per page, its host, and whether a scout wants that host."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TRACKING = frozenset(
    "fbclid gclid dclid gbraid wbraid msclkid mc_cid mc_eid igshid yclid twclid ttclid ref_src "
    "ref_url cmpid ocid ncid smid src_campaign spm _hsenc _hsmi oly_enc_id oly_anon_id "
    "vero_id wickedid mkt_tok trk at_medium at_campaign".split()
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_INDEX_FILES = ("index.html", "index.htm", "index.php", "default.aspx")

LONGEST = 2_000
"""Characters of a URL; longer ones are not read."""

UNREADABLE_HOSTS = frozenset(
    "facebook.com instagram.com x.com twitter.com tiktok.com linkedin.com pinterest.com "
    "threads.net snapchat.com youtube.com youtu.be vk.com t.me discord.com quora.com "
    "whatsapp.com".split()
)
"""Hosts that show strangers a log-in wall or a video: skipped unless a scout includes them."""


def canonical(url: str) -> str:
    """Return the one spelling by which pages are compared.

    Scheme and host are lower-cased, `www.`, fragments, default ports, index files, trailing
    slashes and campaign parameters go, the remaining parameters are sorted, and `http` on its
    default port counts as `https`. The result identifies a page; it is not for fetching.
    """
    parts = urlsplit(url.strip())
    scheme, host = parts.scheme.lower(), host_of(url)
    port = _port(parts)
    if port in (None, _DEFAULT_PORTS.get(scheme)):
        scheme, netloc = "https" if scheme == "http" else scheme, host
    else:
        netloc = f"{host}:{port}"
    path = parts.path
    for name in _INDEX_FILES:
        path = path.removesuffix(f"/{name}")
    query = sorted(
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if key.lower() not in _TRACKING and not key.lower().startswith("utm_")
    )
    return urlunsplit((scheme, netloc, path.rstrip("/"), urlencode(query), ""))


def host_of(url: str) -> str:
    """Return the lower-cased host name of `url` without `www.` and port; empty if it has none."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    return host.lower().rstrip(".").removeprefix("www.")


def is_web(url: str) -> bool:
    """Return whether `url` is an absolute http or https URL with a host, of a usable length."""
    if len(url) > LONGEST:
        return False
    try:
        return urlsplit(url.strip()).scheme.lower() in _DEFAULT_PORTS and bool(host_of(url))
    except ValueError:
        return False


def belongs_to(host: str, domains: Sequence[str] | frozenset[str]) -> bool:
    """Return whether `host` is one of `domains` or a subdomain of one."""
    labels = host.split(".")
    wanted = {domain.lower().removeprefix("www.").strip(".") for domain in domains}
    return any(".".join(labels[start:]) in wanted for start in range(len(labels)))


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


def _port(parts: object) -> int | None:
    try:
        port: int | None = parts.port  # type: ignore[attr-defined]
    except ValueError:
        return None
    return port
