# SPDX-License-Identifier: Apache-2.0
"""The processes that the benchmarks measure: Rampart and its peers, each with its own folder and loopback port."""

import http.client
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

DEADLINE_SECONDS = 30
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something could not be measured: a tool is missing, or a server did not answer as it must."""


def wait_for(condition, what, seconds=DEADLINE_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.01)
    raise BenchError(f"{what} did not happen within {seconds} s")


def run(*command):
    """Standard output of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True)
    if done.returncode != 0:
        raise BenchError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of a process, of all its threads, ended ones too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def megabytes(pid, field):
    """A size of the process as the system has it, such as VmRSS; 0 of one that has ended."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found.group(1)) * 1024 / 1e6 if found else 0


class Connection:
    """A keep-alive connection that sends requests as the bytes they are, so that the sender costs next to nothing."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def send(self, request):
        """(status, body) of the answer."""
        self.socket.sendall(request)
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            self._receive()
        head = self.received[:end]
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        total = end + 4 + (int(length.group(1)) if length else 0)
        while len(self.received) < total:
            self._receive()
        body, self.received = self.received[end + 4:total], self.received[total:]
        return int(head.split(b" ", 2)[1]), body

    def _receive(self):
        part = self.socket.recv(65536)
        if not part:
            raise BenchError("the server closed a connection")
        self.received += part

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request_bytes(method, target, body=b"", content_type=None):
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    if content_type:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """A child process with a log, stopped at the end of a `with`, whatever ends it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "server.log"
        self.process = None
        self.port = 0

    def spawn(self, command, environment=None):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=environment)

    def check_alive(self):
        if self.process.poll() is not None:
            raise BenchError(f"{self.process.args[0]} ended: {self.log.read_text(errors='replace')[-2000:]}")

    def wait_until_answers(self, target):
        """Until `target` is answered 200."""
        def answers():
            self.check_alive()
            try:
                with Connection(self.port) as connection:
                    return connection.send(request_bytes("GET", target))[0] == 200
            except ConnectionRefusedError:
                return False
        wait_for(answers, f"the first answer of {self.process.args[0]}")

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=DEADLINE_SECONDS)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


class Rampart(Server):
    """`rampart serve` on any free port, or on a given one without waiting for it."""

    def __init__(self, binary, folder, **settings):
        """`settings`: by the end of their environment variables, in lower case."""
        super().__init__(folder)
        self.binary = binary
        self.data = self.folder / "data"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RAMPART_")}
        self.environment |= {f"RAMPART_{name.upper()}": str(value) for name, value in settings.items()}

    def launch(self, port):
        self.spawn([self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{port}"], self.environment)

    def start(self):
        self.launch(0)
        self.port = int(wait_for(self._listening_port, "rampart's listening"))
        return self

    def _listening_port(self):
        self.check_alive()
        found = re.search(rb"listening .*url=http://127\.0\.0\.1:(\d+)/", self.log.read_bytes())
        return found and found.group(1)

    def request(self, method, target, body=b"", content_type=None):
        with Connection(self.port) as connection:
            status, answer = connection.send(request_bytes(method, target, body, content_type))
        if status != 200:
            raise BenchError(f"{method} {target} was answered {status}: {answer[:500]!r}")
        return answer

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def resident_megabytes(self):
        return megabytes(self.process.pid, "VmRSS")

    def peak_megabytes(self):
        """The most that was resident at any time."""
        return megabytes(self.process.pid, "VmHWM")


class Prometheus(Server):
    """Debian's Prometheus, serving the blocks that are in `folder/tsdb`."""

    def __init__(self, folder, rules=None):
        super().__init__(folder)
        self.rules = [str(rules)] if rules else []
        self.port = free_port()

    def request(self, method, target):
        # Its longer answers come in chunks.
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, target)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise BenchError(f"{method} {target} was answered {answer.status}: {body[:500]!r}")
        return body

    def start(self):
        # JSON is YAML.
        (self.folder / "prometheus.yml").write_text(json.dumps({"rule_files": self.rules}))
        self.spawn(["prometheus", f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.folder}/tsdb", "--storage.tsdb.retention.time=100y",
                    f"--web.listen-address=127.0.0.1:{self.port}"])
        self.wait_until_answers("/-/ready")
        return self


class Nginx(Server):
    """nginx with two workers that answer everything with the same body."""

    CONFIGURATION = """
daemon off;
%(user)s
worker_processes 2;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path temporary;
  proxy_temp_path temporary;
  fastcgi_temp_path temporary;
  uwsgi_temp_path temporary;
  scgi_temp_path temporary;
  server {
    listen 127.0.0.1:%(port)d;
    default_type application/json;
    location / { return 200 '%(body)s'; }
  }
}
"""

    def __init__(self, folder, body):
        super().__init__(folder)
        self.body = body
        self.port = free_port()

    def start(self):
        # Only root may name a user, and without one root's workers would run as www-data.
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        values = {"user": user, "port": self.port, "body": self.body.decode()}
        (self.folder / "nginx.conf").write_text(self.CONFIGURATION % values)
        self.spawn(["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"])
        self.wait_until_answers("/")
        return self

    def cpu_seconds(self):
        master = self.process.pid
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if len(workers) != 2:
            raise BenchError(f"nginx runs {len(workers)} workers in place of 2")
        return sum(map(cpu_seconds, workers))
