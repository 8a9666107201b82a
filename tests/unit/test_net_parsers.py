"""The readers of what strangers send: any input gives an answer or the documented refusal."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from scout_cli.errors import Refused
from scout_cli.net import addresses, http, retry_after
from scout_cli.net.decoding import Garbled, decoder
from scout_cli.net.guard import Guard

_PIECES = (
    "http:// https:// @ : / ? # [ ] % . .. 127.0.0.1 0x7f news.test :: 。 ① \\ xn-- \n é".split(" ")
)
URLS = st.lists(st.sampled_from(_PIECES) | st.text(max_size=5), max_size=8).map("".join)


@given(URLS)
def test_no_url_breaks_the_guard(url):
    """A URL is refused, or its host is what both parsers read and no private address."""
    try:
        target = Guard().check(url)
    except Refused:
        return
    address = addresses.parse(target.raw_host or "")
    assert address is None or addresses.is_public(address)
    assert target.scheme in {"http", "https"}
    assert target.fragment == ""


@given(st.text(max_size=60) | st.from_regex(r"\w{3}, \d\d \w{3} \d{1,12} \d\d:\d\d:\d\d [+-]?\w+"))
def test_no_retry_after_breaks_the_reading(said):
    """The header is seconds within a quarter of an hour, or nothing."""
    seconds = retry_after.seconds(said, longest=http._LONGEST_WAIT)
    assert seconds is None or 0 <= seconds <= 900


@given(st.sampled_from(["gzip", "deflate", "identity", ""]), st.binary(), st.integers(1, 99))
def test_no_body_breaks_the_decoder(encoding, body, size):
    """Any bytes in any pieces are decoded, or the answer is garbled."""
    decode, out = decoder(encoding), bytearray()
    with suppress(Garbled):
        for start in range(0, len(body), size):
            out += decode.feed(body[start : start + size], 10_000)
    assert len(out) <= 10_000 + 65_536 * (len(body) + 1)


@given(st.binary(max_size=3_000), st.integers(1, 500), st.sampled_from(["gzip", "deflate"]))
def test_pieces_of_any_size_give_the_whole(content, size, encoding):
    """How the network cuts a body does not change it."""
    packed = gzip.compress(content) if encoding == "gzip" else zlib.compress(content)
    decode, out = decoder(encoding), bytearray()
    for start in range(0, len(packed), size):
        out += decode.feed(packed[start : start + size], 1_000_000)
    assert bytes(out) == content
    assert decode.complete


def test_a_decoder_stops_soon_after_its_room():
    """A bomb in one piece gives little more than was asked for."""
    packed = gzip.compress(b"0" * 50_000_000)
    assert len(decoder("gzip").feed(packed, 100_000)) < 300_000
