"""From bytes to text: the encoding that is declared, unless the bytes prove it wrong."""

from __future__ import annotations

import re

import chardet
from w3lib.encoding import html_to_unicode, resolve_encoding

_MAGIC = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF",
    b"MZ\x90", b"ID3", b"OggS", b"\x1aE\xdf\xa3", b"Rar!", b"7z\xbc\xaf", b"BM", b"wOF", b"\0asm",
    b"SQLite format 3", b"\xca\xfe\xba\xbe", b"II*\0", b"MM\0*", b"\0\0\1\0",
)  # fmt: skip
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_WIDE_TAG = re.compile(rb"(\s\0)*<\0[!?A-Za-z]\0|(\0\s)*\0<\0[!?A-Za-z]")
_SAMPLE = 4_096
_TELLING = 16
"""Pairs of bytes from which on it is no accident where their NULs stand."""
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def is_pdf(body: bytes) -> bool:
    """Return whether `body` is a PDF file: the mark may stand a little after the start."""
    return b"%PDF-" in body[:1024]


def is_binary(body: bytes, content_type: str = "") -> bool:
    """Return whether `body` is an image, archive or program, whatever its media type says."""
    if body.startswith(_MAGIC) or body[4:8] == b"ftyp":
        return _CONTROL.search(body[:32]) is not None  # else a text that begins with these letters
    sample = body[:_SAMPLE]
    wide = body.startswith((b"\xff\xfe", b"\xfe\xff")) or "utf-16" in content_type.lower()
    if wide or _utf16(sample):
        return False
    return len(_CONTROL.findall(sample)) > max(8, len(sample) // 10)


def text_of(body: bytes, content_type: str) -> str:
    """Return `body` as text, by the rules that browsers follow.

    Order: byte order mark, the header's charset, the page's own meta charset, UTF-8 if it fits,
    detection. A declared encoding that turns the bytes into rubbish is not believed.

    Source: WHATWG HTML, section 13.2.3.2, "Determining the character encoding".
    """
    guess = _utf16(body[:_SAMPLE])
    if guess and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode(guess, "replace")
    declared, text = html_to_unicode(content_type, body, auto_detect_fun=_detect)
    if text.count(_REPLACED) * 200 > len(text):
        meant = _detect(body)
        if meant and meant != declared:
            again = body.decode(meant, "replace")
            text = min(text, again, key=lambda one: one.count(_REPLACED))
    return str(text)


def _utf16(sample: bytes) -> str:
    """Return the UTF-16 flavour of bytes without a mark: every second byte of markup is NUL.

    A text in other letters shows it only where a tag begins.
    """
    if (tag := _WIDE_TAG.match(sample)) is not None:
        return "utf-16-be" if tag[0].startswith(b"\0") else "utf-16-le"
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if half < _TELLING:
        return ""
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.05 * half else ""


def _detect(body: bytes) -> str | None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(body) - 4:  # cut in the middle of the last character
            return "utf-8"
    else:
        return "utf-8"
    # Tags are ASCII and dilute what a detector needs: the letters of the language.
    found = chardet.detect(re.sub(rb"<[^>]{0,2000}>", b" ", body[:262_144]))
    name = resolve_encoding(str(found["encoding"] or ""))
    return str(name) if name else None
