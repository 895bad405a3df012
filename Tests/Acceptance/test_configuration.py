# SPDX-License-Identifier: Apache-2.0
"""Settings: defaults, file, environment; a wrong one stops the start and says where it stands."""

import json
import signal
import subprocess
import time

import pytest

from rampart import BINARY, Rampart


def serve(folder, *arguments, environment=None):
    return subprocess.run(
        [BINARY, "serve", "--data", folder / "data", "--listen", "127.0.0.1:0", *arguments], cwd=folder, capture_output=True,
        text=True, timeout=20, env=environment)


WRONG = [
    ("listen: 127.0.0.1\n", "rampart.yml:1: listen: 127.0.0.1: must be a loopback ADDRESS:PORT"),
    ("# comment\nlog:\n  level: loud\n", "rampart.yml:3: log.level: loud: must be one of trace, debug, info"),
    ("ingest:\n  max_bdy: 1MiB\n", "rampart.yml:2: ingest.max_bdy: unknown key: known here: dedupe_window, keys, label_limit, max_body"),
    ("resolution: 90s\n", "rampart.yml:1: resolution: 90s: must be a duration from 1s to 60s"),
    ("retention: {raw: soon}\n", "rampart.yml:1: retention.raw: soon: must be a duration"),
    ("ingest:\n  keys:\n    - {match: 'a:*'}\n", "rampart.yml:3: ingest.keys: match and cache must be given"),
    ("ingest: 5\n", "rampart.yml:1: ingest: must be a mapping"),
    ("nonsense: 1\n", "rampart.yml:1: nonsense: unknown key: known here: allowed_hosts, allowed_origins, data, external_url, ingest, listen, log, notify, resolution, retention, rules, sources"),
    ("dashboards: {}\n", "rampart.yml:1: dashboards: this version does not have it yet"),
    ("sources:\n  - redis: redis://127.0.0.1:6379\n", "rampart.yml:2: sources: redis: this version does not have it yet"),
    ("sources:\n  - file: a.log\n    cahce: x\n", "rampart.yml:3: sources: cahce: unknown key: known here: "),
    ("sources:\n  - service: a\n", "rampart.yml:2: sources: must have one of file"),
    ("sources:\n  - syslog: 127.0.0.1:5514\n", "rampart.yml:2: sources: syslog: 127.0.0.1:5514: must be tcp:// or udp://"),
    ("sources:\n  - syslog: tcp://0.0.0.0:5514\n", "rampart.yml:2: sources: syslog: tcp://0.0.0.0:5514: must be tcp:// or udp://"),
    ("sources: {file: a.log}\n", "rampart.yml:1: sources: must be a list of sources"),
    ("log: [\n", "not YAML"),
    ("- a\n", "must be a mapping of settings"),
]


@pytest.mark.parametrize("text, message", WRONG, ids=[message[:40] for _, message in WRONG])
def test_a_wrong_setting_stops_the_start(tmp_path, text, message):
    (tmp_path / "rampart.yml").write_text(text)
    result = serve(tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "rampart: rampart.yml" in result.stderr and len(result.stderr.splitlines()) == 1
    check = subprocess.run([BINARY, "config", "check", tmp_path / "rampart.yml"], capture_output=True, text=True)
    assert check.returncode == 2 and message.split(": ", 1)[-1] in check.stderr


def test_environment_overrides_file_and_a_wrong_name_is_refused(tmp_path):
    (tmp_path / "rampart.yml").write_text("resolution: 10s\nlog: {format: json}\n")
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "2s", "RAMPART_LOG_FORMAT": "text"}) as server:
        assert server.get("/api/v1/status").json()["resolution_ms"] == 2000
    result = serve(tmp_path, environment={"RAMPART_RESOLUTON": "2s"})
    assert result.returncode == 2 and "RAMPART_RESOLUTON: not a setting" in result.stderr


def test_json_log_lines_parse(tmp_path):
    process = subprocess.Popen(
        [BINARY, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env={"RAMPART_LOG_FORMAT": "json"})
    line = json.loads(process.stderr.readline())
    assert {"time", "level", "logger", "message"} <= set(line)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_configured_key_patterns_come_before_the_bundled_ones(tmp_path):
    (tmp_path / "rampart.yml").write_text("ingest:\n  keys:\n    - {match: 'blog:*', cache: articles, service: shop}\n")
    with Rampart(tmp_path) as server:
        server.send_events("[CACHE] HIT blog:hello\n[CACHE] HIT dash:7\n")
        assert server.total("cache_hits_total", cache="articles", service="shop", tier="L2") == 1
        assert server.total("cache_hits_total", cache="dashboard", service="web", tier="L2") == 1


def test_config_check_accepts_a_good_file(tmp_path):
    (tmp_path / "good.yml").write_text("listen: '[::1]:9000'\nretention: {raw: 3d, 1m: 35d, 1h: 2y, max_size: 20GiB}\n")
    result = subprocess.run([BINARY, "config", "check", tmp_path / "good.yml"], capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip()) == (0, f"{tmp_path}/good.yml: ok")


def test_only_loopback_is_served(tmp_path):
    result = serve(tmp_path, "--listen", "0.0.0.0:0")
    assert result.returncode == 2 and "loopback" in result.stderr
    (tmp_path / "open.yml").write_text("listen: 0.0.0.0:8990\n")
    result = subprocess.run([BINARY, "config", "check", tmp_path / "open.yml"], capture_output=True, text=True)
    assert result.returncode == 2 and "open.yml:1: listen: 0.0.0.0:8990: must be a loopback" in result.stderr


def test_a_folder_without_a_page_is_refused(tmp_path):
    result = serve(tmp_path, "--assets", str(tmp_path))
    assert result.returncode == 2 and "index.html" in result.stderr


def test_wrong_usage_is_2_and_help_is_0():
    assert subprocess.run([BINARY, "serve", "--nonsense"], capture_output=True).returncode == 2
    assert subprocess.run([BINARY, "nonsense"], capture_output=True).returncode == 2
    for arguments in (["--help"], ["serve", "--help"], ["simulate", "--help"], ["config", "check", "--help"]):
        result = subprocess.run([BINARY, *arguments], capture_output=True, text=True)
        assert result.returncode == 0 and "EXAMPLES" in result.stdout, arguments
    assert subprocess.run([BINARY, "--version"], capture_output=True, text=True).stdout.strip() == "0.1.0"


def test_a_store_in_use_is_refused_with_a_hint(server):
    result = serve(server.folder)
    assert result.returncode == 1 and "in use by another process" in result.stderr


def test_a_used_port_is_named(server, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    result = serve(other, "--listen", f"127.0.0.1:{server.port}")
    assert result.returncode == 1 and "already in use" in result.stderr


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rampart.sqlite").write_bytes(b"certainly not a database" * 100)
    result = serve(tmp_path)
    assert result.returncode == 1 and "not a database" in result.stderr


def test_sigterm_drains_and_exits_0(server):
    # A body that has been received in part is either answered or refused, never half counted.
    connection = server.connection()
    connection.putrequest("POST", "/api/v1/events")
    body = b'{"event_type":"cache_hit"}\n' * 100
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:500])
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    connection.send(body[500:])
    answer = connection.getresponse()
    assert answer.status == 200
    assert server.process.wait(timeout=15) == 0
    server.process = None
    server.start()
    assert server.total("cache_hits_total") == 100
