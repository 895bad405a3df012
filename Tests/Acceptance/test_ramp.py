# SPDX-License-Identifier: Apache-2.0
"""The guarded ramp against the running server: it advances, holds, rolls back, and survives a restart."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from alertmanager import Hook
from rampart import BINARY, Rampart

KEY = "ENABLE_PROFILE_CACHE"
RAMP = f"/api/v1/flags/{KEY}/rollout"
FAST = {"RAMPART_RESOLUTION": "1s"}


def plan(bake="2s", **guard):
    checks = [{"name": "hit_ratio", "success": ">= 0.5", "min_samples": 10}, {"name": "error_ratio", "success": "<= 0.1",
               "min_samples": 10}, {"name": "circuit_breaker"}]
    return {
        "steps": [{"percent": 10, "bake": bake}, {"percent": 50, "bake": bake}, {"percent": 100}], "warm_up": "0s",
        "freshness": "3s", "guard": {"window": "10s", "checks": checks, **guard},
    }


class Traffic:
    """Sends what `events` makes, ten times a second, until the block ends."""

    def __init__(self, server, events):
        self.server, self.events = server, events
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.wait(0.1):
            try:
                self.server.send_events(self.events())
            except OSError:
                pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def good():
    return [{"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 1}] * 9 + [{"event_type": "cache_miss"}]


def cold():
    return [{"event_type": "cache_miss"}] * 10


def failing():
    return good() + [{"event_type": "cache_error", "operation": "get", "error": "ECONNREFUSED"}] * 8


@pytest.fixture
def fast(tmp_path):
    with Rampart(tmp_path, environment=FAST) as server:
        yield server


def start(server, document=None):
    answer = server.post(RAMP, plan() if document is None else document)
    assert answer.status == 200, answer.body
    return answer.json()


def wait_for_state(server, *states, seconds=30):
    def reached():
        ramp = server.get(RAMP).json()
        return ramp if ramp["state"] in states else None

    try:
        return Rampart.wait_for(reached, seconds)
    except AssertionError as error:
        raise AssertionError(f"never {states}: {server.get(RAMP).body.decode()}") from error


def percent(server):
    return server.get(f"/api/v1/flags/{KEY}").json()["rollout"]["percent"]


def test_a_healthy_ramp_reaches_100_by_itself(fast):
    with Traffic(fast, good):
        assert start(fast)["percent"] == 10
        ramp = wait_for_state(fast, "completed")
    assert percent(fast) == 100
    steps = [entry["percent"] for entry in ramp["history"] if entry["sets_percent"]]
    assert steps == [10, 50, 100]
    assert fast.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-3").json()["value"] is True
    actions = [entry["action"] for entry in fast.get(f"/api/v1/audit?flag={KEY}").json()["entries"]]
    assert actions.count("rollout advance") + actions.count("rollout complete") == 2 and "rollout start" in actions
    assert fast.total("rampart_rollout_state", state="completed") == 1


def test_without_data_it_holds_and_goes_on_when_data_come(fast):
    start(fast, plan(bake="1s"))
    ramp = wait_for_state(fast, "held")
    assert "data" in ramp["reason"] or "event" in ramp["reason"]
    held_since = time.monotonic()
    while time.monotonic() - held_since < 3:
        ramp = fast.get(RAMP).json()
        assert (ramp["state"], ramp["percent"], ramp["soak"]["running"]) == ("held", 10, False)
        assert ramp["soak"]["standing_still_because"]
        time.sleep(0.2)
    assert ramp["checks"][0]["verdict"] == "no_data"
    with Traffic(fast, good):
        wait_for_state(fast, "completed")


@pytest.mark.parametrize("events, check", [(cold, "hit_ratio"), (failing, "error_ratio")])
def test_it_rolls_back_when_a_check_fails(fast, events, check):
    with Traffic(fast, events):
        start(fast, plan(bake="1m"))
        ramp = wait_for_state(fast, "rolled_back")
    assert check in ramp["reason"] and percent(fast) == 0
    assert ramp["history"][-1]["actor"] == "guard"
    entry = fast.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]
    assert (entry["action"], entry["actor"], entry["after"]["percent"]) == ("rollout rollback", "guard", 0)


def test_events_dated_ahead_do_not_keep_a_silent_cache_alive(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        ahead = {"event_type": "cache_hit", "cache_tier": "L1", "timestamp": int(time.time()) + 500}
        server.send_events([ahead] * 50)
        plan = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}], "freshness": "2s", "warm_up": "1s"}
        assert server.post(RAMP, plan, {"Content-Type": "application/json"}).status == 200
        held = lambda: server.get(RAMP).json()["state"] == "held"
        Rampart.wait_for(held, what="held for silence")
        # Old events arriving now prove nothing either, and neither does a restart.
        server.send_events([{"event_type": "cache_hit", "cache_tier": "L1", "timestamp": int(time.time()) - 86_400}] * 50)
        server.kill()
        server.start()
        time.sleep(2.5)
        assert held(), server.get(RAMP).json()


def test_what_rules_record_of_a_silent_cache_does_not_keep_it_alive(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "groups: [{name: g, interval: 1s, rules: [{record: profile:one, expr: vector(1), labels: {cache: profile}},"
        " {alert: Silent, expr: vector(1), labels: {cache: profile}}]}]")
    with Rampart(tmp_path, environment=FAST | {"RAMPART_RULES_FILES": str(rules)}) as server:
        Rampart.wait_for(lambda: server.get("/api/v1/query?query=profile:one").json()["data"]["result"])
        start(server)
        for _ in range(2):
            wait_for_state(server, "held")
            time.sleep(2.5)
            assert server.get(RAMP).json()["state"] == "held"
            server.kill()
            server.start()


def test_an_open_breaker_rolls_back_at_once(fast):
    with Traffic(fast, good):
        start(fast, plan(bake="1m"))
        fast.send_events([{"event_type": "circuit_breaker", "state": "open"}])
        opened = time.monotonic()
        ramp = wait_for_state(fast, "rolled_back", seconds=10)
    assert time.monotonic() - opened < 5
    assert "breaker" in ramp["reason"] and percent(fast) == 0


def test_a_restart_continues_at_the_same_step(fast):
    with Traffic(fast, good):
        start(fast, plan(bake="12s"))
        Rampart.wait_for(lambda: fast.get(RAMP).json()["soak"]["elapsed_seconds"] >= 7)
        fast.kill()
        fast.start()
        ramp = fast.get(RAMP).json()
        assert (ramp["percent"], ramp["step"], percent(fast)) == (10, 0, 10)
        # What a crash may cost the clock is bounded; the bake does not begin anew.
        assert ramp["soak"]["elapsed_seconds"] >= 1
        assert ramp["state"] in ("warming", "soaking", "held")
        assert [h["percent"] for h in ramp["history"] if h["sets_percent"]] == [10]
        assert fast.post(f"{RAMP}/advance", {"reason": "enough"}).json()["percent"] == 50
    fast.kill()
    fast.start()
    assert (fast.get(RAMP).json()["step"], percent(fast)) == (1, 50)


def test_a_ramp_survives_kills_at_any_instant(fast):
    seed = int(os.environ.get("RAMPART_SEED", time.time()))
    print(f"RAMPART_SEED={seed}")
    chance = random.Random(seed)
    with Traffic(fast, good):
        start(fast, plan(bake="3s"))
        deadline = time.monotonic() + 90
        step = 0
        while time.monotonic() < deadline:
            time.sleep(chance.uniform(0.05, 2.5))
            fast.kill()
            fast.start()
            ramp = fast.get(RAMP).json()
            assert ramp["percent"] == percent(fast) == [10, 50, 100][ramp["step"]]
            assert ramp["step"] in (step, step + 1)
            if ramp["state"] == "completed":
                break
            # Progress is written every five seconds, which is more than a bake here: what was lost is gained again.
            step = ramp["step"]
            time.sleep(chance.choice([0, 6]))
        ramp = fast.get(RAMP).json() if ramp["state"] == "completed" else wait_for_state(fast, "completed", seconds=60)
    assert [entry["percent"] for entry in ramp["history"] if entry["sets_percent"]] == [10, 50, 100]
    entries = fast.get(f"/api/v1/audit?flag={KEY}&limit=1000").json()["entries"]
    kept = [entry["after"]["percent"] for entry in reversed(entries) if "percent" in entry["after"]]
    assert kept == sorted(kept) and set(kept) == {10, 50, 100}
    assert fast.get("/api/v1/audit/verify").json()["verified"] is True


def test_operators_pause_resume_roll_back_and_kill(fast):
    def act(action, reason="because"):
        return fast.post(f"{RAMP}/{action}", {"reason": reason})

    assert act("pause").status == 409
    with Traffic(fast, good):
        start(fast, plan(bake="1m"))
        assert act("pause").json()["state"] == "paused"
        assert fast.request("PATCH", f"/api/v1/flags/{KEY}", {"rollout": {"variant": "on", "percent": 70}}).status == 409
        assert fast.post(RAMP, plan()).status == 409
        assert act("resume").json()["state"] in ("propagating", "warming", "soaking")
        rolled = act("rollback", "not today").json()
        assert (rolled["state"], rolled["percent"]) == ("rolled_back", 0)
        start(fast, plan(bake="1m"))
        assert act("kill", "fire").json()["state"] == "killed"
        answer = fast.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()
        assert (answer["value"], answer["reason"]) == (False, "DISABLED")
        assert act("resume").status == 409
        assert start(fast)["state"] == "propagating"
    reasons = [entry["reason"] for entry in fast.get(f"/api/v1/audit?flag={KEY}").json()["entries"]]
    assert any("not today" in reason for reason in reasons) and any("fire" in reason for reason in reasons)
    assert act("dance").status == 404


@pytest.mark.parametrize("document, text", [
    ({"steps": []}, "steps"),
    ({"steps": [{"percent": 50}, {"percent": 10}]}, "steps[1].percent"),
    ({"steps": [{"percent": 10, "bake": "soon"}, {"percent": 100}]}, "bake"),
    ({"steps": [{"percent": 100}], "guard": {"checks": [{"name": "x", "expr": "up(", "success": "> 0"}]}},
     "guard.checks[0].expr: up(: 1:"),
    ({"steps": [{"percent": 100}], "guard": {"checks": [{"name": "x", "expr": "up[5m]", "success": "> 0"}]}}, "not a range vector"),
    ({"steps": [{"percent": 100}], "guard": {"checks": [{"name": "x", "expr": "up", "samples": "1+", "success": "> 0"}]}},
     "guard.checks[0].samples"),
    ({"steps": [{"percent": 100}], "guard": {"alerts": ["{cache=~\"(\"}"]}}, "guard.alerts[0]"),
    ({"steps": [{"percent": 100}], "guard": {"alerts": ["{alertname=\"NoSuchAlert\"}"]}}, "no rule in force gives such an alert"),
    ({"steps": [{"percent": 100}], "windows": [{"from": "09:00"}], "timezone": "Mars/Base"}, "timezone: Mars/Base"),
    ({"steps": [{"percent": 100}], "colour": 1}, "colour"),
])
def test_wrong_plans_say_what_is_wrong(fast, document, text):
    answer = fast.post(RAMP, document)
    assert answer.status == 400 and text in answer.json()["error"], answer.body
    assert percent(fast) == 0


def test_the_plan_of_the_flag_starts_without_a_body(fast):
    ramp = start(fast, {})
    assert [step["bake_seconds"] for step in ramp["steps"]] == [3600, 3600, 3600]
    assert ramp["percent"] == 10 and ramp["state"] == "propagating"
    assert ramp["alerts"][0]["match"] == '{cache="profile",severity=~"warning|critical"}'


class Guarded(Rampart):
    """A server with one alert, which fires while `cache_entries` of the profile cache is above ten, and a webhook."""

    def __init__(self, folder, hook, **labels):
        super().__init__(folder, environment=FAST)
        rule = {"alert": "TooMany", "expr": "cache_entries > 10", "labels": {"severity": "critical"} | labels}
        rules = {"groups": [{"name": "g", "interval": "1s", "rules": [rule]}]}
        (self.folder / "rules.yml").write_text(json.dumps(rules))
        (self.folder / "rampart.yml").write_text(json.dumps({"rules": {"files": ["rules.yml"]}, "notify": [{"webhook": hook.url}]}))

    def entries(self, count):
        event = {"event_type": "cache_stats", "cache": "profile", "cache_tier": "L1", "entries": count, "capacity": 100}
        assert self.send_events([event]).status == 200


ALERTED = ['{cache="profile",severity=~"warning|critical"}']


def test_a_firing_alert_rolls_back_and_is_told(tmp_path):
    with Hook() as hook, Guarded(tmp_path, hook) as server, Traffic(server, good):
        start(server, plan(bake="1m", alerts=ALERTED))
        wait_for_state(server, "soaking")
        server.entries(50)
        ramp = wait_for_state(server, "rolled_back")
        assert "alert TooMany is firing at 50" in ramp["reason"] and percent(server) == 0
        Rampart.wait_for(lambda: "RampartRolloutRolledBack firing" in hook.told(), what="the notification")
        told = next(a for _, body in hook.requests for a in body["alerts"] if a["labels"]["alertname"] == "RampartRolloutRolledBack")
        assert told["labels"]["flag"] == KEY and "alert TooMany is firing at 50" in told["annotations"]["description"]
        server.entries(5)
        Rampart.wait_for(lambda: not server.get("/api/v1/alerts").json()["data"]["alerts"], what="no alert")
        start(server, plan(bake="1m", alerts=ALERTED))
        Rampart.wait_for(lambda: "RampartRolloutRolledBack resolved" in hook.told(), what="the end of it")


def test_a_rollback_by_hand_is_told_even_over_a_crash(tmp_path):
    with Hook() as hook, Guarded(tmp_path, hook) as server:
        start(server, plan(bake="1m"))
        assert server.post(f"{RAMP}/rollback", {"reason": "no reason"}).status == 200
        server.kill()
        server.start()
        Rampart.wait_for(lambda: "RampartRolloutRolledBack firing" in hook.told(), what="the notification")


def test_an_alert_that_is_to_hold_holds_until_it_is_resolved(tmp_path):
    with Hook() as hook, Guarded(tmp_path, hook) as server, Traffic(server, good):
        start(server, plan(bake="1m", alerts=[{"match": ALERTED[0], "action": "hold"}]))
        wait_for_state(server, "soaking")
        server.entries(50)
        ramp = wait_for_state(server, "held")
        assert "until it is resolved" in ramp["reason"] and ramp["alerts"][0]["firing"][0]["alert"] == "TooMany"
        server.entries(5)
        assert wait_for_state(server, "soaking")["percent"] == 10


def test_a_guard_that_lost_its_rule_holds(tmp_path):
    with Hook() as hook, Guarded(tmp_path, hook) as server, Traffic(server, good):
        start(server, plan(bake="1m", alerts=ALERTED))
        wait_for_state(server, "soaking")
        (tmp_path / "rules.yml").write_text("groups: []")
        server.process.send_signal(signal.SIGHUP)
        assert "no rule gives an alert that matches" in wait_for_state(server, "held")["reason"]


def test_expressions_decide(fast):
    ratio = "sum(rate(cache_hits_total[5s])) / (sum(rate(cache_hits_total[5s])) + sum(rate(cache_misses_total[5s])))"
    samples = "sum(increase(cache_hits_total[5s])) + sum(increase(cache_misses_total[5s]))"
    check = {"name": "hit_rate", "expr": ratio, "success": "> 0.7", "samples": samples, "min_samples": 50}
    with Traffic(fast, good):
        time.sleep(3)
        start(fast, plan(checks=[check]))
        ramp = wait_for_state(fast, "completed")
        assert any("hit_rate 0.9" in entry["reason"] and "is > 0.7" in entry["reason"] for entry in ramp["history"]), ramp["history"]
    with Traffic(fast, cold):
        start(fast, plan(bake="1m", checks=[check]))
        ramp = wait_for_state(fast, "rolled_back")
        assert "is not > 0.7" in ramp["reason"] and "3 evaluations in a row" in ramp["reason"]
    entry = fast.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]
    decided = {item["name"]: item for item in entry["details"]["checks"]}
    assert entry["action"] == "rollout rollback" and decided["hit_rate"]["verdict"] == "fail" and decided["hit_rate"]["value"] < 0.7


def test_a_failing_expression_holds(fast):
    with Traffic(fast, good):
        start(fast, plan(checks=[{"name": "none", "expr": "no_such_metric", "success": "> 0"}]))
        ramp = wait_for_state(fast, "held")
        assert "none has no value" in ramp["reason"] and ramp["checks"][0]["verdict"] == "no_data"


def test_outside_its_windows_a_ramp_waits(fast):
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    today = time.gmtime().tm_wday
    # Neither today nor tomorrow, so that midnight may pass.
    windows = [{"days": [days[(today + 3) % 7]], "from": "00:00", "to": "24:00"}]
    with Traffic(fast, good):
        start(fast, plan() | {"windows": windows, "timezone": "UTC"})
        ramp = wait_for_state(fast, "held")
        assert "outside the plan's windows" in ramp["reason"] and ramp["next_window_ms"] > time.time() * 1000 + 86_400_000
        assert fast.post(f"{RAMP}/advance", {"reason": "now"}).json()["percent"] == 50


def test_the_arms_are_compared(fast):
    def lookups(success):
        inside = [{"event_type": "cache_hit", "cache_tier": "L1", "cohort": "treatment", "success": success}] * 20
        return inside + [{"event_type": "cache_bypass", "reason": "flag_off", "cohort": "control"}] * 30

    with Traffic(fast, lambda: lookups(True)):
        start(fast, plan(bake="12s", checks=[{"name": "failure_ratio"}, {"name": "exposure"}]))
        ramp = Rampart.wait_for(lambda: (r := fast.get(RAMP).json())["checks"][0]["verdict"] == "pass" and r, 30, "the arms alike")
        assert ramp["checks"][1]["verdict"] == "pass" and ramp["checks"][1]["value"] == 0
    with Traffic(fast, lambda: lookups(False)):
        ramp = wait_for_state(fast, "rolled_back")
        assert "lookups of users in the ramp fail" in ramp["reason"]


def test_a_backtest_finds_the_outage_and_changes_nothing(tmp_path):
    now = int(time.time()) // 60 * 60
    began = now - 7200

    def minute(index):
        # Ten bad minutes after an hour and a half.
        events = cold() if 90 <= index < 100 else good()
        return [event | {"timestamp": began + 60 * index + second} for second in (5, 25, 45) for event in events * 4]

    with Rampart(tmp_path) as server:
        for index in range(120):
            assert server.send_events(minute(index)).status == 200
        document = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100, "bake": "1h"}], "warm_up": "0s", "guard": {
            "alerts": ["{cache=\"profile\"}"],
            "checks": [{"name": "hit_ratio"}, {"name": "hits", "expr": "sum(increase(cache_hits_total{cache=\"profile\"}[5m]))",
                                               "success": "> 100"}]}}
        answer = server.post(f"{RAMP}/backtest?from={began}&to={now}", document)
        assert answer.status == 200, answer.body
        trial = answer.json()
        assert (trial["evaluations"], trial["interval_seconds"]) == (120, 60)
        hit_ratio, hits = trial["checks"]
        assert hit_ratio["breaches"] == 1 and hit_ratio["highest"] == 0.9 and hit_ratio["lowest"] == 0
        assert (began + 92 * 60) * 1000 <= hit_ratio["first_breach_ms"] <= (began + 100 * 60) * 1000
        assert hits["breaches"] == 1 and hits["fail"] >= 5
        assert trial["ramp"]["state"] == "rolled_back" and "hit_ratio" in trial["ramp"]["reason"]
        assert [entry["percent"] for entry in trial["ramp"]["history"] if entry["sets_percent"]] == [10, 100, 0]
        assert trial["alerts"][0]["firings"] == 0
        assert server.get(RAMP).json()["state"] == "draft" and percent(server) == 0
        (tmp_path / "plan.json").write_text(json.dumps(document))
        command = [BINARY, "rollout", "backtest", KEY, "--server", f"http://127.0.0.1:{server.port}", "--plan", tmp_path / "plan.json"]
        bad, good_hour = (subprocess.run([*map(str, command), "--from", str(began), "--to", str(until)], capture_output=True, text=True)
                          for until in (now, began + 3600))
        assert bad.returncode == 1 and "a ramp started then:" in bad.stdout and "rolled back at 0 %" in bad.stdout, bad
        assert good_hour.returncode == 0 and "60 evaluations, 1m apart" in good_hour.stdout, good_hour
        assert server.post(f"{RAMP}/backtest?from={now}&to={began}", document).status == 400
        assert server.post(f"{RAMP}/backtest?from=1&to={now}", document).status == 400


def poll(server, *instances):
    for instance in instances:
        assert server.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1&instance={instance}").status == 200


def test_a_step_begins_when_its_pollers_hold_it(fast):
    with Traffic(fast, good):
        # Who does not say who he is, is not waited for.
        assert fast.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").status == 200
        poll(fast, "a", "b", "c")
        start(fast, plan(bake="1m"))
        Rampart.wait_for(lambda: fast.get(RAMP).json()["propagation"]["awaited"] == 3)
        poll(fast, "a", "b")
        time.sleep(2.5)
        ramp = fast.get(RAMP).json()
        assert ramp["state"] == "propagating" and ramp["soak"]["elapsed_seconds"] == 0
        assert "waiting for 1 of 3 instances" in ramp["soak"]["standing_still_because"]
        # Whoever was there before a crash is waited for after it.
        fast.kill()
        fast.start()
        time.sleep(2.5)
        poll(fast, "a", "b")
        time.sleep(2)
        assert fast.get(RAMP).json()["state"] == "propagating"
        poll(fast, "c")
        assert "3 of 3 instances hold 10 %" in wait_for_state(fast, "warming", "soaking")["history"][-1]["reason"]


def test_an_instance_that_vanished_is_not_waited_for_for_ever(fast):
    with Traffic(fast, good):
        poll(fast, "a", "b")
        start(fast, plan() | {"propagation": {"timeout": "4s"}})
        ramp = wait_for_state(fast, "warming", "soaking", seconds=15)
        assert "only 0 of 2 instances hold 10 % after 4s" in ramp["reason"] and "went on without the others" in ramp["reason"]


def test_a_full_store_still_takes_a_kill(tmp_path):
    with Rampart(tmp_path, environment=FAST | {"RAMPART_RETENTION_MAX_SIZE": "1MiB"}) as server:
        start(server, plan(bake="1m"))
        number = 0

        def is_full():
            nonlocal number
            number += 1
            events = [{"event_type": "cache_error", "cache": f"c{number}-{i}", "operation": "get", "error": "x" * 200, "user_id": f"u{i}"}
                      for i in range(200)]
            return server.send_events(events).status in (429, 503)

        Rampart.wait_for(is_full, 60, "a full store")
        answer = server.post(f"{RAMP}/kill", {"reason": "full"})
        assert answer.status == 200 and answer.json()["state"] == "killed", answer.body
        assert server.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()["reason"] == "DISABLED"
        server.kill()
        server.start()
        assert server.get(RAMP).json()["state"] == "killed"


def test_a_kill_counts_while_another_process_holds_the_store(tmp_path):
    with Rampart(tmp_path, environment=FAST) as server:
        start(server, plan(bake="1m"))
        other = sqlite3.connect(server.data / "rampart.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = server.post(f"{RAMP}/kill", {"reason": "now"})
        assert answer.status == 503 and "in force from now on, and not on disk yet" in answer.json()["error"], answer.body
        assert server.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()["reason"] == "DISABLED"
        other.execute("ROLLBACK")
        other.close()
        last = lambda: server.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]["action"]
        Rampart.wait_for(lambda: last() == "rollout kill", what="the kill on disk")
        server.kill()
        server.start()
        assert server.get(RAMP).json()["state"] == "killed"
        assert server.get("/api/v1/audit/verify").json()["verified"] is True


def test_a_ramp_that_admits_nobody_does_not_bake(fast):
    change = lambda **members: fast.request("PATCH", f"/api/v1/flags/{KEY}", members)
    with Traffic(fast, good):
        assert change(enabled=False).status == 200
        assert "enable it first" in fast.post(RAMP, plan()).json()["error"]
        assert change(enabled=True).status == 200
        start(fast, plan())
        assert change(enabled=False).status == 200
        assert "nobody is in the ramp" in wait_for_state(fast, "held")["reason"]
        time.sleep(3)
        assert (fast.get(RAMP).json()["state"], percent(fast)) == ("held", 10)
        assert change(enabled=True).status == 200
        wait_for_state(fast, "completed")
    assert change(rollout={"variant": "off", "percent": 0}).status == 200
    assert "default variant" in fast.post(RAMP, plan()).json()["error"]


@pytest.mark.parametrize("path", [
    f"{RAMP}?dry_run=true", f"{RAMP}?enviroment=staging", f"{RAMP}/kill?env=staging", f"{RAMP}/backtest?form=1"])
def test_misspelt_parameters_are_refused(fast, path):
    answer = fast.post(path, {})
    assert answer.status == 400 and "no such parameter here" in answer.json()["error"], answer.body
    assert fast.get(RAMP).json()["state"] == "draft"


def test_slow_expressions_delay_no_breaker(fast):
    slow = "max_over_time(sum(rate(cache_operation_duration_seconds_bucket[1h]))[30d:1s])"
    checks = [{"name": f"slow{n}", "expr": f"{slow} + {n}", "success": "> 0"} for n in range(15)]
    with Traffic(fast, good):
        for number in range(6):
            key = f"SLOW{number}"
            assert fast.request("PUT", f"/api/v1/flags/{key}", {"type": "boolean", "caches": ["profile"]}).status == 200
            assert fast.post(f"/api/v1/flags/{key}/rollout", plan(bake="1m", checks=checks)).status == 200
        start(fast, plan(bake="1m", checks=[{"name": "circuit_breaker"}]))
        wait_for_state(fast, "soaking")
        time.sleep(4)
        opened_ms = time.time() * 1000
        fast.send_events([{"event_type": "circuit_breaker", "state": "open"}])
        rolled_back_ms = wait_for_state(fast, "rolled_back")["history"][-1]["at_ms"]
        # Had it waited for the expressions of the others, of which each plan may take two seconds, it would not be done yet.
        assert rolled_back_ms - opened_ms < 6 * 2_000
        slow_ramp = fast.get("/api/v1/flags/SLOW5/rollout").json()
        assert slow_ramp["percent"] == 10 and {c["verdict"] for c in slow_ramp["checks"]} == {"no_data"}
