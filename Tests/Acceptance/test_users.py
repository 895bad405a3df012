# SPDX-License-Identifier: Apache-2.0
"""cache_active_users: on /metrics and in queries, over restarts and kill -9."""

import json
import time
import urllib.parse

SERIES = 'cache_active_users{cache="profile",service="profile"}'


def events(users, cache="profile", age=0):
    now = int(time.time() * 1000) - age * 1000
    return [{"event_type": "cache_hit", "timestamp": now, "user_id": f"user-{n}", "cache": cache} for n in users]


def users(server, cache="profile"):
    return server.total("cache_active_users", cache=cache, service="profile")


def is_about(value, expected):
    """Two users may share a register of the store's random hash, however few they are."""
    return abs(value - expected) <= max(2, expected * 0.02)


def query(server, expression):
    answer = server.get(f"/api/v1/query?query={urllib.parse.quote(expression)}").json()
    return {tuple(sorted(r["metric"].items())): float(r["value"][1]) for r in answer["data"]["result"]}


def test_users_are_estimated_within_two_percent(server):
    for start in range(0, 50_000, 10_000):
        assert server.send_events(events(range(start, start + 12_000))).json()["accepted"] == 12_000
    # Two percent are 3.5 standard errors.
    assert is_about(users(server), 52_000)
    text = server.get("/metrics").body.decode()
    assert "# TYPE cache_active_users gauge\n" in text and SERIES in text


def test_users_of_each_cache_within_the_hour(server):
    assert server.send_events(events(range(30)) + events(range(10, 20), "other") + events(range(20, 60), age=1800)).status == 200
    assert server.send_events(events(range(100, 900), age=4200) + [{"event_type": "cache_miss"}]).json()["accepted"] == 801
    assert is_about(users(server), 60) and is_about(users(server, "other"), 10)


def test_queries_see_them(server):
    assert server.send_events(events(range(25))).status == 200
    count = users(server)
    assert is_about(count, 25)
    key = (("__name__", "cache_active_users"), ("cache", "profile"), ("service", "profile"))
    # Recorded at the end of each window.
    server.wait_for(lambda: query(server, "cache_active_users").get(key) == count)
    assert query(server, "sum by (service) (cache_active_users)") == {(("service", "profile"),): count}
    now = int(time.time())
    ranged = server.get(f"/api/v1/query_range?query=cache_active_users&start={now - 60}&end={now}&step=5").json()["data"]["result"]
    assert [r["metric"] for r in ranged] == [dict(key)] and float(ranged[0]["values"][-1][1]) == count


def test_recording_them_is_no_event(server):
    assert server.send_events(events(range(3), age=120)).status == 200
    server.wait_for(lambda: query(server, "cache_active_users"))
    [cache] = server.get("/api/v1/status").json()["caches"]
    assert cache["last_event_ms"] < (time.time() - 110) * 1000


def test_acknowledged_users_survive_kill_and_restart(server):
    for batch in range(20):
        body = json.dumps(events(range(batch * 100, batch * 100 + 150)))
        assert server.send_events(body).status == 200
    assert server.send_events(events(range(7), "other")).status == 200
    before, other = users(server), users(server, "other")
    assert is_about(before, 2050) and is_about(other, 7)
    server.kill()
    server.start()
    assert users(server) == before and users(server, "other") == other
    # The same users again: the hashes have kept their seed.
    assert server.send_events(events(range(2050))).status == 200
    assert users(server) == before
    assert server.stop() == 0
    server.start()
    assert users(server) == before and users(server, "other") == other


def test_without_recent_events_no_id_is_kept(stopped_server):
    server = stopped_server
    server.environment["RAMPART_RETENTION_RECENT_EVENTS"] = "0B"
    server.start()
    assert server.send_events(events(range(1))[:1] + [{"event_type": "cache_hit", "user_id": "somebody-in-particular"}]).status == 200
    assert server.stop() == 0
    kept = b"".join(path.read_bytes() for path in server.data.iterdir() if path.is_file())
    assert b"somebody-in-particular" not in kept and b"cache_active_users" in kept
