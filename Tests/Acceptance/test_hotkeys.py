# SPDX-License-Identifier: Apache-2.0
"""The keys that are looked up most, of what was counted."""

import json
import threading


def lookups(keys, **fields):
    return "\n".join(json.dumps({"event_type": "cache_hit", "key": key, **fields}) for key in keys)


def listing(server, parameters=""):
    answer = server.get("/api/v1/hotkeys" + parameters)
    assert answer.status == 200, answer.body
    return {(c["service"], c["cache"]): [(k["key"], k["count"], k["error"]) for k in c["keys"]] for c in answer.json()["caches"]}


def test_keys_are_counted_by_cache(server):
    before = server.get("/api/v1/hotkeys").json()
    assert before["caches"] == [] and before["since_ms"] == server.get("/api/v1/status").json()["started_ms"]
    keys = ["user:id:1"] * 5 + ["user:id:2"] * 3 + ["blog:7"] * 4 + ["user:id:3"]
    assert server.post("/api/v1/events", lookups(keys)).status == 200
    auth = [("user:id:1", 5, 0), ("user:id:2", 3, 0), ("user:id:3", 1, 0)]
    assert listing(server) == {("auth", "user"): auth, ("web", "blog"): [("blog:7", 4, 0)]}
    assert listing(server, "?limit=2&service=auth") == {("auth", "user"): auth[:2]}
    assert listing(server, "?cache=blog&service=web&limit=1000000000") == {("web", "blog"): [("blog:7", 4, 0)]}
    assert listing(server, "?cache=&service=") == listing(server)
    assert listing(server, "?cache=nothing") == {}
    assert [c["lookups"] for c in server.get("/api/v1/hotkeys?limit=1").json()["caches"]] == [9, 4]
    for limit in ("0", "-1", "x", "1.5", "99999999999999999999"):
        answer = server.get(f"/api/v1/hotkeys?limit={limit}")
        assert answer.status == 400 and answer.json()["error"].startswith("limit: "), limit
    assert server.get("/api/v1/hotkeys?cache=" + "x" * 4_000).json()["caches"] == []


def test_a_body_counts_once_and_a_restart_begins_anew(server):
    body = lookups(["blog:1"], correlation_id="r-1")
    for _ in range(3):
        assert server.post("/api/v1/events", body).status == 200
    item = '{"create":{"_id":"1"}}\n' + lookups(["blog:1"]) + "\n"
    for _ in range(2):
        assert server.post("/elasticsearch/logs/_bulk", item).status == 200
    line = {"streams": [{"stream": {"app": "x"}, "values": [["1", "no event"]]}]}
    assert server.post("/loki/api/v1/push", line).status == 204
    assert server.post("/api/v1/events", '{"event_type":"cache_hit","key":"blog:2","timestamp":1}').status == 400
    assert listing(server) == {("web", "blog"): [("blog:1", 2, 0)]}
    started_ms = server.get("/api/v1/hotkeys").json()["since_ms"]
    server.stop()
    server.start()
    again = server.get("/api/v1/hotkeys").json()
    assert again["caches"] == [] and again["since_ms"] > started_ms
    assert server.post("/api/v1/events", body).json()["duplicate"]
    assert listing(server) == {}


def test_keys_may_hold_any_bytes(server):
    assert server.post("/api/v1/events", b"[CACHE] HIT blog:\xff\xfe\x01\"\\\n[CACHE] MISS blog:\xc3\xa4").status == 200
    keys = {key for key, _, _ in listing(server)[("web", "blog")]}
    assert keys == {"blog:\ufffd\ufffd\x01\"\\", "blog:\u00e4"}


def test_many_bodies_at_once_are_counted_exactly_while_they_are_few(server):
    def client(number):
        for index in range(20):
            assert server.post("/api/v1/events", lookups([f"blog:{key}" for key in range(5) for _ in range(key + 1)])).status == 200

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert listing(server) == {("web", "blog"): [(f"blog:{key}", (key + 1) * 80, 0) for key in (4, 3, 2, 1, 0)]}


def test_under_load_the_hottest_keys_are_found(server):
    keys = [f"blog:{number.bit_length()}" for number in range(1, 1 << 16)]
    for _ in range(4):
        assert server.post("/api/v1/events", lookups(keys)).status == 200
    found = listing(server, "?limit=4")[("web", "blog")]
    assert [key for key, _, _ in found] == ["blog:16", "blog:15", "blog:14", "blog:13"]
    for index, (_, count, error) in enumerate(found):
        assert abs(count - 4 * (1 << 15 - index)) <= 3 * error, found
