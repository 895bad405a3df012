# SPDX-License-Identifier: Apache-2.0
"""The page in real Chromium: empty, live, a ramp started and rolled back by clicking, the server gone and back."""

import os
import subprocess

import pytest
from selenium.webdriver.common.by import By

from page import attribute, console_errors, find, foreign_requests, wait
from rampart import BINARY, ROOT, Rampart

KEY = "ENABLE_PROFILE_CACHE"
# The picture in README.md is a copy of this one.
SCREENSHOT = ROOT / ".build/screenshot.png"


def act(browser, action, reason):
    find(browser, f"action-{action}").click()
    wait(lambda: find(browser, "dialog-confirm").is_displayed(), "the dialog")
    find(browser, "dialog-reason").send_keys(reason)
    find(browser, "dialog-confirm").click()


@pytest.fixture
def live(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        traffic = subprocess.Popen(
            [BINARY, "simulate", "--server", f"http://127.0.0.1:{server.port}", "--backfill", "5m", "--seed", "3"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield server
        traffic.kill()
        traffic.wait()


def test_an_empty_store_waits_and_becomes_live_by_itself(browser, server):
    browser.get(f"http://127.0.0.1:{server.port}/")
    wait(lambda: find(browser, "waiting") and find(browser, "waiting").is_displayed(), "the waiting state")
    assert f"127.0.0.1:{server.port}/api/v1/events" in find(browser, "waiting-command").text
    server.send_events([{"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 0.3}] * 3)
    row = wait(lambda: find(browser, "cache-row"), "a row for the cache")
    assert row.get_attribute("data-cache") == "profile"
    assert not find(browser, "waiting").is_displayed()
    assert console_errors(browser, server.port) == []
    assert foreign_requests(browser, server.port) == []


def test_what_no_event_says_is_not_instrumented(browser, server):
    """The flag of the profile cache is off, so its service should log bypasses."""
    lines = [{"event_type": "cache_hit"}, {"event_type": "cache_miss"}, {"event_type": "cache_hit", "cache": "blog", "cache_tier": "L2"}]
    server.send_events(lines)
    browser.get(f"http://127.0.0.1:{server.port}/")
    wait(lambda: len(browser.find_elements(By.CSS_SELECTOR, "[data-testid='cache-row']")) == 2, "rows for two caches")

    def cells(cache):
        row = browser.find_element(By.CSS_SELECTOR, f"[data-testid='cache-row'][data-cache='{cache}']")
        return {name: find(browser, name, row).text for name in ("hits-l1", "hits-l2", "bypasses", "p95")}

    missing = "not instrumented"
    assert cells("profile") == {"hits-l1": missing, "hits-l2": missing, "bypasses": missing, "p95": missing}
    assert cells("blog") == {"hits-l1": "0", "hits-l2": "1", "bypasses": "0", "p95": missing}
    assert find(browser, "total-latency").text == missing
    assert missing in find(browser, "chart-latency").text
    server.send_events([line | {"duration_ms": 2.5, "cache_tier": "L1"} for line in lines] + [{"event_type": "cache_bypass", "reason": "flag_off"}])
    wait(lambda: missing not in browser.find_element(By.TAG_NAME, "body").text, "the instrumented page")
    assert cells("profile")["bypasses"] == "1"
    assert console_errors(browser, server.port) == []
    assert foreign_requests(browser, server.port) == []


def test_a_ramp_is_started_and_rolled_back_by_clicking(browser, live):
    browser.get(f"http://127.0.0.1:{live.port}/")
    wait(lambda: len(browser.find_elements(By.CSS_SELECTOR, '[data-testid="cache-row"]')) >= 15, "rows of all systems")
    act(browser, "start", "first try")
    wait(lambda: attribute(browser, "percent", "data-percent") == "10", "10 % on the page")
    poll = live.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()
    assert poll["metadata"]["rolloutPercent"] == 10
    act(browser, "advance", "looks good")
    wait(lambda: attribute(browser, "percent", "data-percent") == "50", "50 % on the page")
    users = [live.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-{i}").json()["value"] for i in (1, 2, 3, 42)]
    assert users == [True, True, False, True]
    wait(lambda: live.total("cache_hits_total", cache="profile") > 20, "hits of the profile cache")
    wait(lambda: attribute(browser, "ramp", "data-state") in ("warming", "soaking"), "the ramp's state")
    act(browser, "rollback", "enough for today")
    wait(lambda: attribute(browser, "percent", "data-percent") == "0", "0 % on the page")
    assert "enough for today" in wait(lambda: find(browser, "stopped"), "the banner").text
    assert live.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1").json()["value"] is False
    assert console_errors(browser, live.port) == []
    assert foreign_requests(browser, live.port) == []


def test_a_guarded_ramp_advances_on_the_page(browser, tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        traffic = subprocess.Popen(
            [BINARY, "simulate", "--server", f"http://127.0.0.1:{server.port}", "--backfill", "10m", "--ramp", "--bake", "6s"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            browser.get(f"http://127.0.0.1:{server.port}/?cache=profile/profile")
            wait(lambda: attribute(browser, "percent", "data-percent") == "50", "50 % on the page", seconds=40)
            wait(lambda: attribute(browser, "state", "data-state") == "soaking", "the warm-up's end")
            wait(lambda: browser.execute_script("return document.querySelectorAll('canvas').length") >= 4, "charts")
            assert attribute(browser, "check-hit_ratio", "data-verdict") in ("pass", "inconclusive", "no_data")
            browser.save_screenshot(str(SCREENSHOT))
            wait(lambda: attribute(browser, "percent", "data-percent") == "100", "100 % on the page", seconds=40)
        finally:
            traffic.kill()
            traffic.wait()


def test_the_success_criteria_are_judged_when_they_are_opened(browser, live):
    live.post(f"/api/v1/flags/{KEY}/rollout", {})
    browser.get(f"http://127.0.0.1:{live.port}/")
    wait(lambda: (node := find(browser, "verification")) and node.is_displayed(), "the criteria")
    assert find(browser, "criterion-hit_ratio") is None
    find(browser, "verification").find_element(By.TAG_NAME, "summary").click()
    wait(lambda: find(browser, "criterion-hit_ratio"), "a criterion")
    report = live.get(f"/api/v1/flags/{KEY}/verify").json()
    for criterion in report["criteria"]:
        row = find(browser, f"criterion-{criterion['name']}")
        assert row.get_attribute("data-verdict") == criterion["verdict"] and criterion["title"] in row.text
    assert find(browser, "verified").text.endswith("All hold" if report["verified"] else "Not all hold")
    assert console_errors(browser, live.port) == []


def test_a_rollback_without_a_reason_is_not_sent(browser, live):
    live.post(f"/api/v1/flags/{KEY}/rollout", {})
    browser.get(f"http://127.0.0.1:{live.port}/")
    wait(lambda: find(browser, "action-rollback"), "the button")
    find(browser, "action-rollback").click()
    wait(lambda: find(browser, "dialog-confirm").is_displayed(), "the dialog")
    find(browser, "dialog-confirm").click()
    assert find(browser, "dialog-confirm").is_displayed()
    assert live.get(f"/api/v1/flags/{KEY}/rollout").json()["percent"] == 10
    find(browser, "dialog-cancel").click()


def test_a_lost_server_is_said_and_found_again(browser, server):
    server.send_events([{"event_type": "cache_hit", "cache_tier": "L1"}])
    browser.get(f"http://127.0.0.1:{server.port}/")
    wait(lambda: attribute(browser, "connection", "data-state") == "live", "live")
    wait(lambda: find(browser, "cache-row"), "a row")
    server.kill()
    wait(lambda: find(browser, "lost") and find(browser, "lost").is_displayed(), "the lost state", seconds=30)
    assert find(browser, "cache-row") is not None, "the last numbers stay"
    server.start()
    wait(lambda: attribute(browser, "connection", "data-state") == "live", "live again", seconds=60)


@pytest.mark.parametrize("width, scheme", [(390, "light"), (390, "dark"), (1280, "dark")])
def test_no_sideways_scrolling_in_any_theme(browser, live, width, scheme):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
    try:
        browser.get(f"http://127.0.0.1:{live.port}/")
        wait(lambda: find(browser, "cache-row"), "a row")
        wide, seen = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen == width
        background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        shade = sum(int(part) for part in background[background.index("(") + 1:-1].split(",")[:3])
        assert (shade < 384) == (scheme == "dark"), background
        browser.save_screenshot(os.fspath(SCREENSHOT.with_name(f"page-{width}-{scheme}.png")))
        assert console_errors(browser, live.port) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_is_small_and_strict(server):
    index = server.get("/")
    assert "default-src 'self'" in index.headers["content-security-policy"]
    assert "unsafe" not in index.headers["content-security-policy"]
    names = [os.fspath(p.name) for p in (ROOT / "web").iterdir() if p.name != "index.html"] + ["dygraph.js", "dygraph.css"]
    size = len(index.body)
    for name in names:
        answer = server.get(f"/assets/{name}")
        assert answer.status == 200, name
        assert server.get(f"/assets/{name}", {"If-None-Match": answer.headers["etag"]}).status == 304
        size += len(answer.body)
    assert size < 400_000
