# SPDX-License-Identifier: Apache-2.0
"""Syslog over TCP and UDP, with Python's own handler and by hand."""

import json
import logging
import logging.handlers
import re
import socket
import time

import pytest

from rampart import Rampart

MESSAGES = 20_000


@pytest.fixture
def listening(tmp_path):
    (tmp_path / "rampart.yml").write_text(
        "sources:\n  - {syslog: 'tcp://127.0.0.1:0', service: shop, cache: cart}\n  - {syslog: 'udp://127.0.0.1:0', service: shop, cache: cart}\n")
    with Rampart(tmp_path) as server:
        log = server.log.read_text()
        server.tcp, server.udp = (int(re.search(rf"syslog url={kind}://127\.0\.0\.1:(\d+)", log).group(1)) for kind in ("tcp", "udp"))
        yield server


def message(number):
    """Of four messages one is a hit in a line, one a hit as JSON in CEE, one a miss, one no event."""
    stamp = time.strftime("%b %d %H:%M:%S")
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (f"<13>{stamp} host app[7]: [CACHE] HIT user:id:{number}", f'<13>{stamp} host app: @cee: {{"event_type":"cache_hit"}}',
            f'<165>1 {iso} host app 7 ID [a@1 b="]"] {json.dumps({"msg": "Cache miss: user:id:1"})}',
            f"<165>1 {iso} host app 7 - - started")[number % 4].encode()


def assert_counted(server, count):
    Rampart.wait_for(lambda: sum(server.total("rampart_ingest_events_total", protocol="syslog", outcome=o)
                                 for o in ("accepted", "ignored", "rejected")) >= count, what=f"{count} messages")
    assert server.total("rampart_ingest_events_total", protocol="syslog", outcome="accepted") == count * 3 // 4
    assert server.total("rampart_ingest_events_total", protocol="syslog", outcome="ignored") == count // 4
    assert server.total("cache_hits_total", service="auth", cache="user") == count // 4
    assert server.total("cache_hits_total", service="shop", cache="cart") == count // 4
    assert server.total("cache_misses_total") == count // 4


@pytest.mark.parametrize("framing", ["newline", "counted", "mixed"])
def test_every_message_over_tcp_counts(listening, framing):
    with socket.create_connection(("127.0.0.1", listening.tcp)) as connection:
        stream = b""
        for number in range(MESSAGES):
            text = message(number)
            is_counted = framing == "counted" or framing == "mixed" and number % 3 == 0
            stream += b"%d %s" % (len(text), text) if is_counted else text + b"\n"
        for start in range(0, len(stream), 7_777):
            connection.sendall(stream[start:start + 7_777])
    assert_counted(listening, MESSAGES)


def test_datagrams(listening):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(2_000):
            sender.sendto(message(number), ("127.0.0.1", listening.udp))
            if number % 50 == 49:
                time.sleep(0.005)
    assert_counted(listening, 2_000)


def test_pythons_own_handler(listening):
    for kind, port in ((socket.SOCK_STREAM, listening.tcp), (socket.SOCK_DGRAM, listening.udp)):
        handler = logging.handlers.SysLogHandler(("127.0.0.1", port), socktype=kind)
        # Over TCP the handler ends messages with NUL alone.
        handler.append_nul = kind == socket.SOCK_DGRAM
        logger = logging.getLogger(f"syslog-{port}")
        logger.addHandler(handler)
        logger.warning("Cache hit: user:id:5" + ("\n" if kind == socket.SOCK_STREAM else ""))
        handler.close()
    Rampart.wait_for(lambda: listening.total("cache_hits_total", service="auth", cache="user", tier="L2") == 2)


def test_what_is_on_its_way_at_the_stop_is_counted(listening):
    with socket.create_connection(("127.0.0.1", listening.tcp)) as connection:
        connection.sendall(b"<13>[CACHE] HIT user:id:1\n" * 1_000 + b"<13>[CACHE] HIT user:id:1")
        time.sleep(0.5)
        assert listening.stop() == 0
    listening.start()
    assert listening.total("cache_hits_total") == 1_000


def test_long_lines_and_many_connections(listening):
    connections = [socket.create_connection(("127.0.0.1", listening.tcp)) for _ in range(300)]
    time.sleep(0.3)
    # The first ones are served, the others were closed.
    connections[0].sendall(b"<13>" + b"x" * 1_000_000 + b"\n<13>[CACHE] HIT user:id:1\n")
    connections[1].sendall(b"400000 <13>" + b"x" * 399_996 + b"25 <13>[CACHE] HIT user:id:1\n")
    Rampart.wait_for(lambda: listening.total("cache_hits_total") == 2)
    assert listening.total("rampart_ingest_events_total", protocol="syslog", outcome="rejected") == 2
    assert listening.total("rampart_ingest_source_errors_total", protocol="syslog") == 44
    for connection in connections:
        connection.close()


def test_a_port_that_is_taken_stops_the_start(listening, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "rampart.yml").write_text(f"sources: [{{syslog: 'tcp://127.0.0.1:{listening.tcp}'}}]\n")
    import subprocess
    from rampart import BINARY
    result = subprocess.run([BINARY, "serve", "--data", other / "data", "--listen", "127.0.0.1:0"], cwd=other, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and f"listen on 127.0.0.1:{listening.tcp}" in result.stderr
