"""Who a request is from, and whether the route lets them in."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web

from scout_cli.app import App
from scout_cli.errors import Forbidden, Unauthorized
from scout_cli.server.routing import Route
from scout_cli.service.callers import Caller

Network = IPv4Network | IPv6Network


def networks(given: Sequence[str]) -> tuple[Network, ...]:
    """Return addresses and networks as networks.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ip_network(each, strict=False) for each in given)


def address_of(request: web.Request, trusted: Sequence[Network]) -> str:
    """Return the address that a request comes from.

    Args:
        request: its `X-Forwarded-For` counts when a trusted proxy sent it, from the right, up to
            the first address that is not one.
        trusted: the proxies.
    """
    address = request.remote or ""
    if not trusted or "X-Forwarded-For" not in request.headers:
        return address
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    while hops and within(address, trusted):
        before = hops.pop()
        if not _is_address(before):
            break
        address = before
    return address


def is_loopback(address: str) -> bool:
    """Return whether a request comes from this machine."""
    return _is_address(address) and ip_address(address).is_loopback


async def caller_of(request: web.Request, app: App) -> Caller | None:
    """Return who asks; None for a request without credentials.

    Raises:
        Unauthorized: credentials that are not good, or two of them.
    """
    given = request.headers.getall("Authorization", [])
    if not given:
        return None
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(
            "the Authorization header cannot be used", hint="send one: Authorization: Bearer TOKEN"
        )
    return await (await app.accounts()).caller(token.strip())


def admit(
    route: Route, caller: Caller | None, address: str, request: web.Request, app: App
) -> None:
    """Let a request in.

    Raises:
        Unauthorized: nobody is known, and the route asks for somebody.
        Forbidden: whoever asks may not.
    """
    if route.access == "public":
        return
    if route.access == "operator":
        _admit_operator(address, request, app.settings.metrics_token)
        return
    if caller is None:
        raise Unauthorized("this needs a token", hint="send Authorization: Bearer TOKEN")
    needed = route.scope or ("read" if route.method == "GET" else "write")
    if needed not in caller.scopes:
        raise Forbidden(f"this token may not {needed}", hint="make another: scout token create")
    if route.access == "admin" and caller.role != "admin":
        raise Forbidden("only an admin may do this")


def _admit_operator(address: str, request: web.Request, token: str) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return
    if not is_loopback(address) or "X-Forwarded-For" in request.headers:
        raise Forbidden("only this machine may ask", hint="set metrics_token and send it")


def within(address: str, networks_: Sequence[Network]) -> bool:
    """Return whether an address is in one of these networks."""
    return _is_address(address) and any(ip_address(address) in each for each in networks_)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
