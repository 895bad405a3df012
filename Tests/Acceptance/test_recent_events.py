# SPDX-License-Identifier: Apache-2.0
"""The log of recent events: found by what an operator knows, kept once, within its bound."""

import http.client
import json
import secrets
import threading
import time
from urllib.parse import urlencode

from rampart import Rampart

NOTABLE = [
    {"event_type": "cache_error", "operation": "get", "error": "timed out"},
    {"event_type": "cache_invalidation", "success": True},
    {"event_type": "invalidation", "success": False, "error": "gone"},
    {"event_type": "circuit_breaker", "state": "open"},
    {"event_type": "consistency_check", "success": False},
]


def recent(server, **parameters):
    answer = server.get("/api/v1/events/recent?" + urlencode(parameters))
    assert answer.status == 200, answer.body
    return answer.json()


def outcomes(server):
    return {key[1][1]: value for key, value in server.samples().items() if key[0] == "rampart_recent_events_total"}


def test_each_kind_is_found_by_each_filter(server):
    assert recent(server) == {"events": [], "next_before": None, "sample_rate": None, "oldest": None}
    before = time.time() - 1
    events = [
        event | {"user_id": f"u-{number}", "correlation_id": f"r/{number} ä", "service": f"s{number}", "cache": f"c{number}"}
        for number, event in enumerate(NOTABLE + [{"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 0.5}])]
    assert server.send_events(events).status == 200
    for number, event in enumerate(events):
        name = "cache_invalidation" if event["event_type"] == "invalidation" else event["event_type"]
        for filters in ({"user_id": f"u-{number}"}, {"correlation_id": f"r/{number} ä"}, {"service": f"s{number}"},
                        {"cache": f"c{number}", "event_type": event["event_type"]}):
            found = recent(server, **filters)["events"]
            assert len(found) == 1, filters
            time_of = found[0].pop("timestamp")
            assert time_of.endswith("Z") and len(time_of) == 24 and time_of[:10] == time.strftime("%Y-%m-%d", time.gmtime(before + 1))
            assert found[0] == {
                "event_type": name, "service": f"s{number}", "cache": f"c{number}", "user_id": f"u-{number}",
                "correlation_id": f"r/{number} ä", "sample_rate": 1.0, "event": event}
    everything = recent(server)
    assert [e["user_id"] for e in everything["events"]] == [f"u-{n}" for n in range(5, -1, -1)]
    assert everything["sample_rate"] == 1.0 and everything["oldest"]
    assert [e["user_id"] for e in recent(server, event_type="cache_invalidation")["events"]] == ["u-2", "u-1"]
    assert recent(server, user_id="u-1", event_type="cache_hit")["events"] == []
    assert recent(server, user_id="", event_type="", limit=1)["events"] == everything["events"][:1]
    assert outcomes(server) == {"stored": 6, "evicted": 0, "sampled_out": 0}
    assert server.total("rampart_recent_events_stored") == 6
    assert server.total("rampart_recent_events_stored_bytes") > 100


def test_a_body_is_kept_once_and_outlives_the_process(server):
    body = [NOTABLE[0] | {"correlation_id": "r-1"}]
    for _ in range(3):
        assert server.send_events(body).status == 200
    item = '{"create":{"_id":"1"}}\n' + json.dumps(NOTABLE[0] | {"user_id": "u-1"}) + "\n"
    other = '{"create":{"_id":"2"}}\n' + json.dumps(NOTABLE[0] | {"user_id": "u-2"}) + "\n"
    for request in (item, item + other, other + item):
        assert server.post("/elasticsearch/logs/_bulk", request).status == 200
    assert server.post("/api/v1/events", '{"event_type":"cache_error"}').status == 400
    users = [e["user_id"] for e in recent(server)["events"]]
    assert users == ["u-2", "u-1", None]
    first = recent(server)
    server.kill()
    server.start()
    assert recent(server) == first
    assert server.send_events(body).json()["duplicate"]
    server.stop()
    server.start()
    assert recent(server) == first
    assert outcomes(server)["stored"] == 0 and server.total("rampart_recent_events_stored") == 3


def test_what_was_acknowledged_is_in_the_log_after_a_kill(server):
    acknowledged, stop = [], threading.Event()

    def client(number):
        count = 0
        while not stop.is_set():
            name = f"u-{number}-{count}"
            try:
                if server.send_events([NOTABLE[0] | {"user_id": name, "correlation_id": name}]).status == 200:
                    acknowledged.append(name)
            except (OSError, http.client.HTTPException):
                # The kill cut the connection.
                return
            count += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    server.wait_for(lambda: len(acknowledged) > 200)
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    found, before = [], None
    while True:
        page = recent(server, limit=150, **({"before": before} if before else {}))
        found += [e["user_id"] for e in page["events"]]
        before = page["next_before"]
        if before is None:
            break
        assert len(page["events"]) == 150
    assert len(found) == len(set(found)) and set(acknowledged) <= set(found)
    assert len(found) == server.total("cache_errors_total")


def test_texts_bytes_and_protocols(server):
    assert server.post("/api/v1/events", b"Cache get error: \xff\xfe \"x\"\n[CACHE] HIT blog:1").status == 200
    record = {"message": "Cache set error: refused", "user_id": "u-1", "correlation_id": "r-1", "service": "api"}
    assert server.send_events([record]).status == 200
    assert server.post("/api/v1/events", '["[CACHE] DELETE \\"blog\\":2"]').status == 200
    streams = [{"stream": {"app": "shop", "cache": "cart"}, "values": [[str(time.time_ns()), "Cache get error: loki"]]}]
    assert server.post("/loki/api/v1/push", {"streams": streams}).status == 204
    attributes = [{"key": "operation", "value": {"stringValue": "get"}}, {"key": "user_id", "value": {"stringValue": "u-2"}}]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "cache_error", "attributes": attributes}]}]}]}
    assert server.post("/v1/logs", logs).status == 200
    long = json.dumps(NOTABLE[0] | {"user_id": "u-3", "fill": "x" * 5_000})
    assert server.post("/api/v1/events", long).status == 200
    found = recent(server)["events"]
    assert found[0]["text"] == long[:4096] and found[0]["truncated"] is True and found[0]["user_id"] == "u-3"
    assert found[1]["event"] == {"operation": "get", "user_id": "u-2", "event_type": "cache_error"} and found[1]["user_id"] == "u-2"
    assert (found[2]["service"], found[2]["cache"], found[2]["text"]) == ("shop", "cart", "Cache get error: loki")
    assert found[3]["text"] == '[CACHE] DELETE "blog":2'
    assert found[4]["event"] == record and found[4]["user_id"] == "u-1" and found[4]["correlation_id"] == "r-1"
    assert found[4]["service"] == "api"
    assert found[5]["text"] == "[CACHE] HIT blog:1" and found[6]["text"] == 'Cache get error: \ufffd\ufffd "x"'
    assert recent(server, user_id="u-1")["events"] == [found[4]]


def test_hostile_parameters(server):
    assert server.send_events([NOTABLE[0] | {"user_id": "ä" * 400}]).status == 200
    for parameters, start in (
        ("limit=0", "limit: "), ("limit=-1", "limit: "), ("limit=x", "limit: "), ("limit=99999999999999999999", "limit: "),
        ("event_type=login", "event_type: login: unknown"), ("event_type=" + "x" * 3_000, "event_type: "),
        ("before=5", "before: "), ("before=-1-1", "before: "), ("before=1-99999999999999999999", "before: "), ("before=a-b", "before: "),
    ):
        answer = server.get("/api/v1/events/recent?" + parameters)
        assert answer.status == 400 and answer.json()["error"].startswith(start), parameters
        assert len(answer.body) < 500
    assert len(recent(server, limit=10**9)["events"]) == 1
    assert len(recent(server, user_id="ä" * 400)["events"]) == 1
    assert recent(server, user_id="ä" * 127)["events"] == []
    assert recent(server, user_id="'; DROP TABLE recent_event; --", correlation_id="%", service="*")["events"] == []
    assert recent(server, before=f"{2**63 - 1}-{2**63 - 1}")["events"] == recent(server)["events"]
    assert recent(server, before="0-0")["events"] == []


def test_pages_follow_each_other_within_a_body(server):
    assert server.send_events([NOTABLE[0] | {"user_id": str(n)} for n in range(50)]).status == 200
    assert server.send_events([NOTABLE[0] | {"user_id": str(n)} for n in range(50, 55)]).status == 200
    first = recent(server, limit=20)
    second = recent(server, limit=35, before=first["next_before"])
    assert [e["user_id"] for e in first["events"] + second["events"]] == [str(n) for n in range(54, -1, -1)]
    assert second["next_before"] is None
    assert recent(server, limit=20, event_type="cache_hit") == first | {"events": [], "next_before": None}


def test_a_flood_of_errors_stays_within_the_bound(tmp_path):
    bound = 1 << 20
    with Rampart(tmp_path, environment={"RAMPART_RETENTION_RECENT_EVENTS": "1MiB"}) as server:
        for number in range(60):
            errors = [NOTABLE[0] | {"user_id": f"u-{number}", "fill": secrets.token_hex(50)} for _ in range(500)]
            assert server.send_events(errors).status == 200
            assert server.total("rampart_recent_events_stored_bytes") <= bound
            assert recent(server, limit=1)["events"][0]["user_id"] == f"u-{number}"
        counts = outcomes(server)
        assert counts["evicted"] > 0 and counts["stored"] - counts["evicted"] == server.total("rampart_recent_events_stored")
        assert recent(server, user_id="u-0")["events"] == []
        # One body leaves an eighth of the log, and the others stay.
        assert server.send_events([NOTABLE[0] | {"user_id": "flood", "fill": secrets.token_hex(50)} for _ in range(20_000)]).status == 200
        assert len(recent(server, user_id="u-59", limit=1000)["events"]) == 500
        after = outcomes(server)
        assert after["sampled_out"] - counts["sampled_out"] + after["stored"] - counts["stored"] == 20_000
        assert server.total("rampart_recent_events_stored_bytes") <= bound


def test_under_load_the_sample_tells_how_many_there_were(server):
    hits = [{"event_type": "cache_hit", "cache_tier": "L1"}] * 9_900
    errors = [NOTABLE[0]] * 100
    for _ in range(5):
        assert server.send_events(hits + errors).status == 200
    found = recent(server, limit=1_000)
    rates = [e["sample_rate"] for e in found["events"]]
    assert len(recent(server, limit=1_000, event_type="cache_error")["events"]) == 500
    assert all(e["sample_rate"] == 1 for e in found["events"] if e["event_type"] == "cache_error")
    assert min(rates) < 0.1 and 0 < found["sample_rate"] < 0.2
    stands_for, before = 0.0, None
    while True:
        page = recent(server, limit=1_000, event_type="cache_hit", **({"before": before} if before else {}))
        stands_for += sum(1 / e["sample_rate"] for e in page["events"])
        before = page["next_before"]
        if before is None:
            break
    # Of the last stratum of each body chance decides.
    assert abs(stands_for - 49_500) < 2_500, stands_for
    counts = outcomes(server)
    assert counts["stored"] + counts["sampled_out"] == 50_000


def test_nothing_is_kept_where_nothing_should_be(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RETENTION_RECENT_EVENTS": "0B"}) as server:
        assert server.send_events(NOTABLE).status == 200
        assert recent(server) == {"events": [], "next_before": None, "sample_rate": None, "oldest": None}
        assert outcomes(server) == {"stored": 0, "evicted": 0, "sampled_out": 0}
