# SPDX-License-Identifier: Apache-2.0
"""Segments and prerequisites: definitions, versions, what may not be taken away, audit, listeners."""

import json

import pytest

from test_flags import FLAG, KEY, evaluate, read_event

BETA = "/api/v1/segments/beta"
IN_BETA = {"rules": [{"if": [{"op": "in_segment", "values": ["beta"]}], "variant": "on"}]}


def put(server, key, **members):
    answer = server.request("PUT", f"/api/v1/flags/{key}", {"type": "boolean"} | members)
    assert answer.status == 200, answer.body
    return answer


def requiring(flag, *variants):
    return {"prerequisites": [{"flag": flag, "variants": list(variants)}], "rollout": {"variant": "on", "percent": 100}}


def test_a_segment_targets_its_members(server):
    created = server.request("PUT", BETA, {"included": ["ann"], "excluded": ["bob"], "rules": [{"if": []}]})
    assert (created.status, created.headers["etag"], created.json()["version"]) == (200, '"1"', 1)
    assert server.get(BETA).json() == created.json()
    assert server.request("PATCH", FLAG, IN_BETA).status == 200
    value = lambda user: evaluate(server, context={"targetingKey": user}).json()["value"]
    assert (value("ann"), value("bob"), value("carl")) == (True, False, True)
    before = evaluate(server, context={"targetingKey": "carl"}).json()["metadata"]["configRevision"]
    assert server.request("PUT", BETA, {"included": ["ann"]}).status == 200
    answer = evaluate(server, context={"targetingKey": "carl"}).json()
    assert answer["value"] is False and answer["metadata"]["configRevision"] > before
    server.kill()
    server.start()
    assert (value("ann"), value("carl")) == (True, False)
    assert [s["key"] for s in server.get("/api/v1/segments").json()["segments"]] == ["beta"]
    assert server.get("/api/v1/segments?environment=staging").json()["segments"] == []


def test_versions_of_segments_guard_against_lost_edits(server):
    edit = lambda tag, method="PUT": server.request(
        method, BETA, {"included": [tag]} if method == "PUT" else None, {"If-Match": tag})
    assert edit("*").status == 412
    assert edit('"1"').status == 412
    assert server.request("PUT", BETA, {}).status == 200
    assert edit('"1"').json()["version"] == 2
    lost = edit('"1"')
    assert lost.status == 412 and "2" in lost.json()["error"]
    assert server.request("PUT", BETA, {"included": ['"1"']}).json()["version"] == 2, "nothing changed"
    assert (edit('"1"', "DELETE").status, edit('W/"2"', "DELETE").status) == (412, 204)
    assert (server.get(BETA).status, server.request("DELETE", BETA).status) == (404, 404)


def test_a_segment_in_use_stays(server):
    missing = server.request("PATCH", FLAG, IN_BETA)
    assert missing.status == 400
    assert missing.json()["error"].startswith("rules[0].if[0].values[0]: beta: no such segment in this environment: create it")
    assert server.request("PUT", BETA, {}).status == 200
    assert server.request("PATCH", FLAG, IN_BETA).status == 200
    put(server, "other", **IN_BETA)
    refused = server.request("DELETE", BETA)
    assert refused.status == 409 and f"in use by flags {KEY}, other" in refused.json()["error"]
    assert server.get(BETA).status == 200
    for key in (KEY, "other"):
        assert server.request("PATCH", f"/api/v1/flags/{key}", {"rules": []}).status == 200
    assert server.request("DELETE", BETA).status == 204


def test_changes_of_segments_are_audited_and_told(server):
    streams = []
    for path in ("/api/v1/stream", "/ofrep/v1/stream"):
        connection = server.connection()
        connection.request("GET", path)
        streams.append(connection.getresponse())
    server.request("PUT", BETA, {"included": ["ann"]}, {"X-Reason": "first"})
    page, ofrep = map(read_event, streams)
    assert page["event"] == "flag_change"
    assert json.loads(page["data"]) == {"segment": "beta", "environment": "production", "version": 1}
    assert json.loads(ofrep["data"])["etag"] == f'"{page["id"]}"'
    server.request("PUT", BETA, {"included": ["bob"]})
    server.request("DELETE", BETA)
    entries = server.get("/api/v1/audit?flag=beta").json()["entries"]
    assert [e["action"] for e in entries] == ["segment delete", "segment update", "segment create"]
    assert (entries[2]["reason"], entries[2]["before"], entries[2]["after"]["included"]) == ("first", None, ["ann"])
    assert (entries[1]["before"]["included"], entries[1]["after"]["included"]) == (["ann"], ["bob"])
    assert entries[0]["after"] is None


@pytest.mark.parametrize("body, text", [
    ({"included": "ann"}, "included"), ({"members": []}, "members"), ({"rules": [{"if": [{"op": "in_segment", "values": ["x"]}]}]}, "rules[0]"),
    ({"excluded": ["x" * 257]}, "excluded[0]"), ({"key": "other"}, "key: other: must be beta"),
])
def test_wrong_segments_say_what_is_wrong(server, body, text):
    answer = server.request("PUT", BETA, body)
    assert answer.status == 400 and text in answer.json()["error"]
    assert server.get(BETA).status == 404


def test_a_segment_may_hold_as_many_keys_as_it_says(server):
    keys = [f"{'k' * 250}{number:06}" for number in range(10_000)]
    assert server.request("PUT", BETA, {"included": keys, "excluded": keys[:1]}).status == 200
    assert server.request("PATCH", FLAG, IN_BETA).status == 200
    assert [evaluate(server, context={"targetingKey": k}).json()["value"] for k in (keys[0], keys[1], keys[-1])] == [False, True, True]
    assert server.request("PUT", BETA, {"included": [*keys, "more"]}).json()["error"] == "included: 10001 entries: at most 10000"


def test_prerequisites_are_met_or_named(server):
    put(server, "A", rules=[{"if": [{"attribute": "staff", "op": "eq", "values": [True]}], "variant": "on"}])
    put(server, "B", **requiring("A", "on"))
    assert evaluate(server, "B", {"staff": True}).json()["value"] is True
    failed = evaluate(server, "B").json()
    assert (failed["value"], failed["reason"], failed["metadata"]["failedPrerequisite"]) == (False, "DEFAULT", "A")
    bulk = server.post("/ofrep/v1/evaluate/flags", {"context": {"staff": True}}).json()["flags"]
    assert {f["key"]: f["value"] for f in bulk} == {"A": True, "B": True, KEY: False}


def test_what_others_require_stays(server):
    put(server, "A", variants={"on": True, "off": False, "maybe": True}, defaultVariant="off")
    put(server, "B", **requiring("A", "maybe"))
    put(server, "C", **requiring("B", "on"))
    refusals = [
        (server.request("DELETE", "/api/v1/flags/A"), 409, "flag A: in use by flag B"),
        (server.request("DELETE", "/api/v1/flags/B"), 409, "flag B: in use by flag C"),
        (server.request("PATCH", "/api/v1/flags/A", {"variants": {"maybe": None}}), 409, "flag A: in use by flag B"),
        (server.request("PATCH", "/api/v1/flags/A", requiring("C", "on")), 400, "A -> C -> B -> A"),
        (server.request("PATCH", "/api/v1/flags/A", requiring("nothing", "on")), 400, "prerequisites[0].flag: nothing: no such flag"),
        (server.request("PATCH", "/api/v1/flags/A", requiring("B", "x")), 400, "prerequisites[0].variants[0]: x: flag B has no such variant"),
        (server.request("PATCH", "/api/v1/flags/A", requiring("A", "on")), 400, "a flag cannot require itself"),
    ]
    for answer, status, text in refusals:
        assert (answer.status, text in answer.json()["error"]) == (status, True), answer.body
    assert server.request("DELETE", "/api/v1/flags/C").status == 204
    assert server.request("DELETE", "/api/v1/flags/B").status == 204
    assert server.request("DELETE", "/api/v1/flags/A").status == 204
