"""Which IP addresses belong to the public internet, and which to somebody's own network.

`ipaddress.is_global` is not the rule: it calls multicast, NAT64, 6to4 and Azure's wire server
global. IPv4 is a list of what is denied; IPv6 a list of what is allowed, minus the special parts.

Source: the IANA special-purpose address registries for IPv4 and IPv6.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
_Network: TypeAlias = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[_Network, ...]:
    return tuple(ip_network(one) for one in text.split())


_DENIED_4 = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
    "192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 "
    "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32"
)
_ALLOWED_6 = _networks("2000::/3")
_DENIED_6 = _networks("2001::/23 2001:db8::/32 2002::/16 3fff::/20 2620:4f:8000::/48")

_OWN = _networks(
    "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7"
)
_CLOUD = _networks("100.100.100.200/32 fd00:ec2::/32")


def parse(text: str) -> Address | None:
    """Return the address that `text` spells, without its zone; None when it spells none."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Return whether `address` is unicast on the public internet, in its plain spelling."""
    if address.version == 4:
        return not _within(address, _DENIED_4)
    return _within(address, _ALLOWED_6) and not _within(address, _DENIED_6)


def is_own(address: Address) -> bool:
    """Return whether `address` is of a kind that people run services on at home or at work.

    Link-local addresses, multicast and the metadata services of clouds are not: no setting opens
    those.
    """
    return _within(address, _OWN) and not _within(address, _CLOUD)


def _within(address: Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
