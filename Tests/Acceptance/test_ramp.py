# SPDX-License-Identifier: Apache-2.0
"""The guarded ramp against the running server: it advances, holds, rolls back, and survives a restart."""

import threading
import time

import pytest

from rampart import Rampart

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


def test_operators_pause_resume_roll_back_and_kill(fast):
    def act(action, reason="because"):
        return fast.post(f"{RAMP}/{action}", {"reason": reason})

    assert act("pause").status == 409
    with Traffic(fast, good):
        start(fast, plan(bake="1m"))
        assert act("pause").json()["state"] == "paused"
        assert fast.request("PATCH", f"/api/v1/flags/{KEY}", {"rollout": {"variant": "on", "percent": 70}}).status == 409
        assert fast.post(RAMP, plan()).status == 409
        assert act("resume").json()["state"] in ("warming", "soaking")
        rolled = act("rollback", "not today").json()
        assert (rolled["state"], rolled["percent"]) == ("rolled_back", 0)
        start(fast, plan(bake="1m"))
        assert act("kill", "fire").json()["state"] == "killed"
        answer = fast.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()
        assert (answer["value"], answer["reason"]) == (False, "DISABLED")
        assert act("resume").status == 409
        assert start(fast)["state"] in ("warming", "soaking")
    reasons = [entry["reason"] for entry in fast.get(f"/api/v1/audit?flag={KEY}").json()["entries"]]
    assert any("not today" in reason for reason in reasons) and any("fire" in reason for reason in reasons)
    assert act("dance").status == 404


@pytest.mark.parametrize("document, text", [
    ({"steps": []}, "steps"),
    ({"steps": [{"percent": 50}, {"percent": 10}]}, "steps[1].percent"),
    ({"steps": [{"percent": 10, "bake": "soon"}, {"percent": 100}]}, "bake"),
    ({"steps": [{"percent": 100}], "guard": {"checks": [{"name": "x", "expr": "up", "success": "> 0"}]}}, "built-in"),
    ({"steps": [{"percent": 100}], "guard": {"alerts": ["{cache=\"profile\"}"]}}, "alerts"),
    ({"steps": [{"percent": 100}], "colour": 1}, "colour"),
])
def test_wrong_plans_say_what_is_wrong(fast, document, text):
    answer = fast.post(RAMP, document)
    assert answer.status == 400 and text in answer.json()["error"], answer.body
    assert percent(fast) == 0


def test_the_plan_of_the_flag_starts_without_a_body(fast):
    ramp = start(fast, {})
    assert [step["bake_seconds"] for step in ramp["steps"]] == [3600, 3600, 3600]
    assert ramp["percent"] == 10 and ramp["state"] == "warming"
