# SPDX-License-Identifier: Apache-2.0
"""Rule files as promtool judges them, and alerts as Prometheus would have them: over a generated day, through restarts and
reloads, beside rules that misbehave."""

import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

from rampart import BINARY, ROOT, Rampart

BUNDLED = sorted((ROOT / "alerts").glob("*.yml"))
TESTS = sorted((ROOT / "alerts/tests").glob("*.yml"))


def run(*command, check=False):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=check)


# MARK: Files

@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: file.stem)
def test_a_bundled_file_is_good(file):
    assert run("promtool", "check", "rules", "--lint-fatal", file).returncode == 0
    assert run(BINARY, "rules", "check", file).returncode == 0


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_a_unit_test_of_bundled_rules_passes(file):
    for tool in (["promtool", "test", "rules"], [BINARY, "rules", "test"]):
        result = run(*tool, file)
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_bundled_file_has_unit_tests():
    assert {file.stem for file in BUNDLED} <= {file.stem for file in TESTS} and BUNDLED


def rule(text):
    return "groups:\n- name: g\n  rules:\n  - " + text.replace("\n", "\n    ") + "\n"


JUDGED = {
    "empty": "",
    "comment": "# nothing\n",
    "no groups": "groups:\n",
    "alert": rule("alert: A\nexpr: up == 0\nfor: 5m\nkeep_firing_for: 1d2h\nlabels: {a: b}\nannotations: {c: '{{ $value }}'}"),
    "record": rule("record: a:b\nexpr: sum(up)\nlabels: {a: b}"),
    "numbers as texts": rule("record: a\nexpr: 1\nlabels: {a: 1, b: true, c: 1.5}"),
    "no name": "groups:\n- rules: []\n",
    "two groups of one name": "groups:\n- name: g\n- name: g\n",
    "unknown field": rule("alert: A\nexpr: up\nfro: 5m"),
    "unknown field of a group": "groups:\n- name: g\n  colour: red\n",
    "unknown field of the file": "groups: []\nrules: []\n",
    "both": rule("alert: A\nrecord: b\nexpr: up"),
    "neither": rule("expr: up"),
    "no expression": rule("alert: A"),
    "bad expression": rule("alert: A\nexpr: sum(up"),
    "for of a recording rule": rule("record: a\nexpr: up\nfor: 1m"),
    "annotations of a recording rule": rule("record: a\nexpr: up\nannotations: {a: b}"),
    "bad name of a recording rule": rule("record: 'a{b=\"c\"}'\nexpr: up"),
    "bad duration": rule("alert: A\nexpr: up\nfor: 5 minutes"),
    "bad label name": rule("alert: A\nexpr: up\nlabels: {__name__: b}"),
    "template": rule("alert: A\nexpr: up\nannotations: {a: '{{ range query \"up\" }}{{ .Labels.job }}{{ end }}'}"),
    "unknown function": rule("alert: A\nexpr: up\nannotations: {a: '{{ shout $value }}'}"),
    "unknown variable": rule("alert: A\nexpr: up\nannotations: {a: '{{ $values }}'}"),
    "open action": rule("alert: A\nexpr: up\nannotations: {a: '{{ $value }'}"),
    "open block": rule("alert: A\nexpr: up\nlabels: {a: '{{ if $value }}x'}"),
    "list for a mapping": rule("alert: A\nexpr: up\nlabels: [a]"),
    "no list": "groups: {name: g}\n",
    "no YAML": "groups:\n- name: g\n\t- x\n",
    "a key twice": rule("alert: A\nexpr: up\nexpr: down"),
    "two documents": rule("alert: A\nexpr: up") + "---\nnot: read\n",
    "anchors": "groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: up}\n  - {<<: *a, alert: B}\n",
    "limit": "groups:\n- {name: g, limit: 3, interval: 1m, rules: []}\n",
    "bad limit": "groups:\n- {name: g, limit: some}\n",
}


@pytest.mark.parametrize("name", JUDGED)
def test_a_file_is_judged_as_promtool_judges_it(name, tmp_path):
    file = tmp_path / "rules.yml"
    file.write_text(JUDGED[name])
    theirs, ours = run("promtool", "check", "rules", file), run(BINARY, "rules", "check", file)
    assert (theirs.returncode == 0) == (ours.returncode == 0), theirs.stdout + theirs.stderr + ours.stdout + ours.stderr
    if ours.returncode:
        assert re.search(rf"^{re.escape(str(file))}(:\d+:\d+)?: .", ours.stdout, re.MULTILINE), ours.stdout


# MARK: A day

DAY_RULES = """
groups:
- name: recorded
  rules:
  - record: cache:lookups:rate5m
    expr: sum by (cache) (rate(cache_hits_total[5m])) + sum by (cache) (rate(cache_misses_total[5m]))
  - record: cache:hit:ratio_rate5m
    expr: sum by (cache) (rate(cache_hits_total[5m])) / cache:lookups:rate5m
    labels: {from: rule}
- name: alerts
  rules:
  - {alert: HitRateLow, expr: 'cache:hit:ratio_rate5m < 0.6 and cache:lookups:rate5m > 0.02', for: 5m, labels: {severity: warning}}
  - {alert: HitRateLowAtOnce, expr: 'cache:hit:ratio_rate5m < 0.5', labels: {severity: '{{ if lt $value 0.3 }}critical{{ else }}warning{{ end }}'}}
  - {alert: HitRateKept, expr: 'cache:hit:ratio_rate5m < 0.6', for: 3m, keep_firing_for: 20m}
  - {alert: Silent, expr: 'sum by (cache) (increase(cache_hits_total[10m])) == 0', for: 2m}
  - {alert: Absent, expr: 'absent_over_time(cache_misses_total{cache="profile"}[15m])', for: 1m, keep_firing_for: 5m}
  - {alert: Errors, expr: 'sum by (cache, operation) (increase(cache_errors_total[5m])) > 3'}
- name: limited
  limit: 2
  rules:
  - {alert: Every, expr: 'cache:hit:ratio_rate5m < 0.9'}
"""
CACHES = ["profile", "web_user", "session", "programs"]
STEP = 20


def day_of_events(seed, start):
    """Events of a day, ten a minute and cache, with hours in which caches miss, err or are silent."""
    chance = random.Random(seed)
    troubles = []
    for _ in range(60):
        begin = chance.uniform(0, 86_400)
        kind = chance.choice(["misses", "misses", "silence", "errors", "all silent"])
        troubles.append((begin, begin + chance.expovariate(1 / 1200), chance.choice(CACHES), kind))
    lines = []
    for cache in CACHES:
        at = chance.uniform(0, 20)
        while at < 86_400:
            kinds = {kind for begin, end, of, kind in troubles if begin <= at < end and (of == cache or kind == "all silent")}
            at += chance.expovariate(1 / 6)
            if kinds & {"silence", "all silent"}:
                continue
            event = {"timestamp": int((start + at) * 1000), "cache": cache, "service": "day", "event_type": "cache_hit", "cache_tier": "L2"}
            if chance.random() < (0.75 if "misses" in kinds else 0.15):
                event["event_type"] = "cache_miss"
            if "errors" in kinds and chance.random() < 0.3:
                event |= {"event_type": "cache_error", "operation": "get"}
            lines.append(json.dumps(event))
    return "\n".join(lines)


def notation(values):
    """Points at odd multiples of five seconds, so that no evaluation stands on a sample: 2.42 has closed ranges."""
    return " ".join(f"_ {value}" for value in values)


def test_a_day_of_alerts_is_as_in_prometheus(tmp_path):
    seed = 20261121
    print(f"seed {seed}")
    server = Rampart(tmp_path)
    with server:
        start = (int(time.time()) - 2 * 86_400) // 10 * 10
        assert server.send_events(day_of_events(seed, start)).status == 200
        # Samples stand at the ends of windows, the first one, a zero, before the first event; evaluations between them.
        first, last = start, start + 86_400 - 5
        rules = tmp_path / "day.yml"
        rules.write_text(DAY_RULES)
        document = json.loads(
            run(BINARY, "rules", "backtest", rules, "--server", f"http://127.0.0.1:{server.port}", "--from", start - 5,
                "--to", last, "--interval", f"{STEP}s", "--json").stdout)
        assert [failure["rule"] for failure in document["failures"]].count("Every") == len(document["failures"])
        series = []
        for name in ("cache_hits_total", "cache_misses_total", "cache_errors_total"):
            answer = server.get("/api/v1/query_range?" + urllib.parse.urlencode(
                {"query": name + '{service="day"}', "start": first, "end": last, "step": 10}))
            assert answer.status == 200, answer.body
            series += answer.json()["data"]["result"]

    def seconds(text):
        return round(json_time(text) - (start - 5))

    states = {}
    changes = []
    for event in document["events"]:
        labels = tuple(sorted(event["alert"]["labels"].items()))
        changes.append((seconds(event["time"]), labels, event["change"]))
    times = sorted(random.Random(seed).sample(range(0, 86_400 - STEP, STEP), 400) + sorted({at for at, _, _ in changes})[:400])
    cases = []
    for at in sorted(set(times)):
        while changes and changes[0][0] <= at:
            _, labels, change = changes.pop(0)
            if change in ("pending", "firing"):
                states[labels] = change
            else:
                states.pop(labels, None)
        # The alerts of the rule beyond its limit are gone in ways that a list of changes does not tell.
        samples = [
            {"labels": "ALERTS" + braces(labels, state), "value": 1} for labels, state in states.items() if ("alertname", "Every") not in labels]
        cases.append({"expr": 'ALERTS{alertname!="Every"}', "eval_time": f"{at}s", "exp_samples": samples})
    firing = sum(len(case["exp_samples"]) for case in cases)
    assert firing > 300, "hardly anything fired: the day is too quiet to compare"
    inputs = []
    for one in series:
        points = {round(at - first): value for at, value in one["values"]}
        values = [points.get(offset, "_") for offset in range(0, 86_400 - 10, 10)]
        inputs.append({"series": one["metric"].pop("__name__") + braces(tuple(one["metric"].items())), "values": notation(values)})
    # Without an order promtool evaluates groups in any. It ends a test at the first rule that fails, so the one with a limit is not for it.
    (tmp_path / "day.yml").write_text(DAY_RULES[:DAY_RULES.index("- name: limited")])
    (tmp_path / "test.yml").write_text(json.dumps({
        "rule_files": ["day.yml"], "evaluation_interval": f"{STEP}s", "group_eval_order": ["recorded", "alerts"],
        "tests": [{"interval": "5s", "input_series": inputs, "promql_expr_test": cases}]}))
    for tool in (["promtool", "test", "rules"], [BINARY, "rules", "test"]):
        result = run(*tool, tmp_path / "test.yml")
        assert result.returncode == 0, (result.stdout + result.stderr)[:4000]


def json_time(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + text[19:-1])


def braces(labels, state=None):
    pairs = list(labels) + ([("alertstate", state)] if state else [])
    return "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(pairs)) + "}"


# MARK: A running server

class Ruled(Rampart):
    def write(self, rules):
        (self.folder / "rules.yml").write_text(rules)
        (self.folder / "rampart.yml").write_text("rules: {files: [rules.yml], interval: 1s}\n")

    def alerts(self):
        return self.get("/api/v1/alerts").json()["data"]["alerts"]

    def alert(self, name, state):
        """The alert of a name, once it has a state."""
        def find():
            return next((a for a in self.alerts() if a["labels"]["alertname"] == name and a["state"] == state), None)
        return self.wait_for(find, what=f"{name} {state}")

    def rules(self, query=""):
        return self.get("/api/v1/rules" + query).json()["data"]["groups"]

    def reload(self):
        offset = self.log.stat().st_size
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(lambda: re.search(r"reload: .*rules.*", self.log.read_text()[offset:]), what="the reload").group(0)


@pytest.fixture
def server(tmp_path):
    return Ruled(tmp_path)


def test_states_survive_a_crash_exactly(server):
    server.write("""
groups:
- name: g
  rules:
  - {alert: Pending, expr: 'vector(1)', for: 1h}
  - {alert: Short, expr: 'vector(2)', for: 4s}
  - {alert: Firing, expr: 'vector(3)', annotations: {summary: 'value {{ $value }}'}}
  - {alert: Kept, expr: 'rampart_store_commits_total < 0 or vector(time()) < %d', keep_firing_for: 1h}
""" % (time.time() + 6))
    with server:
        for name in ("Firing", "Kept", "Short"):
            server.alert(name, "firing")
        server.wait_for(lambda: server.alert("Kept", "firing").get("keepFiringSince"), what="Kept to be kept")
        server.alert("Pending", "pending")
        before = {a["labels"]["alertname"]: a for a in server.alerts()}
        assert len(before) == 4
        for _ in range(3):
            server.kill()
            server.start()
            after = {a["labels"]["alertname"]: a for a in server.alerts()}
            assert after.keys() == before.keys()
            for name, alert in before.items():
                assert [after[name].get(key) for key in ("state", "activeAt", "keepFiringSince")] == [
                    alert.get(key) for key in ("state", "activeAt", "keepFiringSince")], name
        time.sleep(1.5)
        assert {a["labels"]["alertname"]: a["activeAt"] for a in server.alerts()} == {n: a["activeAt"] for n, a in before.items()}


def test_what_rules_give_is_in_the_store(server):
    server.write("""
groups:
- name: g
  rules:
  - {record: 'answer', expr: 'vector(42)', labels: {to: everything}}
  - {alert: Always, expr: 'answer > 40', labels: {severity: info}}
""")
    with server:
        server.alert("Always", "firing")

        def series(query):
            result = server.get("/api/v1/query?" + urllib.parse.urlencode({"query": query})).json()["data"]["result"]
            return [(one["metric"], one["value"][1]) for one in result]
        labels = {"alertname": "Always", "severity": "info", "to": "everything"}
        server.wait_for(lambda: series("ALERTS"), what="ALERTS in the store")
        assert series("answer") == [({"__name__": "answer", "to": "everything"}, "42")]
        assert series("ALERTS") == [({"__name__": "ALERTS", "alertstate": "firing"} | labels, "1")]
        assert series("ALERTS_FOR_STATE")[0][0] == {"__name__": "ALERTS_FOR_STATE"} | labels
        assert server.total("ALERTS", **labels) == 1
        # Gone with their rules, at once.
        server.write("groups: []\n")
        assert "in force" in server.reload()
        server.wait_for(lambda: not series("ALERTS") and not series("answer"), what="the end of the series")
        assert server.alerts() == [] and server.total("ALERTS") == 0


def test_a_reload_takes_over_good_files_and_refuses_broken_ones(server):
    server.write("groups: [{name: g, rules: [{alert: A, expr: 'vector(1)', for: 1h}]}]\n")
    with server:
        active = server.alert("A", "pending")["activeAt"]
        server.write("groups: [{name: g, rules: [{alert: A, expr: 'vector(1', for: 1h}]}]\n")
        assert re.search(r"rules.yml:1:\d+: .*could not parse expression.*the old rules stay in force", server.reload(), re.DOTALL)
        assert server.alert("A", "pending")["activeAt"] == active
        server.write("groups: [{name: g, rules: [{record: r, expr: '1'}, {alert: A, expr: 'vector(2)', for: 1s}]}]\n")
        assert "1 groups of rules from 1 files are in force" in server.reload()
        assert server.alert("A", "firing")["activeAt"] == active


def test_what_is_no_file_is_refused_at_once(server):
    server.write("groups: [{name: g, rules: [{alert: A, expr: 'vector(1)'}]}]\n")
    (server.folder / "rampart.yml").write_text("rules: {files: ['*.yml.d/*'], interval: 1s}\n")
    rules = server.folder / "rules.yml.d"
    rules.mkdir()
    (server.folder / "rules.yml").rename(rules / "a.yml")
    with server:
        server.alert("A", "firing")
        for make, remove in ((os.mkfifo, os.remove), (os.mkdir, os.rmdir), (lambda path: os.symlink("/dev/zero", path), os.remove)):
            make(rules / "b.yml")
            assert "b.yml: is no file" in server.reload() and server.alert("A", "firing")
            remove(rules / "b.yml")
        assert "1 groups of rules from 1 files are in force" in server.reload()
        assert server.stop() == 0


def test_a_broken_file_stops_the_start(server):
    server.write("groups: [{name: g, rules: [{alert: A, expr: up, fro: 1h}]}]\n")
    result = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", server.data], cwd=server.folder,
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "rules.yml:1:49: field fro not found in rule" in result.stderr, result


def test_the_bundled_rules_are_in_force_by_default(tmp_path):
    with Rampart(tmp_path) as server:
        groups = server.get("/api/v1/rules").json()["data"]["groups"]
        assert {group["file"] for group in groups} == {f"alerts/{file.name}" for file in BUNDLED}
        time.sleep(1)
        assert [r for g in groups for r in g["rules"] if r["health"] == "err"] == []


def test_rules_are_listed_as_prometheus_lists_them(server):
    server.write("""
groups:
- name: a
  rules:
  - {record: one, expr: 'vector(1)'}
  - {alert: Two, expr: 'one > 0', labels: {severity: info}}
  - {alert: Nothing, expr: 'rate(nowhere_total[5m]) > 1'}
- name: b
  interval: 1h
  rules:
  - {alert: Three, expr: 'one > 0', labels: {severity: page}}
""")
    with server:
        server.alert("Two", "firing")
        group = server.rules()[0]
        assert [rule["type"] for rule in group["rules"]] == ["recording", "alerting", "alerting"]
        assert group["interval"] == 1 and group["rules"][1]["state"] == "firing" and group["rules"][1]["health"] == "ok"
        assert group["rules"][2]["missing"] == ["nowhere_total"] and "missing" not in group["rules"][1]

        def names(query):
            return [rule["name"] for group in server.rules(query) for rule in group["rules"]]
        assert names("?type=record") == ["one"] and names("?type=alert") == ["Two", "Nothing", "Three"]
        assert names("?rule_name[]=Two&rule_name[]=Three") == ["Two", "Three"] and names("?rule_group[]=b") == ["Three"]
        assert names("?file[]=none") == [] and names("?match[]=" + urllib.parse.quote('{severity="page"}')) == ["Three"]
        assert server.rules("?exclude_alerts=true")[0]["rules"][1]["alerts"] == []
        page = server.get("/api/v1/rules?group_limit=1").json()["data"]
        assert [group["name"] for group in page["groups"]] == ["a"]
        next_page = server.get("/api/v1/rules?group_limit=1&group_next_token=" + urllib.parse.quote(page["groupNextToken"])).json()["data"]
        assert [group["name"] for group in next_page["groups"]] == ["b"] and "groupNextToken" not in next_page
        for query in ("?type=some", "?exclude_alerts=maybe", "?group_next_token=x", "?group_limit=1&group_next_token=x", "?match[]={"):
            answer = server.get("/api/v1/rules" + query)
            assert answer.status == 400 and answer.json()["errorType"] == "bad_data", query


def test_samples_that_are_lost_show_on_the_rule(server):
    server.write("groups: [{name: g, rules: [{record: r, expr: 'vector(1)'}, {alert: A, expr: 'vector(1)'}]}]\n")
    with open(server.folder / "rampart.yml", "a") as settings:
        settings.write("retention: {max_size: 1MiB}\n")
    with server:
        server.alert("A", "firing")
        filler = [{"event_type": "cache_hit", "key": f"k:{n}", "cache": f"cache-{n}", "service": "s", "cache_tier": "L1"} for n in range(900)]

        def lost():
            # A compaction may make room again.
            while server.send_events([event | {"service": f"s{random.random()}"} for event in filler]).status == 200:
                pass
            return all("samples are lost: " in rule.get("lastError", "") for rule in server.rules()[0]["rules"])
        server.wait_for(lost, what="the rules to say it")
        assert server.alert("A", "firing")


def test_changes_are_streamed(server):
    server.write("groups: [{name: g, rules: [{alert: A, expr: 'vector(time()) > %d', labels: {n: x}}]}]\n" % (time.time() + 3))
    with server:
        connection = server.connection()
        connection.request("GET", "/api/v1/stream")
        response = connection.getresponse()
        while (line := response.readline()) != b"event: alert\n":
            assert line
        data = json.loads(response.readline().removeprefix(b"data: "))
        assert (data["group"], data["change"], data["alert"]["labels"]) == ("g", "firing", {"alertname": "A", "n": "x"})
        connection.close()


def test_rules_that_misbehave_harm_no_other(server):
    hits = [{"event_type": "cache_hit", "key": f"k{n}:1", "cache": f"c{n}", "cache_tier": "L1"} for n in range(900)]
    server.write("""
groups:
- name: flood
  rules:
  - {alert: Many, expr: 'label_replace(cache_hits_total, "n", "$1", "cache", "(.*)")'}
- name: slow
  rules:
  - {alert: Slow, expr: 'sum(sum_over_time(count by (n) (label_replace(cache_hits_total, "n", "$1", "cache", "((((c|.)*)*)*)*"))[1h:1s])) > 0'}
- name: endless
  rules:
  - {alert: Endless, expr: 'vector(1)', annotations: {a: '{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}'}}
  - {alert: Huge, expr: 'vector(1)', labels: {a: '{{ printf "%1000000d" 1 }}'}}
- name: fine
  rules:
  - {alert: Fine, expr: 'vector(1)'}
""")
    with server:
        server.alert("Fine", "firing")
        assert server.send_events(hits).status == 200
        server.wait_for(lambda: sum(a["labels"]["alertname"] == "Many" for a in server.alerts()) == 900, what="900 alerts")
        endless = server.alert("Endless", "firing")
        assert endless["annotations"]["a"].startswith("<error expanding template: ")
        assert len(server.alert("Huge", "firing")["labels"]["a"]) < 100_000

        def evaluated():
            return next(g["lastEvaluation"] for g in server.rules() if g["name"] == "fine")
        before = evaluated()
        server.wait_for(lambda: evaluated() > before, seconds=10, what="another evaluation of the group that is fine")
        assert server.stop() == 0


# MARK: Backtests

def test_a_backtest_needs_no_server(tmp_path):
    with Rampart(tmp_path) as server:
        start = int(time.time()) // 10 * 10 - 3600
        events = [{"timestamp": (start + n) * 1000, "event_type": "cache_miss", "cache": "c", "service": "s"} for n in range(600, 1200)]
        assert server.send_events(events).status == 200
        rules = tmp_path / "r.yml"
        rules.write_text(rule("alert: Missing\nexpr: sum by (cache) (rate(cache_misses_total[1m])) > 0.5\nfor: 1m"))
        asked = ["rules", "backtest", rules, "--from", start, "--to", start + 2400, "--interval", "10s"]
        online = run(BINARY, *asked, "--server", f"http://127.0.0.1:{server.port}")
        assert server.stop() == 0
        offline = run(BINARY, *asked, "--data", server.data)
        assert online.stdout == offline.stdout and online.returncode == offline.returncode == 0, online.stderr + offline.stderr
        changes = [line.split()[1] for line in online.stdout.splitlines()]
        assert changes == ["pending", "firing", "resolved"], online.stdout


@pytest.mark.parametrize("arguments, message", [
    (["--from", "soon"], "from: soon: must be seconds since 1970 or RFC 3339"),
    (["--from", "200", "--to", "100"], "from: must not be after to"),
    (["--from", "0", "--interval", "1s"], "at most 1000000"),
    (["--interval", "1"], "interval: 1: must be a duration"),
])
def test_a_backtest_says_what_is_wrong(arguments, message, tmp_path):
    with Rampart(tmp_path) as server:
        rules = tmp_path / "r.yml"
        rules.write_text(rule("alert: A\nexpr: up"))
        result = run(BINARY, "rules", "backtest", rules, "--server", f"http://127.0.0.1:{server.port}", *arguments)
        assert result.returncode == 2 and message in result.stderr, result.stderr
