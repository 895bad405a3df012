# SPDX-License-Identifier: Apache-2.0
"""Many listeners hear of a kill, whatever soft limit on open files the server was started with."""

import re
import resource
import socket
from pathlib import Path

import rampart

SOFT_LIMIT = 256
LISTENERS = 700
ROLLOUT = "/api/v1/flags/ENABLE_PROFILE_CACHE/rollout"


def listener(port):
    one = socket.create_connection(("127.0.0.1", port), timeout=30)
    one.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return one


def read_until(one, text):
    received = b""
    while text not in received:
        part = one.recv(65536)
        assert part, received
        received += part
    return received


def test_a_kill_reaches_more_listeners_than_the_soft_limit_has_room_for(stopped_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT_LIMIT, hard))
    try:
        server = stopped_server.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    limits = Path(f"/proc/{server.process.pid}/limits").read_text()
    in_force = int(re.search(r"Max open files +(\d+)", limits).group(1))
    assert in_force == min(hard, 8_192 + 2_048)
    assert "open files: the limit" not in server.log.read_text()
    listeners = [listener(server.port) for _ in range(LISTENERS)]
    try:
        for one in listeners:
            assert read_until(one, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert server.post(f"{ROLLOUT}/kill", {"reason": "test"}).status == 200
        for one in listeners:
            assert b"event: rollout" in read_until(one, b'"state":"killed"')
    finally:
        for one in listeners:
            one.close()


def test_a_hard_limit_that_is_too_low_is_told(stopped_server):
    # Nobody can raise a hard limit again, so that of the child alone is lowered.
    script = stopped_server.folder / "few"
    script.write_text(f'#!/bin/bash\nulimit -n 512 && exec {rampart.BINARY} "$@"\n')
    script.chmod(0o755)
    original, rampart.BINARY = rampart.BINARY, script
    try:
        server = stopped_server.start()
    finally:
        rampart.BINARY = original
    assert "open files: the limit is 512, and 10240 are needed" in server.log.read_text()
    assert server.get("/-/healthy").status == 200
