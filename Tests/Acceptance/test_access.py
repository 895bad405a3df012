# SPDX-License-Identifier: Apache-2.0
"""Only the local user is answered: other names and pages of other origins are not."""

import socket

import pytest

from rampart import Rampart

WRITE = ("PATCH", "/api/v1/flags/ENABLE_PROFILE_CACHE")


@pytest.mark.parametrize("host, status", [
    ("127.0.0.1", 200), ("localhost", 200), ("LOCALHOST:8990", 200), ("[::1]:8990", 200), ("127.0.0.1:1", 200),
    ("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example:80", 403), ("", 403), ("127.0.0.1@evil", 403),
])
def test_host_is_loopback_or_configured(server, host, status):
    assert server.get("/api/v1/flags", {"Host": host}).status == status


def test_configured_hosts_are_answered(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_ALLOWED_HOSTS": "rampart.example.com"}) as server:
        assert server.get("/-/healthy", {"Host": "rampart.example.com"}).status == 200
        assert server.get("/-/healthy", {"Host": "other.example.com"}).status == 403


def test_writes_from_other_origins_are_refused(server):
    own = f"http://127.0.0.1:{server.port}"
    cases = [
        ({}, 200), ({"Origin": own}, 200), ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": f"http://localhost:{server.port}"}, 403), ({"Origin": own.replace("127.0.0.1", "127.0.0.2")}, 403),
        # A proxy may speak TLS with the browser.
        ({"Origin": own.replace("http", "https")}, 200),
    ]
    for headers, status in cases:
        answer = server.request(*WRITE, body={"description": f"{status} {headers}"}, headers=headers)
        assert answer.status == status, (headers, answer.body)
    # Events are writes as well.
    assert server.send_events('{"event_type":"cache_hit"}', {"Origin": "http://evil.example"}).status == 403
    assert server.total("cache_hits_total") == 0


def test_pages_of_other_sites_load_nothing_but_may_link(server):
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert server.get("/api/v1/query?query=1", cross | {"Sec-Fetch-Mode": "no-cors"}).status == 403
    assert server.get("/", cross | {"Sec-Fetch-Mode": "navigate"}).status == 200
    assert server.get("/api/v1/query?query=1", {"Sec-Fetch-Site": "same-origin"}).status == 200


@pytest.mark.parametrize("head, status", [
    ("Content-Length: 26\r\nContent-Length: 0\r\n", 400),
    ("Content-Length: 26\r\nTransfer-Encoding: chunked\r\n", 400),
    ("Transfer-Encoding: gzip, chunked\r\n", 400),
    ("Content-Length: 26\r\n", 200),
])
def test_where_a_body_ends_is_no_matter_of_opinion(server, head, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        request = f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{head}\r\n" + '{"event_type":"cache_hit"}'
        client.sendall(request.encode())
        assert int(client.recv(4096).split()[1]) == status


def test_flag_writes_demand_json(server):
    answer = server.request(*WRITE, body='{"description":"x"}', headers={"Content-Type": "text/plain"})
    assert answer.status == 415


def test_unknown_paths_and_methods_answer_json(server):
    assert server.get("/api/v1/nothing").json()["error"]
    refused = server.request("DELETE", "/metrics")
    assert refused.status == 405 and "GET" in refused.headers["allow"] and refused.json()["error"]
    for path in ("/assets/../Package.swift", "/assets/..%2f..%2fPackage.swift", "/assets/%00", "//etc/passwd"):
        assert server.get(path).status in (400, 404), path
