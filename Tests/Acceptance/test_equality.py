# SPDX-License-Identifier: Apache-2.0
"""The same samples in Rampart and in Prometheus, by `rampart export` and promtool: the same answers.

Prometheus 2's ranges are closed and ours, as those of Prometheus 3, open to the left: times stand off the grid of
samples, and subqueries, which run at whole multiples of their step, have an offset inside, so that both mean the same.
"""

import json
import math
import subprocess
import time
import urllib.parse

import pytest

from prometheus import Prometheus
from rampart import BINARY, Rampart

EXPRESSIONS = [
    "cache_hits_total",
    "rate(cache_hits_total[1m])",
    "sum by (service) (rate(cache_hits_total[5m]))",
    "sum(rate(cache_hits_total[5m])) / (sum(rate(cache_hits_total[5m])) + sum(rate(cache_misses_total[5m])))",
    "histogram_quantile(0.95, sum by (le, tier) (rate(cache_operation_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.99, sum by (le, service) (increase(cache_operation_duration_seconds_bucket[2m])))",
    "sum by (cache) (rate(cache_operation_duration_seconds_sum[5m])) / sum by (cache) (rate(cache_operation_duration_seconds_count[5m]))",
    "topk(3, sum by (cache) (cache_hits_total))",
    "bottomk(2, cache_misses_total)",
    "cache_hits_total - cache_hits_total offset 10m",
    "max_over_time(rate(cache_hits_total[1m] offset 7s)[10m:30s])",
    "min_over_time(cache_hits_total[3m])",
    "avg_over_time(cache_entries[5m])",
    "stddev_over_time(cache_hits_total[3m])",
    "quantile_over_time(0.9, cache_entries[4m])",
    "sum by (cache) (increase(cache_misses_total[7m]))",
    "changes(cache_hits_total[5m])",
    "resets(process_cpu_seconds_total[10m])",
    "deriv(cache_hits_total[5m])",
    "predict_linear(cache_hits_total[5m], 600)",
    "irate(cache_hits_total[1m])",
    "idelta(cache_entries[1m])",
    "delta(cache_entries[5m])",
    "quantile by (service) (0.5, cache_hits_total)",
    "stdvar by (service) (cache_hits_total)",
    "count by (service) (cache_operation_duration_seconds_bucket)",
    'count_values("entries", cache_entries)',
    "sum without (tier) (cache_hits_total) > bool 100",
    "cache_hits_total > 500 and on (cache) cache_misses_total",
    "cache_misses_total or cache_hits_total",
    "cache_hits_total unless on (cache) cache_misses_total",
    "sum by (service) (cache_hits_total) / on (service) group_left sum by (service) (cache_misses_total)",
    "cache_hits_total * on (cache, service) group_left (reason) cache_bypasses_total",
    'label_replace(cache_entries, "where", "$1-x", "cache", "(.*)")',
    'label_join(cache_entries, "both", "/", "service", "cache")',
    "absent(nope)",
    "absent_over_time(cache_entries[5m])",
    "clamp_max(cache_hits_total, 1000) % 7 ^ 2",
    "round(cache_hits_total / 3, 0.5)",
    "cache_hits_total @ end()",
    "time() - timestamp(cache_entries)",
    "hour() + minute(timestamp(cache_entries))",
    "scalar(sum(cache_hits_total)) + vector(1)",
]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A server and a Prometheus with the same half hour, and the time at which it ends."""
    folder = tmp_path_factory.mktemp("equality")
    rampart = Rampart(folder)
    with rampart:
        simulation = subprocess.Popen(
            [BINARY, "simulate", "--server", f"http://127.0.0.1:{rampart.port}", "--ramp", "--backfill", "30m", "--duration", "8s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        assert simulation.wait(timeout=120) == 0
        assert rampart.stop() == 0
        # What comes before is final: everything later is recorded by the next start.
        end = time.time() // 10 * 10 - 10
        with open(folder / "all.om", "wb") as samples:
            subprocess.run([BINARY, "export", "--data", rampart.data, "--end", str(end)], stdout=samples, check=True)
        subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "all.om", folder / "tsdb"], check=True,
            capture_output=True)
        rampart.start()
        with Prometheus(folder) as prometheus:
            yield rampart, prometheus, end


def points(result):
    return {
        tuple(sorted(series["metric"].items())): {round(at, 3): float(value) for at, value in series["values"]} for series in result}


def are_close(left, right):
    return left == right or math.isnan(left) and math.isnan(right) or abs(left - right) <= 1e-6 * max(abs(left), abs(right))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_rampart_answers_as_prometheus_does(both, expression):
    rampart, prometheus, end = both
    parameters = {"query": expression, "start": end - 1500.3, "end": end - 0.3, "step": "10s"}
    ours = points(json.loads(rampart.get("/api/v1/query_range?" + urllib.parse.urlencode(parameters)).body)["data"]["result"])
    theirs = points(prometheus.result("/api/v1/query_range", **parameters))
    assert ours.keys() == theirs.keys()
    for labels, values in theirs.items():
        assert ours[labels].keys() == values.keys(), labels
        for at, value in values.items():
            assert are_close(ours[labels][at], value), (labels, at, ours[labels][at], value)


def test_there_was_something_to_compare(both):
    _, prometheus, end = both
    assert int(prometheus.result("/api/v1/query", query='count({__name__=~".+"})', time=end)[0]["value"][1]) > 2000
