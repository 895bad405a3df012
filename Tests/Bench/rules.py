# SPDX-License-Identifier: Apache-2.0
"""A thousand rules over two thousand series, evaluated by Rampart and by Debian's Prometheus at the same time over the same
samples: half an hour of 250 caches until now, exported into blocks.
"""

import json
import re
import time

import queries
from processes import BenchError, Prometheus, Rampart, wait_for

CACHES = 250
SERIES_PER_CACHE = 8
MINUTES = 30
# The first evaluation compiles, caches and allocates in both.
EVALUATIONS = 8
INTERVAL_SECONDS = 5

KINDS = [
    '"cache_hit","cache_tier":"L1"', '"cache_hit","cache_tier":"L2"', '"cache_miss"', '"cache_set","cache_tier":"L1"',
    '"cache_set","cache_tier":"L2"', '"cache_bypass","reason":"flag_off"', '"cache_error","operation":"get"', '"cache_error","operation":"set"',
]


def events(now):
    """Each series of each cache says something twice a minute."""
    for minute in range(MINUTES):
        lines = []
        for half in range(2):
            for cache in range(CACHES):
                at = (now - (MINUTES - minute) * 60 + half * 30) * 1000 + cache * 97
                lines += [f'{{"timestamp":{at},"service":"s","cache":"c{cache}","event_type":{kind}}}\n' for kind in KINDS]
        yield "".join(lines).encode()


def rule_file():
    rules = []
    for cache in range(CACHES):
        of = f'cache="c{cache}"'
        hits, misses = f"sum by (cache) (rate(cache_hits_total{{{of}}}[5m]))", f"sum by (cache) (rate(cache_misses_total{{{of}}}[5m]))"
        rules += [
            {"record": "cache:hit:ratio_rate5m", "expr": f"{hits} / ({hits} + {misses})"},
            {"alert": f"HitRateLow{cache}", "expr": f"{hits} / ({hits} + {misses}) < {0.5 if cache % 10 else 0.9}", "for": "10s",
             "annotations": {"summary": "{{ $labels.cache }}: {{ $value | humanizePercentage }}"}},
            {"alert": f"Errors{cache}", "expr": f"sum by (cache) (rate(cache_errors_total{{{of}}}[5m])) / ({hits} + {misses}) > 5"},
            {"alert": f"NothingSet{cache}", "expr": f"sum by (cache, tier) (increase(cache_sets_total{{{of}}}[10m])) == 0"},
        ]
    # JSON is YAML.
    return json.dumps({"groups": [{"name": "bench", "interval": f"{INTERVAL_SECONDS}s", "rules": rules}]}), len(rules)


def duration(server, metric):
    page = server.request("GET", "/metrics").decode()
    found = re.search(rf'^{metric}{{[^}}]*}} (\S+)$', page, re.MULTILINE)
    return float(found.group(1)) if found else 0


def firing(server):
    alerts = json.loads(server.request("GET", "/api/v1/alerts"))["data"]["alerts"]
    return sum(alert["state"] == "firing" for alert in alerts)


def measure(binary, folder):
    """(rules, series, our seconds, their seconds), of as many evaluations each."""
    now = int(time.time())
    rules, count = rule_file()
    (folder / "rules").mkdir()
    (folder / "rules/rules.yml").write_text(rules)
    store = Rampart(binary, folder / "rules", rules_files=folder / "rules/rules.yml")
    with store:
        for body in events(now):
            store.request("POST", "/api/v1/events", body, "application/x-ndjson")
    queries.make_blocks(store, now - 3600, now)
    with store, Prometheus(folder / "rules", rules=folder / "rules/rules.yml") as prometheus:
        series = int(json.loads(store.request("GET", "/api/v1/query?query=count(%7B__name__%3D~%22cache_.%2B%22%7D)"))
                     ["data"]["result"][0]["value"][1])
        wait_for(lambda: firing(store) and firing(prometheus), "the first alerts", seconds=60)
        ours, theirs = [], []
        for _ in range(EVALUATIONS):
            time.sleep(INTERVAL_SECONDS)
            ours.append(duration(store, "rampart_rule_group_last_duration_seconds"))
            theirs.append(duration(prometheus, "prometheus_rule_group_last_duration_seconds"))
        if firing(store) != firing(prometheus):
            raise BenchError(f"{firing(store)} alerts are firing here, {firing(prometheus)} in Prometheus")
    return count, series, ours, theirs

