# SPDX-License-Identifier: Apache-2.0
"""Prometheus' HTTP API: answers, errors, Grafana's calls, promtool, and a real Prometheus that scrapes us."""

import contextlib
import http.server
import json
import os
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from prometheus import Prometheus
from rampart import BINARY, ROOT, Rampart, simulate

CONFORMANCE = Path(os.environ.get("RAMPART_CONFORMANCE", ROOT / "../shared/conformance"))


def query(server, expression, **parameters):
    return server.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression} | parameters))


def value(server, expression, **parameters):
    """The one value of a query."""
    result = query(server, expression, **parameters).json()["data"]["result"]
    assert len(result) == 1, result
    return float(result[0]["value"][1])


def hits(count, at, **more):
    return [{"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 1, "timestamp": at * 1000, **more}] * count


@pytest.fixture
def filled(server):
    """Ten minutes up to now: 10 hits and 5 misses in each of 60 windows."""
    end = int(time.time()) // 10 * 10
    for start in range(end - 600, end, 10):
        events = hits(10, start) + [{"event_type": "cache_miss", "duration_ms": 40, "timestamp": start * 1000}] * 5
        assert server.send_events(events).json()["accepted"] == 15
    server.end = end
    return server


def test_a_query_sees_what_was_just_acknowledged(server):
    server.send_events('{"event_type":"cache_hit","cache_tier":"L1"}\n' * 7)
    assert value(server, "sum(cache_hits_total)") == 7
    server.send_events('{"event_type":"cache_hit","cache_tier":"L1"}\n' * 3)
    assert value(server, "cache_hits_total") == 10


def test_rates_ratios_and_quantiles(filled):
    at = {"time": filled.end}
    assert value(filled, "rate(cache_hits_total[5m])", **at) == pytest.approx(1)
    # The zero before the first window makes the first increment count.
    assert value(filled, "increase(cache_hits_total[20m])", **at) == pytest.approx(600, rel=0.02)
    ratio = "sum(rate(cache_hits_total[5m])) / (sum(rate(cache_hits_total[5m])) + sum(rate(cache_misses_total[5m])))"
    assert value(filled, ratio, **at) == pytest.approx(2 / 3)
    slow = 'histogram_quantile(0.9, sum by (le) (rate(cache_operation_duration_seconds_bucket[5m])))'
    assert value(filled, slow, **at) == pytest.approx(0.04, rel=0.07)
    assert value(filled, "cache_operation_duration_seconds_sum{operation=\"miss\"}", **at) == pytest.approx(300 * 0.04)
    assert value(filled, "sum(cache_hits_total offset 5m)", **at) == 300


def test_late_events_are_seen_by_every_query(filled):
    at = {"time": filled.end - 290}
    assert value(filled, "cache_hits_total", **at) == 310
    filled.send_events(hits(1000, filled.end - 550))
    assert value(filled, "cache_hits_total", **at) == 1310
    assert value(filled, "cache_hits_total", time=filled.end - 560) == 40


def test_a_range_is_a_value_at_each_step(filled):
    start = filled.end - 300
    answer = filled.get("/api/v1/query_range?" + urllib.parse.urlencode(
        {"query": "cache_hits_total", "start": start, "end": filled.end, "step": "1m"})).json()
    assert answer["data"]["resultType"] == "matrix"
    (series,) = answer["data"]["result"]
    assert series["metric"]["__name__"] == "cache_hits_total"
    assert series["values"] == [[start + 60 * step, str(300 + 60 * step)] for step in range(6)]


def test_rampart_records_itself(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        found = Rampart.wait_for(
            lambda: query(server, "rampart_flag_rollout_percent").json()["data"]["result"], what="its own series")
        assert found[0]["metric"]["flag"] == "ENABLE_PROFILE_CACHE"
        assert value(server, "process_resident_memory_bytes") > 1e6


@pytest.mark.parametrize("path, status, kind, text", [
    ("query?query=", 400, "bad_data", "no expression found in input"),
    ("query?query=rat(x)", 400, "bad_data", 'invalid parameter "query": 1:1: parse error: unknown function with name "rat"'),
    ("query?query=sum(", 400, "bad_data", "parse error"),
    ("query?query=x&time=yesterday", 400, "bad_data", 'invalid parameter "time": cannot parse "yesterday" to a valid timestamp'),
    ("query?query=x&timeout=soon", 400, "bad_data", 'invalid parameter "timeout"'),
    ("query?query=x&limit=-1", 400, "bad_data", 'invalid parameter "limit"'),
    ("query?query=x%20*%20on(a)%20y%20or%20label_replace(vector(1)%2C%22%22%2C%22%22%2C%22%22%2C%22%22)", 422, "execution", ""),
    ("query_range?query=x&start=2&end=1&step=1", 400, "bad_data", "end timestamp must not be before start time"),
    ("query_range?query=x&start=0&end=1&step=0", 400, "bad_data", "zero or negative query resolution step widths are not accepted"),
    ("query_range?query=x&start=0&end=1", 400, "bad_data", 'invalid parameter "step"'),
    ("query_range?query=x&start=0&end=11001&step=1", 400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries"),
    ("query_range?query=x[5m]&start=0&end=1&step=1", 400, "bad_data", "must be Scalar or instant Vector"),
    ("series", 400, "bad_data", "no match[] parameter provided"),
    ("series?match[]={}", 400, "bad_data", "at least one non-empty matcher"),
    ("labels?match[]=x[5m]", 400, "bad_data", "match[]"),
    ("query_exemplars?query=x&start=2&end=1", 400, "bad_data", "end timestamp must not be before start"),
])
def test_errors_are_prometheus_own(server, path, status, kind, text):
    server.send_events('{"event_type":"cache_hit"}')
    answer = server.get("/api/v1/" + path)
    document = answer.json()
    assert (answer.status, document["status"], document["errorType"]) == (status, "error", kind), document
    assert text in document["error"], document


@pytest.mark.parametrize("expression, text", [
    ("1e21", "1e+21"), ("123456789012345678901", "123456789012345680000"), ("0.000001", "0.000001"), ("0.0000001", "1e-07"),
    ("-0.1", "-0.1"), ("-1 * 0", "-0"), ("0/0", "NaN"), ("-1/0", "-Inf"), ("1/3", "0.3333333333333333"), ("1e15 + 0.5", "1000000000000000.5"),
])
def test_numbers_are_written_as_prometheus_writes_them(server, expression, text):
    answer = query(server, expression, time="1435781430.7").json()["data"]
    assert answer == {"resultType": "scalar", "result": [1435781430.7, text]}
    assert b"[1435781430.700," in query(server, expression, time="1435781430.7").body


def test_eleven_thousand_steps_are_answered(server):
    assert server.get("/api/v1/query_range?query=vector(1)&start=0&end=11000&step=1").status == 200


def test_a_form_is_as_good_as_a_query(filled):
    form = urllib.parse.urlencode({"query": "sum by (tier) (cache_hits_total)", "time": filled.end})
    answer = filled.post("/api/v1/query", form, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.json() == query(filled, "sum by (tier) (cache_hits_total)", time=filled.end).json()
    assert filled.post("/api/v1/query", "{}", {"Content-Type": "application/json"}).status == 400


def test_what_a_prometheus_data_source_of_grafana_calls(filled):
    """Save & test, then what the builder, variables, panels and annotations ask."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    probe = filled.post("/api/v1/query", "query=1%2B1&time=4", form).json()
    assert probe == {"status": "success", "data": {"resultType": "scalar", "result": [4, "2"]}}
    build = filled.get("/api/v1/status/buildinfo").json()["data"]
    assert build["version"].startswith("3.") and "features" not in build
    groups = filled.get("/api/v1/rules").json()["data"]["groups"]
    assert groups and all({"name", "file", "rules", "interval"} <= group.keys() for group in groups)
    now = filled.end
    assert filled.get(f"/api/v1/query_exemplars?query=test&start={now - 60}000&end={now}000").json()["data"] == []
    window = f"start={now - 3600}&end={now}"
    assert "tier" in filled.get(f"/api/v1/labels?{window}&limit=40000").json()["data"]
    assert filled.get(f"/api/v1/label/tier/values?{window}&match[]=cache_hits_total").json()["data"] == ["L1"]
    names = filled.get("/api/v1/label/__name__/values").json()["data"]
    assert "cache_hits_total" in names and "cache_operation_duration_seconds_bucket" in names
    assert filled.get(f"/api/v1/series?match[]=cache_misses_total&{window}").json()["data"] == [
        {"__name__": "cache_misses_total", "cache": "profile", "service": "profile"}]
    metadata = filled.get("/api/v1/metadata?metric=cache_operation_duration_seconds").json()["data"]
    assert metadata["cache_operation_duration_seconds"][0]["type"] == "histogram"
    panel = f"query=sum(rate(cache_hits_total%5B1m%5D))&{window}&step=15&timeout=60s"
    assert len(filled.post("/api/v1/query_range", panel, form).json()["data"]["result"]) == 1
    assert filled.get("/api/v1/alerts").json()["data"] == {"alerts": []}
    assert filled.post("/api/v1/format_query", "query=sum(x)%2F2", form).json()["data"] == "sum(x) / 2"


def test_limits_are_said(filled):
    answer = filled.get("/api/v1/series?match[]=cache_operation_duration_seconds_bucket&limit=3").json()
    assert len(answer["data"]) == 3 and answer["warnings"] == ["results truncated due to limit"]
    answer = query(filled, "cache_operation_duration_seconds_bucket", limit=2).json()
    assert len(answer["data"]["result"]) == 2 and answer["warnings"] == ["results truncated due to limit"]


def test_federation_gives_the_newest_samples(filled):
    text = filled.get("/federate?match[]=cache_hits_total&match[]=cache_misses_total").body.decode()
    assert '# TYPE cache_hits_total untyped\ncache_hits_total{cache="profile",service="profile",tier="L1"} 600 ' in text
    assert 'cache_misses_total{cache="profile",service="profile"} 300 ' in text


def test_promtool_and_our_own_command_agree(filled):
    url = f"http://127.0.0.1:{filled.port}"
    expression = "sort_desc(sum by (operation) (cache_operation_duration_seconds_count))"
    time_ = str(filled.end)
    theirs = subprocess.run(["promtool", "query", "instant", "--time", time_, url, expression], capture_output=True, text=True)
    ours = subprocess.run([BINARY, "query", "--server", url, "--time", time_, expression], capture_output=True, text=True)
    assert (ours.returncode, ours.stdout) == (0, theirs.stdout), (ours.stderr, theirs.stderr)
    assert ours.stdout.startswith('{operation="hit"} => 600 @[')
    wrong = subprocess.run([BINARY, "query", "--server", url, "rat(x)"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "unknown function" in wrong.stderr
    ranged = subprocess.run(
        [BINARY, "query", "--server", url, "--start", str(filled.end - 60), "--end", time_, "--step", "1m", "--json",
         "sum(cache_hits_total)"], capture_output=True, text=True)
    assert len(json.loads(ranged.stdout)["data"]["result"][0]["values"]) == 2


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)


def test_a_store_is_queried_without_its_server_and_left_as_it_is(filled):
    """The same text and the same JSON, from the file of a server that was killed and has all of it in its log."""
    at = ["--time", filled.end - 30]
    through = ["--start", filled.end - 300, "--end", filled.end - 30, "--step", "30s"]
    calls = [
        [*at, "sum by (tier) (cache_hits_total)"], [*at, "--json", "rate(cache_hits_total[5m])"],
        [*through, "histogram_quantile(0.9, sum by (le) (rate(cache_operation_duration_seconds_bucket[5m])))"],
        [*through, "--json", "cache_misses_total"], ["--json", *at, "rate(process_cpu_seconds_total[1m])"]]
    url, data = f"http://127.0.0.1:{filled.port}", filled.data
    live = [run("query", "--server", url, *call) for call in calls]
    refused = run("query", "--data", data, "1")
    assert refused.returncode == 1 and "in use by a running server" in refused.stderr and "--server" in refused.stderr
    filled.kill()

    def content():
        with contextlib.closing(sqlite3.connect(data / "rampart.sqlite")) as database:
            return list(database.iterdump())

    before = content()
    assert any("INSERT INTO \"journal\"" in line for line in before)
    stored = [run("query", "--data", data, *call) for call in calls]
    assert [(each.returncode, each.stdout, each.stderr) for each in stored] == [(0, each.stdout, each.stderr) for each in live]
    assert float(json.loads(stored[1].stdout)["data"]["result"][0]["value"][1]) == pytest.approx(1)
    assert before == content()


def test_wrong_ways_to_query_a_store(tmp_path):
    none = run("query", "--data", tmp_path / "none", "1")
    assert none.returncode == 2 and "holds no store" in none.stderr
    assert not (tmp_path / "none").exists()
    both = run("query", "--data", tmp_path, "--server", "http://127.0.0.1:1", "1")
    assert both.returncode == 2 and "leave it out with --server" in both.stderr
    with Rampart(tmp_path) as server:
        server.stop()
        wrong = run("query", "--data", server.data, "rat(x)")
        assert wrong.returncode == 2 and "unknown function" in wrong.stderr
        wrong = run("export", "--data", server.data, "--match", "rate(x[5m])")
        assert wrong.returncode == 2 and "match[]" in wrong.stderr and not wrong.stdout


def test_an_export_is_what_the_store_holds(filled):
    url, window = f"http://127.0.0.1:{filled.port}", ["--start", filled.end - 300, "--end", filled.end - 30]
    matches = ["--match", '{__name__=~"cache_.+"}', "--match", "cache_hits_total"]
    live = run("export", "--server", url, *window, *matches)
    assert live.returncode == 0 and live.stdout.endswith("\n# EOF\n"), live.stderr
    lines = live.stdout.splitlines()
    hits_ = [line for line in lines if line.startswith("cache_hits_total{")]
    assert hits_[0] == f'cache_hits_total{{cache="profile",service="profile",tier="L1"}} 300 {filled.end - 300}'
    assert len(hits_) == len(set(hits_)) == 28
    assert lines.count("# TYPE cache_operation_duration_seconds histogram") == 1
    assert [line for line in lines if line.startswith("# TYPE")] == sorted(line for line in lines if line.startswith("# TYPE"))
    answer = filled.get(f"/api/v1/export?match[]=cache_hits_total&start={filled.end - 300}&end={filled.end - 30}")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.decode().splitlines() == ["# TYPE cache_hits counter", *hits_, "# EOF"]
    filled.stop()
    assert run("export", "--data", filled.data, *window, *matches).stdout == live.stdout


@pytest.mark.parametrize("parameters, text", [
    ("match[]=x%5B5m%5D", "match[]"), ("match[]={}", "at least one non-empty matcher"), ("start=soon", 'invalid parameter "start"'),
    ("start=2&end=1", "end timestamp must not be before start"),
])
def test_what_cannot_be_exported_is_said(server, parameters, text):
    answer = server.get("/api/v1/export?" + parameters)
    assert answer.status == 400 and answer.json()["errorType"] == "bad_data" and text in answer.json()["error"]
    assert server.get("/api/v1/export?match[]=nothing").body == b"# EOF\n"


@pytest.fixture
def large(server):
    """Twenty megabytes of samples: eight caches over a hundred minutes."""
    now = int(time.time()) // 10 * 10
    events = [
        {"event_type": "cache_hit", "cache": f"c{cache}", "cache_tier": "L1", "duration_ms": cache + 1, "timestamp": at * 1000}
        for at in range(now - 6000, now, 60) for cache in range(8)]
    assert server.send_events(events).json()["accepted"] == 800
    return server


def ask_for_export(server):
    """A client that asks and does not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(b"GET /api/v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


def test_an_export_that_nobody_reads_costs_little_and_delays_nothing(large):
    before = large.resident_bytes()
    first = ask_for_export(large)
    assert b"200 OK" in first.recv(4096)
    second = ask_for_export(large)

    def third():
        answer = large.get("/api/v1/export?match[]=x")
        return answer.status == 503 and answer

    refused = Rampart.wait_for(third, what="a full queue")
    assert refused.headers["retry-after"] == "1" and refused.json()["errorType"] == "unavailable"
    assert value(large, "sum(cache_hits_total)") == 800
    assert large.get("/-/ready").status == 200
    assert large.resident_bytes() - before < 32 << 20
    first.close()
    second.close()

    def whole():
        answer = large.get("/api/v1/export")
        return answer.status == 200 and answer

    body = Rampart.wait_for(whole, what="its turn").body
    assert len(body) > 20_000_000 and body.endswith(b"\n# EOF\n")


def test_a_stopping_server_cuts_an_export(large):
    with ask_for_export(large) as client:
        assert b"200 OK" in client.recv(4096)
        started = time.monotonic()
        assert large.stop() == 0
        assert time.monotonic() - started < 10
    assert "broken off" not in large.log.read_text()


def test_a_heavy_query_delays_neither_ingest_nor_flags_nor_readiness(filled):
    heavy = "count(" * 50 + "sum by (le) (rate(cache_operation_duration_seconds_bucket[10m]))" + ")" * 50
    connections = []
    for _ in range(8):
        connection = filled.connection()
        connection.request("GET", "/api/v1/query_range?" + urllib.parse.urlencode(
            {"query": heavy, "start": filled.end - 11000, "end": filled.end, "step": 1}))
        connections.append(connection)
    assert filled.get("/-/ready").status == 200
    assert filled.send_events('{"event_type":"cache_hit"}').status == 200
    assert filled.get("/api/v1/evaluate/ENABLE_PROFILE_CACHE?targetingKey=u").status == 200
    # Who goes away is not waited for.
    for connection in connections:
        connection.close()
    assert value(filled, "sum(cache_misses_total)") == 300


@pytest.mark.skipif(not (CONFORMANCE / "promql").is_dir(), reason="no conformance files")
def test_prometheus_own_scripts():
    files = sorted((CONFORMANCE / "promql").glob("*.test"))
    result = subprocess.run([BINARY, "promqltest", *files], capture_output=True, text=True)
    print(result.stdout[-2000:])
    assert result.returncode == 0 and " 0 failed" in result.stdout, result.stdout


def test_promqltest_says_what_failed(tmp_path):
    script = tmp_path / "wrong.test"
    script.write_text("load 1m\n  x 1+1x5\n\neval instant at 3m x\n  x 5\n\neval instant at 3m x\n  x 4\n")
    result = subprocess.run([BINARY, "promqltest", script], capture_output=True, text=True)
    assert result.returncode == 1 and "1 passed, 1 failed" in result.stdout and "line 4: x" in result.stdout
    assert subprocess.run([BINARY, "promqltest", tmp_path / "none.test"], capture_output=True).returncode == 2


class TextOnly(http.server.BaseHTTPRequestHandler):
    """Asks for the text format whatever the scraper prefers."""

    def do_GET(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.target}/metrics") as answer:
            body, kind = answer.read(), answer.headers["Content-Type"]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_real_prometheus_stores_the_same_numbers_in_both_formats(server, tmp_path):
    lines = tmp_path / "events.ndjson"
    simulate("--events", 3000, "--seed", 5, "--output", lines)
    assert server.post("/api/v1/events", lines.read_bytes()).status == 200
    # Recorded at the end of a window, where all else is there at once.
    server.wait_for(lambda: query(server, "cache_active_users").json()["data"]["result"])
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TextOnly)
    proxy.target = server.port
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    jobs = {"openmetrics": server.port, "text": proxy.server_port}
    configuration = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in jobs.items()]}
    with Prometheus(tmp_path, configuration) as prometheus:
        theirs = {}

        def scraped():
            theirs.clear()
            for series in prometheus.result("/api/v1/query", query='{__name__=~"cache_.*"}'):
                labels = dict(series["metric"])
                job, _ = labels.pop("job"), labels.pop("instance")
                theirs.setdefault(job, {})[tuple(sorted(labels.items()))] = float(series["value"][1])
            return len(theirs) == 2

        Rampart.wait_for(scraped, seconds=60, what="both scrapes")
        ours = {
            tuple(sorted(series["metric"].items())): float(series["value"][1])
            for series in query(server, '{__name__=~"cache_.*"}').json()["data"]["result"]}
        assert len(ours) > 1000
        # Users leave their hour while both look, one after the other.
        moving = {labels: value for labels, value in ours.items() if ("__name__", "cache_active_users") in labels}
        for job in jobs:
            assert theirs[job].keys() == ours.keys()
            for labels, value in moving.items():
                assert theirs[job].pop(labels) == pytest.approx(value, rel=0.05)
        for labels in moving:
            ours.pop(labels)
        for job in jobs:
            # Sums of durations are added in another order.
            assert theirs[job] == pytest.approx(ours, rel=1e-12)
    proxy.shutdown()
