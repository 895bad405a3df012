# SPDX-License-Identifier: Apache-2.0
"""Flags: definitions, evaluation as OFREP says it, versions, audit, environments."""

import http.client
import json

import pytest

from ofrep import validator

KEY = "ENABLE_PROFILE_CACHE"
FLAG = f"/api/v1/flags/{KEY}"

# From the documented algorithm: murmur3 x86 32 over the flag's key and the targeting key, scaled to 10,000.
BUCKETS = {"user-1": 2110, "user-2": 3790, "user-3": 9017, "user-42": 2246, "alice": 4796, "用户": 3233}


def set_percent(server, percent):
    answer = server.request("PATCH", FLAG, {"rollout": {"variant": "on", "percent": percent}})
    assert answer.status == 200, answer.body


def evaluate(server, key=KEY, context=None):
    return server.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": context or {}})


def test_the_profile_flag_exists_and_is_off(server):
    flag = server.get(FLAG).json()
    assert (flag["type"], flag["enabled"], flag["rollout"]["percent"], flag["caches"]) == ("boolean", True, 0, ["profile"])
    assert [(s["percent"], s.get("bake")) for s in flag["plan"]["steps"]] == [(10, "1h"), (50, "1h"), (100, "1h")]
    answer = server.get(f"/api/v1/evaluate/{KEY}").json()
    assert (answer["value"], answer["variant"], answer["reason"]) == (False, "off", "STATIC")


@pytest.mark.parametrize("percent", [10, 21.1, 21.11, 50, 100])
def test_a_percentage_admits_the_first_buckets(server, percent):
    set_percent(server, percent)
    for user, bucket in BUCKETS.items():
        answer = evaluate(server, context={"targetingKey": user}).json()
        assert answer["value"] is (bucket < percent * 100), (user, answer)
        if percent < 100:
            assert (answer["reason"], answer["metadata"]["bucket"]) == ("SPLIT", bucket)
    small = server.get(f"/api/v1/evaluate/{KEY}?targetingKey=%E7%94%A8%E6%88%B7").json()
    assert small == evaluate(server, context={"targetingKey": "用户"}).json()


def test_errors_have_ofrep_codes_and_details(server):
    set_percent(server, 50)
    cases = [
        (evaluate(server, key="nothing"), 404, "FLAG_NOT_FOUND"),
        (evaluate(server), 400, "TARGETING_KEY_MISSING"),
        (server.post(f"/ofrep/v1/evaluate/flags/{KEY}", "{"), 400, "PARSE_ERROR"),
        (server.post(f"/ofrep/v1/evaluate/flags/{KEY}", '{"context":5}'), 400, "INVALID_CONTEXT"),
        (server.get("/api/v1/evaluate/nothing"), 404, "FLAG_NOT_FOUND"),
    ]
    for answer, status, code in cases:
        document = answer.json()
        assert (answer.status, document["errorCode"]) == (status, code)
        assert document["errorDetails"] and document["key"]
    bulk = server.post("/ofrep/v1/evaluate/flags", "[")
    assert (bulk.status, bulk.json()["errorCode"]) == (400, "PARSE_ERROR")


def test_reasons(server):
    put = lambda key, body: server.request("PUT", f"/api/v1/flags/{key}", body)
    base = {"type": "string", "variants": {"a": "A", "b": "B"}, "defaultVariant": "a"}
    rule = {"name": "staff", "if": [{"attribute": "email", "op": "ends_with", "values": ["@example.com"]}], "variant": "b"}
    assert put("fixed", base).status == 200
    assert put("rules", base | {"rules": [rule]}).status == 200
    assert put("off", base | {"enabled": False}).status == 200
    assert put("float", {"type": "number", "variants": {"one": 1.0}, "defaultVariant": "one"}).status == 200
    expected = [
        ("fixed", {}, "A", "STATIC"), ("rules", {"email": "x@example.com"}, "B", "TARGETING_MATCH"),
        ("rules", {"email": "x@example.org"}, "A", "DEFAULT"), ("off", {}, "A", "DISABLED"),
    ]
    for key, context, value, reason in expected:
        answer = evaluate(server, key, context).json()
        assert (answer["value"], answer["reason"]) == (value, reason), key
    assert b'"value":1.0' in evaluate(server, "float").body


def test_answers_fit_the_ofrep_document(server):
    check = validator()
    set_percent(server, 50)
    check("evaluationSuccess", evaluate(server, context={"targetingKey": "user-1"}).json())
    check("evaluationFailure", evaluate(server).json())
    check("flagNotFound", evaluate(server, key="nothing").json())
    check("bulkEvaluationSuccess", server.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "u"}}).json())
    check("bulkEvaluationFailure", server.post("/ofrep/v1/evaluate/flags", "{").json())


def test_bulk_tags_cover_configuration_and_context(server):
    set_percent(server, 50)
    bulk = lambda key, tag=None: server.post(
        "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": key}}, {"If-None-Match": tag} if tag else {})
    first = bulk("user-1")
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"x", {tag}', "*", tag.strip('"')):
        answer = bulk("user-1", sent)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert bulk("user-3", tag).status == 200
    set_percent(server, 51)
    assert bulk("user-1", tag).status == 200
    single = server.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1")
    again = server.get(f"/api/v1/evaluate/{KEY}?targetingKey=user-1", {"If-None-Match": single.headers["etag"]})
    assert (single.status, again.status) == (200, 304)


def test_versions_guard_against_lost_edits(server):
    assert server.get(FLAG).headers["etag"] == '"1"'
    first = server.request("PATCH", FLAG, {"description": "one"}, {"If-Match": '"1"'})
    assert (first.status, first.json()["version"]) == (200, 2)
    lost = server.request("PATCH", FLAG, {"description": "two"}, {"If-Match": '"1"'})
    assert lost.status == 412 and "2" in lost.json()["error"]
    assert server.get(FLAG).json()["description"] == "one"


def test_every_change_has_an_audit_row(server):
    server.request("PATCH", FLAG, {"enabled": False}, {"X-Reason": "maintenance"})
    server.request("PUT", "/api/v1/flags/other", {"type": "boolean"})
    server.request("DELETE", "/api/v1/flags/other")
    entries = server.get("/api/v1/audit").json()["entries"]
    assert [(e["action"], e["flag"]) for e in entries] == [
        ("flag delete", "other"), ("flag create", "other"), ("flag update", KEY), ("flag create", KEY)]
    change = server.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]
    assert (change["reason"], change["before"]["enabled"], change["after"]["enabled"]) == ("maintenance", True, False)
    server.kill()
    server.start()
    assert server.get("/api/v1/audit").json()["entries"] == entries


def test_environments_are_separate(server):
    staging = f"{FLAG}?environment=staging"
    assert server.get(staging).status == 404
    assert server.request("PUT", staging, {"type": "boolean", "rollout": {"variant": "on", "percent": 100}}).status == 200
    assert server.get(f"/api/v1/evaluate/{KEY}?environment=staging").json()["value"] is True
    assert server.get(f"/api/v1/evaluate/{KEY}").json()["value"] is False
    assert [f["key"] for f in server.get("/api/v1/flags?environment=staging").json()["flags"]] == [KEY]
    assert server.get("/api/v1/flags?environment=No%20Such").status == 400


@pytest.mark.parametrize("body, text", [
    ({"type": "boolean", "rollout": {"variant": "on", "percent": 140}}, "rollout.percent: 140: must be from 0 to 100"),
    ({"type": "colour"}, "type"),
    ({"type": "boolean", "nonsense": 1}, "nonsense"),
    ({"type": "string", "variants": {"a": 1}, "defaultVariant": "a"}, "variants"),
])
def test_wrong_definitions_say_what_is_wrong(server, body, text):
    answer = server.request("PUT", "/api/v1/flags/x", body)
    assert answer.status == 400 and text in answer.json()["error"]
    assert server.get("/api/v1/flags/x").status == 404


def test_a_flag_that_cannot_be_ramped_says_so(server):
    several = {"type": "string", "variants": {"a": "A", "b": "B", "c": "C"}, "defaultVariant": "a", "caches": ["profile"]}
    assert server.request("PUT", "/api/v1/flags/x", several).status == 200
    plan = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}]}
    answer = server.request("POST", "/api/v1/flags/x/rollout", plan)
    assert answer.status == 409 and "set its rollout's variant first" in answer.json()["error"]
    assert server.request("PATCH", "/api/v1/flags/x", {"rollout": {"variant": "b", "percent": 0}}).status == 200
    assert server.request("POST", "/api/v1/flags/x/rollout", plan | {"guard": {"window": "1h"}}).json()["percent"] == 10
    assert server.get("/api/v1/evaluate/x?targetingKey=u").json()["reason"] == "SPLIT"


def test_a_ramp_keeps_what_it_relies_on(server):
    plan = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}]}
    assert server.request("POST", f"{FLAG}/rollout", plan).status == 200
    for change in ({"salt": "other"}, {"caches": ["other"]}, {"rollout": {"variant": "on", "percent": 50}}):
        answer = server.request("PATCH", FLAG, change)
        assert answer.status == 409 and answer.json()["error"].startswith(next(iter(change))), answer.body
    assert server.request("PATCH", FLAG, {"description": "may change", "reason": "said beside it"}).status == 200
    assert server.get(f"/api/v1/audit?flag={KEY}&limit=1").json()["entries"][0]["reason"] == "said beside it"


@pytest.mark.parametrize("tag, status", [('"1"', 200), ('W/"1"', 200), ("*", 200), ('"2"', 412), ("x", 400)])
def test_if_match_guards_a_change(server, tag, status):
    assert server.request("PATCH", FLAG, {"description": "x"}, {"If-Match": tag}).status == status
    assert server.request("PUT", "/api/v1/flags/new", {"type": "boolean"}, {"If-Match": "*"}).status == 412


def test_if_none_match_creates_only_what_is_not_there(server):
    absent = {"If-None-Match": "*"}
    for path, document in (("/api/v1/flags/new", {"type": "boolean"}), ("/api/v1/segments/new", {})):
        assert server.request("PUT", path, document, absent).json()["version"] == 1
        there = server.request("PUT", path, document | {"description": "x"}, absent)
        # Whoever creates has read nothing that could be outdated.
        assert there.status == 412 and "new: exists already, at version 1" in there.json()["error"], there.body
        assert server.get(path).json()["description"] == ""


def test_a_reason_beside_the_members_is_the_changes_own(server):
    newest = lambda: server.get("/api/v1/audit?limit=1").json()["entries"][0]
    for path, body in (("/api/v1/flags/new", {"type": "boolean"}), ("/api/v1/segments/new", {})):
        answer = server.request("PUT", path, body | {"reason": "in the body"}, {"X-Reason": "in the header"})
        assert answer.status == 200 and "reason" not in answer.json()
        assert newest()["reason"] == "in the body" and newest()["after"].get("reason") is None
    flag = {"key": "other", "type": "boolean"}
    assert server.post("/api/v1/flagset", {"flags": [flag], "reason": "of the import"}).status == 200
    assert newest()["reason"] == "of the import"
    refused = server.post("/api/v1/flagset", {"flags": [flag | {"reason": "x"}]})
    assert refused.status == 400 and refused.json()["error"].startswith("flags[0].reason: "), refused.body


def test_listeners_hear_of_changes(server):
    streams = {}
    for path in ("/api/v1/stream", "/ofrep/v1/stream"):
        connection = server.connection()
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.getheader("content-type").startswith("text/event-stream")
        streams[path] = response
    set_percent(server, 30)
    page, ofrep = (read_event(stream) for stream in streams.values())
    assert page["event"] == "flag_change" and json.loads(page["data"])["key"] == KEY
    assert json.loads(ofrep["data"])["type"] == "refetchEvaluation"


def read_event(response: http.client.HTTPResponse):
    fields = {}
    while True:
        line = response.readline().decode().rstrip("\n")
        if line.startswith(":"):
            continue
        if not line:
            if fields:
                return fields
            continue
        name, _, value = line.partition(": ")
        fields[name] = value


@pytest.mark.parametrize("levels, status", [(32, 200), (33, 400)])
def test_a_deep_value_can_be_exported_and_imported(server, levels, status):
    value = {}
    for _ in range(levels - 1):
        value = {"a": value}
    document = {"type": "object", "variants": {"deep": value}, "defaultVariant": "deep"}
    answer = server.request("PUT", "/api/v1/flags/DEEP", document)
    assert answer.status == status, answer.body
    if status == 200:
        assert server.post("/api/v1/flagset?environment=staging", server.get("/api/v1/flagset").json()).status == 200
    else:
        assert "variants.deep: nested too deeply" in answer.json()["error"]
