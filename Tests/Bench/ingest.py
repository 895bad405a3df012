# SPDX-License-Identifier: Apache-2.0
"""The same events over HTTP, by `rampart ingest`, by mtail and by DuckDB, taking turns; and many small bodies."""

import collections
import concurrent.futures
import datetime
import json
import re
import resource
import statistics
import subprocess
import sys
import threading
import time

from processes import BenchError, Connection, Rampart, megabytes, request_bytes, run
from table import judge, report, spread

EVENTS = 2_000_000
BODY_BYTES = 1_000_000
CONNECTIONS = 4
ROUNDS = 3
SMALL_BODY_EVENTS = 100
SMALL_BODIES_PER_SECOND = 1_000
SMALL_BODIES = 10_000
SMALL_BODY_CONNECTIONS = 8

# What a user of mtail would write for these lines. Of several spellings this one is the fastest: matching the tier
# within the block of the hit beats one pattern with `.*` in it, and both beat comparing a captured event type.
MTAIL_PROGRAM = r"""
counter hits by tier
counter misses
counter invalidations
histogram duration_ms buckets 0, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100

/"event_type":"cache_hit"/ {
  /"cache_tier":"(?P<tier>\w+)"/ {
    hits[$tier]++
  }
}
/"event_type":"cache_miss"/ {
  misses++
}
/"event_type":"(cache_)?invalidation"/ {
  invalidations++
}
/"duration_ms":(?P<duration>\d+\.\d+)/ {
  duration_ms = $duration
}
"""

# Only the query is timed, not the start. The columns are given, because guessing them makes it slower.
DUCKDB_PROGRAM = """
import sys, time, duckdb
connection = duckdb.connect()
connection.execute("SET threads = 2")
began = time.perf_counter()
rows = connection.execute('''
    SELECT event_type, cache_tier, timestamp // 60000 AS minute, count(*), avg(duration_ms)
    FROM read_ndjson(?, columns = {event_type: 'VARCHAR', cache_tier: 'VARCHAR', timestamp: 'BIGINT', duration_ms: 'DOUBLE'})
    GROUP BY ALL''', [sys.argv[1]]).fetchall()
print(time.perf_counter() - began, sum(row[3] for row in rows))
"""


# MARK: Events

def cut(data, size):
    """Pieces of at most `size` bytes, each ending where a line does."""
    start = 0
    while start < len(data):
        end = len(data) if len(data) - start <= size else data.rindex(b"\n", start, start + size) + 1
        yield data[start:end]
        start = end


def in_milliseconds(found):
    """The generator writes times in several forms; DuckDB wants one."""
    text = found.group(1)
    if text.startswith(b'"'):
        stamp = datetime.datetime.fromisoformat(text.decode().strip('"').replace("Z", "+00:00"))
        return b'"timestamp":%d' % round(stamp.timestamp() * 1000)
    return b'"timestamp":%d' % (round(float(text) * 1000) if b"." in text else int(text))


def write_events(binary, path, events, seed):
    """The lines in the order of time, as a log has them; the generator shuffles them."""
    run(binary, "simulate", "--events", events, "--seed", seed, "--output", path)
    time_of = re.compile(rb'"timestamp":([0-9]+)')
    lines = [re.sub(rb'"timestamp":("[^"]*"|[0-9.]+)', in_milliseconds, line)
             for line in path.read_bytes().splitlines(keepends=True)]
    lines.sort(key=lambda line: int(time_of.search(line).group(1)))
    data = b"".join(lines)
    path.write_bytes(data)
    return data


def events_request(body):
    return request_bytes("POST", "/api/v1/events", body, "application/x-ndjson")


# MARK: The ways to count them

def send_all(connection, requests, start):
    """Sends what the other connections have not taken, and returns how many events the answers say are stored."""
    accepted = 0
    start.wait()
    while True:
        try:
            request = requests.popleft()
        except IndexError:
            return accepted
        accepted += accepted_of(*connection.send(request))


def accepted_of(status, answer):
    if status != 200:
        raise BenchError(f"a body of events was answered {status}: {answer[:500]!r}")
    counts = json.loads(answer)
    if counts["duplicate"] or counts["rejected"]:
        raise BenchError(f"a body of events was not taken as new and sound: {answer[:500]!r}")
    return counts["accepted"]


def over_http(server, requests, events):
    """Seconds from the first byte sent to the last answer."""
    queue = collections.deque(requests)
    # The connections' threads and this one, which reads the clock when all of them stand ready.
    start = threading.Barrier(CONNECTIONS + 1)
    connections = [Connection(server.port) for _ in range(CONNECTIONS)]
    try:
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            senders = [pool.submit(send_all, connection, queue, start) for connection in connections]
            start.wait()
            began = time.perf_counter()
            accepted = sum(sender.result() for sender in senders)
            seconds = time.perf_counter() - began
    finally:
        for connection in connections:
            connection.close()
    if accepted != events:
        raise BenchError(f"{accepted} of {events} events were accepted")
    return seconds


def by_file(binary, log, data, events):
    """(seconds, peak MB) of `rampart ingest` into a new store, start and end of the process included."""
    began = time.perf_counter()
    process = subprocess.Popen([binary, "ingest", "--json", "--data", data, log], stdout=subprocess.PIPE)
    peak = 0
    # What the system says at the end counts the memory of this process as well.
    while process.poll() is None:
        peak = max(peak, megabytes(process.pid, "VmHWM"))
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    counts = json.loads(process.stdout.read())
    if process.returncode != 0 or counts["accepted"] != events:
        raise BenchError(f"rampart ingest ended with {process.returncode}: {counts}")
    return seconds, peak


def by_mtail(program, log, data):
    """(seconds, CPU seconds) of one reading of the file, start included: some hundredths of a second."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    output = run("mtail", "--one_shot", "--one_shot_format", "json", "--port", "0", "--logtostderr",
                 "--progs", program, "--logs", log)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    metrics = json.loads(output[output.index(b"{"):])
    misses = int(metrics["misses"][0]["LabelValues"][0]["Value"]["Value"])
    if misses != data.count(b'"event_type":"cache_miss"'):
        raise BenchError(f"mtail counted {misses} misses, which is not what the file holds")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_duckdb(log, events):
    seconds, counted = run(sys.executable, "-c", DUCKDB_PROGRAM, log).split()
    if int(counted) != events:
        raise BenchError(f"DuckDB counted {counted} of {events} events")
    return float(seconds)


# MARK: Figures

def bench_ingest(binary, folder):
    """Returns the folder of a server that has taken all events."""
    log, program = folder / "events.ndjson", folder / "cache.mtail"
    program.write_text(MTAIL_PROGRAM)
    data = write_events(binary, log, EVENTS, seed=1)
    requests = [events_request(body) for body in cut(data, BODY_BYTES)]
    http, file, mtail, duckdb, cpu, mtail_cpu, sender_cpu, peaks = [], [], [], [], [], [], [], []
    for round_ in range(ROUNDS):
        seconds, used = by_mtail(program, log, data)
        mtail.append(seconds)
        mtail_cpu.append(used)
        # Each round fills empty stores: the same bodies a second time would be duplicates.
        with Rampart(binary, folder / f"ingest-{round_}") as server:
            used, sent = server.cpu_seconds(), time.process_time()
            http.append(over_http(server, requests, EVENTS))
            cpu.append(server.cpu_seconds() - used)
            sender_cpu.append(time.process_time() - sent)
            peaks.append(server.peak_megabytes())
        duckdb.append(by_duckdb(log, EVENTS))
        seconds, peak = by_file(binary, log, folder / f"file-{round_}", EVENTS)
        file.append(seconds)
        peaks.append(peak)
    median = statistics.median

    def judge_ratio(name, peer, own, limit):
        ratios = [theirs / ours for theirs, ours in zip(peer, own)]
        judge(name, median(ratios), "x", f"rounds {spread(ratios)}", at_least=limit)

    judge_ratio("ingest over HTTP, against mtail", mtail, http, 20)
    judge_ratio("ingest over HTTP, against DuckDB", duckdb, http, 0.3)
    judge_ratio("rampart ingest FILE, against DuckDB", duckdb, file, 0.5)
    judge("peak memory of ingest", max(peaks), "MB", f"{EVENTS} events, {len(data) / 1e6:.0f} MB", below=150)
    for name, seconds, details in (
            ("  rampart over HTTP", http, f"CPU {median(cpu):.2f} s, and the sender's {median(sender_cpu):.2f} s on the same cores"),
            ("  rampart ingest FILE", file, "start and end of the process included"),
            ("  mtail", mtail, f"CPU {median(mtail_cpu):.2f} s"),
            ("  DuckDB", duckdb, "2 threads, the query alone")):
        own = median(seconds)
        report(name, f"{own:.2f} s", details=f"{len(data) / 1e6 / own:.0f} MB/s, {EVENTS / own:.0f} events/s; {details}")
    by_cpu = median(theirs / ours for theirs, ours in zip(mtail_cpu, cpu))
    report("  HTTP against mtail by CPU time", f"{by_cpu:.2f} x", details="the same without the sender's share of the machine")
    return folder / f"ingest-{ROUNDS - 1}"


def send_on_time(connection, requests, began, step, first):
    """Milliseconds from when each request was due to its answer: one that must wait for another is late as well."""
    milliseconds = []
    for number, request in enumerate(requests):
        due = began + (first + number * SMALL_BODY_CONNECTIONS) * step
        time.sleep(max(0, due - time.perf_counter()))
        accepted_of(*connection.send(request))
        milliseconds.append((time.perf_counter() - due) * 1e3)
    return milliseconds


def bench_small_bodies(binary, folder):
    data = write_events(binary, folder / "small.ndjson", SMALL_BODIES * SMALL_BODY_EVENTS, seed=3)
    lines = data.splitlines(keepends=True)
    requests = [events_request(b"".join(lines[start:start + SMALL_BODY_EVENTS]))
                for start in range(0, len(lines), SMALL_BODY_EVENTS)]
    interval = sys.getswitchinterval()
    # Threads of Python take turns; at the usual 5 ms the sender would measure itself.
    sys.setswitchinterval(0.0002)
    try:
        with Rampart(binary, folder / "small") as server, concurrent.futures.ThreadPoolExecutor(SMALL_BODY_CONNECTIONS) as pool:
            began = time.perf_counter() + 0.2
            senders = [
                pool.submit(send_on_time, Connection(server.port), requests[first::SMALL_BODY_CONNECTIONS], began,
                            1 / SMALL_BODIES_PER_SECOND, first)
                for first in range(SMALL_BODY_CONNECTIONS)]
            milliseconds = [value for sender in senders for value in sender.result()]
            seconds = time.perf_counter() - began
            cpu = server.cpu_seconds()
    finally:
        sys.setswitchinterval(interval)
    percentiles = statistics.quantiles(milliseconds, n=100)
    judge("bodies of 100 events, p99", percentiles[98], "ms",
          f"p50 {percentiles[49]:.2f} ms; {len(milliseconds) / seconds:.0f} bodies/s, each on disk; CPU {cpu / seconds:.0%} of a core",
          below=25)
