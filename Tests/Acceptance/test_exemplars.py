# SPDX-License-Identifier: Apache-2.0
"""Exemplars: on /metrics in OpenMetrics, and from /api/v1/query_exemplars."""

import time
import urllib.parse

from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
BUCKET = "cache_operation_duration_seconds_bucket"


def hit(correlation_id, ms, age=1.0, **more):
    return {
        "event_type": "cache_hit", "cache_tier": "L1", "timestamp": int((time.time() - age) * 1000), "duration_ms": ms,
        "correlation_id": correlation_id} | more


def shown(server):
    """{le: exemplar} of the hits on /metrics."""
    families = text_string_to_metric_families(server.get("/metrics", OPEN_METRICS).body.decode())
    return {s.labels["le"]: s.exemplar for f in families for s in f.samples if s.exemplar}


def query(server, expression, **parameters):
    answer = server.get("/api/v1/query_exemplars?" + urllib.parse.urlencode({"query": expression} | parameters))
    assert answer.status == 200, answer.body
    assert answer.json()["status"] == "success"
    return answer.json()["data"]


def test_openmetrics_carries_them_and_the_text_format_does_not(server):
    event = hit("request-1", 4.2)
    assert server.send_events([event, hit("request-2", 90_000), hit('a "quoted" \\ id', 0.3)]).status == 200
    exemplars = shown(server)
    assert exemplars["0.00425"].labels == {"correlation_id": "request-1"}
    assert exemplars["0.00425"].value == 0.0042
    assert float(exemplars["0.00425"].timestamp) == event["timestamp"] / 1000
    assert exemplars["+Inf"].labels == {"correlation_id": "request-2"}
    assert exemplars["0.0003"].labels == {"correlation_id": 'a "quoted" \\ id'}
    assert len(exemplars) == 3
    assert b"correlation_id" not in server.get("/metrics").body


def test_ids_that_are_too_long_are_left_out(server):
    assert server.send_events([hit("x" * 115, 1), hit("y" * 114, 2), hit("\u00fc" * 114, 3)]).status == 200
    assert {e.labels["correlation_id"] for e in shown(server).values()} == {"y" * 114, "\u00fc" * 114}


def test_query_exemplars_answers_as_prometheus_does(server):
    event = hit("request-1", 4.2)
    assert server.send_events([event, hit("request-2", 43), hit("other", 4.2, cache="other")]).status == 200
    expression = f'histogram_quantile(0.95, sum by (le) (rate({BUCKET}{{cache="profile"}}[5m])))'
    labels = {"__name__": BUCKET, "cache": "profile", "operation": "hit", "service": "profile", "tier": "L1"}
    found = query(server, expression)
    assert [series["seriesLabels"] for series in found] == [labels | {"le": "0.00425"}, labels | {"le": "0.045"}]
    assert found[0]["exemplars"] == [
        {"labels": {"correlation_id": "request-1"}, "value": "0.0042", "timestamp": event["timestamp"] / 1000}]
    assert query(server, f'{BUCKET}{{le="0.045"}} / ignoring(le) {BUCKET}{{cache="other"}}')[0]["seriesLabels"]["cache"] == "other"
    posted = server.post(
        "/api/v1/query_exemplars", urllib.parse.urlencode({"query": expression}),
        {"Content-Type": "application/x-www-form-urlencoded"})
    assert posted.json()["data"] == found
    assert query(server, "cache_operation_duration_seconds_count") == query(server, "1 + 1") == []


def test_times_bound_them(server):
    old, new = hit("old", 1, age=100), hit("new", 2, age=10)
    assert server.send_events([old, new]).status == 200

    def ids(**bounds):
        return [e["labels"]["correlation_id"] for series in query(server, BUCKET, **bounds) for e in series["exemplars"]]

    at = old["timestamp"] / 1000
    assert ids() == ["old", "new"]
    assert ids(start=at, end=at) == ["old"]
    assert ids(start=at + 0.001) == ["new"]
    assert ids(end=at - 0.001) == []


def test_grafanas_probe_is_answered_at_once(server):
    assert server.send_events([hit(str(n), n / 10) for n in range(1, 500)]).status == 200
    now = int(time.time() * 1000)
    started = time.monotonic()
    assert query(server, "test", start=now - 3_600_000, end=now) == []
    assert time.monotonic() - started < 1


def test_they_survive_kill_and_restart(server):
    assert server.send_events([hit("request-1", 4.2), hit("request-2", 43)]).status == 200
    before, found = shown(server), query(server, BUCKET)
    assert len(before) == 2 and len(found) == 2
    server.kill()
    server.start()
    assert shown(server) == before and query(server, BUCKET) == found
    assert server.stop() == 0
    server.start()
    assert shown(server) == before and query(server, BUCKET) == found


def test_a_bucket_takes_one_a_second(server):
    for n in range(20):
        assert server.send_events([hit(f"request-{n}", 4.2)]).status == 200
    [series] = query(server, BUCKET)
    assert series["exemplars"][0]["labels"] == {"correlation_id": "request-0"}
    assert len(series["exemplars"]) < 20
    time.sleep(1.1)
    assert server.send_events([hit("last", 4.2)]).status == 200
    assert shown(server)["0.00425"].labels == {"correlation_id": "last"}
    assert query(server, BUCKET)[0]["exemplars"][-1]["labels"] == {"correlation_id": "last"}
