# SPDX-License-Identifier: Apache-2.0
"""Events fall into the arm of a ramp that their user was in at their own time."""

import collections
import json
import sqlite3
import subprocess
import time

from cohorts import is_treated
from rampart import BINARY

KEY = "ENABLE_PROFILE_CACHE"
FLAG = f"/api/v1/flags/{KEY}"
USERS = [f"user-{number}" for number in range(1_000)]


def patch(server, members, flag=FLAG):
    """Changes a flag; returns when, as its audit row tells."""
    answer = server.request("PATCH", flag, members)
    assert answer.status == 200, answer.body
    key = flag.rpartition("/")[2]
    return server.get(f"/api/v1/audit?flag={key}&limit=1").json()["entries"][0]["at_ms"]


def set_percent(server, percent):
    return patch(server, {"rollout": {"variant": "on", "percent": percent}})


def hits(users, at_ms, **more):
    return [{"event_type": "cache_hit", "cache_tier": "L1", "timestamp": at_ms, "user_id": user} | more for user in users]


def send(server, events):
    answer = server.send_events(events)
    assert (answer.status, answer.json()["accepted"]) == (200, len(events)), answer.body


def arms(server, metric="cache_hits_total", cache="profile"):
    """{cohort: count}, with None for events without one."""
    counts = collections.Counter()
    for key, value in server.samples().items():
        labels = dict(key[1:])
        if key[0] == metric and labels["cache"] == cache:
            counts[labels.get("cohort")] += int(value)
    return dict(counts)


def expected_arms(users, percent, salt=KEY):
    treated = sum(is_treated(user, percent, salt) for user in users)
    return collections.Counter(treatment=treated, control=len(users) - treated)


def wait_past(server, at_ms):
    """Until the clock is past a change, so that the next one has another time."""
    server.wait_for(lambda: time.time() * 1000 > at_ms + 2)


def test_the_time_of_each_event_decides_its_arm(server):
    created = server.get("/api/v1/audit").json()["entries"][-1]["at_ms"]
    wait_past(server, created)
    ten = set_percent(server, 10)
    wait_past(server, ten)
    fifty = set_percent(server, 50)
    send(server, hits(USERS, created - 1))
    expected = collections.Counter({None: 1_000})
    assert arms(server) == expected
    # At a change, right before it, and long after; in one body and in no order.
    cases = [(created, 0), (ten - 1, 0), (ten, 10), (fifty - 1, 10), (fifty, 50), (fifty + 5_000, 50)]
    send(server, [event for at_ms, _ in reversed(cases) for event in hits(USERS, at_ms)])
    for _, percent in cases:
        expected += expected_arms(USERS, percent)
    assert arms(server) == expected
    assert 0 < expected_arms(USERS, 10)["treatment"] < expected_arms(USERS, 50)["treatment"] < 1_000

    # The past is kept with the flags: also after a crash, and for whoever fills the store of a server that is down.
    server.kill()
    server.start()
    send(server, hits(USERS, ten, correlation_id="again") + hits(USERS, fifty + 1))
    expected += expected_arms(USERS, 10) + expected_arms(USERS, 50)
    assert arms(server) == expected
    assert server.stop() == 0
    lines = "\n".join(map(json.dumps, hits(USERS, ten, correlation_id="by file") + hits(USERS, fifty)))
    subprocess.run([BINARY, "ingest", "--data", server.data, "-"], input=lines.encode(), check=True)
    server.start()
    expected += expected_arms(USERS, 10) + expected_arms(USERS, 50)
    assert arms(server) == expected


def test_without_a_ramp_in_force_everybody_is_in_control(server):
    set_percent(server, 100)
    everybody = {"treatment": 1_000}
    send(server, hits(USERS, patch(server, {"description": "no exposure"})))
    assert arms(server) == everybody
    disabled = patch(server, {"enabled": False})
    send(server, hits(USERS, disabled))
    assert arms(server) == everybody | {"control": 1_000}
    patch(server, {"enabled": True})
    assert server.post(f"{FLAG}/rollout/kill", {"reason": "test"}).status == 200
    killed = server.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]["at_ms"]
    send(server, hits(USERS, killed))
    assert arms(server) == everybody | {"control": 2_000}
    server.kill()
    server.start()
    send(server, hits(USERS, killed + 1))
    assert arms(server) == everybody | {"control": 3_000}


def test_only_users_of_governed_caches_are_told_apart(server):
    at_ms = set_percent(server, 50)
    send(server, hits(USERS, at_ms, cache="other") + hits([None], at_ms) + hits(USERS[:1], at_ms, cohort="treatment"))
    assert arms(server, cache="other") == {None: 1_000}
    assert arms(server) == {None: 1, "treatment": 1}
    other = server.request("PUT", "/api/v1/flags/other", {
        "type": "boolean", "caches": ["other"], "salt": "pepper", "rollout": {"variant": "on", "percent": 30}})
    assert other.status == 200
    send(server, hits(USERS, server.get("/api/v1/audit?limit=1").json()["entries"][0]["at_ms"], cache="other"))
    assert arms(server, cache="other") == {None: 1_000} | expected_arms(USERS, 30, "pepper")
    assert server.request("DELETE", "/api/v1/flags/other").status == 204
    send(server, hits(USERS[:7], server.get("/api/v1/audit?limit=1").json()["entries"][0]["at_ms"], cache="other"))
    assert arms(server, cache="other") == {None: 1_007} | expected_arms(USERS, 30, "pepper")


def test_every_kind_that_has_arms_has_them(server):
    at_ms = set_percent(server, 50)
    send(server, [event | {"user_id": user, "timestamp": at_ms} for user in USERS for event in (
        {"event_type": "cache_miss", "duration_ms": 5, "success": False},
        {"event_type": "cache_bypass", "reason": "flag_off", "duration_ms": 5},
        {"event_type": "cache_bulk", "requested": 2, "hits": 1, "misses": 1, "duration_ms": 5},
        {"event_type": "cache_set", "cache_tier": "L2"})])
    once = expected_arms(USERS, 50)
    assert arms(server, "cache_bypasses_total") == arms(server, "cache_hits_total") == once
    assert arms(server, "cache_lookup_failures_total") == once
    assert arms(server, "cache_misses_total") == once + once
    assert arms(server, "cache_operation_duration_seconds_count") == once + once + once
    assert arms(server, "cache_sets_total") == {None: 1_000}


def test_flags_of_other_environments_tell_nobody_apart(server):
    flag = server.get(FLAG).json()
    assert server.request("DELETE", FLAG).status == 204
    body = {name: value for name, value in flag.items() if name not in ("version", "updatedAt")}
    assert server.request("PUT", f"{FLAG}?environment=staging", body).status == 200
    send(server, hits(USERS[:5], server.get("/api/v1/audit?limit=1").json()["entries"][0]["at_ms"]))
    assert arms(server) == {None: 5}


def test_what_is_kept_is_bounded_and_older_stores_begin_with_their_flags(server):
    set_percent(server, 10)
    set_percent(server, 10.5)
    assert server.stop() == 0
    with sqlite3.connect(server.data / "rampart.sqlite") as store:
        assert store.execute("SELECT hundredths, salt, enabled, caches FROM exposure ORDER BY id").fetchall() == [
            (0, KEY, 1, '["profile"]'), (1_000, KEY, 1, '["profile"]'), (1_050, KEY, 1, '["profile"]')]
        # As the version before left it.
        store.executescript("DROP TABLE exposure; DELETE FROM grdb_migrations WHERE identifier LIKE '15 %';")
        [updated] = store.execute("SELECT updated_ms FROM flag").fetchone()
    server.start()
    assert server.stop() == 0
    with sqlite3.connect(server.data / "rampart.sqlite") as store:
        assert store.execute("SELECT environment, flag, at_ms, hundredths, salt, bucketing, enabled, caches FROM exposure").fetchall() == [
            ("production", KEY, updated, 1_050, KEY, "murmur3-v2", 1, '["profile"]')]
        store.executemany(
            "INSERT INTO exposure (environment, flag, at_ms, hundredths, salt, bucketing, enabled, caches) VALUES (?,?,?,?,?,?,?,?)",
            [("production", KEY, updated + number, number % 2, KEY, "murmur3-v2", 1, "[]") for number in range(1_500)])
        store.executemany(
            "INSERT INTO exposure (environment, flag, at_ms, hundredths, salt, bucketing, enabled, caches) VALUES (?,?,?,?,?,?,?,?)",
            [("production", "gone", updated + number, number % 2, KEY, "murmur3-v2", 1, "[]") for number in range(19_500)])
    server.start()
    set_percent(server, 20)
    assert server.stop() == 0
    with sqlite3.connect(server.data / "rampart.sqlite") as store:
        kept = dict(store.execute("SELECT flag, count(*) FROM exposure GROUP BY flag").fetchall())
        # Of the flag the newest 1,000, and of all the oldest go.
        assert kept == {KEY: 500, "gone": 19_500}
        newest = store.execute(f"SELECT hundredths FROM exposure WHERE flag = '{KEY}' ORDER BY id DESC LIMIT 1").fetchone()
        assert newest == (2_000,)


def test_simulated_traffic_fills_both_arms(server):
    """The simulated service obeys the flag: what it says of itself agrees with what is counted for it."""
    set_percent(server, 50)
    url = f"http://127.0.0.1:{server.port}"
    done = subprocess.run(
        [BINARY, "simulate", "--server", url, "--rate", "300", "--duration", "6s"], capture_output=True, check=True, text=True)
    bypasses, lookups = arms(server, "cache_bypasses_total"), arms(server, "cache_operation_duration_seconds_count")
    assert lookups["treatment"] > 100 and lookups["control"] > 100, (lookups, done.stdout, done.stderr)
    assert bypasses.get("control", 0) > 100 and bypasses.get("treatment", 0) == 0, bypasses
    assert set(arms(server)) <= {"treatment"}, "hits of users outside the percentage"
