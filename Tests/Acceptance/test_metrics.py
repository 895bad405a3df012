# SPDX-License-Identifier: Apache-2.0
"""/metrics in both formats, /api/v1/totals, health."""

import subprocess
import time

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from rampart import simulate


def fill(server, tmp_path):
    lines = tmp_path / "events.ndjson"
    simulate("--events", 3000, "--seed", 5, "--output", lines)
    assert server.post("/api/v1/events", lines.read_bytes()).status == 200


def test_promtool_finds_nothing_to_say(server, tmp_path):
    fill(server, tmp_path)
    text = server.get("/metrics")
    assert text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    result = subprocess.run(["promtool", "check", "metrics"], input=text.body, capture_output=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_openmetrics_says_the_same(server, tmp_path):
    fill(server, tmp_path)
    answer = server.get("/metrics", {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    found = {
        (s.name, *sorted(s.labels.items())): s.value for f in text_string_to_metric_families(answer.body.decode()) for s in f.samples}
    plain = server.samples()
    assert {k: v for k, v in found.items() if k[0].startswith("cache_")} == {
        k: v for k, v in plain.items() if k[0].startswith("cache_")}


def test_totals_are_exact_and_steps_add_up(server):
    now = int(time.time())
    events = [
        {"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 2, "timestamp": now - 30},
        {"event_type": "cache_hit", "cache_tier": "L2", "duration_ms": 4, "timestamp": now - 20},
        {"event_type": "cache_miss", "duration_ms": 50, "timestamp": now - 10},
        {"event_type": "cache_bypass", "reason": "flag_off", "duration_ms": 60, "timestamp": now - 10},
        {"event_type": "cache_error", "operation": "get", "error": "x", "timestamp": now - 10},
        {"event_type": "invalidation", "success": False, "keys": 3, "duration_ms": 1, "timestamp": now - 10},
        {"event_type": "cache_bulk", "requested": 10, "hits": 7, "misses": 3, "duration_ms": 9, "timestamp": now - 10},
    ]
    assert server.send_events(events).json()["accepted"] == 7
    row = server.get("/api/v1/totals").json()["rows"][0]
    assert {k: row[k] for k in ("lookups", "hits", "misses", "bypasses", "errors", "invalidations", "invalidation_errors", "invalidated_keys")} == {
        "lookups": 14, "hits": 9, "misses": 4, "bypasses": 1, "errors": 1, "invalidations": 1, "invalidation_errors": 1, "invalidated_keys": 3}
    assert abs(row["hit_ratio"] - 9 / 13) < 1e-12 and abs(row["error_ratio"] - 1 / 15) < 1e-12
    assert row["duration"]["count"] == 5
    stepped = server.get(f"/api/v1/totals?from={now - 120}&to={now}&step=10s&by=cache").json()
    assert len(stepped["steps"]) in (12, 13)
    assert sum(r["hits"] for step in stepped["steps"] for r in step["rows"]) == 9
    tiers = {r["labels"].get("tier"): r["hits"] for r in server.get("/api/v1/totals?by=tier").json()["rows"]}
    assert tiers["L1"] == 1 and tiers["L2"] == 1 and tiers["unknown"] == 7


def test_wrong_parameters_are_named(server):
    for query, text in (
        ("from=yesterday", "from: yesterday"), ("by=user_id", "by: user_id"), ("step=3s", "step: 3s"),
        ("from=10&to=5", "from: 10"), ("from=0&step=10s", "11000 steps"),
    ):
        answer = server.get(f"/api/v1/totals?{query}")
        assert answer.status == 400 and text in answer.json()["error"], answer.body


def test_health_and_build(server):
    assert server.get("/-/healthy").status == server.get("/-/ready").status == 200
    assert server.request("HEAD", "/-/ready").status == 200
    assert server.total("rampart_build_info", version="0.1.0") == 1
    assert server.total("process_resident_memory_bytes") > 1e6


def test_too_many_histograms_show_their_last_bucket_alone(server):
    events = [
        {"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 1, "service": f"s{service}", "cache": f"c{cache}"}
        for service in range(50) for cache in range(41)]
    assert server.send_events(events).json()["accepted"] == 2050
    text = server.get("/metrics").body.decode()
    assert "rampart_metrics_buckets_omitted 1" in text
    assert text.count("cache_operation_duration_seconds_bucket{") == text.count('le="+Inf"') == 2050
    result = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
    assert (result.returncode, result.stderr) == (0, b"")
    one = 'query=count(cache_operation_duration_seconds_bucket{service="s7",cache="c7"})'
    assert server.get("/api/v1/query?" + one).json()["data"]["result"][0]["value"][1] == "238"
    assert len(server.get("/api/v1/label/cache/values").json()["data"]) == 41
    assert len(server.get("/api/v1/label/le/values?match[]=cache_operation_duration_seconds_bucket").json()["data"]) == 238
