# SPDX-License-Identifier: Apache-2.0
"""Log files that are followed: every line counts once, through rotation, restarts and kills."""

import os
import shutil
import threading
import time

import pytest

from rampart import Rampart

LINES = 20_000


def line(number):
    kind = ('{"event_type":"cache_hit","cache_tier":"L1","duration_ms":0.5', '{"event_type":"cache_hit","cache_tier":"L2"',
            '{"event_type":"cache_miss","duration_ms":12.5', '{"event_type":"cache_set","cache_tier":"L2"')[number % 4]
    return f'{kind},"n":{number}}}\n'


def lines(start, end):
    return "".join(map(line, range(start, end)))


@pytest.fixture
def tail(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "rampart.yml").write_text(f"sources:\n  - file: {logs}/*.log\n    service: shop\n    cache: cart\n")
    server = Rampart(tmp_path)
    server.logs = logs
    yield server
    if server.process is not None:
        server.kill()


def counted(server):
    rows = server.get("/api/v1/totals?by=service,cache").json()["rows"]
    return sum(row["hits"] + row["misses"] + row["sets"] for row in rows if row["labels"] == {"service": "shop", "cache": "cart"})


def assert_counted(server, events):
    Rampart.wait_for(lambda: counted(server) >= events, what=f"{events} events")
    # Nothing comes twice: two looks later it is still the same.
    time.sleep(0.6)
    row, = server.get("/api/v1/totals?by=service,cache").json()["rows"]
    assert (row["hits"], row["misses"], row["sets"]) == (events // 2, events // 4, events // 4)


def test_what_is_there_and_what_is_appended(tail):
    path = tail.logs / "app.log"
    path.write_text(lines(0, LINES // 2))
    tail.start()
    assert_counted(tail, LINES // 2)
    with open(path, "a") as file:
        for start in range(LINES // 2, LINES, 100):
            text = lines(start, start + 100)
            # Lines come in parts, as writers flush them.
            file.write(text[:777])
            file.flush()
            file.write(text[777:])
    assert_counted(tail, LINES)
    assert tail.total("rampart_ingest_events_total", protocol="file", outcome="accepted") == LINES
    assert tail.total("rampart_ingest_events_total", outcome="rejected") == 0


def test_half_a_line_waits_for_its_end(tail):
    path = tail.logs / "app.log"
    path.write_text(lines(0, 4) + line(4)[:20])
    tail.start()
    assert_counted(tail, 4)
    with open(path, "a") as file:
        file.write(line(4)[20:] + lines(5, 8))
    assert_counted(tail, 8)


def test_rotation_by_renaming(tail):
    path = tail.logs / "app.log"
    tail.start()
    count = 0
    for round_ in range(5):
        with open(path, "a") as file:
            file.write(lines(count, count + 2_000))
            file.flush()
            count += 2_000
            # A file that was never seen under its name would be nobody's.
            Rampart.wait_for(lambda: counted(tail) == count)
            os.rename(path, tail.logs / f"app.log.{round_}")
            # The writer has not noticed yet.
            file.write(lines(count, count + 2_000))
            count += 2_000
    assert_counted(tail, count)
    assert count == LINES


def test_rotation_by_copying_and_truncating(tail):
    path = tail.logs / "app.log"
    tail.start()
    count = 0
    with open(path, "a") as file:
        for round_ in range(5):
            file.write(lines(count, count + 4_000))
            file.flush()
            count += 4_000
            Rampart.wait_for(lambda: counted(tail) == count)
            shutil.copy(path, tail.logs / f"app.log.{round_}")
            os.truncate(path, 0)
    assert_counted(tail, LINES)


def test_a_file_written_anew_to_the_same_length_is_another(tail):
    path = tail.logs / "app.log"
    path.write_text(lines(0, 8))
    tail.start()
    assert_counted(tail, 8)
    with open(path, "r+") as file:
        file.write(lines(8, 16)[:len(lines(0, 8))])
        file.truncate()
        file.write("" if len(lines(8, 16)) <= len(lines(0, 8)) else lines(8, 16)[len(lines(0, 8)):])
    assert_counted(tail, 16)


def test_stopped_rotated_and_started_again(tail):
    path = tail.logs / "app.log"
    path.write_text(lines(0, 4_000))
    tail.start()
    assert_counted(tail, 4_000)
    assert tail.stop() == 0
    with open(path, "a") as file:
        file.write(lines(4_000, 8_000))
    os.rename(path, tail.logs / "app.log.1")
    path.write_text(lines(8_000, 12_000))
    (tail.logs / "other.log").write_text(lines(12_000, 16_000))
    tail.start()
    assert_counted(tail, 16_000)


def test_killed_again_and_again_while_lines_come(tail):
    path = tail.logs / "app.log"
    stop = threading.Event()

    def write():
        with open(path, "a") as file:
            for start in range(0, LINES, 50):
                file.write(lines(start, start + 50))
                file.flush()
                time.sleep(0.005)
                if start and start % 5_000 == 0:
                    os.rename(path, tail.logs / f"app.log.{start}")
                    file.close()
                    file = open(path, "a")
        stop.set()

    writer = threading.Thread(target=write)
    tail.start()
    writer.start()
    kills = 0
    while not stop.is_set():
        time.sleep(0.35)
        tail.kill()
        kills += 1
        tail.start()
    writer.join()
    assert_counted(tail, LINES)
    assert kills >= 4


def test_a_line_that_is_too_long_is_rejected_once(tail):
    path = tail.logs / "app.log"
    path.write_text(lines(0, 4) + '{"event_type":"' + "x" * 3_000_000)
    tail.start()
    assert_counted(tail, 4)
    tail.stop()
    tail.start()
    with open(path, "a") as file:
        file.write("y" * 500_000 + '"}\n' + lines(4, 8))
    assert_counted(tail, 8)
    assert tail.total("rampart_ingest_events_total", protocol="file", outcome="rejected") == 1
    letter, = tail.get("/api/v1/deadletters").json()["dead_letters"]
    assert (letter["source"], letter["line"]) == ("file", 5)


def test_lines_wait_for_a_store_that_is_full(tail):
    path = tail.logs / "app.log"
    tail.environment = {"RAMPART_RETENTION_MAX_SIZE": "1MiB"}
    tail.start()
    # Every line is a series and a window of its own.
    with open(path, "a") as file:
        for number in range(20_000):
            file.write(f'{{"event_type":"cache_hit","cache":"c{number % 900}","timestamp":{int(time.time()) - number * 10}}}\n')
    Rampart.wait_for(lambda: b"app.log: waiting: store: full" in tail.log.read_bytes())
    assert tail.total("rampart_ingest_events_total", protocol="file", outcome="refused") > 0
    tail.stop()
    tail.environment = {}
    tail.start()
    Rampart.wait_for(lambda: tail.total("cache_hits_total") >= 20_000)
    assert tail.total("cache_hits_total") == 20_000
