"""From bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import decode

GERMAN = "<p>Die Brücke über den Fluß öffnet im März, sagte die Bürgermeisterin.</p>" * 3
RUSSIAN = "<p>Новый мост через реку откроется в марте, сообщила мэрия.</p>" * 3
JAPANESE = "<p>新しい橋は三月に開通すると市長が火曜日に発表しました。</p>" * 5


@pytest.mark.parametrize(
    ("text", "encoding", "header"),
    [
        (GERMAN, "utf-8", "text/html; charset=UTF-8"),
        (GERMAN, "utf-8", ""),
        (GERMAN, "utf-8-sig", "text/html; charset=iso-8859-1"),
        (GERMAN, "iso-8859-1", "text/html; charset=iso-8859-1"),
        (GERMAN, "windows-1252", "text/html; charset=utf-8"),
        (RUSSIAN, "windows-1251", ""),
        (RUSSIAN, "windows-1251", "text/html; charset=utf-8"),
        (RUSSIAN, "koi8-r", "text/html; charset=koi8-r"),
        (RUSSIAN, "utf-16", ""),
        (RUSSIAN, "utf-16-be", ""),
        (RUSSIAN, "utf-16-le", "text/html; charset=utf-8"),
        (JAPANESE, "shift_jis", "text/html; charset=shift_jis"),
        (JAPANESE, "euc-jp", "text/html; charset=euc-jp"),
        (JAPANESE, "utf-16-le", ""),
    ],
)
def test_text_comes_back(text, encoding, header):
    """The text is what was encoded, whether or not the header tells the truth."""
    assert decode.text_of(text.encode(encoding), header) == text


def test_a_page_may_name_its_own_encoding():
    """A meta charset is followed when the header says nothing."""
    text = '<meta charset="iso-8859-2"><p>Příliš žluťoučký kůň</p>'
    assert decode.text_of(text.encode("iso-8859-2"), "text/html") == text


def test_a_character_cut_in_half_does_not_change_the_rest():
    """A text that was cut inside its last character is still UTF-8."""
    cut = ("Brücke " * 50 + "ü").encode()[:-1]
    assert decode.text_of(cut, "").startswith("Brücke Brücke")


def test_a_stray_nul_does_not_make_a_short_text_wide():
    """One NUL at the end of a few bytes is an accident, not UTF-16."""
    assert decode.text_of(b"<p>\0", "text/html; charset=utf-8") == "<p>\0"


@given(st.binary(max_size=300), st.sampled_from(["", "text/html; charset=utf-16", "x; charset=?"]))
def test_no_bytes_break_the_decoding(body, header):
    """Any bytes are text or binary, never an exception."""
    assert isinstance(decode.text_of(body, header), str)
    assert decode.is_binary(body, header) in {True, False}


@given(st.text(min_size=1))
def test_utf8_is_read_exactly(text):
    """What is valid UTF-8 and declared so is read as that, whatever it says."""
    encoded = ("<p>" + text).encode("utf-8", "surrogatepass")
    try:
        expected = encoded.decode()
    except UnicodeDecodeError:
        return
    assert decode.text_of(encoded, "text/html; charset=utf-8") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"GIF89a\x01\0\x01\0",
        b"PK\x03\x04\x14\0",
        b"\x1f\x8b\x08\0",
        b"BM\x36\0\0\0",
        b"RIFF\x24\0\0\0WEBP",
        b"\0\0\0\x18ftypmp42",
        bytes(range(32)) * 9,
    ],
)
def test_binary_files_are_known(body):
    """Pictures, archives, films and programs are told from text."""
    assert decode.is_binary(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"BMW opens a plant",
        b"RIFF is a container format",
        b"ID3 tags explained",
        b"GIF89a turns forty",
        b"one\0two in a page of ordinary words",
        "Новости".encode("utf-16"),
        "<p>Новости</p>".encode("utf-16-be"),
        "<p>x".encode("utf-16-le"),
    ],
)
def test_texts_are_not_taken_for_binary(body):
    """A text that begins like a file format, or is UTF-16, is a text."""
    assert not decode.is_binary(body)


def test_a_declared_utf16_text_is_no_binary():
    """Without a tag in it only the header tells UTF-16 in other letters from a binary file."""
    body = ("Новости дня " * 20).encode("utf-16-be")
    assert not decode.is_binary(body, "text/plain; charset=utf-16be")
    assert decode.text_of(body, "text/plain; charset=utf-16be").startswith("Новости")


def test_a_pdf_is_known_by_its_mark():
    """The mark of a PDF may stand a little after the start, and not far from it."""
    assert decode.is_pdf(b"\xef\xbb\xbf\n%PDF-1.7")
    assert not decode.is_pdf(b" " * 2_000 + b"%PDF-1.7")
