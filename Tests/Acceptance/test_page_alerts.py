# SPDX-License-Identifier: Apache-2.0
"""Alerts on the page in real Chromium: what fires, who has taken it, what cannot fire, and who is told."""

import json
import re
from datetime import datetime, timedelta, timezone

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from alertmanager import Hook
from page import console_errors, find, foreign_requests, wait
from prometheus import free_port
from rampart import Rampart

HOSTILE = "<img src=x onerror=document.title='pwned'>"


def rule(alert, expr="vector(0.25)", hold="0s", annotations=None, **labels):
    return {"alert": alert, "expr": expr, "for": hold, "labels": labels, "annotations": annotations or {"summary": f"{alert} at {{{{ $value }}}}"}}


@pytest.fixture
def start(stopped_server, browser):
    """Starts a server with these rules, and with these receivers, and opens its page."""
    server = stopped_server
    server.environment["RAMPART_RESOLUTION"] = "1s"

    def run(*rules, receivers=()):
        # YAML takes JSON.
        (server.folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": list(rules)}]}))
        (server.folder / "rampart.yml").write_text(json.dumps({"rules": {"files": ["rules.yml"]}, "notify": list(receivers)}))
        server.start()
        if rules:
            wait(lambda: all(g["lastEvaluation"] > "2" for g in server.get("/api/v1/rules").json()["data"]["groups"]), "an evaluation")
        # The page of the test before asks for a server that is gone.
        browser.get("about:blank")
        browser.get_log("performance")
        browser.get(f"http://127.0.0.1:{server.port}/")
        return server

    yield run
    if server.process is not None:
        assert console_errors(browser, server.port) == []
        assert foreign_requests(browser, server.port) == []


def shown(browser, name):
    return [node for node in browser.find_elements(By.CSS_SELECTOR, f'[data-testid="{name}"]') if node.is_displayed()]


def text(browser, name):
    """Of what is displayed; None while it is not."""
    return browser.execute_script(
        "const node = document.querySelector(`[data-testid='${arguments[0]}']`); return node?.checkVisibility() ? node.innerText : null", name)


def names(browser):
    return browser.execute_script("return [...document.querySelectorAll('[data-testid=alert]')].map(n => n.dataset.alertname)")


def unfold(browser, name):
    find(browser, name).find_element(By.TAG_NAME, "summary").click()


def test_alerts_that_fire_stand_above_those_that_are_pending(browser, start):
    start(
        rule("Waits", hold="1h", severity="critical"), rule("Minor", severity="info"), rule("Beta", severity="warning"),
        rule("Alpha", severity="warning", cache="profile", service="user-service",
             annotations={"summary": "hit rate is {{ $value | humanizePercentage }}", "description": "Look at Redis first."}),
        rule("Worst", severity="critical"), rule("Quiet", expr="vector(1) > 2"))
    wait(lambda: len(names(browser)) == 5, "five alerts")
    assert names(browser) == ["Worst", "Alpha", "Beta", "Minor", "Waits"]
    assert text(browser, "alerts-counts").split("\n") == ["1 critical", "2 warning", "1 info", "1 pending"]
    alpha = shown(browser, "alert")[1]
    assert find(browser, "alert-summary", alpha).text == "hit rate is 25%"
    assert "cache profile" in alpha.text and "service user-service" in alpha.text
    assert find(browser, "alert-state", alpha).text == "Firing" and find(browser, "alert-value", alpha).text == "value 0.25"
    waits = shown(browser, "alert")[4]
    assert "Pending, began" in waits.text and "fires in 59" in waits.text
    assert waits.find_element(By.TAG_NAME, "time").get_attribute("title").endswith(" UTC")
    # By keyboard.
    assert not find(browser, "alert-description", alpha).is_displayed()
    alpha.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert find(browser, "alert-description", alpha).text == "Look at Redis first."
    assert "6 rules in 1 group, evaluated every 1\u202fs, last" in text(browser, "rules-state")


def test_an_alert_is_acknowledged_and_that_is_ended(browser, start):
    server = start(rule("HitRateLow", severity="critical", cache="profile"))
    wait(lambda: shown(browser, "acknowledge"), "the button")
    find(browser, "acknowledge").click()
    wait(lambda: find(browser, "dialog-confirm").is_displayed(), "the dialog")
    find(browser, "dialog-confirm").click()
    assert "reason is required" in text(browser, "dialog-error") and server.get("/api/v1/silences").json() == []
    find(browser, "dialog-reason").send_keys("on it: Redis is moving")
    find(browser, "dialog-who").clear()
    find(browser, "dialog-who").send_keys("ada")
    find(browser, "dialog-for-30m").click()
    find(browser, "dialog-confirm").click()
    wait(lambda: shown(browser, "silence"), "the acknowledgement")
    assert "Acknowledged by ada: on it: Redis is moving" in text(browser, "silence") and re.search("in (30|29)\u202fmin", text(browser, "silence"))
    assert not shown(browser, "acknowledge") and names(browser) == ["HitRateLow"]
    assert browser.switch_to.active_element.get_attribute("data-testid") == "silence-end"
    made, = server.get("/api/v1/silences").json()
    assert (made["kind"], made["createdBy"], made["comment"]) == ("acknowledgement", "ada", "on it: Redis is moving")

    find(browser, "silence-end").click()
    find(browser, "dialog-reason").send_keys("für heute ✓")
    find(browser, "dialog-confirm").click()
    wait(lambda: shown(browser, "acknowledge"), "the button again")
    assert not shown(browser, "silence") and text(browser, "silences") is None
    assert browser.switch_to.active_element.get_attribute("data-testid") == "acknowledge"
    assert server.get("/api/v1/silences").json()[0]["status"]["state"] == "expired"
    entry = server.get("/api/v1/audit").json()["entries"][0]
    assert (entry["action"], entry["reason"]) == ("silence expire", "für heute ✓")


def test_a_silence_is_listed_where_no_alert_needs_it(browser, start):
    server = start(rule("Quiet", expr="vector(1) > 2"))
    body = {
        "matchers": [{"name": "cache", "value": "a|b", "isRegex": True}], "createdBy": "ada", "comment": HOSTILE,
        "endsAt": (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()}
    assert server.post("/api/v1/silences", body).status == 200
    browser.refresh()
    wait(lambda: text(browser, "silences") == "1 silence in force", "the silence")
    unfold(browser, "silences")
    assert f"Silenced by ada: {HOSTILE}" in text(browser, "silence") and '{cache=~"a|b"}' in text(browser, "silence")


def test_hostile_labels_are_text(browser, start):
    labels = {"severity": HOSTILE, "cache": HOSTILE, "service": "</li><script>document.title='pwned'</script>", "long": "x" * 20_000, "rtl": "\u202eabc"}
    start(rule(HOSTILE, annotations={"summary": HOSTILE, "description": HOSTILE * 1_000}, **labels), rule("constructor", severity="constructor"))
    wait(lambda: sorted(names(browser)) == sorted([HOSTILE, "constructor"]), "the alerts")
    alert = next(node for node in shown(browser, "alert") if node.get_attribute("data-alertname") == HOSTILE)
    assert find(browser, "alert-summary", alert).text == HOSTILE
    assert HOSTILE in alert.find_element(By.TAG_NAME, "strong").text and "</li><script>" in alert.text
    alert.find_element(By.TAG_NAME, "summary").click()
    assert len(find(browser, "alert-description", alert).text) < 5_000
    assert browser.execute_script("return document.querySelectorAll('#alerts img, #alerts script').length") == 0
    assert browser.title == "Rampart" and text(browser, "alerts-counts") == "2 other"
    wide, seen = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen


def test_rules_without_data_are_told_quietly(browser, start):
    start(
        {"record": "a:hits:rate5m", "expr": 'rate(cache_hits_total{service="a"}[5m])'},
        rule("HitsLow", expr="a:hits:rate5m < 1"), rule("RedisFull", expr="redis_memory_used_bytes > 1"), rule("Fine", expr="vector(1) > 2"))
    wait(lambda: text(browser, "rules-missing") == "3 rules have no data", "the rules without data", seconds=90)
    assert text(browser, "rules-state").startswith("No alert is pending or firing; 4 rules in 1 group, evaluated every 1\u202fs, last ")
    assert not shown(browser, "missing-metric") and text(browser, "rules-failing") is None
    unfold(browser, "rules-missing")
    wait(lambda: len(shown(browser, "missing-metric")) == 2, "two metrics")
    hits, redis = [" ".join(node.text.split()) for node in shown(browser, "missing-metric")]
    # What another rule would record leads to what that rule lacks.
    assert hits == 'cache_hits_total {service="a"} HitsLow' and redis == "redis_memory_used_bytes RedisFull"


def test_a_rule_that_fails_is_shown_with_its_error(browser, start):
    start({"record": "two", "expr": 'label_replace(vector(1), "a", "x", "", "") or label_replace(vector(1), "a", "y", "", "")'},
          rule("Broken", expr="vector(1) * on() two"))
    wait(lambda: shown(browser, "failing-rule"), "the failing rule")
    assert find(browser, "rules-failing").text.split("\n")[0] == "1 rule fails"
    assert "Broken in g" in text(browser, "failing-rule") and "duplicate series" in text(browser, "failing-rule")


def test_a_test_says_of_each_receiver_what_happened(browser, start):
    with Hook() as hook:
        start(rule("Quiet", expr="vector(1) > 2"), receivers=[
            {"webhook": hook.url, "name": "team"}, {"webhook": f"http://127.0.0.1:{free_port()}/", "name": "dead"}])
        wait(lambda: text(browser, "receivers") == "Notifications to 2 receivers", "the receivers")
        unfold(browser, "receivers")
        assert not shown(browser, "receiver-test") and "took nothing since the start" in text(browser, "receiver")
        find(browser, "receivers-test").click()
        wait(lambda: len(shown(browser, "receiver-test")) == 2, "what happened")
        team, dead = [node.text for node in shown(browser, "receiver-test")]
        assert team.startswith("✓ Test taken in ") and team.endswith("(200, 200).")
        assert dead.startswith("✕ Test failed: firing: Failed to connect to 127.0.0.1")
        assert text(browser, "receivers-test-state") == "1 of 2 receivers took the test."
        assert hook.told() == ["RampartNotifyTest firing", "RampartNotifyTest resolved"]


def test_without_receivers_it_says_how_to_name_some(browser, start):
    start(rule("Quiet", expr="vector(1) > 2"))
    wait(lambda: text(browser, "receivers-none"), "the line")
    assert "Nobody is told of alerts" in text(browser, "receivers-none") and text(browser, "receivers") is None


def test_without_rules_there_is_no_section(browser, start):
    server = start()
    wait(lambda: find(browser, "ramp"), "the page")
    assert server.get("/api/v1/rules").json()["data"]["groups"][0]["rules"] == []
    assert text(browser, "alerts") is None


def test_a_critical_alert_appears_by_itself_and_is_said(browser, start):
    server = start(rule("Errors", expr="sum by (cache) (cache_errors_total) > 0", severity="critical", annotations={"summary": "{{ $labels.cache }} fails"}))
    wait(lambda: text(browser, "rules-state"), "the rules")
    server.send_events([{"event_type": "cache_error", "cache": "profile", "operation": "get"}])
    # Sooner than the page asks by itself.
    wait(lambda: names(browser) == ["Errors"], "the alert", seconds=6)
    wait(lambda: find(browser, "announcer").get_attribute("textContent") == "1 critical alert firing: Errors. profile fails", "the announcement")


def test_of_hundreds_of_alerts_fifty_are_shown(browser, start):
    fifty = [f'label_replace(vector({n}), "n", "{n}", "", "")' for n in range(50)]
    start(*(rule(f"Many{n}", expr=" or ".join(fifty), severity="warning") for n in range(12)))
    wait(lambda: len(names(browser)) == 50, "fifty alerts")
    assert text(browser, "alerts-more") == "and 550 more: 550 firing, 0 pending." and text(browser, "alerts-counts") == "600 warning"
    # An answer over and over, as the page takes it: no task of it may be felt.
    longest = browser.execute_async_script("""
        const done = arguments[0];
        const tasks = [];
        new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
        setTimeout(() => done(Math.max(0, ...tasks)), 3000);""")
    assert longest < 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_alerts_fit_a_phone(browser, start, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True})
    try:
        start(rule("ProfileRedisConnectionFailures", severity="critical", cache="profile", service="a-service-with-a-rather-long-name"),
              rule("Waits", hold="1h", severity="warning"), receivers=[{"webhook": f"http://127.0.0.1:{free_port()}/"}])
        wait(lambda: len(names(browser)) == 2, "the alerts")
        unfold(browser, "receivers")
        browser.execute_script("document.querySelectorAll('#alerts details').forEach((node) => { node.open = true; })")
        wide, seen = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen == 390
        assert all(node.rect["height"] >= 24 for node in shown(browser, "acknowledge"))
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
