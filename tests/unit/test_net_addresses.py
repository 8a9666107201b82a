"""The address rule, network by network."""

from __future__ import annotations

import pytest

from scout_cli.net import addresses

SPECIAL = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.169.254
169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::127.0.0.1 ::a9fe:a9fe ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 100::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254
fe80::1 fe80::1%eth0 fec0::1 ff02::1 2620:4f:8000::1
""".split()
PUBLIC = "1.1.1.1 8.8.8.8 93.184.215.14 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1".split()


@pytest.mark.parametrize("text", SPECIAL)
def test_special_address_is_not_public(text):
    """An address of a special-purpose network is never taken for the public internet."""
    address = addresses.parse(text)
    assert address is not None
    assert not addresses.is_public(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_address_is_public(text):
    """An ordinary address passes."""
    address = addresses.parse(text)
    assert address is not None
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "text", ["10.1.2.3", "127.0.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]
)
def test_home_network_can_be_opened(text):
    """The networks that people run services on are those that a setting may open."""
    address = addresses.parse(text)
    assert address is not None
    assert addresses.is_own(address)


@pytest.mark.parametrize(
    "text",
    ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "fe80::1"],
)
def test_metadata_services_cannot_be_opened(text):
    """No setting opens link-local addresses, multicast or a cloud's metadata service."""
    address = addresses.parse(text)
    assert address is not None
    assert not addresses.is_own(address)


def test_what_is_no_address_is_none():
    """A host name is not an address."""
    assert addresses.parse("news.test") is None
    assert addresses.parse("127.1") is None
