# SPDX-License-Identifier: Apache-2.0
"""How long a kill takes to reach everybody who listens to an event stream, and what so many listeners take.

Sender and listeners are one thread here on the same processors, so the time of the last one counts their own work, too.
"""

import contextlib
import json
import resource
import select
import socket
import statistics
import time

from processes import DEADLINE_SECONDS, BenchError, Connection, Rampart, request_bytes, wait_for
from table import judge, spread

ROUNDS = 7
# The server takes 1,024 connections of one address.
LISTENERS_OF_ADDRESS = 1_000
FLAG = "ENABLE_PROFILE_CACHE"
ROLLOUT = f"/api/v1/flags/{FLAG}/rollout"
STREAMS = (("/api/v1/stream", b'"state":"killed"'), ("/ofrep/v1/stream", b"refetchEvaluation"))
LIMITS = ((1_000, 100), (5_000, 250))
RESIDENT_MB_MAX = 150


class Listeners:
    """Connections to one stream whose head has been read."""

    def __init__(self, port, path, count):
        self.poll = select.epoll()
        self.sockets = {}
        request = request_bytes("GET", path)
        for number in range(count):
            one = socket.socket()
            one.bind((f"127.0.1.{1 + number // LISTENERS_OF_ADDRESS}", 0))
            one.settimeout(DEADLINE_SECONDS)
            one.connect(("127.0.0.1", port))
            one.sendall(request)
            self.sockets[one.fileno()] = one
        for one in self.sockets.values():
            head = b""
            while b"\r\n\r\n" not in head:
                part = one.recv(4096)
                head += part
                if not part:
                    raise BenchError(f"a listener was not taken: {head[:200]!r}")
            if not head.startswith(b"HTTP/1.1 200"):
                raise BenchError(f"a listener was refused: {head[:200]!r}")
            one.setblocking(False)
            self.poll.register(one, select.EPOLLIN)

    def drain(self):
        """Reads until nobody has got anything for a while."""
        while ready := self.poll.poll(0.3):
            for descriptor, _ in ready:
                self._read(descriptor)

    def reached(self, text, begin):
        """Milliseconds from `begin()` until each has got an event with `text`, ascending."""
        waiting = dict.fromkeys(self.sockets, b"")
        began = time.perf_counter()
        begin()
        milliseconds = []
        while waiting:
            ready = self.poll.poll(DEADLINE_SECONDS)
            if not ready:
                raise BenchError(f"{len(waiting)} listeners heard nothing")
            for descriptor, _ in ready:
                part = self._read(descriptor)
                if descriptor in waiting:
                    waiting[descriptor] += part
                    if text in waiting[descriptor]:
                        del waiting[descriptor]
                        milliseconds.append((time.perf_counter() - began) * 1e3)
        return milliseconds

    def _read(self, descriptor):
        part = self.sockets[descriptor].recv(65536)
        if not part:
            raise BenchError("the server closed a listener")
        return part

    def close(self):
        self.poll.close()
        for one in self.sockets.values():
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def wait_until_listening(server, count):
    line = f"rampart_http_event_listeners {count}\n".encode()
    wait_for(lambda: line in server.request("GET", "/metrics"), f"{count} listeners")


def kills(server, listeners, text):
    """Milliseconds until the last listener has heard of a kill, and the processor time of the server, of each round."""
    last, cpu = [], []
    with Connection(server.port) as operator:
        for _ in range(ROUNDS):
            if operator.send(request_bytes("POST", ROLLOUT, b"{}", "application/json"))[0] != 200:
                raise BenchError("the ramp did not start")
            listeners.drain()
            kill = request_bytes("POST", f"{ROLLOUT}/kill", b'{"reason":"bench"}', "application/json")
            used = server.cpu_seconds()
            last.append(listeners.reached(text, lambda: operator.socket.sendall(kill))[-1])
            cpu.append(server.cpu_seconds() - used)
            status, answer = operator.send(b"")
            if status != 200 or json.loads(answer)["state"] != "killed":
                raise BenchError(f"the kill was answered {status}: {answer[:300]!r}")
    return last, cpu


@contextlib.contextmanager
def ample_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def bench_listeners(binary, folder):
    for path, text in STREAMS:
        for count, limit in LIMITS:
            name = f"listeners-{count}{path.replace('/', '-')}"
            # The server raises its soft limit itself.
            with Rampart(binary, folder / name) as server, ample_descriptors(), Listeners(server.port, path, count) as listeners:
                wait_until_listening(server, count)
                last, cpu = kills(server, listeners, text)
                judge(f"kill to {count} of {path}", statistics.median(last), "ms",
                      f"rounds {spread(last)}; CPU of the server {statistics.median(cpu) * 1e3:.0f} ms", at_most=limit)
                judge("  resident with them", server.peak_megabytes(), "MB", "the most at any time", at_most=RESIDENT_MB_MAX)
