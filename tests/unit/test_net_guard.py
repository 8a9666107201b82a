"""What the settings open, and what they leave shut."""

from __future__ import annotations

import socket

import pytest

from scout_cli.errors import ConfigError, Refused
from scout_cli.net.guard import Barred, Guard


def info(address: str, port: int):
    """Return what getaddrinfo says of an address."""
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


def opened(guard: Guard, address: str, port: int) -> bool:
    """Return whether the guard gives a socket for an address."""
    try:
        guard.open_socket(info(address, port)).close()
    except Barred:
        return False
    return True


def test_a_listed_address_is_open_at_its_port_only():
    """One `host:port` opens that port of that host and nothing else."""
    guard = Guard(["192.168.1.5:3000"])
    assert str(guard.check("http://192.168.1.5:3000/x")) == "http://192.168.1.5:3000/x"
    assert opened(guard, "192.168.1.5", 3000)
    for url in ("http://192.168.1.5/", "http://192.168.1.6:3000/", "http://localhost:3000/"):
        with pytest.raises(Refused):
            guard.check(url)
    assert not opened(guard, "192.168.1.5", 80)


def test_everything_private_can_be_opened_but_not_metadata():
    """`true` opens private networks at every port, and still no link-local address."""
    guard = Guard(private=True)
    guard.check("http://nas.local:5000/")
    guard.check("http://localhost:3000/")
    assert opened(guard, "192.168.1.5", 5000)
    assert opened(guard, "127.0.0.1", 5000)
    assert not opened(guard, "169.254.169.254", 80)
    assert not opened(guard, "8.8.8.8", 22)


def test_a_name_of_the_hosts_table_needs_an_opened_port():
    """A name in `hosts` is dialled at an opened `address:port` or `name:port` only."""
    hosts = {"demo.example": "127.0.0.1"}
    Guard(["127.0.0.1:9999"], hosts).check("http://demo.example:9999/")
    Guard(["demo.example:9999"], hosts).check("http://demo.example:9999/")
    for guard in (Guard(hosts=hosts), Guard(["127.0.0.1:9998"], hosts)):
        for url in ("http://demo.example:9999/", "http://demo.example/"):
            with pytest.raises(Refused):
                guard.check(url)


async def test_the_hosts_table_answers_instead_of_a_name_server():
    """A mapped name resolves to its address, and then that address is open at that port."""
    guard = Guard(["demo.example:9999"], {"demo.example": "127.0.0.1"})
    assert not opened(guard, "127.0.0.1", 9999)
    (found,) = await guard.resolver().resolve("demo.example", 9999)
    assert (found["host"], found["port"]) == ("127.0.0.1", 9999)
    assert opened(guard, "127.0.0.1", 9999)
    assert not opened(guard, "127.0.0.1", 9998)


def test_the_hosts_table_holds_loopback_addresses_only():
    """A hosts table cannot point a name at a machine elsewhere."""
    with pytest.raises(ConfigError):
        Guard(hosts={"news.test": "93.184.215.14"})


@pytest.mark.parametrize("entry", ["nas", "nas:", ":80", "nas:http"])
def test_a_setting_that_is_no_host_and_port_is_refused(entry):
    """A misspelled entry is an error, not an entry that never matches."""
    with pytest.raises(ConfigError):
        Guard([entry])


@pytest.mark.parametrize(
    ("given", "dialled"),
    [
        ("HTTP://News.Test/A?b=c#d", "http://news.test/A?b=c"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://a_b.example:8080/", "http://a_b.example:8080/"),
        ("http://[2606:4700:0:0::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_honest_urls_pass(given, dialled):
    """International names, underscores and ports of the web are ordinary."""
    assert str(Guard().check(given)) == dialled


def test_the_refusal_says_how_to_open_the_door():
    """A refusal of an address names the setting that would allow it."""
    with pytest.raises(Refused) as refused:
        Guard().check("http://192.168.1.5:3000/")
    assert "allow_private_networks" in refused.value.hint
