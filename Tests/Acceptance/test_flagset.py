# SPDX-License-Identifier: Apache-2.0
"""An environment as one document: polled, imported all or nothing, and what a dry run says."""

import pytest

from test_flags import FLAG, KEY

FLAGSET = "/api/v1/flagset"
STAGING = f"{FLAGSET}?environment=staging"


def flag(key, **members):
    return {"key": key, "type": "boolean"} | members


def without_versions(document):
    keep = lambda item: {k: v for k, v in item.items() if k not in ("version", "updatedAt")}
    return [keep(f) for f in document["flags"]], [keep(s) for s in document["segments"]]


def fill(server):
    rule = {"if": [{"op": "in_segment", "values": ["beta"]}], "variant": "on"}
    assert server.request("PUT", "/api/v1/segments/beta", {"included": ["ann"]}).status == 200
    assert server.request("PUT", "/api/v1/flags/A", {"type": "boolean", "rules": [rule]}).status == 200
    assert server.request("PUT", "/api/v1/flags/B", {"type": "boolean", "prerequisites": [{"flag": "A", "variants": ["on"]}]}).status == 200


def test_pollers_get_the_document_once(server):
    fill(server)
    first = server.get(FLAGSET)
    document = first.json()
    assert document["environment"] == "production" and document["rollouts"] == {}
    assert [f["key"] for f in document["flags"]] == ["A", "B", KEY]
    assert document["flags"][2] == server.get(FLAG).json()
    assert document["segments"] == [server.get("/api/v1/segments/beta").json()]
    held = {"If-None-Match": first.headers["etag"]}
    again = server.get(FLAGSET, held)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    changes = [("PATCH", FLAG, {"description": "x"}), ("PUT", "/api/v1/segments/beta", {"included": ["bob"]}),
               ("POST", f"{FLAG}/rollout", {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}]}),
               ("POST", f"{FLAG}/rollout/kill", {"reason": "x"})]
    for change in changes:
        assert server.request(*change).status == 200
        answer = server.get(FLAGSET, held)
        assert answer.status == 200 and answer.json()["configRevision"] > document["configRevision"], change
        document, held = answer.json(), {"If-None-Match": answer.headers["etag"]}
    assert document["rollouts"][KEY]["state"] == "killed"
    assert server.get(STAGING).json()["flags"] == []


def test_what_is_exported_can_be_imported(server):
    fill(server)
    exported = server.get(FLAGSET).json()
    assert [c["action"] for c in server.request("POST", STAGING, exported).json()["changes"]] == ["create"] * 4
    imported = server.get(STAGING).json()
    assert without_versions(imported) == without_versions(exported)
    assert [f["version"] for f in imported["flags"]] == [1, 1, 1]
    again = server.request("POST", STAGING, exported)
    assert (again.status, again.json()) == (200, {"dry_run": False, "changes": []})
    assert server.get(STAGING).json()["configRevision"] == imported["configRevision"], "nothing changed"
    server.kill()
    server.start()
    assert without_versions(server.get(STAGING).json()) == without_versions(exported)


def test_merge_keeps_and_replace_deletes(server):
    fill(server)
    document = {"flags": [flag("A"), flag("new")]}
    merged = server.request("POST", f"{FLAGSET}?mode=merge", document, {"X-Reason": "moved"}).json()["changes"]
    assert [(c["flag"], c["action"]) for c in merged] == [("A", "update"), ("new", "create")]
    assert [f["key"] for f in server.get("/api/v1/flags").json()["flags"]] == ["A", "B", KEY, "new"]
    replaced = server.request("POST", f"{FLAGSET}?mode=replace", document).json()["changes"]
    assert [(c.get("flag") or c["segment"], c["action"]) for c in replaced] == [("B", "delete"), (KEY, "delete"), ("beta", "delete")]
    after = server.get(FLAGSET).json()
    assert ([f["key"] for f in after["flags"]], after["segments"]) == (["A", "new"], [])
    actions = [(e["action"], e["flag"], e["reason"]) for e in server.get("/api/v1/audit?limit=5").json()["entries"]]
    assert actions == [("segment delete", "beta", ""), ("flag delete", KEY, ""), ("flag delete", "B", ""),
                       ("flag create", "new", "moved"), ("flag update", "A", "moved")]
    assert server.request("POST", f"{FLAGSET}?mode=other", document).status == 400


@pytest.mark.parametrize("document, status, text", [
    ({}, 400, "flags: missing"),
    ({"flags": [flag("x"), {"key": "y"}]}, 400, "flags[1].type: missing"),
    ({"flags": [flag("x"), flag("x")]}, 400, "flags[1].key: x: given twice"),
    ({"flags": [flag("x"), flag("y", rules=[{"if": [{"op": "in_segment", "values": ["gone"]}], "variant": "on"}])]}, 400,
     "flags.y.rules[0].if[0].values[0]: gone: no such segment"),
    ({"flags": [flag("x"), flag("A", variants={"a": True, "b": False}, defaultVariant="b")]}, 409, "in use by flag B"),
    ({"flags": [flag("x")], "segments": [{"key": "s", "nonsense": 1}]}, 400, "segments[0].nonsense"),
    ({"flags": [flag("x", prerequisites=[{"flag": "y", "variants": ["on"]}]), flag("y", prerequisites=[{"flag": "x", "variants": ["on"]}])]},
     400, "x -> y -> x"),
    ({"flags": [], "flagz": []}, 400, "flagz"),
])
def test_an_import_that_is_wrong_changes_nothing(server, document, status, text):
    fill(server)
    before = server.get(FLAGSET).json()
    for query in ("", "&dry_run=true"):
        answer = server.request("POST", f"{FLAGSET}?mode=merge{query}", document)
        assert answer.status == status and text in answer.json()["error"], answer.body
    assert server.get(FLAGSET).json() == before


def test_an_import_leaves_ramps_alone(server):
    assert server.request("POST", f"{FLAG}/rollout", {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}]}).status == 200
    exported = server.get(FLAGSET).json()
    exported["flags"][0]["rollout"]["percent"] = 50
    for document, mode in ((exported, "merge"), ({"flags": [flag("other")]}, "replace")):
        answer = server.request("POST", f"{FLAGSET}?mode={mode}", document)
        assert answer.status == 409 and KEY in answer.json()["error"]
    assert server.request("POST", f"{FLAGSET}?mode=merge", {"flags": [flag("other")]}).status == 200


def test_a_dry_run_says_what_and_changes_nothing(server):
    fill(server)
    before, audit = server.get(FLAGSET).json(), server.get("/api/v1/audit").json()
    dry = lambda method, path, body=None, **headers: server.request(
        method, f"{path}{'&' if '?' in path else '?'}dry_run=true", body, headers or None)
    answer = dry("PATCH", FLAG, {"enabled": False, "caches": ["profile", "session"], "plan": None})
    changes = answer.json()["changes"]
    plan = changes[0]["differences"].pop()
    assert (answer.status, answer.json()["dry_run"]) == (200, True)
    assert changes == [{"flag": KEY, "action": "update", "differences": [
        {"path": "enabled", "before": True, "after": False}, {"path": "caches[1]", "after": "session"}]}]
    assert (plan["path"], "after" in plan) == ("plan", False)
    assert dry("PUT", FLAG, before["flags"][2]).json()["changes"] == []
    assert dry("DELETE", "/api/v1/flags/B").json()["changes"][0]["action"] == "delete"
    created = dry("PUT", "/api/v1/segments/new", {"included": ["x"]}).json()["changes"][0]
    assert (created["segment"], created["action"]) == ("new", "create")
    assert {"path": "included", "after": ["x"]} in created["differences"]
    replaced = dry("POST", f"{FLAGSET}?mode=replace", {"flags": []}).json()["changes"]
    assert [c["action"] for c in replaced] == ["delete"] * 4
    many = dry("PUT", "/api/v1/segments/beta", {"included": [f"u{n}" for n in range(1000)]}).json()["changes"][0]
    assert (len(many["differences"]), many["more"]) == (200, 800)
    refusals = [
        (dry("DELETE", "/api/v1/flags/A"), 409), (dry("DELETE", "/api/v1/segments/beta"), 409), (dry("DELETE", "/api/v1/flags/gone"), 404),
        (dry("PUT", FLAG, {"type": "colour"}), 400), (dry("PATCH", FLAG, {"enabled": False}, **{"If-Match": '"9"'}), 412),
        (server.request("PATCH", f"{FLAG}?dry_run=maybe", {"enabled": False}), 400),
    ]
    assert [answer.status for answer, _ in refusals] == [status for _, status in refusals]
    assert (server.get(FLAGSET).json(), server.get("/api/v1/audit").json()) == (before, audit)


def test_evaluations_count_by_variant_and_reason(server):
    name = "rampart_flag_evaluations_total"
    assert server.request("PATCH", FLAG, {"rollout": {"variant": "on", "percent": 50}}).status == 200
    assert server.total(name) == 0
    for user in ("user-1", "user-2", "user-3"):
        tag = server.get(f"/api/v1/evaluate/{KEY}?targetingKey={user}").headers["etag"]
    assert server.get(f"/api/v1/evaluate/{KEY}?targetingKey={user}", {"If-None-Match": tag}).status == 304
    server.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "user-1"}})
    server.post(f"/ofrep/v1/evaluate/flags/{KEY}", "{")
    server.get(f"/api/v1/evaluate/{KEY}")
    server.get("/api/v1/evaluate/nothing")
    assert server.request("PATCH", FLAG, {"enabled": False}).status == 200
    server.get(f"/api/v1/evaluate/{KEY}")
    expected = {("on", "SPLIT"): 3, ("off", "SPLIT"): 2, ("", "ERROR"): 2, ("off", "DISABLED"): 1}
    samples = {key: value for key, value in server.samples().items() if key[0] == name}
    found = {(dict(key[1:]).get("variant", ""), dict(key[1:])["reason"]): value for key, value in samples.items()}
    assert found == expected
    assert all(dict(key[1:])["flag"] == KEY and dict(key[1:])["environment"] == "production" for key in samples)
