# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the sources become those of the settings, undisturbed where they stay, and as before where it cannot be."""

import re
import signal
import socket

import pytest

from rampart import Rampart

HIT = b"[CACHE] HIT cart:1\n"


class Reloading(Rampart):
    def write(self, *sources):
        (self.folder / "rampart.yml").write_text("sources:\n" + "".join(f"  - {source}\n" for source in sources))

    def reload(self):
        """What the log says of it."""
        offset = self.log.stat().st_size
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for(lambda: re.search(r"reload: .*sources.*", self.log.read_text()[offset:]), what="the reload").group(0)

    def counted(self, hits):
        self.wait_for(lambda: self.total("cache_hits_total", cache="cart") >= hits, what=f"{hits} hits")
        assert self.total("cache_hits_total", cache="cart") == hits


@pytest.fixture
def server(tmp_path):
    running = Reloading(tmp_path)
    running.write(f"file: {tmp_path}/a.log")
    (tmp_path / "a.log").write_bytes(HIT * 10)
    with running:
        running.counted(10)
        yield running


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_sources_come_stay_and_go(server):
    port = free_port()
    listener = f"{{syslog: 'tcp://127.0.0.1:{port}', cache: cart}}"
    server.write(f"file: {server.folder}/a.log", f"file: {server.folder}/b.log", listener)
    (server.folder / "b.log").write_bytes(HIT * 5)
    assert "sources are as the settings say" in server.reload()
    server.counted(15)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"<14>1 2026-11-21T10:00:00Z h app - - - Cache hit: cart:1\n".replace(b"2026-11-21T10:00:00Z", b"-"))
        server.counted(16)
        # The listener stays as it is, with its connection; the files go on where they stopped.
        server.write(f"file: {server.folder}/b.log", listener)
        server.reload()
        connection.sendall(b"<14>1 - h app - - - Cache hit: cart:1\n")
        server.counted(17)
        with open(server.folder / "a.log", "ab") as file:
            file.write(HIT)
        with open(server.folder / "b.log", "ab") as file:
            file.write(HIT * 2)
        server.counted(19)
    # It goes, and another kind takes its address; the file comes back and goes on where it stopped.
    server.write(f"file: {server.folder}/*.log", f"{{syslog: 'udp://127.0.0.1:{port}', cache: cart}}")
    server.reload()
    server.counted(20)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<14>1 - h app - - - Cache hit: cart:1", ("127.0.0.1", port))
    server.counted(21)
    assert server.stop() == 0


def test_what_is_wrong_leaves_the_old_ones_in_force(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for sources, reason in (
                (["nonsense: 1"], "unknown key"), ([f"{{syslog: 'tcp://127.0.0.1:{port}'}}"], "ddress already in use"),
                (["file: ''"], "must be a text")):
            server.write(*sources)
            told = server.reload()
            assert reason in told and "old sources" in told and "stay in force" in told
    with open(server.folder / "a.log", "ab") as file:
        file.write(HIT * 3)
    server.counted(13)
