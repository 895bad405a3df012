# SPDX-License-Identifier: Apache-2.0
"""rampart verify: known events, and the verdicts and numbers that follow from them by hand."""

import json
import time

import pytest

from cli import KEY, CommandLine
from rampart import Rampart

PATH = f"/api/v1/flags/{KEY}/verify"
NAMES = ["hit_ratio", "hit_p95_seconds", "error_ratio", "query_reduction", "circuit_breaker", "invalidation_success_ratio"]
MINUTE = 60


@pytest.fixture
def start():
    """Three hours ago, at the begin of a window."""
    return int(time.time()) // 60 * 60 - 180 * MINUTE


def events(count, kind, at, **more):
    return [{"event_type": kind, "cache": "profile", "service": "profile", "timestamp": at} | more] * count


def deployment(start, hits=3000, hit_ms=1.5, slow=100, cold=100, misses=100, errors=4, before=True, breaker=("closed",),
               invalidations=40, failed=1):
    """All that is not said keeps every criterion."""
    treated = {"cohort": "treatment"}
    first, later = start + 10 * MINUTE, start + 90 * MINUTE
    sent = []
    if before:
        # 0.2 % errors.
        sent += events(998, "cache_bypass", start - 200 * MINUTE, reason="flag_off")
        sent += events(2, "cache_error", start - 100 * MINUTE, operation="get", error="timeout")
    sent += events(cold, "cache_miss", first, **treated)
    sent += events(hits - slow, "cache_hit", later, cache_tier="L1", duration_ms=hit_ms, **treated)
    sent += events(slow, "cache_hit", later, cache_tier="L2", duration_ms=40, **treated)
    sent += events(misses, "cache_miss", later, **treated)
    # Control goes to the database, and is not what was promised to be less.
    sent += events(1000, "cache_bypass", later, reason="flag_off", cohort="control")
    sent += events(errors, "cache_error", later, operation="get", error="timeout")
    for number, state in enumerate(breaker):
        sent += events(1, "circuit_breaker", later + number * MINUTE, state=state)
    sent += events(invalidations - failed, "cache_invalidation", later, success=True, duration_ms=1)
    sent += events(failed, "cache_invalidation", later, success=False, error="x", duration_ms=1)
    # Another cache's trouble is not this flag's.
    sent += events(500, "cache_error", later, cache="session", operation="get", error="x")
    return sent


def send(server, sent):
    answer = server.send_events(sent)
    assert answer.status == 200 and answer.json()["rejected"] == 0, answer.body[:500]


def criteria(document):
    assert [c["name"] for c in document["criteria"]] == NAMES
    return {c["name"]: c for c in document["criteria"]}


def test_a_deployment_that_keeps_every_criterion(server, start):
    send(server, deployment(start))
    document = server.get(f"{PATH}?from={start}").json()
    judged = criteria(document)
    assert document["verified"] is True, document
    assert {c["verdict"] for c in judged.values()} == {"pass"}
    # 3,000 hits, 100 misses after the first hour; the 100 cold ones came before.
    assert (judged["hit_ratio"]["value"], judged["hit_ratio"]["samples"]) == (3000 / 3100, 3100)
    assert judged["hit_ratio"]["from_ms"] == (start + 3600) * 1000
    # 200 misses of 3,200 lookups of the treatment cohort.
    assert judged["query_reduction"]["value"] == pytest.approx(1 - 200 / 3200, abs=1e-12)
    assert (judged["query_reduction"]["samples"], judged["query_reduction"]["cohort"]) == (3200, "treatment")
    # 4 errors beside 4,200 lookups; 2 beside 998 before, of which the first was 200 minutes before the start.
    errors = judged["error_ratio"]
    assert (errors["value"], errors["samples"]) == (4 / 4204, 4204)
    assert (errors["before"]["value"], errors["before"]["samples"]) == (2 / 1000, 1000)
    assert 0 <= (start - 200 * MINUTE) * 1000 - errors["before"]["from_ms"] < 300_000
    assert "which is all there is of the day before" in errors["reason"]
    assert (judged["circuit_breaker"]["value"], judged["circuit_breaker"]["samples"]) == (0, 0)
    assert (judged["invalidation_success_ratio"]["value"], judged["invalidation_success_ratio"]["samples"]) == (39 / 40, 40)
    # The p95 is PromQL's.
    assert judged["hit_p95_seconds"]["samples"] == 3000
    query = 'histogram_quantile(0.95, sum by (le) (cache_operation_duration_seconds_bucket{cache="profile",operation="hit"}))'
    theirs = server.request(
        "POST", "/api/v1/query", "query=" + query.replace("+", "%2B"), {"Content-Type": "application/x-www-form-urlencoded"}).json()
    assert judged["hit_p95_seconds"]["value"] == pytest.approx(float(theirs["data"]["result"][0]["value"][1]), rel=1e-12)
    assert 0.001 < judged["hit_p95_seconds"]["value"] < 0.002


@pytest.mark.parametrize("change, failing, value", [
    ({"hits": 200, "slow": 0, "cold": 0, "misses": 100, "errors": 3}, {"hit_ratio", "query_reduction"}, ("hit_ratio", 200 / 300)),
    ({"slow": 200}, {"hit_p95_seconds"}, None),
    ({"errors": 50}, {"error_ratio"}, ("error_ratio", 50 / 4250)),
    ({"cold": 400}, {"query_reduction"}, ("query_reduction", 1 - 500 / 3500)),
    ({"breaker": ("open", "closed")}, {"circuit_breaker"}, ("circuit_breaker", 1)),
    ({"breaker": ("open", "closed", "open")}, {"circuit_breaker"}, ("circuit_breaker", 2)),
    ({"failed": 3}, {"invalidation_success_ratio"}, ("invalidation_success_ratio", 37 / 40)),
])
def test_each_criterion_fails_by_itself(server, start, change, failing, value):
    send(server, deployment(start, **change))
    document = server.get(f"{PATH}?from={start}").json()
    judged = criteria(document)
    assert {name for name, c in judged.items() if c["verdict"] == "fail"} == failing, document
    assert {name for name, c in judged.items() if c["verdict"] == "pass"} == set(NAMES) - failing
    assert document["verified"] is False
    if value:
        assert judged[value[0]]["value"] == pytest.approx(value[1], abs=1e-12)
    now = "not open now" if change.get("breaker", ())[-1:] == ("closed",) else "open now"
    assert now in judged["circuit_breaker"]["reason"]


def test_an_error_rate_just_within_the_margin_is_not_increased(server, start):
    send(server, deployment(start, errors=12))
    assert criteria(server.get(f"{PATH}?from={start}").json())["error_ratio"]["verdict"] == "pass"
    send(server, events(1, "cache_error", start + 91 * MINUTE, operation="get", error="timeout"))
    document = criteria(server.get(f"{PATH}?from={start}").json())["error_ratio"]
    assert (document["verdict"], document["value"]) == ("fail", 13 / 4213)


@pytest.mark.parametrize("change, query, missing", [
    ({"before": False}, "", {"error_ratio"}),
    ({"invalidations": 0, "failed": 0}, "", {"invalidation_success_ratio"}),
    ({}, "&to=START+1800", {"hit_ratio", "hit_p95_seconds", "invalidation_success_ratio"}),
    ({}, "&to=START+300", set(NAMES)),
])
def test_without_data_a_criterion_does_not_hold(server, start, change, query, missing):
    send(server, deployment(start, **change))
    to = query.replace("START+1800", str(start + 1800)).replace("START+300", str(start + 300))
    document = server.get(f"{PATH}?from={start}{to}").json()
    judged = criteria(document)
    assert {name for name, c in judged.items() if c["verdict"] == "no_data"} == missing, document
    assert document["verified"] is False and all(c["reason"] for c in judged.values())


def test_lookups_without_cohorts_are_judged_all_together(server, start):
    send(server, events(95, "cache_hit", start + 60, cache_tier="L1") + events(5, "cache_miss", start + 60))
    judged = criteria(server.get(f"{PATH}?from={start}").json())["query_reduction"]
    assert (judged["verdict"], judged["value"], judged["cohort"]) == ("pass", 0.95, None)
    assert "everybody" in judged["reason"]
    send(server, events(1, "cache_bypass", start + 60, reason="flag_off") + events(10, "cache_miss", start + 60))
    judged = criteria(server.get(f"{PATH}?from={start}").json())["query_reduction"]
    assert (judged["verdict"], judged["value"]) == ("fail", 1 - 16 / 111)


def test_the_newest_ramp_is_judged_until_it_was_rolled_back(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        none = server.get(PATH).json()
        assert none["verified"] is False and none["from_ms"] is None
        assert {c["verdict"] for c in none["criteria"]} == {"no_data"}
        plan = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}], "guard": {"checks": []}}
        assert server.post(f"/api/v1/flags/{KEY}/rollout", plan).status == 200
        started = server.get(f"/api/v1/audit?action=rollout%20start").json()["entries"][0]["at_ms"]
        server.wait_for(lambda: time.time() * 1000 // 1000 > started // 1000 + 1, what="the next window")
        send(server, events(10, "cache_hit", time.time(), cache_tier="L1", duration_ms=1))
        document = server.get(PATH).json()
        assert started <= document["from_ms"] < started + 1000
        assert criteria(document)["hit_p95_seconds"]["samples"] == 10
        assert "the first hour lasts until" in criteria(document)["hit_ratio"]["reason"]
        server.post(f"/api/v1/flags/{KEY}/rollout/rollback", {"reason": "enough"})
        ended = server.get(f"/api/v1/flags/{KEY}/rollout").json()["state_since_ms"]
        server.wait_for(lambda: time.time() * 1000 > ended + 1500, what="a window after the end")
        send(server, events(5, "cache_hit", time.time(), cache_tier="L1", duration_ms=1))
        document = server.get(PATH).json()
        assert document["to_ms"] == ended
        assert criteria(document)["hit_p95_seconds"]["samples"] == 10


def test_formats(server, start):
    send(server, deployment(start))
    accepted = server.get(f"{PATH}?from={start}&to={start + 10_000}", {"Accept": "text/markdown"})
    asked = server.get(f"{PATH}?from={start}&to={start + 10_000}&format=markdown")
    assert accepted.body == asked.body
    assert asked.headers["content-type"].startswith("text/markdown")
    lines = asked.body.decode().splitlines()
    assert lines[0] == "# ENABLE\\_PROFILE\\_CACHE in production: verified"
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 2 + len(NAMES) and all(row.count("|") == 7 for row in rows)
    assert "| Hit rate after the first hour | pass | 96.774 % | > 70 % | 3100 |" in "\n".join(rows)
    assert server.get(f"{PATH}?format=html").status == 400
    assert server.get(f"{PATH}?from=yesterday").status == 400
    assert server.get(f"{PATH}?from={start}&to={start}").status == 400
    assert server.get("/api/v1/flags/NOPE/verify").status == 404
    assert server.request("PUT", "/api/v1/flags/BARE", {"type": "boolean"}).status == 200
    assert server.get("/api/v1/flags/BARE/verify").status == 409


@pytest.mark.parametrize("way", ["server", "data"])
def test_the_command(server, start, way):
    send(server, deployment(start))
    cli = CommandLine(server, way)
    span = ["--from", start, "--to", start + 10_000]
    text = cli.run("verify", KEY, *span, status=0).stdout
    assert text.startswith(f"{KEY} in production: verified\n") and "96.774 %" in text
    assert cli.run("verify", KEY, *span, "--markdown", status=0).stdout.startswith("# ENABLE")
    assert cli.json("verify", KEY, *span)["verified"] is True
    # The cold misses alone: errors did not increase, and no breaker opened.
    failing = cli.run("verify", KEY, "--from", start, "--to", start + 1800)
    assert failing.returncode == 1 and "not verified: 2 of 6 criteria hold" in failing.stderr
    assert json.loads(cli.run("verify", KEY, "--json", status=1).stdout)["verified"] is False
    for wrong in (["verify", "NOPE"], ["verify", KEY, "--from", "yesterday"], ["verify", KEY, "--markdown", "--json"]):
        assert cli.run(*wrong).returncode == 2, wrong
