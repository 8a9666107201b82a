"""Access tokens that scout did not make, by the number of the attack.

`forgeries(genuine)` gives, by number, names and tokens; each must be refused. `genuine` is a token
that the server made and takes, so that every forgery differs from a good one in one thing alone.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha256, sha384, sha512
from typing import Any
from uuid import uuid4

from tests.server.serving import JWT_SECRET

GOOD_HEADER = {"alg": "HS256", "typ": "JWT"}
Forged = Iterator[tuple[str, str, str]]
"""The number of the attack, what is wrong, the token."""


def part(value: Any) -> str:
    """Return one part of a token: JSON, or bytes as they are, in base64url without padding."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    text = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def signed(header: Any, claims: Any, secret: str | bytes = JWT_SECRET, kind: Any = sha256) -> str:
    """Return a token with a signature that fits."""
    key = secret.encode() if isinstance(secret, str) else secret
    body = f"{part(header)}.{part(claims)}"
    return f"{body}.{part(hmac.digest(key, body.encode(), kind))}"


def forgeries(genuine: str) -> Forged:
    """Yield every forgery of a token that is good."""
    claims = opened(genuine)
    yield from _algorithms(genuine, claims)
    yield from _signatures(genuine, claims)
    yield from _shapes(genuine, claims)
    yield from _headers(claims)
    yield from _times(claims)
    yield from _audiences(claims)
    yield from _subjects(claims)
    yield from _roles(claims)
    yield from _gaps(claims)


def _algorithms(genuine: str, claims: dict[str, Any]) -> Forged:
    _, body, signature = genuine.split(".")
    for name in ("none", "None", "nOnE", "NONE", ""):
        header = {"alg": name, "typ": "JWT"}
        yield "J01", f"alg {name!r} unsigned", f"{part(header)}.{part(claims)}."
        yield "J01", f"alg {name!r} with the old signature", f"{part(header)}.{body}.{signature}"
        yield "J01", f"alg {name!r} signed", signed(header, claims)
    for value in (1, [], ["HS256"], None, True, {"alg": "HS256"}):
        yield "J02", f"alg {value!r}", signed({"alg": value, "typ": "JWT"}, claims)
    yield "J02", "no alg", signed({"typ": "JWT"}, claims)
    yield "J03", "HS512", signed({"alg": "HS512", "typ": "JWT"}, claims, kind=sha512)
    yield "J03", "HS384", signed({"alg": "HS384", "typ": "JWT"}, claims, kind=sha384)
    for name in ("HS512", "RS256", "ES256", "EdDSA", "hs256", " HS256", "HS256\0"):
        yield "J03", f"{name!r} over HS256", signed({"alg": name, "typ": "JWT"}, claims)


def _signatures(genuine: str, claims: dict[str, Any]) -> Forged:
    head, body, signature = genuine.split(".")
    for secret in (b"", b"\0", b"secret", JWT_SECRET.encode()[:-1], JWT_SECRET.encode() + b"\0x"):
        yield "J04", f"key {secret!r}", signed(GOOD_HEADER, claims, secret)
    altered = {**claims, "email": "root@example.org"}
    yield "J05", "other claims", f"{head}.{part(altered)}.{signature}"
    yield "J05", "stripped", f"{head}.{body}."
    yield "J05", "truncated", genuine[:-1]
    yield "J05", "cut in half", f"{head}.{body}.{signature[: len(signature) // 2]}"
    yield "J05", "padded", f"{genuine}="
    yield "J05", "longer", f"{genuine}AA"
    # 43 characters hold 258 bits: the last two are nobody's, and must be zero all the same.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(genuine[-1]) ^ 1]
    yield "J05", "another spelling of the same bytes", genuine[:-1] + last


def _shapes(genuine: str, claims: dict[str, Any]) -> Forged:
    head, body, signature = genuine.split(".")
    for name, token in {
        "no parts": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{genuine}.{signature}",
        "five parts": f"{genuine}.a.b",
        "dots": "..",
        "an empty header": f".{body}.{signature}",
        "an empty body": f"{head}..{signature}",
        "not base64": f"{head}.{body[:-3]}!!!.{signature}",
        "other letters": f"{head}.{body}.ä{signature[1:]}",
    }.items():
        yield "J06", name, token
    for name, value in {
        "a list": ["HS256"],
        "text": "HS256",
        "a number": 1,
        "null": None,
        "no JSON": b"{alg:HS256}",
        "deep": b"[" * 1_200,
        "not UTF-8": b'{"alg":"HS256","typ":"\xff"}',
    }.items():
        yield "J07", f"the header is {name}", signed(value, claims)
        yield "J07", f"the claims are {name}", signed(GOOD_HEADER, value)
    yield "J07", "20,000 levels", signed(GOOD_HEADER, b"[" * 20_000)


def _headers(claims: dict[str, Any]) -> Forged:
    for kid in ("../../../../dev/null", 1, "x' UNION SELECT 'y", ["a"], ""):
        yield "J08", f"kid {kid!r}", signed({**GOOD_HEADER, "kid": kid}, claims)
    key = {"kty": "oct", "k": part(b"secret")}
    for name, value in {
        "jku": "http://127.0.0.1/k",
        "x5u": "http://127.0.0.1/c",
        "jwk": key,
    }.items():
        yield "J09", name, signed({**GOOD_HEADER, name: value}, claims)
    for more in ({"crit": ["x"], "x": 1}, {"b64": False, "crit": ["b64"]}, {"b64": False}):
        yield "J10", f"{more}", signed({**GOOD_HEADER, **more}, claims)
    for typ in ("at+jwt", "jwt", "secevent+jwt", 1, None):
        yield "J10", f"typ {typ!r}", signed({**GOOD_HEADER, "typ": typ}, claims)
    yield "J10", "alg twice", signed(b'{"alg":"none","alg":"HS256","typ":"JWT"}', claims)


def _times(claims: dict[str, Any]) -> Forged:
    end, begin = claims["exp"], claims["iat"]
    text = json.dumps(claims)
    yield "J11", "expired", signed(GOOD_HEADER, {**claims, "exp": begin - 11})
    for value in (str(end), None, [end], True, False, end + 0.5, 0, -1, {}, 10**18):
        yield "J11", f"exp {value!r}", signed(GOOD_HEADER, {**claims, "exp": value})
    for value in ("NaN", "Infinity", "1e400", "9" * 1_500, f"{end}e0"):
        forged = text.replace(f'"exp": {end}', f'"exp": {value}').encode()
        yield "J11", f"exp {value[:20]}", signed(GOOD_HEADER, forged)
    yield "J11", "no exp", signed(GOOD_HEADER, {k: v for k, v in claims.items() if k != "exp"})
    twice = text.replace(f'"exp": {end}', f'"exp": 1, "exp": {end}').encode()
    yield "J11", "exp twice", signed(GOOD_HEADER, twice)
    for name in ("nbf", "iat"):
        yield "J12", f"{name} in an hour", signed(GOOD_HEADER, {**claims, name: begin + 3_600})
        yield "J12", f"{name} as text", signed(GOOD_HEADER, {**claims, name: str(begin)})
        yield "J12", f"{name} true", signed(GOOD_HEADER, {**claims, name: True})


def _audiences(claims: dict[str, Any]) -> Forged:
    for value in ("anon", "", ["authenticated"], ["authenticated", "x"], None, 1, {}):
        yield "J13", f"aud {value!r}", signed(GOOD_HEADER, {**claims, "aud": value})
    for value in ("https://evil.example", "", None, ["scout"], "scout "):
        yield "J14", f"iss {value!r}", signed(GOOD_HEADER, {**claims, "iss": value})


def _subjects(claims: dict[str, Any]) -> Forged:
    genuine = claims["sub"]
    odd: list[Any] = [genuine.upper() + "x", f"{{{genuine}}}", f"urn:uuid:{genuine}"]
    odd += [genuine.replace("-", ""), "' OR 1=1 --", "", 1, None, [genuine], "local", str(uuid4())]
    for value in odd:
        yield "J15", f"sub {value!r}", signed(GOOD_HEADER, {**claims, "sub": value})
    for value in ("", 1, None, "x", str(uuid4()), genuine):
        forged = {**claims, "session_id": value}
        yield "J15", f"session_id {value!r}", signed(GOOD_HEADER, forged)


def _roles(claims: dict[str, Any]) -> Forged:
    roles: list[Any] = ["postgres", "scout_owner", "service_role", "admin", "root", "", None, 1]
    roles += [["authenticated"], ["authenticated", "service_role"], {"authenticated": True}]
    for value in roles:
        yield "J16", f"role {value!r}", signed(GOOD_HEADER, {**claims, "role": value})
    anon = {"iss": "scout", "role": "anon", "iat": claims["iat"], "exp": claims["exp"]}
    yield "J17", "an anon key", signed(GOOD_HEADER, anon)
    yield "J17", "a service key", signed(GOOD_HEADER, {**anon, "role": "service_role"})


def _gaps(claims: dict[str, Any]) -> Forged:
    for name in ("iat", "sub", "aud", "role", "iss", "session_id"):
        less = {k: v for k, v in claims.items() if k != name}
        yield "J15", f"no {name}", signed(GOOD_HEADER, less)
    yield "J07", "a megabyte", signed(GOOD_HEADER, {**claims, "x": "y" * 2**20})
    yield "J07", "5 KiB", signed(GOOD_HEADER, {**claims, "x": "y" * 5_000})
