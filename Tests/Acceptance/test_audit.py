# SPDX-License-Identifier: Apache-2.0
"""The audit: pages of it, and the chain that shows what was done to the file."""

import hashlib
import sqlite3
import struct

import pytest

KEY = "ENABLE_PROFILE_CACHE"
FLAG = f"/api/v1/flags/{KEY}"


def change(server, times):
    for number in range(times):
        answer = server.request("PATCH", FLAG, {"description": f"é {number}"}, {"X-Reason": f"change {number}"})
        assert answer.status == 200, answer.body


def rows(server):
    """The audit as sqlite3 sees it."""
    with sqlite3.connect(f"file:{server.data}/rampart.sqlite?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM audit ORDER BY id")]


def forge(server, sql):
    with sqlite3.connect(f"{server.data}/rampart.sqlite") as database:
        for trigger in ("audit_keeps_rows", "audit_keeps_content", "audit_keeps_ids", "audit_head_goes_on"):
            database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        database.executescript(sql)


def documented_hash(row, previous):
    """The encoding of docs/store.md."""
    content = previous + struct.pack(">qq", row["id"], row["at_ms"])
    for name in ("actor", "action", "environment", "flag", "reason", "before", "after", "details"):
        text = row[name]
        content += b"\0" if text is None else b"\1" + struct.pack(">Q", len(text.encode())) + text.encode()
    return hashlib.sha256(content).digest()


def test_the_chain_is_what_the_documentation_says(server):
    change(server, 3)
    server.post(f"{FLAG}/rollout", {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}], "reason": "起"})
    server.post(f"{FLAG}/rollout/kill", {"reason": "a\0b"})
    head = bytes(32)
    for row in rows(server):
        head = documented_hash(row, head)
        assert row["hash"] == head, row
    answer = server.get("/api/v1/audit/verify")
    assert answer.json() == {"verified": True, "entries": 6, "head": head.hex(), "first_id": 1, "last_id": 6}
    assert server.get("/api/v1/audit").json()["entries"][0]["hash"] == head.hex()


@pytest.mark.parametrize("sql, entry", [
    ("UPDATE audit SET reason = 'nothing happened' WHERE id = 3", 3),
    ("DELETE FROM audit WHERE id = 2", 2),
    ("DELETE FROM audit WHERE id >= 4", 4),
    ("UPDATE audit SET id = -1 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = -1", 2),
    ("INSERT INTO audit SELECT 7, at_ms, actor, action, environment, flag, reason, before, after, details, hash "
     "FROM audit WHERE id = 6", 7),
])
def test_edits_of_the_file_are_found_while_the_server_runs(server, sql, entry):
    change(server, 5)
    forge(server, sql)
    answer = server.get("/api/v1/audit/verify")
    assert answer.status == 200
    assert (answer.json()["verified"], answer.json()["entry"]) == (False, entry), answer.body
    assert answer.json()["reason"]
    change(server, 1)
    assert server.get("/api/v1/audit/verify").json()["entry"] == entry


def test_a_noted_head_finds_a_rewritten_end(server):
    change(server, 5)
    noted = server.get("/api/v1/audit/verify").json()["head"]
    change(server, 1)
    assert server.get(f"/api/v1/audit/verify?head={noted}").json()["verified"] is True
    forge(server, "DELETE FROM audit WHERE id > 3; UPDATE audit_head SET entries = 3, last_id = 3, "
                  "hash = (SELECT hash FROM audit WHERE id = 3)")
    assert server.get("/api/v1/audit/verify").json()["verified"] is True
    answer = server.get(f"/api/v1/audit/verify?head={noted}").json()
    assert (answer["verified"], answer["entry"]) == (False, None)
    # What stands before the first row is the head of an empty audit alone.
    assert server.get(f"/api/v1/audit/verify?head={'0' * 64}").json()["verified"] is False
    for wrong in ("abc", noted + "00", "g" * 64):
        assert server.get(f"/api/v1/audit/verify?head={wrong}").status == 400


def test_pages_follow_each_other(server):
    change(server, 7)
    seen, path = [], "/api/v1/audit?action=flag&limit=3"
    page = server.get(path).json()
    while page["entries"]:
        seen += [entry["id"] for entry in page["entries"]]
        if page["next_before_id"] is None:
            break
        page = server.get(f"{path}&before_id={page['next_before_id']}").json()
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]


def test_filters(server):
    change(server, 2)
    server.request("PUT", "/api/v1/flags/other?environment=staging", {"type": "boolean"})
    entries = lambda query: [entry["id"] for entry in server.get(f"/api/v1/audit?{query}").json()["entries"]]
    assert entries("environment=staging") == [4]
    assert entries("actor=rampart") == [1]
    assert entries("action=flag%20create") == [4, 1]
    assert entries("action=rollout") == []
    at = server.get("/api/v1/audit?limit=1&before_id=4").json()["entries"][0]["at_ms"]
    assert entries(f"from={at / 1000}&to={at / 1000 + 0.001}&flag={KEY}")[0] == 3
    for wrong in ("before_id=x", "from=yesterday", "limit=0"):
        assert server.get(f"/api/v1/audit?{wrong}").status == 400
