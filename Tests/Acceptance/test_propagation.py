# SPDX-License-Identifier: Apache-2.0
"""Polls acknowledge the revision that they were answered from."""

import time

import pytest

KEY = "ENABLE_PROFILE_CACHE"
FLAG = f"/api/v1/flags/{KEY}"
SMALL = f"/api/v1/evaluate/{KEY}?targetingKey=u"


def propagation(server, flag=FLAG, more=""):
    answer = server.get(f"{flag}/propagation?{more}")
    assert answer.status == 200, answer.body
    return answer.json()


def standing(server, **more):
    answer = propagation(server, **more)
    return answer["seen"], answer["current"], answer["expired"]


def change(server, text):
    answer = server.request("PATCH", FLAG, {"description": text})
    assert answer.status == 200
    return answer


def small(server, instance, tag=None):
    answer = server.get(f"{SMALL}&instance={instance}", {"If-None-Match": tag} if tag else None)
    assert answer.status == (304 if tag else 200)
    return answer


def single(server, instance):
    answer = server.post(f"/ofrep/v1/evaluate/flags/{KEY}", {"context": {"targetingKey": "u", "instance": instance}})
    assert answer.status == 200


def bulk(server, instance, tag=None):
    headers = {"If-None-Match": tag} if tag else None
    return server.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "u", "instance": instance}}, headers)


def test_two_of_three_instances_hold_a_change(server):
    assert standing(server) == (0, 0, 0)
    for instance in ("a", "b", "c"):
        small(server, instance)
    assert standing(server) == (3, 3, 0)
    before = time.time() * 1000
    change(server, "x")
    assert standing(server) == (3, 0, 0)
    small(server, "a")
    single(server, "b")
    answer = propagation(server)
    assert (answer["flag"], answer["environment"], answer["seen"], answer["current"]) == (KEY, "production", 3, 2)
    newest = server.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]
    assert (answer["revision"], answer["changed_at_ms"]) == (newest["id"], newest["at_ms"])
    assert answer["reached_all_after_ms"] is None
    first, *others = answer["instances"]
    assert (first["instance"], first["current"], first["acknowledged_after_ms"], first["expired"]) == ("c", False, None, False)
    assert {one["instance"] for one in others} == {"a", "b"}
    for one in others:
        assert one["named"] and one["current"] and one["polls"] == 2
        assert 0 <= one["acknowledged_after_ms"] <= time.time() * 1000 - before + 1
        assert one["first_seen_ms"] <= before <= one["last_seen_ms"] + 1
    assert bulk(server, "c").status == 200
    answer = propagation(server)
    assert (answer["seen"], answer["current"]) == (3, 3)
    assert answer["reached_all_after_ms"] == max(one["acknowledged_after_ms"] for one in answer["instances"])
    assert len(propagation(server, more="limit=2")["instances"]) == 2


def test_an_answer_of_304_acknowledges_too(server):
    tag = small(server, "a").headers["etag"]
    held = bulk(server, "b").headers["etag"]
    # Of another flag: the answers for this one are the same but for the revision of a bulk answer.
    small(server, "a", tag)
    assert bulk(server, "b", held).status == 304
    by_name = {one["instance"]: one for one in propagation(server)["instances"]}
    assert {name: one["polls"] for name, one in by_name.items()} == {"a": 2, "b": 2}
    # Who evaluates by himself polls the whole document.
    tag = server.get("/api/v1/flagset?instance=c").headers["etag"]
    assert server.get("/api/v1/flagset?instance=c", {"If-None-Match": tag}).status == 304
    assert next(one["polls"] for one in propagation(server)["instances"] if one["instance"] == "c") == 2


def test_who_has_no_name_is_an_address(server):
    server.get(SMALL)
    server.get(f"{SMALL}&instance=")
    server.post(f"/ofrep/v1/evaluate/flags/{KEY}", {"context": {"targetingKey": "u", "instance": ""}})
    [one] = propagation(server)["instances"]
    assert (one["instance"], one["named"], one["polls"]) == ("127.0.0.1", False, 3)
    server.get(SMALL, {"X-Rampart-Instance": "by header"})
    server.post(f"/ofrep/v1/evaluate/flags/{KEY}?instance=by%20query", {"context": {}}, {"X-Rampart-Instance": "not this"})
    assert [one["instance"] for one in propagation(server)["instances"] if one["named"]] == ["by header", "by query"]


def test_only_answers_acknowledge(server):
    assert server.get("/api/v1/evaluate/nothing?instance=a").status == 404
    assert server.post(f"/ofrep/v1/evaluate/flags/{KEY}?instance=a", "{").status == 400
    assert server.post("/ofrep/v1/evaluate/flags?instance=a", "{").status == 400
    server.request("PATCH", FLAG, {"rollout": {"variant": "on", "percent": 50}})
    assert server.post(f"/ofrep/v1/evaluate/flags/{KEY}?instance=a", {"context": {}}).status == 400
    assert standing(server) == (0, 0, 0)


def test_environments_and_flags_are_apart(server):
    assert server.request("PUT", f"{FLAG}?environment=staging", {"type": "boolean"}).status == 200
    assert server.request("PUT", "/api/v1/flags/other", {"type": "boolean"}).status == 200
    small(server, "a")
    server.get(f"{SMALL}&instance=b&environment=staging")
    assert bulk(server, "c").status == 200
    assert standing(server) == (2, 2, 0)
    assert standing(server, more="environment=staging") == (1, 1, 0)
    assert standing(server, flag="/api/v1/flags/other") == (1, 1, 0)
    # A change of another flag leaves this one's revision; polls from before it are current still.
    server.request("PATCH", "/api/v1/flags/other", {"description": "x"})
    assert standing(server) == (2, 2, 0)
    assert standing(server, flag="/api/v1/flags/other") == (1, 0, 0)
    samples = {dict(key[1:])["flag"]: value for key, value in server.samples().items()
               if key[0] == "rampart_flag_instances" and dict(key[1:])["environment"] == "production"}
    assert samples == {KEY: 2, "other": 1}
    assert server.total("rampart_flag_instances_dropped_total") == 0


def test_the_revision_of_a_flag_survives_a_restart(server):
    change(server, "x")
    server.request("PUT", "/api/v1/flags/other", {"type": "boolean"})
    before = propagation(server)
    server.kill()
    server.start()
    after = propagation(server)
    assert (after["revision"], after["changed_at_ms"]) == (before["revision"], before["changed_at_ms"])
    small(server, "a")
    answer = propagation(server)
    assert (answer["seen"], answer["current"]) == (1, 1)
    # When it came to hold a change from before the restart nobody knows.
    assert answer["instances"][0]["acknowledged_after_ms"] is None and answer["reached_all_after_ms"] is None


@pytest.mark.parametrize("path, status, text", [
    ("/api/v1/flags/nothing/propagation", 404, "nothing"),
    (f"{FLAG}/propagation?limit=x", 400, "limit"),
    (f"{FLAG}/propagation?environment=NO", 400, "environment"),
])
def test_wrong_questions_say_what_is_wrong(server, path, status, text):
    answer = server.get(path)
    assert answer.status == status and text in answer.json()["error"]
