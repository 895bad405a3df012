# SPDX-License-Identifier: Apache-2.0
"""From a rule to its receivers: a real Alertmanager, webhooks that misbehave, restarts, silences, ten thousand at once."""

import json
import signal
import socket
import time

import pytest

from alertmanager import Alertmanager, Hook
from prometheus import free_port
from rampart import Rampart

RULES = {"groups": [{"name": "delivery", "interval": "1s", "rules": [{
    "alert": "TooMany", "expr": "cache_entries > 10", "labels": {"severity": "warning"},
    "annotations": {"summary": "{{ $labels.cache }} has {{ $value }}"}}]}]}


class Alerting(Rampart):
    """A server whose alert of a cache fires while that has more than ten entries."""

    def __init__(self, folder):
        super().__init__(folder, environment={"RAMPART_RESOLUTION": "1s", "RAMPART_INGEST_LABEL_LIMIT": "20000"})

    def settings(self, *receivers, rules=RULES):
        (self.folder / "rules.yml").write_text(json.dumps(rules))
        settings = {"rules": {"files": ["rules.yml"], "interval": "1s"}, "notify": list(receivers)}
        (self.folder / "rampart.yml").write_text(json.dumps(settings))

    def entries(self, **caches):
        events = [{"event_type": "cache_stats", "service": "s", "cache": cache, "cache_tier": "L1", "entries": count, "capacity": 100}
                  for cache, count in caches.items()]
        assert self.send_events(events).status == 200

    def firing(self):
        alerts = self.get("/api/v1/alerts").json()["data"]["alerts"]
        return {alert["labels"]["cache"]: alert for alert in alerts if alert["state"] == "firing"}

    def receiver(self, name):
        return next(r for r in self.get("/api/v1/notify").json()["receivers"] if r["name"] == name)

    def wait_for_firing(self, *caches):
        self.wait_for(lambda: set(self.firing()) == set(caches), what=f"alerts of {caches}")

    def silence(self, cache, **more):
        return self.post("/api/v1/silences", {
            "matchers": [{"name": "cache", "value": cache}], "createdBy": "ada", "comment": "moving it"} | more).json()["silenceID"]


@pytest.fixture
def server(tmp_path):
    alerting = Alerting(tmp_path)
    yield alerting
    if alerting.process is not None:
        alerting.kill()


def later(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_a_real_alertmanager_is_told_of_firing_and_resolved(server):
    with Alertmanager(server.folder) as alertmanager, Hook() as hook:
        server.settings({"alertmanager": alertmanager.url}, {"webhook": hook.url})
        server.start()
        server.entries(a=50)
        alerts = server.wait_for(alertmanager.alerts)
        assert [alert["labels"] for alert in alerts] == [
            {"alertname": "TooMany", "service": "s", "cache": "a", "tier": "L1", "severity": "warning"}]
        assert alerts[0]["annotations"] == {"summary": "a has 50"}
        assert alerts[0]["generatorURL"] == f"http://127.0.0.1:{server.port}/graph?g0.expr=cache_entries%20%3E%2010&g0.tab=1"
        assert alerts[0]["status"]["state"] == "active"
        server.wait_for(lambda: hook.told() == ["TooMany firing"])
        told = hook.requests[0][1]
        assert told["alerts"][0]["fingerprint"] == alerts[0]["fingerprint"]
        assert told["groupLabels"] == {"alertname": "TooMany", "cache": "a", "service": "s"}

        server.entries(a=1)
        server.wait_for(lambda: alertmanager.alerts() == [], what="the end of the alert in Alertmanager")
        assert alertmanager.received()["resolved"] >= 1
        server.wait_for(lambda: hook.told() == ["TooMany firing", "TooMany resolved"])
        assert hook.requests[1][1]["status"] == "resolved"
        sent = server.total("rampart_notifications_sent_total", receiver=f"webhook/127.0.0.1:{hook.port}")
        assert sent == 2 and server.total("rampart_notifications_failed_total") == 0
        assert server.stop() == 0


def test_what_was_due_before_a_crash_is_delivered_after_it(server):
    port = free_port()
    server.settings({"webhook": f"http://127.0.0.1:{port}/hook", "name": "team"})
    server.start()
    server.entries(a=50, b=50)
    server.wait_for(lambda: server.receiver("team")["failed"] > 0)
    server.entries(b=1)
    server.wait_for_firing("a")
    server.wait_for(lambda: server.receiver("team")["queued"] == 3)
    server.kill()
    with Hook(port) as hook:
        server.start()
        server.wait_for(lambda: len(hook.told()) == 3)
        told = [(alert["labels"]["cache"], alert["status"]) for _, body in hook.requests for alert in body["alerts"]]
        assert sorted(told) == [("a", "firing"), ("b", "firing"), ("b", "resolved")]
        assert told.index(("b", "firing")) < told.index(("b", "resolved"))
        # What was told is not told again, once that is on disk; and an end while the server is down is told.
        server.wait_for(lambda: server.receiver("team")["queued"] == 0)
        time.sleep(1)
        server.kill()
        server.start()
        server.wait_for_firing("a")
        time.sleep(3)
        assert len(hook.told()) == 3
        server.entries(a=1)
        server.kill()
        server.start()
        server.wait_for(lambda: len(hook.told()) == 4)
        assert hook.told()[-1] == "TooMany resolved"


def test_dead_and_silent_receivers_delay_no_other(server):
    with socket.socket() as silent, Hook() as hook, Hook() as failing:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        failing.answers = [(500, {})] * 1000
        server.settings(
            {"webhook": f"http://127.0.0.1:{free_port()}/", "name": "dead"},
            {"webhook": f"http://127.0.0.1:{silent.getsockname()[1]}/", "name": "silent"},
            {"webhook": failing.url, "name": "failing"}, {"webhook": hook.url, "name": "good"})
        server.start()
        for round in range(3):
            started = time.monotonic()
            server.entries(a=50)
            server.wait_for(lambda: len(hook.told()) == 2 * round + 1)
            assert time.monotonic() - started < 6
            server.entries(a=1)
            server.wait_for(lambda: len(hook.told()) == 2 * round + 2)
        assert hook.told() == ["TooMany firing", "TooMany resolved"] * 3
        # Tried again and again, ever more seldom.
        assert 2 <= len(failing.requests) <= 12
        gaps = [b - a for a, b in zip(failing.times, failing.times[1:])]
        assert all(later > earlier * 1.2 for earlier, later in zip(gaps[:3], gaps[1:3]))
        assert server.receiver("dead")["queued"] == 6 and server.receiver("dead")["last_error"]
        started = time.monotonic()
        assert server.stop() == 0 and time.monotonic() - started < 10


def test_a_receiver_that_asks_to_wait_is_let_wait(server):
    with Hook() as hook:
        hook.answers = [(429, {"Retry-After": "4"}), (503, {"Retry-After": "3"})]
        server.settings({"slack": hook.url})
        server.start()
        server.entries(a=50)
        server.wait_for(lambda: len(hook.times) == 3)
        gaps = [b - a for a, b in zip(hook.times, hook.times[1:])]
        assert gaps[0] >= 3.9 and gaps[1] >= 2.9, gaps
        assert [body["text"] for _, body in hook.requests] == ["[FIRING 1] TooMany: cache=a, service=s"] * 3
        assert hook.requests[2][1]["attachments"][0]["text"] == "• a has 50 [severity=warning, tier=L1] (value 50)"


def test_what_is_refused_is_given_up(server):
    with Hook() as hook:
        hook.answers = [(400, {})] * 5
        server.settings({"webhook": hook.url, "name": "picky"})
        server.start()
        server.entries(a=50)
        server.wait_for(lambda: server.receiver("picky")["dropped"] == 1, seconds=60)
        server.entries(b=50)
        server.wait_for(lambda: hook.requests[-1][1]["alerts"][0]["labels"]["cache"] == "b", seconds=60)
        assert server.total("rampart_notifications_dropped_total", receiver="picky") == 1
        assert server.total("rampart_notifications_failed_total", receiver="picky") == 5


def test_silenced_alerts_are_seen_and_not_told(server):
    with Alertmanager(server.folder) as alertmanager, Hook() as hook:
        server.settings({"alertmanager": alertmanager.url}, {"webhook": hook.url})
        server.start()
        silence = server.silence("a", endsAt=later(3600))
        server.entries(a=50, b=50)
        server.wait_for_firing("a", "b")
        assert server.firing()["a"]["silencedBy"] == [silence] and "silencedBy" not in server.firing()["b"]
        server.wait_for(lambda: len(hook.told()) == 1)
        time.sleep(3)
        assert [alert["labels"]["cache"] for alert in alertmanager.alerts()] == ["b"]
        assert [alert["labels"]["cache"] for alert in hook.requests[0][1]["alerts"]] == ["b"] and len(hook.told()) == 1
        # The silence ends and it still fires.
        assert server.request("DELETE", f"/api/v1/silences/{silence}").status == 204
        server.wait_for(lambda: len(hook.told()) == 2)
        server.wait_for(lambda: len(alertmanager.alerts()) == 2)
        # An acknowledgement is the same for one alert; its end is told.
        labels = server.firing()["b"]["labels"]
        body = {"labels": labels, "by": "ada", "comment": "on it", "for": "4s"}
        acknowledged = server.post("/api/v1/alerts/acknowledge", body).json()["silenceID"]
        assert server.firing()["b"]["silencedBy"] == [acknowledged]
        time.sleep(2.5)
        assert len(hook.told()) == 2
        server.wait_for(lambda: len(hook.told()) == 3)
        assert hook.requests[2][1]["alerts"][0]["labels"] == labels and hook.told()[2] == "TooMany firing"


def test_an_alert_whose_rule_goes_is_told_as_resolved(server):
    with Hook() as hook:
        server.settings({"webhook": hook.url})
        server.start()
        server.entries(a=50)
        server.wait_for(lambda: hook.told() == ["TooMany firing"])
        server.settings({"webhook": hook.url}, rules={"groups": []})
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: hook.told() == ["TooMany firing", "TooMany resolved"])
        # The same where it goes while the server is down.
        server.settings({"webhook": hook.url})
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: len(hook.told()) == 3)
        server.kill()
        server.settings({"webhook": hook.url}, rules={"groups": []})
        server.start()
        server.wait_for(lambda: hook.told()[3:] and hook.told()[-1] == "TooMany resolved")
        # Whoever was killed before it had written that it told may tell again.
        assert set(hook.told()[2:-1]) == {"TooMany firing"}


def test_ten_thousand_alerts_at_once_harm_nobody(server):
    with Alertmanager(server.folder) as alertmanager, Hook() as hook, Hook() as slack:
        server.settings(
            {"webhook": f"http://127.0.0.1:{free_port()}/", "name": "dead"}, {"alertmanager": alertmanager.url},
            {"webhook": hook.url}, {"slack": slack.url})
        server.start()
        started = time.monotonic()
        server.entries(**{f"c{index}": 50 for index in range(10_000)})
        server.wait_for(lambda: alertmanager.received()["firing"] >= 10_000, seconds=60)
        server.wait_for(lambda: len(hook.told()) == 10_000, seconds=60)
        print(f"10,000 alerts were told within {time.monotonic() - started:.1f} s")
        server.wait_for(lambda: slack.requests)
        told = {alert["labels"]["cache"] for _, body in hook.requests for alert in body["alerts"]}
        assert len(told) == 10_000 and len(hook.requests) <= 40
        assert sum(len(body["attachments"]) for _, body in slack.requests) <= 20
        assert "more" in slack.requests[0][1]["attachments"][0]["text"]
        server.wait_for(lambda: server.receiver("dead")["queued"] == 10_000)
        # Nothing else suffers: events are taken, and answers come.
        started = time.monotonic()
        server.entries(c1=1)
        assert server.get("/api/v1/status").status == 200
        assert time.monotonic() - started < 3
        assert server.stop() == 0
