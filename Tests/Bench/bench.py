# SPDX-License-Identifier: Apache-2.0
"""Measures what Rampart promises. Usage: python3 bench.py BINARY

A machine is never quiet, so speed is a ratio to a peer measured in the same run, the two taking turns, and a figure is
the median of its rounds. A missed limit is reported and does not fail the run: the status is 0 unless something could
not be measured.
"""

import itertools
import json
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import flags
import ingest
import listeners
import queries
import rules
from processes import BenchError, Connection, Rampart, free_port, request_bytes, run, wait_for
from table import judge, report, spread

IDLE_SERVERS = 3
IDLE_SECONDS = 5
STARTS = 9
SERIES_STARTS = 5
LONE_EVENTS = 2_000
LONE_EVENTS_DISCARDED = 100


# MARK: Flags

def bench_flags(binary, folder):
    for (name, own, peer), limit in zip(flags.measure_polls(binary, folder), (1.3, 2)):
        ratio, ratios = flags.median_ratio(own, peer)
        judge(name, ratio, "x", f"rounds {spread(ratios)}", at_most=limit)
        for server, rounds in (("  rampart", own), ("  nginx", peer)):
            microseconds, rate = (statistics.median(column) for column in zip(*rounds))
            report(server, f"{microseconds:.2f} us", details=f"CPU a request; {rate:.0f} requests/s with wrk on the same cores")
    milliseconds, used, size = flags.measure_bulk(binary, folder)
    judge(f"bulk, {flags.BULK_FLAGS} flags of {flags.BULK_RULES} rules", statistics.median(milliseconds), "ms",
          f"with sending {size / 1e3:.0f} kB, quickest {min(milliseconds):.2f}; {used:.2f} ms of CPU", below=2)


# MARK: Idle memory

def bench_idle(binary, folder):
    servers = [Rampart(binary, folder / f"idle-{number}") for number in range(IDLE_SERVERS)]
    try:
        for server in servers:
            server.start()
        time.sleep(IDLE_SECONDS)
        resident = [server.resident_megabytes() for server in servers]
    finally:
        for server in servers:
            server.stop()
    judge("idle resident memory", statistics.median(resident), "MB", f"{IDLE_SERVERS} servers, {spread(resident)}",
          below=40)


# MARK: Start

def milliseconds_to_ready(binary, folder):
    server, port = Rampart(binary, folder), free_port()
    ready = request_bytes("GET", "/-/ready")
    began = time.perf_counter()
    try:
        server.launch(port)
        for attempt in itertools.count(1):
            try:
                with Connection(port) as connection:
                    if connection.send(ready)[0] == 200:
                        return (time.perf_counter() - began) * 1e3
            except ConnectionError:
                server.check_alive()
            if time.perf_counter() - began > 30:
                raise BenchError("rampart was not ready within 30 s")
            time.sleep(max(0, began + attempt / 1e3 - time.perf_counter()))
    finally:
        server.stop()


def bench_start(binary, folder, filled):
    empty = [milliseconds_to_ready(binary, folder / f"start-{number}") for number in range(STARTS)]
    again = [milliseconds_to_ready(binary, filled) for _ in range(STARTS)]
    judge("ready after start, empty store", statistics.median(empty), "ms", f"{STARTS} starts, {spread(empty)}",
          at_most=200)
    report("ready after start, filled store", f"{statistics.median(again):.2f} ms",
           details=f"{STARTS} starts, {spread(again)}")


# MARK: Commit latency

def bench_commits(binary, folder):
    log = folder / "lone.ndjson"
    run(binary, "simulate", "--events", LONE_EVENTS, "--seed", 2, "--output", log)
    milliseconds = []
    with Rampart(binary, folder / "commits") as server, Connection(server.port) as connection:
        for line in log.read_bytes().splitlines(keepends=True):
            request = ingest.events_request(line)
            began = time.perf_counter()
            status, answer = connection.send(request)
            milliseconds.append((time.perf_counter() - began) * 1e3)
            if status != 200:
                raise BenchError(f"a single event was answered {status}: {answer[:500]!r}")
    percentiles = statistics.quantiles(milliseconds[LONE_EVENTS_DISCARDED:], n=100)
    report("commit of one event, p50", f"{percentiles[49]:.2f} ms", details="one connection, synced to disk")
    report("commit of one event, p99", f"{percentiles[98]:.2f} ms")


# MARK: Queries

def bench_queries(binary, folder):
    for window, series, figures in queries.run_stores(binary, folder):
        ratios = [own / peer for _, own, peer in figures]
        judge(f"{len(figures)} queries, {window.name}, median", statistics.median(ratios), "x",
              f"of Prometheus' time, answers equal, {series} series", at_most=1)
        judge(f"{len(figures)} queries, {window.name}, slowest", max(ratios), "x",
              max(figures, key=lambda figure: figure[1] / figure[2])[0], at_most=2)
        for expression, own, peer in figures:
            report(f"  {own:.1f} ms, {peer:.1f} ms", f"{own / peer:.2f} x", details=expression)


# MARK: Rules

def bench_rules(binary, folder):
    count, series, ours, theirs = rules.measure(binary, folder)
    judge(f"{count} rules over {series} series", statistics.median(ours) / statistics.median(theirs), "x",
          "of Prometheus' time for an evaluation of the group", at_most=1)
    report("  rampart", f"{statistics.median(ours) * 1e3:.1f} ms", details=spread([value * 1e3 for value in ours]))
    report("  Prometheus", f"{statistics.median(theirs) * 1e3:.1f} ms", details=spread([value * 1e3 for value in theirs]))


# MARK: Many series

def compaction_hold_milliseconds(server):
    """The longest since the server's start; there must have been one."""
    def hold():
        found = re.search(rb"^rampart_store_compaction_hold_seconds_max (\S+)$", server.request("GET", "/metrics"), re.MULTILINE)
        return float(found.group(1)) * 1e3
    return wait_for(hold, "a compaction", seconds=90)


def bench_series(binary, folder):
    """A hundred thousand counters, most of which say something once, and a week of 2,000 that go on."""
    now = int(time.time())
    with Rampart(binary, folder / "series", ingest_label_limit=1_000_000) as server:
        for body in queries.week_bodies(now):
            server.request("POST", "/api/v1/events", body, "application/x-ndjson")
        holds = [compaction_hold_milliseconds(server)]
    milliseconds = []
    for _ in range(SERIES_STARTS):
        milliseconds.append(milliseconds_to_ready(binary, folder / "series"))
    with Rampart(binary, folder / "series") as server:
        server.request("GET", "/metrics")
        answer = server.request("GET", "/api/v1/query?query=count(%7B__name__%3D~%22cache_.%2B%22%7D)")
        series = int(json.loads(answer)["data"]["result"][0]["value"][1])
        resident = server.resident_megabytes()
        holds.append(compaction_hold_milliseconds(server))
    if series < 100_000:
        raise BenchError(f"there are only {series} series")
    judge("ready with 100,000 series, 7 days", statistics.median(milliseconds), "ms",
          f"{series} series as Prometheus counts, {spread(milliseconds)}", below=1000)
    judge("longest hold of a compaction", max(holds), "ms", "of commits, while they were sent and afterwards", at_most=50)
    judge("resident with them", resident, "MB", "after a page of /metrics and a query over all", below=300)


def bench(binary):
    missing = [tool for tool in ("mtail", "wrk", "nginx", "prometheus", "promtool") if shutil.which(tool) is None]
    if missing:
        raise BenchError(f"not installed: {' '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="rampart-bench-") as name:
        folder = Path(name)
        report("figure", "measured", "limit")
        filled = ingest.bench_ingest(binary, folder)
        ingest.bench_small_bodies(binary, folder)
        bench_flags(binary, folder)
        listeners.bench_listeners(binary, folder)
        bench_idle(binary, folder)
        bench_start(binary, folder, filled)
        bench_commits(binary, folder)
        bench_rules(binary, folder)
        bench_series(binary, folder)
        bench_queries(binary, folder)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python3 bench.py BINARY")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        bench(Path(sys.argv[1]).resolve())
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
