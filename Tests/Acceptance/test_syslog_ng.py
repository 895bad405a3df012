# SPDX-License-Identifier: Apache-2.0
"""syslog-ng as it is: over HTTP in batches, and over TCP in both of its framings. The snippets are those of docs/shippers.md."""

import http.server
import re
import subprocess
import threading
import time

import pytest

from rampart import ROOT, Rampart

EVENTS = 20_000


def line(number):
    return ('{"event_type":"cache_hit","cache_tier":"L1","duration_ms":0.5}', "[CACHE] HIT user:id:5", "Cache miss: user:id:5",
            'it says "started" \\ here')[number % 4]


def snippet(name):
    """A destination of docs/shippers.md."""
    text = (ROOT / "docs/shippers.md").read_text()
    return re.search(rf"^destination {name} \{{.*?^\}};", text, re.MULTILINE | re.DOTALL).group(0)


class SyslogNG:
    """One process that reads app.log from its beginning and ships it; a restart goes on where it stopped."""

    def __init__(self, folder, destination):
        self.folder = folder
        self.process = None
        (folder / "syslog-ng.conf").write_text(
            "@version: 3.35\noptions { stats-freq(0); use-uniqid(yes); };\n"
            f'source app {{ file("{folder}/app.log" flags(no-parse) follow-freq(0.2)); }};\n{destination}\n'
            "log { source(app); destination(app); flags(flow-control); };\n")

    def start(self):
        with open(self.folder / "syslog-ng.log", "ab") as log:
            self.process = subprocess.Popen(
                ["syslog-ng", "--foreground", "--stderr", "--no-caps", "--cfgfile", "syslog-ng.conf", "--persist-file", "persist",
                 "--control", "control", "--pidfile", "pid"], cwd=self.folder, stdout=log, stderr=log)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process = None


@pytest.fixture
def syslog_ng(tmp_path):
    """Starts one with a snippet of the documentation, its address replaced."""
    running = []

    def start(name, documented, address, events=EVENTS):
        folder = tmp_path / "syslog-ng"
        folder.mkdir()
        (folder / "app.log").write_text("".join(line(number) + "\n" for number in range(events)))
        text = snippet(name)
        assert text.count(documented) == 1
        buffer = f'dir("{folder}") '
        destination = text.replace(documented, address).replace(f"destination {name} ", "destination app ").replace("disk-buffer(", "disk-buffer(" + buffer)
        running.append(SyslogNG(folder, destination).start())
        return running[0]

    yield start
    for process in running:
        if process.process is not None:
            process.stop()


def outcomes(server, protocol):
    return {outcome: server.total("rampart_ingest_events_total", protocol=protocol, outcome=outcome)
            for outcome in ("accepted", "ignored", "rejected", "duplicate")}


def assert_events(server, service):
    assert server.total("cache_hits_total", service=service, tier="L1") == EVENTS // 4
    assert server.total("cache_hits_total", service="auth", cache="user", tier="L2") == EVENTS // 4
    assert server.total("cache_misses_total", service="auth", cache="user") == EVENTS // 4


def assert_counted(server, protocol, service):
    Rampart.wait_for(lambda: sum(outcomes(server, protocol).values()) >= EVENTS, seconds=60, what=f"{EVENTS} lines")
    assert outcomes(server, protocol) == {"accepted": EVENTS * 3 // 4, "ignored": EVENTS // 4, "rejected": 0, "duplicate": 0}
    assert_events(server, service)


@pytest.mark.parametrize("name,protocol", [("rampart", "elasticsearch"), ("rampart_events", "events")])
def test_http_in_batches(server, syslog_ng, name, protocol):
    before = server.total("rampart_http_requests_total")
    syslog_ng(name, "127.0.0.1:8990", f"127.0.0.1:{server.port}")
    assert_counted(server, protocol, "profile")
    # The requests of this test itself are few.
    assert server.total("rampart_http_requests_total") - before < EVENTS / 10


def test_http_with_ids_is_exact_however_often_the_server_is_killed(server, syslog_ng):
    syslog_ng("rampart", "127.0.0.1:8990", f"127.0.0.1:{server.port}")
    for _ in range(6):
        time.sleep(0.4)
        server.kill()
        server.start()
    Rampart.wait_for(lambda: server.total("cache_misses_total") >= EVENTS // 4, seconds=60)
    time.sleep(1.5)
    assert_events(server, "profile")


class Refusing(http.server.BaseHTTPRequestHandler):
    """Refuses the first five requests, and keeps the lines of the others."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen += 1
        is_taken = self.server.seen > 5
        if is_taken:
            self.server.lines += body.splitlines()
        self.send_response(200 if is_taken else self.server.status)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [429, 503, 400, 413])
def test_what_it_does_with_a_refusal(syslog_ng, status):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as stub:
        stub.status, stub.seen, stub.lines = status, 0, []
        threading.Thread(target=stub.serve_forever).start()
        try:
            syslog_ng("rampart_events", "127.0.0.1:8990", f"127.0.0.1:{stub.server_port}", events=10_000)
            # Kept for ever, or each refused batch is dropped.
            requests = 15 if status in (429, 503) else 10
            Rampart.wait_for(lambda: stub.seen >= requests, seconds=60, what=f"{stub.seen} requests")
            time.sleep(1.5)
            assert (stub.seen, len(stub.lines)) == (requests, (requests - 5) * 1_000)
        finally:
            stub.shutdown()


@pytest.mark.parametrize("name", ["rampart_syslog", "rampart_network"])
def test_tcp(tmp_path, syslog_ng, name):
    (tmp_path / "rampart.yml").write_text("sources:\n  - {syslog: 'tcp://127.0.0.1:0', service: shop, cache: cart}\n")
    with Rampart(tmp_path) as server:
        port = re.search(r"syslog url=tcp://127\.0\.0\.1:(\d+)", server.log.read_text()).group(1)
        syslog_ng(name, "port(5514)", f"port({port})")
        assert_counted(server, "syslog", "shop")
