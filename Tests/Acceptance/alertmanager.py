# SPDX-License-Identifier: Apache-2.0
"""Starts Debian's Alertmanager on a free loopback port; and a receiver of webhooks that answers as it is told to."""

import http.server
import json
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from prometheus import free_port
from rampart import Rampart


class Alertmanager:
    """One process with its own folder and one receiver that tells nobody."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        (self.folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        with open(self.folder / "alertmanager.log", "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                 f"--storage.path={self.folder}/alertmanager", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="],
                stdout=log, stderr=log)
        Rampart.wait_for(self._is_ready, seconds=60, what="Alertmanager's start")
        return self

    def _is_ready(self):
        assert self.process.poll() is None, (self.folder / "alertmanager.log").read_text()
        try:
            return self.alerts() is not None
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)

    def alerts(self):
        """Those that it takes for firing."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=60) as answer:
            return json.loads(answer.read())

    def received(self):
        """{status: count} of the alerts that it was sent."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:
            lines = [line.split() for line in answer.read().decode().splitlines()]
        counts = {"firing": 0, "resolved": 0}
        for line in lines:
            if line and line[0].startswith("alertmanager_alerts_received_total{"):
                counts["firing" if 'status="firing"' in line[0] else "resolved"] += int(float(line[1]))
        return counts


class Hook:
    """A receiver of webhooks. `answers` are used up one by one, each (status, headers), with a text or without, or "silence"; then 200."""

    def __init__(self, port=0):
        self.requests = []
        self.answers = []
        self.times = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = hook.answers.pop(0) if hook.answers else (200, {})
                if answer == "silence":
                    time.sleep(30)
                    return
                hook.requests.append((self.path, json.loads(body)))
                hook.times.append(time.monotonic())
                self.send_response(answer[0])
                text = "".join(answer[2:]).encode()
                for name, value in ({"Content-Length": str(len(text))} | answer[1]).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def told(self):
        """["NAME status"] of the alerts in webhooks, in the order they came."""
        return [f"{alert['labels']['alertname']} {alert['status']}" for _, body in self.requests for alert in body.get("alerts", [])]
