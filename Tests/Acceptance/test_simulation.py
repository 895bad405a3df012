# SPDX-License-Identifier: Apache-2.0
"""Simulated services against the running server: what `make demo` shows, in seconds."""

import subprocess

from rampart import BINARY, Rampart, simulate

KEY = "ENABLE_PROFILE_CACHE"
RAMP = f"/api/v1/flags/{KEY}/rollout"


def test_the_ramp_advances_and_rolls_back_when_redis_is_unplugged(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RESOLUTION": "1s"}) as server:
        services = subprocess.Popen(
            [BINARY, "simulate", "--server", f"http://127.0.0.1:{server.port}", "--ramp", "--bake", "3s", "--rate", "400"],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            Rampart.wait_for(lambda: server.get(RAMP).json()["percent"] == 50, what="50 %")
            assert server.total("cache_hits_total", cache="profile") > 0
            assert server.total("cache_hits_total", cache="match_results", tier="L2") > 0
            services.stdin.write("d\n")
            services.stdin.flush()
            ramp = Rampart.wait_for(
                lambda: (r := server.get(RAMP).json())["state"] == "rolled_back" and r, what="the rollback")
            assert "circuit breaker" in ramp["reason"] and ramp["percent"] == 0
            # The services obey: nobody asks the cache any more.
            Rampart.wait_for(lambda: bypasses_since(server, 2) > 0.95, what="bypasses of all")
        finally:
            services.kill()
            services.wait()


def bypasses_since(server, seconds):
    now = server.get("/api/v1/status").json()["now_ms"] / 1000
    rows = server.get(f"/api/v1/totals?from={now - seconds}&to={now}&by=cache").json()["rows"]
    row = next((r for r in rows if r["labels"]["cache"] == "profile"), None)
    return row["bypasses"] / row["lookups"] if row and row["lookups"] else 0


def test_the_same_seed_gives_the_same_file(tmp_path):
    arguments = ("--events", 5000, "--seed", 11, "--from", 1_790_000_000_000)
    first, second = simulate(*arguments).stdout, simulate(*arguments).stdout
    assert first == second and first.count(b"\n") >= 5000
    assert simulate("--events", 5000, "--seed", 12, "--from", 1_790_000_000_000).stdout != first


def test_a_missing_server_is_an_error_that_says_what_to_do():
    result = subprocess.run(
        [BINARY, "simulate", "--server", "http://127.0.0.1:9", "--duration", "1s"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 1 and "is the server running?" in result.stderr
