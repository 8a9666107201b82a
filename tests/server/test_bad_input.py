"""Broken, hostile and oversized requests: the stated answer, never an error of the server's own."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import resource
import zlib
from urllib.parse import urlsplit

import pytest

from scout_cli.server.routes import ROUTES
from scout_cli.server.under_way import UNDER_WAY
from tests.server.furnishing import furnish
from tests.server.raw import exchange, status_of

JSON = {"Content-Type": "application/json"}
MIB = 2**20
_TAKING = [
    route
    for route in ROUTES
    if route.body is not None and route.method == "POST" and route.access == "user"
]


async def _post(server, who, data: bytes, path: str = "/scouts", **headers: str):
    return await server.post(path, who, data=data, headers={**JSON, **headers})


def _problem(said, *statuses: int) -> None:
    """Check that an answer is a problem document with one of these statuses and no traceback."""
    assert said.status in statuses, (said.status, said.body[:300])
    assert said.headers["Content-Type"].startswith("application/problem+json")
    told = said.json
    assert told["status"] == said.status
    assert told["code"] == told["error"]["code"]
    assert b"Traceback" not in said.body


async def test_body_of_more_than_a_mebibyte_is_too_large(server):
    """B01: one byte more than the limit is 413, by its length and while it is read."""
    ann = await server.sign_up()
    body = b'{"goal": "' + b"x" * (MIB + 1 - 12) + b'"}'
    assert len(body) == MIB + 1
    _problem(await server.post("/scouts", ann, data=io.BytesIO(body), headers=JSON), 413)

    async def drip():
        for at in range(0, len(body), 2**16):
            yield body[at : at + 2**16]

    _problem(await server.post("/scouts", ann, data=drip(), headers=JSON), 413)


async def test_endless_body_is_cut_off(server):
    """B02: chunks without end are answered 413 as soon as they are too many."""
    ann = await server.sign_up()
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 10 * 2**30:
            sent += 2**16
            yield b" " * 2**16

    try:
        said = await server.post("/scouts", ann, data=endless(), headers=JSON)
        _problem(said, 413)
    except ConnectionError:
        pass  # closed while the client still wrote
    assert sent < 64 * MIB


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_bomb_is_not_unpacked(server, coding):
    """B03: 200 MiB in 200 kB are 413 and cost no memory."""
    ann = await server.sign_up()
    pack = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    bomb = b"".join(pack.compress(b" " * MIB) for _ in range(200)) + pack.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _problem(await _post(server, ann, bomb, **{"Content-Encoding": coding}), 413)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_packed_body_is_read(server):
    """A body that is packed and small is taken; a broken one and an unknown coding are 400."""
    ann = await server.sign_up()
    body = gzip.compress(b'{"goal": "Ferries", "title": "T", "search_queries": ["a"]}')
    assert (await _post(server, ann, body, **{"Content-Encoding": "gzip"})).status == 201
    _problem(await _post(server, ann, b"\x1f\x8b" + b"x" * 50, **{"Content-Encoding": "gzip"}), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"goal": "' + b"[" * 900 + b'", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"goal": "\xff\xfe"}',
        b'\xef\xbb\xbf{"goal": "Ferries"}',
        b'{"goal": "\\ud800 lone"}',
        b'{"goal": "nul \\u0000"}',
        b'{"goal\\u0000": "nul"}',
        b'{"goal": NaN}',
        b'{"goal": Infinity}',
        b'{"goal": "Ferries", "location": {"latitude": 1e999}}',
        b'{"goal": "Ferries", "location": {"latitude": ' + b"9" * 5_000 + b"}}",
        b'{"goal": "Ferries", "goal": "Trains"}',
        b'{"goal": "Ferries", "location": {"city": "a", "city": "b"}}',
        b'{"goal": "Ferries", "go\\u0061l": "Trains"}',
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"{",
        b"{}{}",
        b"{'goal': 'x'}",
        b'{"goal": 7}',
        b'{"goal": null}',
        b'{"goal": {"$ne": 1}}',
        b"goal=Ferries",
    ],
)
async def test_json_that_cannot_be_used_is_refused(server, body):
    """B04-B07: deep, broken, ambiguous and mistyped JSON is 400 and saves nothing."""
    ann = await server.sign_up()
    said = await _post(server, ann, body)
    _problem(said, 400)
    assert len(said.body) < 2_000
    assert (await server.get("/scouts", ann)).json["items"] == []


async def test_every_route_refuses_a_body_that_is_no_object(server):
    """B07: nothing, null, a list and a text are 400 wherever a body is taken."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    assert len(_TAKING) >= 5
    for route in _TAKING:
        if "/auth/" in route.path:
            continue  # their own tests: each attempt counts against a limit
        path = route.path.format(**has.ids)
        for body in (b"", b"null", b"[]", b'"x"'):
            said = await _post(server, ann, body, path)
            if body == b"" and route.optional_body:
                assert said.status < 300, (path, said.body)
            else:
                _problem(said, 400)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/json\tx",
        ";",
    ],
)
async def test_body_of_another_type_is_refused(server, kind):
    """B08, B14: what a form of any web page could send is 415, whatever is in it."""
    ann = await server.sign_up()
    body = b'{"goal": "Ferries", "title": "T", "search_queries": ["a"]}'
    said = await server.post("/scouts", ann, data=body, headers={"Content-Type": kind})
    _problem(said, 415)
    assert (await server.get("/scouts", ann)).json["items"] == []


async def test_who_names_what_there_is_not_is_told_what_there_is(server):
    """Parameters and fields: the unknown one is named, and so are those that are known."""
    ann = await server.sign_up()
    asked = await server.get("/api/v1/findings?scout_id=x", ann)
    sent = await server.post("/scouts", ann, json={"goal": "Ferries", "colour": "red"})
    for said, unknown, known in ((asked, "scout_id", "execution_id"), (sent, "colour", "goal")):
        _problem(said, 400)
        assert f"`{unknown}`" in said.json["detail"]
        assert said.json["hint"].startswith("known: ")
        assert known in said.json["hint"].removeprefix("known: ").split(", ")
    none = await server.get("/auth/me?x=1", ann)
    assert (none.status, none.json["hint"]) == (400, "none is; leave it out")


_HEAD = b"Host: localhost\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /scouts HTTP/1.1\r\n%sContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
        b"POST /scouts HTTP/1.1\r\n%sContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST /scouts HTTP/1.1\r\n%sContent-Length: -1\r\n\r\n",
        b"POST /scouts HTTP/1.1\r\n%sContent-Length: +4\r\n\r\nabcd",
        b"POST /scouts HTTP/1.1\r\n%sContent-Length: 4_0\r\n\r\n",
        b"POST /scouts HTTP/1.1\r\n%sTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /scouts HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
        b"GET /healthz HTTP/1.1\n%s\n",
        b"GET /healthz HTTP/1.1\r\n%sX-A: a\0b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n%s X-Folded: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n%sBad Name: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n%s\r\n",
        b"GET /healthz\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ],
    ids=range(17),
)
async def test_broken_http_is_refused(server, sent):
    """B09: what two servers might read differently is 400, and the connection is closed."""
    answer = await exchange(server, sent.replace(b"%s", _HEAD))
    assert status_of(answer) in (0, 400), answer[:300]
    assert b"Traceback" not in answer
    assert b"aiohttp" not in answer


async def test_broken_http_is_a_problem_and_a_line_in_the_log(server, caplog):
    """Whoever sends it does not learn what answers, and what was sent is not in the log."""
    with caplog.at_level(logging.INFO):
        answer = await exchange(server, b"GET /healthz HTTP/1.1\r\n%sX-A: ca\0nary\r\n\r\n" % _HEAD)
    assert status_of(answer) == 400
    assert b"application/problem+json" in answer
    assert b'"code":"invalid"' in answer
    assert b"aiohttp" not in answer
    (line,) = [each for each in caplog.records if each.name == "scout.server"]
    assert (line.getMessage(), line.exc_info, line.fields["status"]) == ("request", None, 400)
    assert "nary" not in caplog.text


@pytest.mark.parametrize("path", ["scouts", "rest/v1/scouts", "api/chat"])
async def test_a_body_that_is_broken_later_is_refused_at_once(server, path):
    """B09: nobody waits for the rest of a body whose next chunk is none."""
    ann, where = await server.sign_up(), urlsplit(server.url)
    head = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n" % (
        path.encode(),
        ann.token.encode(),
    )
    kinds = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(head + kinds + b"4\r\n[{}]\r\n")
        async with asyncio.timeout(10):
            while not server.application[UNDER_WAY]._count:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            writer.write(b"ZZ\r\n[{}]\r\n")
            answer = await reader.read()
    finally:
        writer.close()
    assert status_of(answer) == 400, answer[:300]
    assert answer.count(b"HTTP/1.1") == 1
    assert (await server.get("/healthz")).status == 200


async def test_a_client_that_goes_in_the_middle_of_its_body_is_no_error(server):
    """Nobody is answered, and the next one is; no traceback is logged."""
    where = urlsplit(server.url)
    half = b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\nabc"
    _, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(b"POST /auth/signup HTTP/1.1\r\n%s%s" % (_HEAD, half))
    await writer.drain()
    assert (await server.get("/healthz")).status == 200
    writer.transport.abort()
    await server.application[UNDER_WAY].settle(5)
    assert (await server.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n%sX-Long: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n%s" + b"X-Many: a\r\n" * 500 + b"\r\n",
        b"GET /healthz?" + b"a" * 9_000 + b" HTTP/1.1\r\n%s\r\n",
        b"A" * 9_000 + b" / HTTP/1.1\r\n%s\r\n",
    ],
    ids=["header", "headers", "url", "method"],
)
async def test_oversized_heads_are_refused(server, sent):
    """B10: a header, a URL or a method of 9 kB and 500 headers are refused."""
    answer = await exchange(server, sent.replace(b"%s", _HEAD))
    assert status_of(answer) in (0, 400, 414, 431), answer[:300]


@pytest.mark.parametrize("name", [b"apikey", b"Authorization", b"User-Agent", b"Accept-Profile"])
async def test_headers_that_are_no_text_are_refused(server, name):
    """Bytes that are no UTF-8 are 400 on every surface, before anything looks at them."""
    for path in ("api/v1/scouts", "rest/v1/scouts", "auth/v1/user", "openai/v1/models", "realtime"):
        sent = b"GET /%s HTTP/1.1\r\n%s%s: Bearer \xe9\xff\r\n\r\n" % (path.encode(), _HEAD, name)
        answer = await exchange(server, sent)
        assert status_of(answer) == 400, answer[:300]
        assert b"is no text" in answer


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
async def test_other_origins_get_no_leave(server, origin):
    """B12, B13: no preflight of another origin is granted, and its requests are refused."""
    ann = await server.sign_up()
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = await server.call("OPTIONS", "/scouts", headers=asked)
    assert "Access-Control-Allow-Origin" not in preflight.headers
    said = await server.get("/scouts", ann, headers={"Origin": origin})
    assert said.status == 403
    assert "Access-Control-Allow-Origin" not in said.headers


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "PUT", "FOO"])
async def test_methods_that_are_not_offered_are_refused(server, method):
    """B15: 405 with what is allowed, or 400 where the method is no request of its own."""
    target = b"localhost:80" if method == "CONNECT" else b"/scouts"
    sent = b"%s %s HTTP/1.1\r\n%s\r\n" % (method.encode(), target, _HEAD)
    answer = await exchange(server, sent)
    assert status_of(answer) in (400, 404, 405), answer[:300]


@pytest.mark.parametrize(
    "path",
    ["//", "//scouts", "/%2e%2e/", "/scouts/..", "/;x", "/%00", "/scouts%00", "/%ff", "/%zz",
     "/scouts/%2e%2e/openapi.json", "/SCOUTS", "/scouts/", "*", "/\\..\\", "http://evil.example/"],
)  # fmt: skip
async def test_odd_paths_lead_nowhere(server, path):
    """B16: a path that is not in the table is 400 or 404, never another route."""
    ann = await server.sign_up()
    head = _HEAD + b"Authorization: Bearer " + ann.token.encode() + b"\r\n"
    answer = await exchange(server, b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), head))
    assert status_of(answer) in (400, 404), answer[:300]


async def test_method_override_is_ignored(server):
    """A header cannot turn a GET into a DELETE, and a body of a GET is not looked at."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    said = await server.get(
        f"/scouts/{has.scout.id}",
        ann,
        data=b"{not json",
        headers={"X-HTTP-Method-Override": "DELETE"},
    )
    assert said.status == 200


async def test_many_at_once_are_all_answered(server):
    """200 requests at once, half of them broken, are all answered and none with an error."""
    ann = await server.sign_up()
    bodies = [b"{", b'{"goal": "Ferries", "title": "T", "search_queries": ["a"]}']
    said = await asyncio.gather(*(_post(server, ann, bodies[number % 2]) for number in range(200)))
    assert sorted({each.status for each in said}) == [201, 400]
