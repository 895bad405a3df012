# SPDX-License-Identifier: Apache-2.0
"""Broken parameters against every endpoint of queries: an answer in Prometheus' envelope, whatever comes.

RAMPART_FUZZ_SEED repeats a run, RAMPART_FUZZ_REQUESTS makes it longer.
"""

import http.client
import json
import os
import random
import socket
import time
import urllib.parse

SEED = int(os.environ.get("RAMPART_FUZZ_SEED", time.time_ns() % 1_000_000_000))
REQUESTS = int(os.environ.get("RAMPART_FUZZ_REQUESTS", 600))

PATHS = [
    b"query", b"query_range", b"series", b"labels", b"label/cache/values", b"label/%s/values", b"metadata", b"format_query",
    b"query_exemplars", b"rules", b"alerts", b"status/buildinfo", b"export", b"federate"]
ONLY_GET = {b"label/cache/values", b"label/%s/values", b"metadata", b"rules", b"alerts", b"status/buildinfo", b"export", b"federate"}
NAMES = [
    "query", "time", "start", "end", "step", "timeout", "limit", "lookback_delta", "match[]", "metric", "stats", "limit_per_metric",
    "qu\u00e9ry", "", "match%5B%5D", "query[]"]
QUERIES = [
    "cache_hits_total", "rate(cache_hits_total[5m])", 'sum by (cache) (cache_hits_total{tier=~"L1|L2"})', "1 + 2 * 3 ^ -4",
    'histogram_quantile(0.9, sum by (le) (rate(cache_operation_duration_seconds_bucket[5m])))', "vector(1) @ end()",
    'label_replace(cache_hits_total, "a", "$1-$9", "cache", "(.*)")', "topk(5, cache_hits_total) offset -1w", "quantile(NaN, cache_hits_total)",
    "max_over_time(rate(cache_hits_total[1m])[1h:1ms])", "cache_hits_total[5m:]", "cache_hits_total @ 1e300", "absent(nope{a='b'})",
    "{__name__=~'.+'}", '{"caché.hits", "läbel"="wört"}', "time() % 0", "sum(cache_hits_total) / ignoring (le) group_left (x) up",
    "day_of_month(vector(1e300))", "predict_linear(cache_hits_total[1h], 1e300)", "1e400", "0xFFFFFFFFFFFFFFFFFFFF", "-Inf ^ 0.5", '"text"',
    "count_values(\"\", cache_hits_total)", "cache_hits_total[999999999y]", "cache_hits_total offset 300000y", "sort_by_label(up)",
    "rate(cache_hits_total[5m] @ start()) and on () vector(1)", "double_exponential_smoothing(cache_hits_total[5m], 2, 2)", "((((1))))",
    "cache_hits_total{cache=~\"(((((((((((a*)*)*)*)*)*)*)*)*)*)*\"}", "bottomk(-1e300, cache_hits_total)", "clamp(cache_hits_total, 2, 1)",
    "holt_winters(x[5m], 0.5, 0.5)", "round(cache_hits_total, 0)", "step()", "info(cache_hits_total)", "limitk(1, cache_hits_total)"]
TIMES = [
    "0", "-1", "1e3", "1e18", "-1e18", "9223372036854775807", "-9223372036854775808", "1e400", "NaN", "Inf", "-Inf", "0x10", "1_000", "",
    " 1", "1 ", "2026-01-31T12:00:00Z", "2026-13-31T12:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "10000-01-01T00:00:00Z", "2026-01-31T12:00:00+99:99", "2026-01-31", "now", "253402300800", "253402300800001", "1795262300.5", "1.7e9"]
DURATIONS = [
    "1", "0", "-1", "0.0001", "1e-300", "1e300", "15s", "1h30m", "1m1h", "9999999999y", "-5m", "5", "NaN", "Inf", "", "1s1s", "1ms", "s", "1e3s",
    "9223372036854775807ms", "100000000000000000000000s", "1µs"]
NUMBERS = ["0", "1", "-1", "1e3", "9223372036854775807", "9223372036854775808", "", "x", "0x1", "+5", "1.5", " 1", "٣"]
SELECTORS = [
    "cache_hits_total", '{cache="profile"}', "{}", "{__name__=~'.*'}", "{__name__=~'('}", "x[5m]", "rate(x[5m])", '{a="b",a!="b"}', "{=}", "",
    '{le="0.1"}', '{__name__="cache_hits_total",__name__="x"}', '{cache=~"\\\\x{110000}"}', '{cache="' + "x" * 1000 + '"}', "1", "x @ 1", "x offset 1h"]
JUNK = [b"\x00", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "\u202e\ufeff\U0001f600e\u0301".encode(), b"\r\n\r\n", b'"\\', b"%", b"+"]


class Fuzz:
    def __init__(self, seed, now):
        self.random = random.Random(seed)
        self.now = now

    def broken(self, value):
        """Bytes put in, taken out, doubled or cut."""
        value = bytearray(value)
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randint(0, len(value))
            match self.random.randrange(5):
                case 0: value[at:at] = self.random.choice(JUNK)
                case 1: del value[at:at + self.random.randint(1, 5)]
                case 2: value[at:at] = value[at:at + 20] * self.random.randint(1, 3)
                case 3: value[at:at] = bytes([self.random.randrange(256)])
                case 4: del value[at:]
        return bytes(value)

    def value(self, name):
        pool = {
            "query": QUERIES, "match[]": SELECTORS, "step": DURATIONS, "timeout": DURATIONS, "lookback_delta": DURATIONS,
            "limit": NUMBERS, "metric": ["cache_hits_total", "x"]}.get(name, TIMES)
        value = self.random.choice(pool + [str(self.now), str(self.now - 600)] * (pool is TIMES)).encode()
        if self.random.random() < 0.3:
            value = self.broken(value)
        return value * self.random.randint(500, 5000) if self.random.random() < 0.01 else value

    def field(self, name):
        value = urllib.parse.quote_from_bytes(self.value(name))
        if self.random.random() < 0.05:
            value = self.random.choice(["%", "%zz", "%u0041", "=", "&&", "&=&", ";", "%00", "+"]) + value
        return f"{urllib.parse.quote(name)}={value}".encode()

    def request(self):
        path = self.random.choice(PATHS)
        needed = {b"query": ["query"], b"query_range": ["query", "start", "end", "step"], b"series": ["match[]"], b"federate": ["match[]"]}
        names = [name for name in needed.get(path, []) if self.random.random() < 0.95]
        names += self.random.choices(NAMES, k=self.random.randint(0, 3))
        self.random.shuffle(names)
        fields = b"&".join(self.field(name) for name in names)
        full = b"/federate" if path == b"federate" else b"/api/v1/" + path
        if b"%s" in full:
            full = full.replace(b"%s", urllib.parse.quote_from_bytes(self.broken(b"cache"), safe="").encode() or b"x")
        common = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        # What is longer than headers may be goes into a form.
        if path not in ONLY_GET and (len(fields) > 6000 or self.random.random() < 0.4):
            kind = self.random.choice([b"application/x-www-form-urlencoded"] * 9 + [b"application/json; charset=\xff"])
            return b"POST " + full + common + b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(fields)) + fields
        return b"GET " + full + b"?" + fields[:6000] + common + b"\r\n"


def send(server, request):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers.get("Content-Type"), answer.read()


def fault(request, status, kind, body):
    """What is wrong with an answer; None where nothing is."""
    if status == 200 and kind.startswith(("text/plain", "application/openmetrics-text")):
        return None if request.split(b" ")[1].startswith((b"/federate", b"/api/v1/export")) else "text instead of JSON"
    document = json.loads(body)
    # These are said before any endpoint is found or its body read.
    if status == 413 or status == 400 and b"%00" in request.split(b"?")[0]:
        return None if document.get("error") else "no sentence"
    if status == 200:
        return None if document["status"] == "success" and "data" in document else "no success"
    if document.get("status") != "error" or not document.get("error"):
        return "not in the envelope"
    if status == 503 and b"timeout" in request:
        return None if document["errorType"] == "timeout" else "unavailable"
    expected = {400: "bad_data", 422: "execution"}.get(status)
    return None if document["errorType"] == expected else f"status {status} with {document['errorType']}"


def test_whatever_is_asked_is_answered_in_prometheus_envelope(server):
    now = int(time.time())
    server.send_events([
        {"event_type": "cache_hit", "cache": f"c{index % 3}", "cache_tier": "L1", "duration_ms": index, "timestamp": (now - index) * 1000}
        for index in range(300)])
    print(f"RAMPART_FUZZ_SEED={SEED}")
    fuzz = Fuzz(SEED, now)
    statuses = {}
    faults = []
    for number in range(REQUESTS):
        request = fuzz.request()
        started = time.monotonic()
        try:
            status, kind, body = send(server, request)
            wrong = fault(request, status, kind or "", body)
            statuses[status] = statuses.get(status, 0) + 1
            if wrong is None and time.monotonic() - started > 20:
                wrong = "took more than 20 s"
            if wrong:
                faults.append((wrong, request[:400], status, body[:300]))
        except (OSError, ValueError, http.client.HTTPException) as error:
            assert server.process.poll() is None, (number, request, server.log.read_text()[-2000:])
            faults.append((repr(error), request[:400]))
    print(statuses)
    assert not faults, "\n".join(map(repr, faults[:20]))
    # Both kinds of answers were tried, and the server is as well as before.
    assert statuses[200] > REQUESTS / 10 and statuses[400] > REQUESTS / 10
    assert server.get("/-/ready").status == 200
    assert server.stop() == 0
