# SPDX-License-Identifier: Apache-2.0
"""Dashboard queries against Debian's Prometheus on the same samples: a store of Rampart, its export made into blocks.

Prometheus 2's ranges are closed and Rampart's, as those of Prometheus 3, open to the left: evaluation times stand off
the grid of samples, and subqueries, which run at whole multiples of their step, have an offset inside.
"""

import concurrent.futures
import dataclasses
import http.client
import json
import math
import random
import statistics
import subprocess
import time
import urllib.parse

from processes import BenchError, Prometheus, Rampart, run

SERVICES = 2
CACHES_PER_SERVICE = 2
BODY_EVENTS = 50_000
ROUNDS = 5
# The seconds by which evaluation times miss the grid of samples.
OFF_GRID = 3.7

EXPRESSIONS = [
    "sum by (service) (rate(cache_hits_total[{range}]))",
    "rate(cache_hits_total[{range}])",
    "sum by (cache, tier) (increase(cache_hits_total[{range}]))",
    "sum(rate(cache_hits_total[{range}])) / (sum(rate(cache_hits_total[{range}])) + sum(rate(cache_misses_total[{range}])))",
    "sum by (service, cache) (rate(cache_hits_total[{range}])) / (sum by (service, cache) (rate(cache_hits_total[{range}]))"
    " + on (service, cache) sum by (service, cache) (rate(cache_misses_total[{range}])))",
    'sum(rate(cache_hits_total{{tier="L1"}}[{range}])) / on () (sum(rate(cache_hits_total[{range}])) + sum(rate(cache_misses_total[{range}])))',
    "histogram_quantile(0.95, sum by (le, tier) (rate(cache_operation_duration_seconds_bucket[{range}])))",
    "histogram_quantile(0.99, sum by (le) (rate(cache_operation_duration_seconds_bucket[{range}])))",
    'histogram_quantile(0.99, sum by (le, service) (rate(cache_operation_duration_seconds_bucket{{operation="miss"}}[{range}])))',
    "histogram_quantile(0.5, rate(cache_operation_duration_seconds_bucket[{range}]))",
    "sum by (operation) (rate(cache_operation_duration_seconds_sum[{range}]))"
    " / sum by (operation) (rate(cache_operation_duration_seconds_count[{range}]))",
    'sum(rate(cache_operation_duration_seconds_bucket{{le="0.002"}}[{range}]))'
    " / sum(rate(cache_operation_duration_seconds_count[{range}]))",
    "topk(2, sum by (service, cache) (rate(cache_operation_duration_seconds_sum[{range}])))",
    "topk(3, sum by (cache) (cache_hits_total))",
    "sum(rate(cache_hits_total[{range}])) - sum(rate(cache_hits_total[{range}] offset 1d))",
    "sum by (service) (increase(cache_misses_total[{range}])) / sum by (service) (increase(cache_misses_total[{range}] offset 1d))",
    "sum by (service) (cache_hits_total) - sum by (service) (cache_hits_total offset 1d)",
    "cache_hits_total",
    "count(cache_operation_duration_seconds_bucket)",
    "avg_over_time(cache_entries[{range}])",
    "cache_entries / cache_capacity_entries > 0.5",
    "max_over_time(sum by (service) (rate(cache_misses_total[{range}] offset 1s))[{long}:{range}])",
    "deriv(cache_entries[{long}])",
    "predict_linear(cache_entries[{long}], 3600)",
    "stddev_over_time(cache_entries[{long}])",
    "quantile_over_time(0.9, cache_entries[{long}])",
    "sum by (service) (changes(cache_hits_total[{range}]))",
    "sum by (cache) (irate(cache_hits_total[{range}]))",
    "1 - sum(rate(cache_misses_total[{range}])) / sum(rate(cache_operation_duration_seconds_count[{range}]))",
    "sort_desc(sum by (cache) (cache_entries))",
]


@dataclasses.dataclass
class Store:
    """What a store holds, and the ranges that are asked of it."""
    resolution: str
    seconds: int
    events_per_second: float
    windows: list


@dataclasses.dataclass
class Window:
    name: str
    seconds: int
    step: str
    range: str
    long: str


HOUR, DAY = 3600, 86400
STORES = [
    Store("10s", DAY + 2 * HOUR, 20, [Window("1 h at 10 s", HOUR, "10s", "1m", "10m"), Window("24 h at 60 s", DAY, "60s", "5m", "30m")]),
    Store("60s", 8 * DAY + 2 * HOUR, 10, [Window("7 d at 10 min", 7 * DAY, "600s", "10m", "1h")]),
]


# MARK: Samples

def templates():
    """The events that take turns, all but their times."""
    draw = random.Random(1)
    events = []
    for _ in range(2003):
        service, cache = draw.randrange(SERVICES), draw.randrange(CACHES_PER_SERVICE)
        labels = f'"service":"service-{service}","cache":"cache-{service}-{cache}"'
        milliseconds = draw.lognormvariate(-2, 1)
        kind = draw.random()
        if kind < 0.5:
            event = f'"event_type":"cache_hit","cache_tier":"L1",{labels},"duration_ms":{milliseconds:.3f}'
        elif kind < 0.8:
            event = f'"event_type":"cache_hit","cache_tier":"L2",{labels},"duration_ms":{milliseconds * 10:.3f}'
        elif kind < 0.95:
            event = f'"event_type":"cache_miss",{labels},"duration_ms":{milliseconds * 200:.3f}'
        else:
            entries = draw.randrange(1000)
            event = f'"event_type":"cache_stats","cache_tier":"L1",{labels},"entries":{entries},"capacity":1000'
        events.append(event + "}\n")
    return events


def bodies(begin, seconds, events):
    """NDJSON of so many events, evenly over the seconds from `begin` on, with a daily rhythm."""
    kinds, made, lines = templates(), 0, []
    for number in range(events):
        even = number / events * seconds
        at = even + 6000 * math.sin(even / DAY * 2 * math.pi)
        # No gauge is said exactly where a range begins: there a closed one differs from an open one.
        milliseconds = int(max(0, min(seconds - 1, at)) * 100) * 10 + 5
        lines.append(f'{{"timestamp":{begin * 1000 + milliseconds},{kinds[number % len(kinds)]}')
        if len(lines) == BODY_EVENTS or number == events - 1:
            yield "".join(lines).encode()
            lines = []


def week_bodies(now):
    """A week of four busy caches, and in its last hours 25,000 caches with four series each."""
    yield from bodies(now - 7 * DAY, 7 * DAY, 7 * DAY * 5)
    kinds = ['"cache_hit","cache_tier":"L1"', '"cache_hit","cache_tier":"L2"', '"cache_miss"', '"cache_set","cache_tier":"L1"']
    for start in range(0, 25_000, 5_000):
        yield "".join(
            f'{{"timestamp":{(now - cache) * 1000},"event_type":{kind},"cache":"cache-{cache}"}}\n'
            for cache in range(start, start + 5_000) for kind in kinds).encode()


def fill(server, store, end):
    events = int(store.seconds * store.events_per_second)
    for body in bodies(end - store.seconds, store.seconds, events):
        counts = json.loads(server.request("POST", "/api/v1/events", body, "application/x-ndjson"))
        if counts["rejected"]:
            raise BenchError(f"events were rejected: {counts}")


def make_blocks(server, begin, end):
    """What Prometheus would hold had it scraped: a day a block, as after its compactions."""
    # A store is read by one process at a time; promtool, which takes the longest, works on two days at once.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        imports = []
        for at in range(begin // DAY * DAY, end, DAY):
            part = server.folder / f"{at}.om"
            with open(part, "wb") as output:
                # Times at the end of an export are included.
                subprocess.run(
                    [server.binary, "export", "--data", server.data, "--match", '{__name__=~"cache_.+"}', "--start",
                     str(at), "--end", str(min(at + DAY, end) - 0.001)],
                    stdout=output, check=True, env=server.environment)
            imports.append(pool.submit(import_part, part, server.folder / "tsdb"))
            if len(imports) > 1:
                imports[-2].result()
        for done in imports:
            done.result()


def import_part(part, blocks):
    run("promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", part, blocks)
    part.unlink()


# MARK: Asking

def ask(port, expression, start, end, step):
    """(seconds, body) of a range query. The connection is new, since one may be closed while the other server works."""
    query = urllib.parse.urlencode({"query": expression, "start": start, "end": end, "step": step})
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    began = time.perf_counter()
    connection.request("GET", f"/api/v1/query_range?{query}")
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - began
    connection.close()
    if answer.status != 200:
        raise BenchError(f"{expression} was answered {answer.status}: {body[:500]!r}")
    return seconds, body


def points(body):
    return {
        tuple(sorted(series["metric"].items())): {round(at, 3): float(value) for at, value in series["values"]}
        for series in json.loads(body)["data"]["result"]}


def are_close(left, right):
    # Differences of sums leave last bits where they cancel each other out.
    return left == right or math.isnan(left) and math.isnan(right) or abs(left - right) <= max(
        1e-6 * max(abs(left), abs(right)), 1e-12)


def difference(own, peer):
    """The first difference between two answers, or None."""
    for labels in own.keys() | peer.keys():
        ours, theirs = own.get(labels, {}), peer.get(labels, {})
        for at in sorted(ours.keys() | theirs.keys()):
            if at not in ours or at not in theirs or not are_close(ours[at], theirs[at]):
                return f"{dict(labels)} at {at}: {ours.get(at)}, not {theirs.get(at)}"
    return None


def compare(own, peer, window, end):
    """(name, milliseconds here, milliseconds there) of each query, the servers at both ports taking turns."""
    end -= OFF_GRID
    figures = []
    for expression in EXPRESSIONS:
        query = (expression.format(range=window.range, long=window.long), end - window.seconds, end, window.step)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            seconds, answer = ask(own, *query)
            ours.append(seconds * 1e3)
            seconds, peer_answer = ask(peer, *query)
            theirs.append(seconds * 1e3)
        if found := difference(points(answer), points(peer_answer)):
            raise BenchError(f"{query[0]}: not as Prometheus answers: {found}")
        figures.append((query[0], statistics.median(ours), statistics.median(theirs)))
    return figures


def run_stores(binary, folder):
    """Yields (window, series, figures) of each window."""
    end = int(time.time()) // HOUR * HOUR
    for number, store in enumerate(STORES):
        server = Rampart(binary, folder / f"store-{number}", resolution=store.resolution, retention_raw="30d")
        with server:
            fill(server, store, end)
        make_blocks(server, end - store.seconds, end)
        with server, Prometheus(server.folder) as prometheus:
            _, answer = ask(server.port, 'count({__name__=~"cache_.+"})', end - 60, end - 60, "60s")
            series = int(next(iter(next(iter(points(answer).values())).values())))
            for window in store.windows:
                yield window, series, compare(server.port, prometheus.port, window, end)
