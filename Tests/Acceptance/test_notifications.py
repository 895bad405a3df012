# SPDX-License-Identifier: Apache-2.0
"""Receivers as the settings name them: trying them out, silences, and what no setting may reach."""

import json
import signal
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from alertmanager import Alertmanager, Hook
from prometheus import free_port
from rampart import BINARY, Rampart


def settings(server, *receivers, more=""):
    (server.folder / "rampart.yml").write_text(more + "notify:\n" + "".join(f"  - {json.dumps(r)}\n" for r in receivers))


def notify_test(server, *arguments):
    return subprocess.run(
        [BINARY, "rules", "notify-test", "--server", f"http://127.0.0.1:{server.port}", *arguments], capture_output=True, text=True)


def when(**delta):
    return (datetime.now(timezone.utc) + timedelta(**delta)).isoformat()


def test_a_test_reaches_a_real_alertmanager_and_webhooks(stopped_server):
    server = stopped_server
    with Alertmanager(server.folder) as alertmanager, Hook() as hook:
        (server.folder / "slack-url").write_text(hook.url + "-secret\n")
        settings(
            server, {"alertmanager": alertmanager.url}, {"webhook": hook.url, "name": "team"},
            {"slack_file": str(server.folder / "slack-url")}, more="external_url: https://rampart.example/base/\n")
        server.start()
        answer = server.post("/api/v1/notify/test", {}).json()
        names = [f"alertmanager/127.0.0.1:{alertmanager.port}", "team", "slack/slack-url"]
        assert [r["name"] for r in answer["receivers"]] == names
        assert answer["taken"] and all(r["taken"] and r["firing"]["status"] == 200 for r in answer["receivers"])
        assert alertmanager.received() == {"firing": 1, "resolved": 1}

        run = notify_test(server, "--receiver", "team")
        assert (run.returncode, run.stdout) == (0, "team: ok (firing 200, resolved 200)\n"), run.stderr
        told = [body for path, body in hook.requests if path == "/hook"]
        assert [body["status"] for body in told] == ["firing", "resolved"] * 2
        assert told[0]["version"] == "4" and told[0]["receiver"] == "team"
        assert told[0]["externalURL"] == "https://rampart.example/base"
        assert told[0]["alerts"][0]["labels"] == {"alertname": "RampartNotifyTest", "severity": "none"}
        assert told[0]["alerts"][0]["generatorURL"] == "https://rampart.example/base/graph?g0.expr=vector%281%29&g0.tab=1"
        slack = [body for path, body in hook.requests if path == "/hook-secret"]
        assert [body["text"] for body in slack] == ["[FIRING 1] RampartNotifyTest", "[RESOLVED 1] RampartNotifyTest"]
        assert "secret" not in server.get("/api/v1/notify").body.decode() + server.log.read_text()
        assert server.stop() == 0


def test_a_test_says_which_receiver_failed_and_how(stopped_server):
    server = stopped_server
    with Hook() as hook:
        hook.answers = [(404, {})]
        settings(server, {"webhook": hook.url, "name": "wrong"}, {"webhook": f"http://127.0.0.1:{free_port()}/", "name": "dead"})
        server.start()
        run = notify_test(server)
        assert run.returncode == 1
        lines = run.stdout.splitlines()
        assert lines[0] == "wrong: failed (firing answered 404)"
        assert lines[1].startswith("dead: failed (firing Failed to connect to 127.0.0.1 port "), lines
        # What a receiver answers may repeat the secret it was asked with.
        secret = f"{hook.url}/T0SECRET?key=t%2Fopsecret"
        hook.answers = [(404, {}, "Cannot POST /hook/T0SECRET?key=t%2Fopsecret, t/opsecret")] * 2
        settings(server, {"webhook": secret, "name": "echo"})
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: [r["name"] for r in server.get("/api/v1/notify").json()["receivers"]] == ["echo"])
        echoed = notify_test(server)
        assert "answered 404: Cannot POST …" in echoed.stdout, echoed.stdout
        for text in (echoed.stdout, server.get("/api/v1/notify").body.decode(), server.log.read_text()):
            assert "T0SECRET" not in text and "opsecret" not in text, text
        run = notify_test(server, "--receiver", "nobody")
        assert run.returncode == 1 and "nobody: no receiver: known here: echo" in run.stderr


def test_without_receivers_a_test_says_so(server):
    answer = server.post("/api/v1/notify/test", {})
    assert answer.status == 404 and "no receivers" in answer.json()["error"]
    assert server.get("/api/v1/notify").json() == {"receivers": []}


def test_names_that_mean_other_addresses_are_refused_when_they_are_connected_to(stopped_server):
    """A name is judged by what it means at that moment: `host` means this machine, or its network."""
    server, host = stopped_server, socket.gethostname()
    address = socket.gethostbyname(host)
    if host == "localhost":
        pytest.skip("this machine has no name")
    with Hook() as hook:
        settings(
            server, {"webhook": f"http://{host}:{hook.port}/", "name": "closed"},
            {"webhook": f"http://localhost:{hook.port}/", "name": "here"})
        server.start()
        closed, here = server.post("/api/v1/notify/test", {}).json()["receivers"]
        assert not closed["taken"] and address in closed["firing"]["error"] and closed["firing"]["status"] is None
        assert here["taken"] and len(hook.requests) == 2


@pytest.mark.parametrize("receiver, reason", [
    ({"webhook": "http://169.254.169.254/latest/meta-data/iam"}, "169.254.169.254 is never a receiver"),
    ({"webhook": "http://169.254.169.254/", "allow_private": True}, "169.254.169.254 is never a receiver"),
    ({"webhook": "http://[::ffff:a9fe:a9fe]/"}, "is never a receiver"),
    ({"webhook": "http://2852039166/"}, "four decimal numbers"),
    ({"webhook": "http://0251.0376.0251.0376/"}, "four decimal numbers"),
    ({"alertmanager": "http://10.1.2.3:9093"}, "10.1.2.3 is a private address: set allow_private: true"),
    ({"slack": "ftp://hooks.example.com/secret"}, "must begin with http:// or https://"),
    ({"slack": "https://hooks.example.com/secret", "nmae": "x"}, "nmae: unknown key"),
    ({"name": "x"}, "must have one of alertmanager, webhook, slack"),
    ({"webhook": "https://a.example/", "slack": "https://b.example/"}, "must have one of"),
    ({"webhook": "https://a.example/", "match": "{severity="}, "match: {severity=: must be a selector"),
])
def test_wrong_receivers_stop_the_start_with_the_place(tmp_path, receiver, reason):
    file = tmp_path / "rampart.yml"
    file.write_text(f"notify:\n  - {json.dumps(receiver)}\n")
    run = subprocess.run([BINARY, "config", "check", file], capture_output=True, text=True)
    assert run.returncode == 2
    assert run.stderr.startswith(f"rampart: {file}:2: notify: ") and reason in run.stderr, run.stderr
    assert "secret" not in run.stderr


def test_receivers_change_with_the_settings(stopped_server):
    server = stopped_server
    with Hook() as first, Hook() as second:
        settings(server, {"webhook": first.url, "name": "first"})
        server.start()
        settings(server, {"webhook": first.url, "name": "first"}, {"webhook": second.url, "name": "second"})
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: len(server.get("/api/v1/notify").json()["receivers"]) == 2)
        assert server.post("/api/v1/notify/test", {"receiver": "second"}).json()["taken"]
        # What is wrong leaves the old ones in force.
        settings(server, {"webhook": "http://10.0.0.1/"})
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(lambda: "rules and receivers stay in force" in server.log.read_text())
        assert [r["name"] for r in server.get("/api/v1/notify").json()["receivers"]] == ["first", "second"]


def test_a_test_that_gets_no_answer_keeps_nothing_else_waiting(stopped_server):
    server = stopped_server
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings(server, {"webhook": f"http://127.0.0.1:{silent.getsockname()[1]}/", "name": "silent"})
        server.start()
        connection = server.connection()
        connection.request("POST", "/api/v1/notify/test", "{}", {"Content-Type": "application/json"})
        started = time.monotonic()
        assert server.get("/api/v1/status").status == 200 and server.get("/metrics").status == 200
        assert time.monotonic() - started < 2
        answer = json.loads(connection.getresponse().read())
        assert "timed out" in answer["receivers"][0]["firing"]["error"]
        assert 9 < time.monotonic() - started < 15
        # Nor does it delay a stop.
        connection.request("POST", "/api/v1/notify/test", "{}", {"Content-Type": "application/json"})
        time.sleep(0.5)
        started = time.monotonic()
        assert server.stop() == 0 and time.monotonic() - started < 10


# MARK: Silences

SILENCE = {
    "matchers": [{"name": "alertname", "value": "HitRatioLow"}, {"name": "cache", "value": "a|b", "isRegex": True}],
    "createdBy": "ada", "comment": "moving the cache"}


def test_a_silence_lives_in_alertmanagers_shape(server):
    made = server.post("/api/v1/silences", SILENCE | {"endsAt": when(hours=2)})
    assert made.status == 200
    path = f"/api/v1/silences/{made.json()['silenceID']}"
    silence = server.get(path).json()
    assert silence["status"] == {"state": "active"} and silence["kind"] == "silence"
    assert silence["matchers"] == [
        {"name": "alertname", "value": "HitRatioLow", "isRegex": False, "isEqual": True},
        {"name": "cache", "value": "a|b", "isRegex": True, "isEqual": True}]
    assert (silence["createdBy"], silence["comment"]) == ("ada", "moving the cache")
    later = server.post("/api/v1/silences", SILENCE | {"startsAt": when(hours=1), "endsAt": when(hours=2)}).json()["silenceID"]
    assert [s["status"]["state"] for s in server.get("/api/v1/silences").json()] == ["active", "pending"]

    # Another end is the same silence; other matchers are another one.
    changed = server.post("/api/v1/silences", SILENCE | {"id": silence["id"], "endsAt": when(hours=5)}).json()["silenceID"]
    assert changed == silence["id"] and server.get(path).json()["startsAt"] == silence["startsAt"]
    assert server.get(path).json()["endsAt"] > silence["endsAt"]
    other = server.post(
        "/api/v1/silences", SILENCE | {"id": later, "matchers": SILENCE["matchers"][:1], "endsAt": when(hours=5)}).json()["silenceID"]
    assert other != later and server.get(f"/api/v1/silences/{later}").json()["status"] == {"state": "expired"}

    server.kill()
    server.start()
    assert server.get(path).json()["status"] == {"state": "active"}
    assert server.request("DELETE", path, headers={"X-Reason": "moved"}).status == 204
    assert server.get(path).json()["status"] == {"state": "expired"}
    assert server.request("DELETE", path).status == 204
    assert server.get("/api/v1/silences/none").status == 404
    entries = server.get("/api/v1/audit").json()["entries"]
    assert [(e["action"], e["reason"]) for e in entries if "silence" in e["action"]] == [
        ("silence expire", "moved"), ("silence update", "moving the cache"), ("silence update", "moving the cache"),
        ("silence update", "moving the cache"), ("silence create", "moving the cache"), ("silence create", "moving the cache")]
    assert entries[0]["before"]["endsAt"] > entries[0]["after"]["endsAt"]


def test_an_acknowledgement_says_who_why_and_until_when(stopped_server):
    server = stopped_server
    (server.folder / "rules.yml").write_text(
        """groups: [{name: g, interval: 1s, rules: [{alert: HitRatioLow, expr: 'label_replace(vector(1), "cache", "profile", "", "")'}]}]""")
    (server.folder / "rampart.yml").write_text("rules: {files: [rules.yml]}\n")
    server.start()
    server.wait_for(lambda: server.get("/api/v1/alerts").json()["data"]["alerts"])
    labels = {"alertname": "HitRatioLow", "cache": "profile"}
    made = server.post("/api/v1/alerts/acknowledge", {"labels": labels, "by": "ada", "comment": "on it", "for": "2h"})
    silence = server.get(f"/api/v1/silences/{made.json()['silenceID']}").json()
    assert silence["kind"] == "acknowledgement" and silence["createdBy"] == "ada" and silence["comment"] == "on it"
    assert {m["name"]: m["value"] for m in silence["matchers"]} == labels
    until = when(days=1)
    made = server.post("/api/v1/alerts/acknowledge", {"labels": labels, "by": "ada", "comment": "on it", "until": until})
    silence = server.get(f"/api/v1/silences/{made.json()['silenceID']}").json()
    assert abs(datetime.fromisoformat(silence["endsAt"]) - datetime.fromisoformat(until)) < timedelta(milliseconds=2)
    assert server.get("/api/v1/audit").json()["entries"][0]["action"] == "alert acknowledge"
    asked = {"labels": labels, "by": "ada", "comment": "on it", "until": int(time.time()) + 3600}
    assert server.post("/api/v1/alerts/acknowledge", asked).status == 200
    # One label too few is another alert, which there is not.
    answer = server.post("/api/v1/alerts/acknowledge", asked | {"labels": {"alertname": "HitRatioLow"}})
    assert answer.status == 404 and "no alert with exactly these" in answer.json()["error"]


@pytest.mark.parametrize("path, body, reason", [
    ("silences", SILENCE, "endsAt: must be given"),
    ("silences", SILENCE | {"endsAt": "2020-01-01T00:00:00Z"}, "endsAt: 2020-01-01T00:00:00.000Z: must be after"),
    ("silences", SILENCE | {"endsAt": "tomorrow"}, 'endsAt: "tomorrow": must be RFC 3339'),
    ("silences", SILENCE | {"endsAt": when(days=400)}, "within 366 days"),
    ("silences", SILENCE | {"endsAt": when(hours=1), "comment": " "}, "comment: must say why"),
    ("silences", SILENCE | {"endsAt": when(hours=1), "createdBy": ""}, "createdBy: must say who"),
    ("silences", SILENCE | {"endsAt": when(hours=1), "matchers": []}, "matchers: "),
    ("silences", SILENCE | {"endsAt": when(hours=1), "matchers": [{"name": "a", "value": ".*", "isRegex": True}]}, "every alert"),
    ("silences", SILENCE | {"endsAt": when(hours=1), "matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "matchers: a: "),
    ("silences", SILENCE | {"endsAt": when(hours=1), "matchers": [{"name": "a"}]}, "matchers: must be"),
    ("silences", SILENCE | {"endsAt": when(hours=1), "until": 1}, "until: unknown member"),
    ("alerts/acknowledge", {"labels": {}, "by": "a", "comment": "b", "for": "1h"}, "labels: must be"),
    ("alerts/acknowledge", {"labels": {"a": "b"}, "by": "", "comment": "b", "for": "1h"}, "by: must say who"),
    ("alerts/acknowledge", {"labels": {"a": "b"}, "by": "a", "comment": "", "for": "1h"}, "comment: must say why"),
    ("alerts/acknowledge", {"labels": {"a": "b"}, "by": "a", "comment": "b"}, "until, for: one of them"),
    ("alerts/acknowledge", {"labels": {"a": "b"}, "by": "a", "comment": "b", "for": "long"}, "for: long: must be a duration"),
])
def test_what_says_too_little_is_refused(server, path, body, reason):
    answer = server.post(f"/api/v1/{path}", body)
    assert answer.status == 400 and reason in answer.json()["error"], answer.json()
    assert server.get("/api/v1/silences").json() == []


def test_there_are_at_most_a_thousand_silences(server):
    for index in range(1000):
        body = SILENCE | {"endsAt": when(hours=1), "comment": f"number {index}"}
        assert server.post("/api/v1/silences", body).status == 200
    refused = server.post("/api/v1/silences", SILENCE | {"endsAt": when(hours=1)})
    assert refused.status == 409 and "1000 silences" in refused.json()["error"]
    first = server.get("/api/v1/silences").json()[0]["id"]
    assert server.request("DELETE", f"/api/v1/silences/{first}").status == 204
    assert server.post("/api/v1/silences", SILENCE | {"endsAt": when(hours=1)}).status == 200
