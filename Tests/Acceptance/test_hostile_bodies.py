# SPDX-License-Identifier: Apache-2.0
"""Bodies as a broken or hostile sender writes them: what RFC 8259 allows is counted, what it forbids is rejected with a
reason, and neither stops the server or fills its memory. The families are those of JSON parsing test-suites."""

import gzip
import random
import re
import zlib

import pytest

from rampart import Rampart, peak_bytes

MEGABYTE = 1_000_000
BODY_BYTES_MAX = 16 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    with Rampart(folder, environment={"RAMPART_INGEST_MAX_BODY": "16MiB"}) as running:
        yield running
        assert running.get("/-/ready").status == 200
        assert running.send_events([{"event_type": "cache_hit"}]).json()["accepted"] == 1


def counts(server, body, headers=None):
    """(accepted, rejected, ignored) of the answer; a body of rejected records alone is 400."""
    answer = server.post("/api/v1/events", body, headers)
    assert answer.status in (200, 400), answer.body
    document = answer.json()
    found = tuple(document[name] for name in ("accepted", "rejected", "ignored"))
    assert (answer.status == 400) == (found[0] == found[2] == 0 and found[1] > 0)
    assert len(document["errors"]) == min(found[1], 20) and all(error["reason"] for error in document["errors"])
    return found


def event_with(value):
    """An event with a member that means nothing, so that only its syntax matters."""
    return b'{"event_type":"cache_hit","x":' + value + b'}'


VALUES = {
    "number": rb"""0 -0 1 -1 10 123 1.5 -1.5 0.1 1E22 1e22 1E+2 1e-2 0e1 0e+1 0E0 -0.0 -0e-0 1.0e+28 9007199254740993
        123456789012345678901234567890 0.4e00669999999999999999999 1e400 -1e+9999 1e-400 123.456e78
        -0.000000000000000000000000000000000000000000000000000000000000000000000000000001""".split()
    + [b"9" * 1_000, b"0." + b"1" * 1_000, b"1" + b"0" * 400 + b"e-400", b" 4 ", b"\t4\r"],
    "string": [
        b'""', b'"a"', b'" "', b'"\\u0041"', b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\uD834\\uDd1e"', b'"\\uDBFF\\uDFFF"', b'"\\u0000"',
        b'"\\u0061\\u30af\\u30EA\\u30b9"', b'"\\uFFFF"', b'"\\uFEFF"', '"\u00e9\u20ac\U0001d11e\U0010ffff\uffff\u2028\u2029"'.encode(),
        b'"\x7f"', '"\u200b\u0300"'.encode(), b'"/*comment*/"', b'"' + b"a" * 10_000 + b'"'],
    "literal": [b"true", b"false", b"null", b" null "],
    "array": [b"[]", b"[1]", b"[[]]", b"[ 1 , 2 ]", b"[null,true,false,\"\",{}]", b"[" * 60 + b"]" * 60, b"[1" + b",1" * 5_000 + b"]"],
    "object": [
        b"{}", b'{"a":1}', b'{"a":1,"a":2}', b'{"":0}', b'{"\\u0061":1}', b'{ "a" : [ { } ] }', b'{"a":{"b":{"c":null}}}',
        b'{"foo\\u0000bar":1}', '{"\u00e9":1}'.encode()],
}

NO_VALUES = {
    "number": rb"""- + +1 -01 01 012 -012 1. .1 -.1 1.e1 1.e+1 .e1 0. 0.e1 0e 0e+ 0E 0.3e 0.3e+ 1.0e 1.0e- 1e 1e+ 1eE2 2.e3 ++1 --1 1+2
        0x1 0x42 0b1 1_000 NaN -NaN nan Infinity -Infinity Inf 1a 1.2a -1x 1.8011670033376514H-308 9.e+ -2. 1,000 0.1.2 1.2.3
        """.split() + ["\uff11".encode(), b"1 000", b"- 1", b"1 e5", b"1\x00", b"\x001"],
    "string": [
        b'"\\x00"', b'"\\a"', b'"\\u00A"', b'"\\u"', b'"\\u00G0"', b'"\\uD800"', b'"\\uDc00"', b'"\\uD800\\u"', b'"\\uD800\\uD800"',
        b'"\\uD800\\n"', b'"\\uD834x"', b'"\\"', b'"', b'"a', b"'a'", b"a", b'"\t"', b'"\x00"', b'"\x1f"', b'"\x0b"', b'"\\\x00"',
        b'"\\\xf0\x9f\x8c\x80"', b'"\xc0\xaf"', b'"\xe0\x80\xaf"', b'"\xf0\x80\x80\xaf"', b'"\x80"', b'"\xff"', b'"\xfe"', b'"\xe2\x82"',
        b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"', b'"\xfc\x83\xbf\xbf\xbf\xbf"', b'"\xe5"',
        b'"\xc3"', b'"a"b', b'"a""b"', b'\\u0022a"'],
    "literal": [b"True", b"FALSE", b"nul", b"tru", b"fals", b"nulll", b"truee", b"undefined", b"n", b"t", b"nil", b"<null>", b"*"],
    "array": [
        b"[", b"]", b"[1,]", b"[,1]", b"[1,,2]", b"[,]", b"[1 2]", b"[1}", b"[1:2]", b'["a":1]', b"[a", b'["', b"[*]", b"[1,", b"[[]", b"[1]]",
        b"[-]", b"[1,1", b"[\x0c]", b"[\xe2\x81\xa0]", b'["",]', b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'[{"":' * 50_000],
    "object": [
        b"{", b"{a:1}", b"{'a':1}", b'{"a" 1}', b'{"a"}', b'{"a":}', b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}', b'{"a":1 "b":2}', b"{1:1}",
        b'{"a"::1}', b'{"a":"b"}/**/', b'{"a":"b"}#', b'{"a":"b"}//', b'{"a":1', b'{"a":', b'{"a', b"{null:null}", b'{"a":1]', b"{[]:1}",
        b'{"a":1}}', b'{"a" :1;}', b'{"a":1,"', b"\xef\xbb\xbf{}", b'{"a":' * 100_000, b"{" * 1_000],
}


@pytest.mark.parametrize("family", VALUES)
def test_what_json_allows_is_counted(server, family):
    for value in VALUES[family]:
        assert counts(server, event_with(value)) == (1, 0, 0), value[:80]
        # In an array, in an object over lines, and beside others.
        assert counts(server, b"[" + event_with(value) + b"]") == (1, 0, 0), value[:80]
        assert counts(server, event_with(value).replace(b",", b"\n,", 1)) == (1, 0, 0), value[:80]
    together = b"\n".join(event_with(value) for value in VALUES[family])
    assert counts(server, together) == (len(VALUES[family]), 0, 0)


@pytest.mark.parametrize("family", NO_VALUES)
def test_what_json_forbids_is_rejected_and_its_neighbours_are_counted(server, family):
    good = b'{"event_type":"cache_miss"}'
    for value in NO_VALUES[family]:
        assert counts(server, event_with(value)) == (0, 1, 0), value[:80]
        assert counts(server, good + b"\n" + event_with(value) + b"\n" + good) == (2, 1, 0), value[:80]
    lines = [line for value in NO_VALUES[family] for line in (event_with(value), good)]
    assert counts(server, b"\n".join(lines)) == (len(lines) // 2, len(lines) // 2, 0)


WHOLE_BODIES = [
    (b"", (0, 0, 0)), (b" \t\r\n\n", (0, 0, 0)), (b"\xef\xbb\xbf", (0, 0, 0)), (b"\xef\xbb\xbf{\"event_type\":\"cache_hit\"}", (1, 0, 0)),
    (b'{"event_type":"cache_hit"}\r\n{"event_type":"cache_hit"}\r\n', (2, 0, 0)),
    (b'\n\n{"event_type":"cache_hit"}\n\n\n', (1, 0, 0)),
    (b'{"event_type":"cache_hit"}{"event_type":"cache_hit"} {"event_type":"cache_hit"}', (3, 0, 0)),
    (b'[{"event_type":"cache_hit"},{"event_type":"cache_hit"}]', (2, 0, 0)),
    (b'[\n{"event_type":"cache_hit"}\n,\n{"event_type":"cache_hit"}\n]\n', (2, 0, 0)),
    (b'{"event_type":"cache_hit"}\x00{"event_type":"cache_hit"}', (0, 1, 0)), (b'{"event_type":"cache_hit"}\x00\n', (1, 0, 0)),
    (b'{"event_type":"cache_hit"}\x0c', (1, 0, 0)), (b'{"event_type":"cache_hit"},', (0, 1, 0)), (b'{"event_type":"cache_hit"', (0, 1, 0)),
    (b"\x00" * 1_000, (0, 0, 0)), (b"null\ntrue\n1\n\"text\"\n", (0, 0, 4)), (b"[]", (0, 0, 0)), (b"[1,2]", (0, 0, 2)),
    ('{"event_type":"cache_hit"}'.encode("utf-16-le"), (0, 1, 0)), ('{"event_type":"cache_hit"}'.encode("utf-16"), (0, 0, 1)),
]


def test_whole_bodies(server):
    found = [(text, counts(server, text)) for text, _ in WHOLE_BODIES]
    assert found == WHOLE_BODIES


def test_lines_of_ten_megabytes_are_rejected_and_not_kept(server):
    long = event_with(b'"' + b"a" * (10 * MEGABYTE) + b'"')
    good = b'{"event_type":"cache_hit"}'
    assert counts(server, good + b"\n" + long + b"\n" + good) == (2, 1, 0)
    assert counts(server, b"[" + good + b"," + long + b"," + good + b"]") == (2, 1, 0)
    # Plain text as long is no event of any kind.
    accepted, rejected, ignored = counts(server, b"x" * (10 * MEGABYTE))
    assert (accepted, rejected + ignored) == (0, 1)
    assert all(len(letter["body"]) <= 300_000 for letter in server.get("/api/v1/deadletters?limit=5").json()["dead_letters"])


def test_depth_is_bounded_at_any_place(server):
    good = b'{"event_type":"cache_hit"}'
    for bracket in (b"[", b'{"a":', b'[{"a":'):
        deep = bracket * 100_000
        accepted, rejected, ignored = counts(server, good + b"\n" + deep)
        assert accepted == 1 and rejected + ignored == 1
        accepted, rejected, ignored = counts(server, deep)
        assert accepted == 0 and rejected + ignored == 1


def test_compressed_bodies_that_are_broken_count_nothing(server):
    body = b'{"event_type":"cache_hit"}\n' * 1_000
    packed = gzip.compress(body)
    headers = {"Content-Encoding": "gzip"}
    before = server.total("cache_hits_total")
    for cut in (0, 1, 5, 10, len(packed) // 2, len(packed) - 8, len(packed) - 1):
        assert server.post("/api/v1/events", packed[:cut], headers).status == 400, cut
    for place in range(10, len(packed), 3):
        damaged = packed[:place] + bytes([packed[place] ^ 0x20]) + packed[place + 1:]
        assert server.post("/api/v1/events", damaged, headers).status in (400, 413), place
    assert server.total("cache_hits_total") == before
    # Several members are one text, as gzip has it.
    assert counts(server, packed + packed, headers) == (2_000, 0, 0)
    for wbits in (15, -15):
        deflate = zlib.compressobj(wbits=wbits)
        assert counts(server, deflate.compress(body) + deflate.flush(), {"Content-Encoding": "deflate"}) == (1_000, 0, 0)


def test_bombs_are_stopped_at_the_bound(server):
    bomb = gzip.compress(b"\n" * (1_000 * MEGABYTE // 4), 9)
    for body, status in ((bomb, 413), (gzip.compress(bomb), 200), (gzip.compress(b" " * (BODY_BYTES_MAX - 1)), 200)):
        assert server.post("/api/v1/events", body, {"Content-Encoding": "gzip"}).status == status
    assert server.post("/api/v1/events", b"\n" * (BODY_BYTES_MAX + 1)).status == 413


def test_changed_bytes_never_stop_the_server(server):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    source = random.Random(seed)
    material = [event_with(value) for family in (VALUES, NO_VALUES) for values in family.values() for value in values if len(value) < 200]
    for _ in range(300):
        lines = source.choices(material, k=20)
        body = bytearray(b"\n".join(lines))
        for _ in range(source.randrange(1, 30)):
            place = source.randrange(len(body))
            kind = source.randrange(3)
            if kind == 0:
                body[place] = source.randrange(256)
            elif kind == 1:
                del body[place:place + source.randrange(1, 9)]
            else:
                body[place:place] = body[source.randrange(len(body)):][:source.randrange(40)]
        answer = server.post("/api/v1/events", bytes(body))
        assert answer.status in (200, 400), answer.body
        lines_sent = len([line for line in re.split(rb"\n", bytes(body)) if line.strip(bytes(range(33)))])
        document = answer.json()
        records = document["accepted"] + document["rejected"] + document["ignored"]
        # A line may hold several objects, and an array that begins a body may take all of it.
        assert records >= 1 or lines_sent == 0, body


def test_memory_stays_bounded(server):
    """Last in the file: what all of the above needed at most."""
    peak = peak_bytes(server.process.pid)
    assert peak < 150 * MEGABYTE, f"{peak / MEGABYTE:.0f} MB"
