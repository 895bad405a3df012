# SPDX-License-Identifier: Apache-2.0
"""What was sent is what is counted, one by one: under load, with repetitions and broken lines, and across kill -9."""

import gzip
import json
import os
import random
import re
import sqlite3
import threading
import time
import urllib.parse

import pytest

from rampart import Rampart, simulate

EVENTS = 200_000
CLIENTS = 4


def generate(folder, events, seed, broken_per_million=20_000):
    """Lines with an id each, and the ledger of what they must count to."""
    lines, ledger = folder / "events.ndjson", folder / "ledger.json"
    simulate("--events", events, "--seed", seed, "--broken-per-million", broken_per_million, "--output", lines, "--ledger", ledger)
    return lines.read_bytes().splitlines(), json.loads(ledger.read_text())


def bodies_of(lines, size):
    return [b"\n".join(lines[start:start + size]) for start in range(0, len(lines), size)]


def series_of(server):
    """The counters that a ledger knows, cohorts added up."""
    names = (
        "cache_hits_total", "cache_misses_total", "cache_bypasses_total", "cache_sets_total", "cache_stale_hits_total",
        "cache_invalidations_total", "cache_invalidation_errors_total", "cache_invalidated_keys_total", "cache_errors_total",
        "cache_lookup_failures_total", "cache_circuit_breaker_transitions_total", "cache_consistency_checks_total",
        "cache_consistency_checks_failed_total", "cache_operation_duration_seconds_count")
    found = {}
    for (name, *labels), value in server.samples().items():
        if name in names and value:
            key = (name, *(label for label in labels if label[0] != "cohort"))
            found[key] = found.get(key, 0) + value
    return found


def series_of_ledger(ledger):
    return {(s["metric"], *sorted(s["labels"].items())): s["value"] for s in ledger["series"]}


def run_clients(work, clients=CLIENTS):
    failures = []

    def guarded(index):
        try:
            work(index)
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_four_clients_with_repeated_bodies_and_broken_lines(server, tmp_path):
    lines, ledger = generate(tmp_path, EVENTS, seed=20260101)
    bodies = bodies_of(lines, 500)
    repeated = set(random.Random(1).sample(range(len(bodies)), len(bodies) // 5))
    sums = [dict(accepted=0, rejected=0, ignored=0, duplicates=0) for _ in range(CLIENTS)]

    def client(index):
        connection = server.connection()
        for number in range(index, len(bodies), CLIENTS):
            compressed = number % 3 == 0
            body = gzip.compress(bodies[number], 1) if compressed else bodies[number]
            headers = {"Content-Encoding": "gzip"} if compressed else {}
            first = server.request("POST", "/api/v1/events", body, headers, connection)
            assert first.status == 200, first.body
            answer = first.json()
            assert answer["duplicate"] is False
            for key in ("accepted", "rejected", "ignored"):
                sums[index][key] += answer[key]
            if number in repeated:
                again = server.request("POST", "/api/v1/events", bodies[number], connection=connection)
                assert again.status == 200 and again.json() == answer | {"duplicate": True}
                sums[index]["duplicates"] += 1

    run_clients(client)
    for key in ("accepted", "rejected", "ignored"):
        assert sum(s[key] for s in sums) == ledger[key]
    assert sum(s["duplicates"] for s in sums) == len(repeated)
    assert series_of(server) == series_of_ledger(ledger)

    durations = {tuple(sorted(d["labels"].items())): d["sum_us"] / 1e6 for d in ledger["durations"]}
    for labels, expected in durations.items():
        assert server.total("cache_operation_duration_seconds_sum", **dict(labels)) == pytest.approx(expected, rel=1e-9)
    assert server.get("/api/v1/deadletters?limit=1000000").json()["dead_letters"]

    # The same after a restart, and from the windows instead of the running totals.
    assert server.stop() == 0
    server.start()
    assert series_of(server) == series_of_ledger(ledger)
    totals = server.get(f"/api/v1/totals?from={int(time.time()) - 86_400}&by=cache").json()
    hits = sum(s["value"] for s in ledger["series"] if s["metric"] == "cache_hits_total")
    assert sum(row["hits"] for row in totals["rows"]) == hits


def test_two_million_events_over_four_connections(server, tmp_path):
    lines, ledger = generate(tmp_path, 2_000_000, seed=20260103)
    bodies = bodies_of(lines, 6_000)
    connections = [server.connection() for _ in range(CLIENTS)]
    counts = dict(accepted=0, rejected=0, ignored=0)
    lock = threading.Lock()

    def client(index):
        for number in range(index, len(bodies), CLIENTS):
            answer = server.request("POST", "/api/v1/events", bodies[number], connection=connections[index]).json()
            with lock:
                for key in counts:
                    counts[key] += answer[key]

    run_clients(client)
    assert counts == {key: ledger[key] for key in counts}
    assert series_of(server) == series_of_ledger(ledger)
    # Quantiles as a query reads them off the buckets, against the durations themselves.
    labels = dict(service="profile", cache="profile", operation="hit", tier="L2")
    pattern = re.compile(rb'"event_type":"cache_hit".*"cache_tier":"L2".*"duration_ms":([0-9.]+)}$')
    durations = sorted(float(found.group(1)) / 1000 for found in map(pattern.search, lines) if found and b'"cache"' not in found.string)
    assert len(durations) == server.total("cache_operation_duration_seconds_count", **labels)
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    for quantile in (0.95, 0.99):
        query = f"histogram_quantile({quantile}, cache_operation_duration_seconds_bucket{{{selector}}})"
        found = server.get("/api/v1/query?" + urllib.parse.urlencode({"query": query})).json()["data"]["result"]
        assert float(found[0]["value"][1]) == pytest.approx(durations[int(quantile * len(durations))], rel=0.03)


def test_kill_9_under_load_loses_nothing_and_doubles_nothing(stopped_server, tmp_path):
    server = stopped_server.start()
    lines, ledger = generate(tmp_path, 120_000, seed=20260102)
    bodies = bodies_of(lines, 200)
    kills = 10
    acknowledged = [0] * CLIENTS
    are_done = threading.Event()

    def client(index):
        connection = None
        for number in range(index, len(bodies), CLIENTS):
            while True:
                try:
                    connection = connection or server.connection()
                    answer = server.request("POST", "/api/v1/events", bodies[number], connection=connection)
                    if answer.status == 200:
                        acknowledged[index] += 1
                        break
                    assert answer.status in (429, 503), answer.body
                except (OSError, http_errors()):
                    if connection is not None:
                        connection.close()
                    connection = None
                    time.sleep(0.01)

    def killer():
        # A kill whenever another eleventh of the bodies has been acknowledged, so that each finds the server writing.
        for kill in range(1, kills + 1):
            Rampart.wait_for(lambda: sum(acknowledged) >= kill * len(bodies) // (kills + 1), seconds=120)
            server.kill()
            check_integrity(server)
            server.start()
        are_done.set()

    thread = threading.Thread(target=killer)
    thread.start()
    run_clients(client)
    thread.join(timeout=120)
    assert are_done.is_set(), "not every kill happened"
    assert series_of(server) == series_of_ledger(ledger)
    assert server.stop() == 0
    check_integrity(server)


def http_errors():
    import http.client
    return http.client.HTTPException


def check_integrity(server):
    with sqlite3.connect(server.data / "rampart.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_identical_events_count_each_and_a_body_without_identity_counts_again(server):
    event = {"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 1}
    for _ in range(2):
        assert server.send_events([event, event]).json()["accepted"] == 2
    assert server.total("cache_hits_total") == 4


def test_idempotency_key_decides_over_the_bytes(server):
    event = {"event_type": "cache_miss"}
    key = {"Idempotency-Key": "batch-1"}
    assert server.send_events([event], key).json()["duplicate"] is False
    assert server.send_events([event], key).json()["duplicate"] is True
    assert server.send_events([event], {"Idempotency-Key": "batch-2"}).json()["duplicate"] is False
    assert server.total("cache_misses_total") == 2


def test_two_copies_of_a_body_at_once_count_once(server):
    body = json.dumps({"event_type": "cache_hit", "correlation_id": "one", "cache_tier": "L2"})
    duplicates = []
    run_clients(lambda _: duplicates.append(server.post("/api/v1/events", body).json()["duplicate"]), clients=8)
    assert sorted(duplicates) == [False] + [True] * 7
    assert server.total("cache_hits_total") == 1


def test_deduplication_survives_a_restart(server):
    body = json.dumps({"event_type": "cache_hit", "id": "x-1"})
    assert server.post("/api/v1/events", body).json()["duplicate"] is False
    server.kill()
    server.start()
    assert server.post("/api/v1/events", body).json()["duplicate"] is True
    assert server.total("cache_hits_total") == 1


def test_answers_name_line_and_reason_and_keep_the_line(server):
    body = '{"event_type":"cache_hit"}\n{"event_type":"cache_hot"}\n\nnot ours\n{"event_type":'
    answer = server.post("/api/v1/events", body)
    assert answer.status == 200
    document = answer.json()
    assert (document["accepted"], document["rejected"], document["ignored"]) == (1, 2, 1)
    assert [e["line"] for e in document["errors"]] == [2, 5]
    assert "cache_hot" in document["errors"][0]["reason"]
    letters = server.get("/api/v1/deadletters").json()["dead_letters"]
    assert [(l["line"], l["source"]) for l in letters] == [(5, "events"), (2, "events")]
    assert letters[1]["body"] == '{"event_type":"cache_hot"}'


def test_a_body_of_rejected_lines_only_is_400_and_of_ignored_lines_only_200(server):
    assert server.post("/api/v1/events", '{"event_type":"cache_nonsense"}').status == 400
    assert server.post("/api/v1/events", "hello\n").status == 200


def test_every_framing_counts(server):
    hit = '{"event_type":"cache_hit","cache_tier":"L1"}'
    for body in (hit, f"[{hit},{hit}]", f"{hit}\r\n{hit}\r\n", json.dumps(json.loads(hit), indent=2)):
        assert server.post("/api/v1/events", body).status == 200, body
    assert server.total("cache_hits_total") == 6


def test_damaged_and_oversized_bodies_count_nothing(tmp_path):
    line = b'{"event_type":"cache_hit"}\n'
    with Rampart(tmp_path, environment={"RAMPART_INGEST_MAX_BODY": "64KiB"}) as server:
        exactly = line * (65536 // len(line))
        assert server.post("/api/v1/events", exactly).status == 200
        counted = server.total("cache_hits_total")
        cases = [
            (b" " * 65537, {}, 413),
            (gzip.compress(line * 100_000), {"Content-Encoding": "gzip"}, 413),
            (gzip.compress(line)[:-4], {"Content-Encoding": "gzip"}, 400),
            (b"not gzip", {"Content-Encoding": "gzip"}, 400),
            (line, {"Content-Encoding": "br"}, 415),
        ]
        for body, headers, status in cases:
            answer = server.post("/api/v1/events", body, headers)
            assert (answer.status, "error" in answer.json()) == (status, True)
        assert server.total("cache_hits_total") == counted


def test_late_events_count_in_their_own_window(server):
    late_s = int(time.time()) - 3 * 86_400
    server.send_events([{"event_type": "cache_hit", "timestamp": late_s}, {"event_type": "cache_hit"}])
    rows = server.get(f"/api/v1/totals?from={late_s - 60}&to={late_s + 60}&by=cache").json()["rows"]
    assert [(row["labels"], row["hits"]) for row in rows] == [({"cache": "profile"}, 1)]
    too_old = server.send_events([{"event_type": "cache_hit", "timestamp": 86_400}])
    ahead = server.send_events([{"event_type": "cache_hit", "timestamp": int(time.time()) + 3_600}])
    assert (too_old.status, ahead.status) == (400, 400)


def test_a_full_disk_is_503_and_passes(tmp_path):
    # The smallest store that can be configured is filled; what was acknowledged stays, nothing is half counted.
    with Rampart(tmp_path, environment={"RAMPART_RETENTION_MAX_SIZE": "1MiB"}) as server:
        sent, status, number = 0, 200, 0
        while status == 200 and number < 400:
            base_s = int(time.time()) - 80_000 + number * 40
            events = [{"event_type": "cache_miss", "cache": f"c{i}", "timestamp": base_s, "duration_ms": i} for i in range(300)]
            answer = server.send_events(events)
            status, number = answer.status, number + 1
            sent += len(events) if status == 200 else 0
        assert status == 503 and answer.headers["retry-after"] == "1"
        assert server.total("cache_misses_total") == sent
        Rampart.wait_for(lambda: server.get("/-/ready").status == 503, what="not ready")
        assert server.get("/-/healthy").status == 200
        assert server.stop() == 0
    with Rampart(tmp_path) as larger:
        assert larger.get("/-/ready").status == 200
        assert larger.total("cache_misses_total") == sent


def test_labels_are_bounded(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_INGEST_LABEL_LIMIT": "5"}) as server:
        server.send_events([{"event_type": "cache_hit", "cache": f"cache-{i}"} for i in range(50)])
        server.send_events([{"event_type": "cache_hit", "cache": f"other-{i}"} for i in range(50)])
        caches = {dict(key[1:])["cache"] for key in server.samples() if key[0] == "cache_hits_total"}
        assert len(caches) == 6 and "__overflow__" in caches
        assert server.total("cache_hits_total") == 100
        assert server.total("rampart_label_overflows_total") == 95


def test_a_restart_without_work_changes_nothing(tmp_path):
    # A restart with nothing to do changes nothing on disk that a reader would see.
    with Rampart(tmp_path) as server:
        server.send_events([{"event_type": "cache_hit"}])
        before = server.get("/api/v1/audit").json()
        server.stop()
        server.start()
        assert server.get("/api/v1/audit").json() == before
        assert os.path.exists(server.data / "rampart.sqlite")
