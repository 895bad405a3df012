# SPDX-License-Identifier: Apache-2.0
"""`rampart ingest`: files into a server and into a store, counted exactly and once."""

import gzip
import json
import os
import subprocess

import zstandard

from rampart import BINARY, Rampart, peak_bytes, simulate, watch_to_end


def ingest(*arguments, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAMPART_")}
    return subprocess.run([BINARY, "ingest", *map(str, arguments)], capture_output=True, timeout=300, env=environment, **options)


def url(server):
    return f"http://127.0.0.1:{server.port}"


def written(tmp_path, events, seed=7, broken=0):
    """A file of simulated events, and what they must count to."""
    path, ledger = tmp_path / "events.ndjson", tmp_path / "ledger.json"
    simulate("--events", events, "--seed", seed, "--broken-per-million", broken, "--output", path, "--ledger", ledger)
    return path, json.loads(ledger.read_text())


def totals(server):
    """Counts alone: sums and quantiles of durations depend on the order in which parts were added."""
    rows = server.get("/api/v1/totals?by=service,cache&from=0").json()["rows"]
    return [{k: v for k, v in row.items() if isinstance(v, int)} | row["labels"] | {"durations": row["duration"]["count"]} for row in rows]


def test_a_file_counts_as_its_body_would(server, tmp_path):
    path, _ = written(tmp_path, 20_000)
    result = ingest("--server", url(server), "--json", path)
    summary = json.loads(result.stdout)
    (tmp_path / "second").mkdir()
    with Rampart(tmp_path / "second") as other:
        answer = other.post("/api/v1/events", path.read_bytes()).json()
        assert [summary[k] for k in ("accepted", "rejected", "ignored")] == [answer[k] for k in ("accepted", "rejected", "ignored")]
        assert totals(server) == totals(other)
    assert result.returncode == (1 if summary["rejected"] else 0)
    assert result.stderr == b"" or summary["rejected"]


def test_server_and_store_count_alike_whatever_the_file_is_packed_in(tmp_path):
    path, _ = written(tmp_path, 30_000)
    text = path.read_bytes()
    packed = tmp_path / "events.gz"
    # Two members, as logs that were appended to have them.
    packed.write_bytes(gzip.compress(text[:1_000_001]) + gzip.compress(text[1_000_001:]))
    zst = tmp_path / "events.zst"
    zst.write_bytes(zstandard.ZstdCompressor().compress(text))
    seen = []
    for number, (name, by_server) in enumerate([(path, True), (packed, True), (zst, False), (packed, False), (path, False)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        server = Rampart(folder)
        if by_server:
            with server:
                ingest("--server", url(server), name)
                seen.append(totals(server))
        else:
            ingest("--data", folder / "data", name)
            with server:
                seen.append(totals(server))
    assert seen[0] and all(rows == seen[0] for rows in seen)


def test_standard_input_and_defaults(server):
    lines = b'{"event_type":"cache_hit"}\n[CACHE] HIT user:id:1\nhello\n{"event_type":"cache_x"}\n'
    result = ingest("--server", url(server), "--service", "shop & co", "--cache", "cart", "-", input=lines)
    assert result.returncode == 1
    assert result.stdout.decode().splitlines()[0] == "accepted 2, rejected 1, ignored 1, counted before 0"
    assert result.stdout.decode().splitlines()[1].startswith('-:4: event_type: "cache_x": unknown')
    assert result.stderr == b"rampart: ingest: 1 records were rejected\n"
    assert server.total("cache_hits_total", service="shop & co", cache="cart") == 1
    assert server.total("cache_hits_total", service="auth", cache="user") == 1


def test_a_body_with_ids_counts_once_and_equal_happenings_each_time(server, tmp_path):
    path = tmp_path / "ids.ndjson"
    path.write_text('{"event_type":"cache_hit","correlation_id":"r-1"}\n')
    for accepted, duplicate in [(1, 0), (0, 1)]:
        summary = json.loads(ingest("--server", url(server), "--json", path).stdout)
        assert (summary["accepted"], summary["duplicate"]) == (accepted, duplicate)
    for _ in range(2):
        assert json.loads(ingest("--server", url(server), "--json", "-", input=b"[CACHE] MISS a:1\n").stdout)["accepted"] == 1
    assert (server.total("cache_hits_total"), server.total("cache_misses_total")) == (1, 2)
    server.stop()
    assert json.loads(ingest("--data", server.data, "--json", path).stdout)["duplicate"] == 1


def test_rejections_name_the_line_of_the_file(server, tmp_path):
    path = tmp_path / "long.ndjson"
    good = '{"event_type":"cache_hit","duration_ms":1.5}\n'
    path.write_text(good * 50_000 + '{"event_type":"cache_x"}\n' + good * 50_000)
    summary = json.loads(ingest("--server", url(server), "--json", path).stdout)
    assert (summary["accepted"], summary["rejected"]) == (100_000, 1)
    assert [(e["file"], e["line"]) for e in summary["errors"]] == [(str(path), 50_001)]


def test_a_busy_server_is_asked_again(tmp_path):
    path, _ = written(tmp_path, 200_000)
    server = Rampart(tmp_path)
    with server:
        process = subprocess.Popen([BINARY, "ingest", "--server", url(server), "--json", path], stdout=subprocess.PIPE)
        server.wait_for(lambda: server.total("cache_hits_total") > 0)
        # Killed in the middle, and back a moment later: what was not answered is sent again.
        server.kill()
        server.start()
        summary = json.loads(process.communicate(timeout=120)[0])
        whole = totals(server)
    (tmp_path / "second").mkdir()
    other = Rampart(tmp_path / "second")
    ingest("--data", other.data, path)
    with other:
        assert whole == totals(other)
    assert summary["duplicate"] == 0


def test_wrong_usage_counts_nothing(server, tmp_path):
    good = tmp_path / "good"
    good.write_text("[CACHE] HIT a:1\n")
    for arguments in (["--server", url(server), good, tmp_path / "missing"], [], ["--server", "x", "--data", "y", good], ["--server", url(server), tmp_path]):
        result = ingest(*arguments)
        assert result.returncode == 2, result.stderr
    assert server.total("cache_hits_total") == 0
    result = ingest("--data", server.data, good)
    assert result.returncode == 1 and b"in use by another process" in result.stderr
    result = ingest("--server", "http://127.0.0.1:9", good)
    assert result.returncode == 1 and b"is the server running?" in result.stderr
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"[CACHE] HIT a:1\n" * 100)[:-10])
    result = ingest("--server", url(server), broken)
    assert result.returncode == 1 and b"broken.gz" in result.stderr


def test_two_million_events_in_little_memory(server, tmp_path):
    path = tmp_path / "many.ndjson"
    lines = b"".join(b'{"event_type":"cache_hit","cache_tier":"L1","duration_ms":%d.5,"key":"user:id:%d"}\n' % (n % 50, n % 1000)
                     for n in range(20_000))
    with open(path, "wb") as file:
        for _ in range(100):
            file.write(lines)
    process = subprocess.Popen([BINARY, "ingest", "--server", url(server), "--json", path], stdout=subprocess.PIPE)
    peak = watch_to_end(process)
    summary = json.loads(process.stdout.read())
    assert (process.returncode, summary["accepted"], summary["rejected"]) == (0, 2_000_000, 0)
    assert server.total("cache_hits_total", tier="L1") == 2_000_000
    assert 0 < peak < 150_000_000 and peak_bytes(server.process.pid) < 150_000_000


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_counted(server, tmp_path):
    line = b'{"event_type":"cache_hit","cache":"c","correlation_id":"%d"}\n'
    good, torn, later = tmp_path / "good.ndjson", tmp_path / "torn.gz", tmp_path / "later.ndjson"
    good.write_bytes(b"".join(line % number for number in range(60_000)))
    torn.write_bytes(gzip.compress(b"".join(line % number for number in range(60_000, 70_000)))[:-20])
    later.write_bytes(line % 80_000)
    run = ingest("--server", url(server), good, torn, later)
    assert run.returncode == 1
    assert b"torn.gz: " in run.stderr, run.stderr
    assert server.total("cache_hits_total") >= 60_001
    # What was counted is known; nothing of the good files was left.
    summary = json.loads(ingest("--server", url(server), "--json", good, later).stdout)
    assert (summary["accepted"], summary["duplicate"]) == (0, 60_001)
