"""The guard: every address that scout dials for a page, feed or webhook passes here.

It looks three times, since each look misses something: at the URL before anything happens, at
the answers of the name server, and at the final address of every socket, redirects and literal
addresses included.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from scout_cli.errors import ConfigError, Refused
from scout_cli.net import addresses, spelling

PORTS = frozenset({80, 443, 8080, 8443})
"""The ports on which the public web answers; others need opening by name."""

_DENIED_NAMES = frozenset(
    "localhost metadata metadata.goog metadata.google.internal instance-data".split()
)
_DENIED_SUFFIXES = (".localhost", ".local", ".internal", ".localdomain", ".home.arpa")
_HINT = "If this is a machine of yours, name its host:port in allow_private_networks."

AddrInfo: TypeAlias = tuple[Any, Any, int, str, tuple[Any, ...]]
"""What `getaddrinfo` returns: family, type, protocol, canonical name, socket address."""
Opener: TypeAlias = Callable[[AddrInfo], socket.socket]


class Barred(Refused, OSError):
    """A connection that the guard stopped; an `OSError`, so that aiohttp cleans up after it."""


def _open_socket(info: AddrInfo) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


class Guard:
    """Decides where scout may connect to.

    Args:
        private: True opens the private networks (not link-local, not cloud metadata); a collection
            of `host:port` opens exactly those (`127.0.0.1:8080`, `[::1]:8080`, `nas.lan:5000`).
        hosts: host name to loopback address, as in /etc/hosts. Such a name is dialled only at a
            `host:port` or `address:port` that `private` opens.
        own: `host:port` at which scout itself is reached: never dialled, whatever is open.
        names: the resolver to ask; the operating system's when None.
        opener: makes the socket of an address that passed.

    Raises:
        ConfigError: an address in `hosts` is not a loopback address.
    """

    def __init__(
        self,
        private: bool | Collection[str] = False,  # noqa: FBT001, FBT002 - the setting has this shape
        hosts: Mapping[str, str] | None = None,
        *,
        own: Collection[str] = (),
        names: AbstractResolver | None = None,
        opener: Opener = _open_socket,
    ) -> None:
        self._everything = private is True
        self._opened = frozenset() if isinstance(private, bool) else frozenset(map(_key, private))
        self._hosts = {_bare(name): address for name, address in (hosts or {}).items()}
        self._own = frozenset(map(_key, own))
        self._names = names
        self._opener = opener
        self._granted: set[tuple[str, int]] = set()
        for name, address in self._hosts.items():
            parsed = addresses.parse(address)
            if parsed is None or not parsed.is_loopback:
                raise ConfigError(f"hosts: {name} must have a loopback address, not {address!r}")

    def opening(self, *places: str) -> Guard:
        """Return a guard like this one that opens these `host:port` as well.

        Raises:
            ConfigError: one of them is no `host:port`.
        """
        private = self._everything or self._opened.union(places)
        return Guard(private, self._hosts, own=self._own, names=self._names, opener=self._opener)

    def check(self, url: str) -> URL:
        """Return `url` parsed, ready to be dialled, without its fragment.

        Raises:
            Refused: not a plain http or https URL, or one that leads to a forbidden place.
        """
        target = spelling.parse(url)
        host, port = _bare(target.raw_host or ""), target.port or 0
        if _join(host, port) in self._own:
            raise Refused(f"{host}:{port} is scout itself")
        if self._everything or self._lists(host, port):
            return target
        address = addresses.parse(host)
        if address is not None and not addresses.is_public(address):
            raise Refused(f"{host} is not an address of the public internet", hint=_HINT)
        if host in self._hosts or host in _DENIED_NAMES or host.endswith(_DENIED_SUFFIXES):
            raise Refused(f"{host} is a name of a private network", hint=_HINT)
        if port not in PORTS:
            raise Refused(f"{host}: port {port} is not one of the web's", hint=_HINT)
        return target

    def resolver(self) -> AbstractResolver:
        """Return the resolver for a connector; it refuses a name with any forbidden address."""
        return _GuardedResolver(self, self._names)

    def admit(self, name: str, port: int, found: Collection[str]) -> None:
        """Check the addresses that a name server gave for `name`.

        Raises:
            Barred: one of them is forbidden; then none is dialled.
        """
        listed = self._lists(_bare(name), port)
        for text in found:
            if not self._allows(addresses.parse(text), port, listed=listed):
                raise Barred(f"{name} leads into a private network", hint=_HINT)
        if listed:
            self._granted.update((text, port) for text in found)

    def open_socket(self, info: AddrInfo) -> socket.socket:
        """Open the socket for one final address; a `socket_factory` of aiohttp.

        Raises:
            Barred: the address is forbidden.
        """
        text, port = str(info[4][0]), int(info[4][1])
        if not self._may_dial(text, port):
            raise Barred("The address is not one of the public internet", hint=_HINT)
        return self._opener(info)

    def address_of(self, name: str) -> str | None:
        """Return the address that `hosts` gives to `name`, or None."""
        return self._hosts.get(_bare(name))

    def _may_dial(self, text: str, port: int) -> bool:
        address = addresses.parse(text)
        listed = (text, port) in self._granted or self._lists(str(address), port)
        return self._allows(address, port, listed=listed)

    def _allows(self, address: addresses.Address | None, port: int, *, listed: bool) -> bool:
        if address is None:
            return False
        if addresses.is_public(address):
            return listed or port in PORTS
        return (listed or self._everything) and addresses.is_own(address)

    def _lists(self, host: str, port: int) -> bool:
        alias = self._hosts.get(host, host)
        return not self._opened.isdisjoint({_join(host, port), _join(alias, port)})


class _GuardedResolver(AbstractResolver):
    def __init__(self, guard: Guard, names: AbstractResolver | None) -> None:
        self._guard = guard
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        mapped = self._guard.address_of(host)
        if mapped is not None:
            found = [_result(host, mapped, port)]
        else:
            self._names = self._names or ThreadedResolver()
            found = await self._names.resolve(host, port, family)
        self._guard.admit(host, port, [one["host"] for one in found])
        return found

    async def close(self) -> None:
        if self._names is not None:
            await self._names.close()


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=name, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )


def _bare(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _key(entry: str) -> str:
    host, _, port = entry.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"allow_private_networks: {entry!r} is not host:port")
    return _join(_bare(host), int(port))
