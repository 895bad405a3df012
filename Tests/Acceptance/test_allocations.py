# SPDX-License-Identifier: Apache-2.0
"""Counting an event allocates nothing: of two files of one size, the one with ten times the lines costs no more."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from rampart import BINARY, Rampart

FILE_BYTES = 24 << 20
SHORT, LONG = 160, 1_600


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    library = tmp_path_factory.mktemp("allocations") / "allocations.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("allocations.c")], check=True)
    return library


def write(path, line_bytes):
    """Lines of one length, of every usual kind, for some users and keys. Returns how many."""
    kinds = [
        '"event_type":"cache_hit","cache_tier":"L1","duration_ms":0.25', '"event_type":"cache_hit","cache_tier":"L2","duration_ms":1.5',
        '"event_type":"cache_miss","duration_ms":12.125', '"event_type":"cache_bypass","reason":"flag_off","duration_ms":9',
        '"event_type":"cache_set","cache_tier":"L2"',
    ]
    lines = []
    for number in range(FILE_BYTES // line_bytes):
        start = f'{{{kinds[number % len(kinds)]},"user_id":"user-{number % 40}","key":"profile:{number % 40}","x":"'
        lines.append(start + "x" * (line_bytes - len(start) - 3) + '"}\n')
    path.write_text("".join(lines))
    return len(lines)


def begin_ramp(folder):
    """A store whose flag tells the users of its cache apart from now on."""
    with Rampart(folder) as server:
        flag = server.request("PATCH", "/api/v1/flags/ENABLE_PROFILE_CACHE", {"rollout": {"variant": "on", "percent": 50}})
        assert flag.status == 200
        assert server.stop() == 0


def allocations(counter, folder, line_bytes):
    """(lines, allocations) of a run of `rampart ingest`."""
    log, count = folder / "events.ndjson", folder / "allocations"
    lines = write(log, line_bytes)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAMPART_")}
    environment |= {"LD_PRELOAD": str(counter), "ALLOCATIONS_FILE": str(count)}
    done = subprocess.run(
        [BINARY, "ingest", "--json", "--data", folder / "data", log], env=environment, cwd=folder, capture_output=True, check=True)
    assert json.loads(done.stdout)["accepted"] == lines
    return lines, int(count.read_text())


@pytest.mark.parametrize("is_governed", [False, True], ids=["alone", "with cohorts"])
def test_an_event_allocates_nothing(counter, tmp_path, is_governed):
    for name in ("long", "short"):
        (tmp_path / name).mkdir()
        if is_governed:
            begin_ramp(tmp_path / name)
    few_lines, few = allocations(counter, tmp_path / "long", LONG)
    many_lines, many = allocations(counter, tmp_path / "short", SHORT)
    each = (many - few) / (many_lines - few_lines)
    print(f"{few} allocations for {few_lines} lines, {many} for {many_lines}: {each:.4f} a line more")
    assert few > 1_000, "nothing was counted"
    assert each < 0.02
