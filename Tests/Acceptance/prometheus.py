# SPDX-License-Identifier: Apache-2.0
"""Starts Debian's Prometheus on a free loopback port, and asks it."""

import json
import socket
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

from rampart import Rampart


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """One process with its own folder; blocks that are in `folder/tsdb` before the start are served."""

    def __init__(self, folder, configuration=None):
        self.folder = Path(folder)
        self.configuration = configuration or {}
        self.port = free_port()

    def __enter__(self):
        # JSON is YAML.
        (self.folder / "prometheus.yml").write_text(json.dumps(self.configuration))
        with open(self.folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
                 "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log)
        Rampart.wait_for(self._is_ready, seconds=60, what="Prometheus' start")
        return self

    def _is_ready(self):
        assert self.process.poll() is None, (self.folder / "prometheus.log").read_text()
        try:
            return self.get("/-/ready") is not None
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()

    def result(self, path, **parameters):
        return json.loads(self.get(path, **parameters))["data"]["result"]
