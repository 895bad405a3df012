# SPDX-License-Identifier: Apache-2.0
"""Starts the real binary on a free loopback port with a folder of its own, and talks to it over HTTP."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("RAMPART_BINARY", ROOT / ".build/release/rampart"))
DEADLINE_SECONDS = 30


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body

    def json(self):
        return json.loads(self.body)


class Rampart:
    """One server process. Restarting keeps the data folder and the port."""

    def __init__(self, folder, *arguments, environment=None):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.arguments = arguments
        self.environment = environment or {}
        self.port = 0
        self.process = None
        self.log = self.folder / "server.log"

    def start(self):
        offset = self.log.stat().st_size if self.log.exists() else 0
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAMPART_")} | self.environment
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.arguments],
                stdout=log, stderr=log, cwd=self.folder, env=environment)
        self.port = int(self.wait_for(lambda: self._listening(offset)))
        return self

    def _listening(self, offset):
        assert self.process.poll() is None, f"server ended: {self.log.read_text()}"
        found = re.search(rb"listening .*url=http://127\.0\.0\.1:(\d+)/", self.log.read_bytes()[offset:])
        return found and found.group(1)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None:
            self.kill()

    @staticmethod
    def wait_for(condition, seconds=DEADLINE_SECONDS, what="the condition"):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f"{what} did not hold within {seconds} s")

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method, path, body=None, headers=None, connection=None):
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | (headers or {})
        own = connection or self.connection()
        own.request(method, path, body=body, headers=headers or {})
        response = own.getresponse()
        answer = Answer(response, response.read())
        if connection is None:
            own.close()
        return answer

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def send_events(self, events, headers=None):
        body = events if isinstance(events, (bytes, str)) else "\n".join(json.dumps(e) for e in events)
        return self.post("/api/v1/events", body, headers)

    def samples(self):
        """{(name, (label, value)...): value} of /metrics."""
        text = self.get("/metrics").body.decode()
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples
        }

    def total(self, name, **labels):
        """Sum of the samples of a name that carry these labels."""
        wanted = set(labels.items())
        return sum(value for key, value in self.samples().items() if key[0] == name and wanted <= set(key[1:]))

    def resident_bytes(self):
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGESIZE")


def peak_bytes(pid):
    """The most that a process has had resident; 0 of one that has ended."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def watch_to_end(process):
    """The peak of a child until it ends. `ru_maxrss` would count the memory of the parent that started it."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_bytes(process.pid))
        time.sleep(0.01)
    return peak


def simulate(*arguments):
    return subprocess.run([BINARY, "simulate", *map(str, arguments)], capture_output=True, check=True)
