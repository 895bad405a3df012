# SPDX-License-Identifier: Apache-2.0
"""Fluent's forward protocol: with fluent-logger, and with a sender that keeps a chunk until it is acknowledged, as Fluentd and Fluent Bit do."""

import gzip
import json
import logging
import socket
import sqlite3
import struct
import threading
import time

import fluent.handler
import fluent.sender
import msgpack
import pytest
import zstandard

from rampart import Rampart

EVENTS = 20_000
CHUNK = 200
MODES = ["message", "forward", "packed", "gzip", "zstd"]


def event(number):
    """Of four records one is a hit of L1, one a hit in a line of a container, one a miss and one no event."""
    return ({"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 0.5}, {"container_name": "/shop", "log": "[CACHE] HIT user:id:5"},
            {"level": "info", "message": {"event_type": "cache_miss", "service": "pay"}}, {"message": "started"})[number % 4]


def event_time():
    now_ns = time.time_ns()
    return msgpack.ExtType(0, struct.pack(">II", now_ns // 10**9, now_ns % 10**9))


def message(mode, numbers, chunk=None):
    entries = [[event_time(), event(number)] for number in numbers]
    options = {"size": len(entries)} | ({"chunk": chunk} if chunk else {})
    if mode == "message":
        (stamp, record), = entries
        return msgpack.packb(["app.cache", stamp, record, options])
    if mode == "forward":
        return msgpack.packb(["app.cache", entries, options])
    packed = b"".join(map(msgpack.packb, entries))
    if mode == "gzip":
        packed, options = gzip.compress(packed[:999]) + gzip.compress(packed[999:]), options | {"compressed": "gzip"}
    if mode == "zstd":
        packed, options = zstandard.compress(packed), options | {"compressed": "zstd"}
    return msgpack.packb(["app.cache", packed, options])


class Sender:
    """Sends chunks and keeps each until its acknowledgement, over as many connections as that takes."""

    def __init__(self, port, timeout=10):
        self.port, self.timeout = port, timeout
        self.connection = None

    def connect(self):
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
            self.unpacker = msgpack.Unpacker()
        return self.connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def send(self, *messages):
        self.connect().sendall(b"".join(messages))

    def ack(self):
        """The next one; nothing where the connection ends."""
        while True:
            for answer in self.unpacker:
                return answer["ack"]
            received = self.connection.recv(65_536)
            if not received:
                return None
            self.unpacker.feed(received)

    def deliver(self, chunks, at_once=8):
        """{id: message}, until all are acknowledged; how many had to be sent again."""
        waiting, sent = dict(chunks), 0
        deadline = time.monotonic() + 60
        while waiting:
            assert time.monotonic() < deadline, f"{len(waiting)} chunks are not acknowledged"
            batch = list(waiting)[:at_once]
            try:
                self.send(*(waiting[chunk] for chunk in batch))
                sent += len(batch)
                for _ in batch:
                    # In their order or not: the id tells.
                    del waiting[self.ack()]
            except (OSError, KeyError):
                self.close()
                time.sleep(0.02)
        return sent - len(chunks)


@pytest.fixture
def listening(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (tmp_path / "rampart.yml").write_text(f"sources:\n  - {{forward: '127.0.0.1:{port}', service: shop, cache: cart}}\n")
    with Rampart(tmp_path) as server:
        server.forward = port
        yield server


def assert_counted(server, count, **others):
    def outcomes():
        return {outcome: server.total("rampart_ingest_events_total", protocol="forward", outcome=outcome)
                for outcome in ("accepted", "ignored", "rejected", "duplicate")}

    Rampart.wait_for(lambda: sum(outcomes().values()) >= count, what=f"{count} records")
    assert outcomes() == {"accepted": count * 3 // 4, "ignored": count // 4, "rejected": 0, "duplicate": 0} | others
    assert server.total("cache_hits_total", service="shop", cache="cart", tier="L1") == count // 4
    assert server.total("cache_hits_total", service="auth", cache="user") == count // 4
    assert server.total("cache_misses_total", service="pay", cache="cart") == count // 4


def chunks(mode, count=EVENTS, size=CHUNK):
    size = 1 if mode == "message" else size
    return {f"{mode}-{start}": message(mode, range(start, start + size), f"{mode}-{start}") for start in range(0, count, size)}


@pytest.mark.parametrize("nanoseconds", [True, False])
def test_fluent_logger(listening, nanoseconds):
    sender = fluent.sender.FluentSender("app", host="127.0.0.1", port=listening.forward, nanosecond_precision=nanoseconds)
    for number in range(EVENTS):
        assert sender.emit("cache", event(number)), sender.last_error
    sender.close()
    assert_counted(listening, EVENTS)
    assert listening.total("rampart_ingest_source_errors_total", protocol="forward") == 0


def test_fluent_loggers_handler(listening):
    handler = fluent.handler.FluentHandler("app", host="127.0.0.1", port=listening.forward)
    handler.setFormatter(fluent.handler.FluentRecordFormatter({"level": "%(levelname)s", "service": "api"}))
    logger = logging.getLogger("test_forward")
    logger.propagate = False
    logger.addHandler(handler)
    logger.warning({"event_type": "cache_miss", "cache": "profile"})
    logger.warning("Cache miss: user:id:5")
    logger.warning(json.dumps({"event_type": "cache_miss", "cache": "own"}))
    handler.close()
    logger.removeHandler(handler)
    Rampart.wait_for(lambda: listening.total("cache_misses_total") == 3)
    assert {key[1:3] for key in listening.samples() if key[0] == "cache_misses_total"} == {
        (("cache", "profile"), ("service", "api")), (("cache", "user"), ("service", "auth")), (("cache", "own"), ("service", "api"))}


@pytest.mark.parametrize("mode", MODES)
def test_every_chunk_is_acknowledged_and_counts_once(listening, mode):
    sender = Sender(listening.forward)
    all_chunks = chunks(mode)
    assert sender.deliver(all_chunks, at_once=200) == 0
    assert_counted(listening, EVENTS)
    # As if acknowledgements had been lost, also over a restart.
    again = dict(list(all_chunks.items())[::3])
    assert sender.deliver(again) == 0
    listening.kill()
    listening.start()
    sender.close()
    assert sender.deliver(again) == 0
    records = sum(1 if mode == "message" else CHUNK for _ in again)
    assert listening.total("rampart_ingest_events_total", protocol="forward", outcome="duplicate") == records
    row, = (row for row in listening.get("/api/v1/totals?by=service").json()["rows"] if row["labels"] == {"service": "pay"})
    assert row["misses"] == EVENTS // 4


def test_one_message_in_many_reads_and_many_in_one(listening):
    stream = b"".join(b"\xc0" + message(mode, range(4)) for mode in MODES[1:] for _ in range(50))
    with socket.create_connection(("127.0.0.1", listening.forward)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, 7_000, 7):
            connection.sendall(stream[start:start + 7])
        connection.sendall(stream[7_000:])
        # Nothing was acknowledged, because nobody asked.
        assert_counted(listening, 4 * 50 * 4)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_killed_again_and_again_while_chunks_come(listening):
    all_chunks = [chunks(mode, EVENTS // 4, size=8) for mode in MODES[1:]]
    resent = []
    threads = [threading.Thread(target=lambda part=part: resent.append(Sender(listening.forward).deliver(part, at_once=1))) for part in all_chunks]
    done = threading.Event()
    kills = []

    def kill():
        while not done.wait(0.1):
            listening.kill()
            kills.append(time.time())
            listening.start()

    killer = threading.Thread(target=kill)
    killer.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    killer.join()
    listening.kill()
    listening.start()
    rows = {row["labels"]["service"]: row for row in listening.get("/api/v1/totals?by=service").json()["rows"]}
    # Each range of numbers was sent in four modes with ids of their own.
    assert (rows["shop"]["hits"], rows["auth"]["hits"], rows["pay"]["misses"]) == (EVENTS // 4, EVENTS // 4, EVENTS // 4)
    assert len(kills) >= 3 and sum(resent) > 0, (kills, resent)


def test_a_broken_stream_ends_alone_and_says_why(listening):
    good = Sender(listening.forward)
    assert good.deliver(chunks("forward", CHUNK)) == 0
    broken = [
        (b"GET / HTTP/1.1\r\n\r\n", "message: must be an array"), (msgpack.packb(["t", b"\xc1"]), "broken MessagePack at byte 1"),
        (b"\x92\xa1t\xc6\xff\xff\xff\xff", "a message has more than 67108864 bytes"),
        (msgpack.packb(["t", b"x", {"compressed": "gzip"}]), "compressed body: "),
        (msgpack.packb(["t", gzip.compress(bytes(70 << 20)), {"compressed": "gzip"}]), "compressed body: more than 67108864 bytes"),
        (msgpack.packb(["t", gzip.compress(b"\x92\x00"), {"compressed": "gzip", "chunk": "x"}]), "broken MessagePack at byte 3"),
    ]
    for number, (text, reason) in enumerate(broken):
        with socket.create_connection(("127.0.0.1", listening.forward), timeout=10) as connection:
            # What stood before it counts.
            connection.sendall(message("forward", range(4)) + text)
            assert connection.recv(100) == b""
        assert f"forward: a connection was closed: {reason}" in listening.log.read_text()
        assert listening.total("rampart_ingest_source_errors_total", protocol="forward") == number + 1
    with socket.create_connection(("127.0.0.1", listening.forward), timeout=10) as connection:
        connection.sendall(message("forward", range(4))[:50])
    Rampart.wait_for(lambda: "it ended in the middle of a message, of which 50 bytes had come" in listening.log.read_text())
    good.send(message("packed", range(CHUNK), "last"))
    assert good.ack() == "last"
    assert_counted(listening, 2 * CHUNK + 4 * len(broken))


def test_memory_is_bounded(listening):
    before = listening.resident_bytes()
    connections = [socket.create_connection(("127.0.0.1", listening.forward), timeout=10) for _ in range(12)]
    head = b"\x92\xa1t\xc6" + struct.pack(">I", 40 << 20)
    closed = 0
    for connection in connections:
        try:
            connection.sendall(head + bytes(30 << 20))
        except OSError:
            closed += 1
    Rampart.wait_for(lambda: listening.total("rampart_ingest_source_errors_total", protocol="forward") >= 4)
    # Four times the largest message, and room for arrays that grow.
    assert listening.resident_bytes() - before < (256 << 20) * 2.2
    for connection in connections:
        connection.close()
    assert "bytes of messages wait for their ends on the others" in listening.log.read_text()
    assert Sender(listening.forward).deliver(chunks("packed", CHUNK)) == 0


def test_a_full_store_acknowledges_nothing_and_reads_nothing(listening):
    listening.stop()
    listening.environment = {"RAMPART_RETENTION_MAX_SIZE": "1MiB"}
    listening.start()
    now = int(time.time())
    part = chunks("packed")
    # Every record of these is a series and a window of its own.
    wide = {f"wide-{i}": msgpack.packb(["t", [[now - i * 600 - j * 10, {"event_type": "cache_hit", "cache": f"d{(i * 7 + j) % 900}", "duration_ms": j + i}]
                                              for j in range(200)], {"chunk": f"wide-{i}"}]) for i in range(200)}
    resent = []
    sender = threading.Thread(target=lambda: resent.append(Sender(listening.forward, timeout=3).deliver(wide | part, at_once=20)))
    sender.start()
    Rampart.wait_for(lambda: "forward: waiting: store: full" in listening.log.read_text())
    assert listening.total("rampart_ingest_events_total", protocol="forward", outcome="refused") > 0
    assert sender.is_alive()
    listening.stop()
    listening.environment = {}
    listening.start()
    sender.join()
    assert listening.total("cache_hits_total", service="auth") == listening.total("cache_misses_total", service="pay") == EVENTS // 4
    assert listening.total("cache_hits_total", service="shop") == EVENTS // 4 + 40_000


def test_a_store_that_cannot_write_now_is_waited_for(listening):
    other = sqlite3.connect(listening.data / "rampart.sqlite", isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    with socket.create_connection(("127.0.0.1", listening.forward), timeout=0.5) as connection:
        connection.sendall(message("packed", range(CHUNK), "first"))
        Rampart.wait_for(lambda: "forward: waiting: " in listening.log.read_text())
        connection.sendall(message("packed", range(CHUNK), "second"))
        with pytest.raises(TimeoutError):
            connection.recv(1)
        other.execute("ROLLBACK")
        other.close()
        connection.settimeout(20)
        received = b""
        while len(received) < len(msgpack.packb({"ack": "first"}) + msgpack.packb({"ack": "second"})):
            received += connection.recv(100)
    assert received == msgpack.packb({"ack": "first"}) + msgpack.packb({"ack": "second"})
    assert_counted(listening, 2 * CHUNK)


def test_what_is_on_its_way_at_the_stop_is_counted(listening):
    with socket.create_connection(("127.0.0.1", listening.forward)) as connection:
        connection.sendall(message("forward", range(CHUNK)) + message("packed", range(CHUNK), "c"))
        time.sleep(0.3)
        assert listening.stop() == 0
        assert msgpack.unpackb(connection.recv(100)) == {"ack": "c"}
    listening.start()
    assert listening.total("cache_hits_total", service="shop", cache="cart") == 2 * CHUNK // 4


def test_many_connections(listening):
    connections = [socket.create_connection(("127.0.0.1", listening.forward)) for _ in range(300)]
    Rampart.wait_for(lambda: listening.total("rampart_ingest_source_errors_total", protocol="forward") == 44)
    for connection in connections[:256]:
        connection.sendall(message("forward", range(4)))
    assert_counted(listening, 1_024)
    for connection in connections:
        connection.close()


def test_a_wrong_address_stops_the_start(tmp_path):
    import subprocess
    from rampart import BINARY
    for address in ("0.0.0.0:24224", "24224", "tcp://127.0.0.1:24224"):
        (tmp_path / "rampart.yml").write_text(f"sources: [{{forward: '{address}'}}]\n")
        result = subprocess.run([BINARY, "config", "check", "rampart.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
        assert result.returncode == 2 and f"forward: {address}: must be a loopback ADDRESS:PORT" in result.stderr, result.stderr
