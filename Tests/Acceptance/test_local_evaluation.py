# SPDX-License-Identifier: Apache-2.0
"""The vectors of docs/local-evaluation.md over OFREP, and the reference on what a server serves to pollers."""

import json
import subprocess
import sys

import mmh3

from rampart import ROOT
from test_flags import FLAG, KEY

sys.path.insert(0, str(ROOT / "Tests/Reference"))

from evaluate import evaluate  # noqa: E402

VECTORS = ROOT / "Tests/Vectors/evaluation.json"
ENVIRONMENT = "vectors"


def result(answer):
    """An OFREP answer in the vectors' words."""
    document = answer.json()
    if "errorCode" in document:
        return {"errorCode": document["errorCode"]}
    more = {name: document["metadata"][name] for name in ("bucket", "failedPrerequisite") if name in document["metadata"]}
    return {name: document[name] for name in ("variant", "value", "reason")} | more


def ask(server, connection, key, context):
    path = f"/ofrep/v1/evaluate/flags/{key}?environment={ENVIRONMENT}"
    return result(server.request("POST", path, {"context": context}, connection=connection))


def test_the_vectors_hold_over_ofrep(server):
    sets = json.loads(VECTORS.read_text())["sets"]
    connection, checked, left_out = server.connection(), 0, 0
    for vectors in sets:
        document = vectors["document"]
        imported = server.request("POST", f"/api/v1/flagset?environment={ENVIRONMENT}&mode=replace", document)
        assert imported.status == 200, (vectors["name"], imported.body)
        killed = {key for key, rollout in document.get("rollouts", {}).items() if rollout["state"] == "killed"}
        for key, context, expected in vectors["cases"]:
            if key in killed:
                # Nobody can import a killed ramp; the next test kills one.
                left_out += 1
                continue
            assert ask(server, connection, key, context) == expected, (vectors["name"], key, context)
            checked += 1
    print(f"{checked} vectors, {left_out} of killed ramps left out")
    assert checked >= 1_000 and left_out < 20


def test_the_reference_agrees_with_the_server_it_polls(server):
    plan = {"steps": [{"percent": 10, "bake": "1h"}, {"percent": 100}]}
    flags = [
        {"key": "killed", "type": "boolean", "caches": ["c"], "rules": [{"if": [], "variant": "on"}], "rollout": {"variant": "on", "percent": 0}},
        {"key": "above", "type": "boolean", "prerequisites": [{"flag": "killed", "variants": ["off"]}], "rollout": {"variant": "on", "percent": 100}},
    ]
    assert server.request("POST", "/api/v1/flagset", {"flags": flags}).status == 200
    assert server.request("POST", f"{FLAG}/rollout", plan).status == 200
    assert server.request("POST", "/api/v1/flags/killed/rollout", plan).status == 200
    assert server.request("POST", "/api/v1/flags/killed/rollout/kill", {"reason": "x"}).status == 200
    document = server.get("/api/v1/flagset").json()
    assert document["rollouts"]["killed"]["state"] == "killed"
    connection = server.connection()
    for number in range(300):
        context = {"targetingKey": f"user-{number}"}
        for key in (KEY, "killed", "above"):
            answer = server.request("POST", f"/ofrep/v1/evaluate/flags/{key}", {"context": context}, connection=connection)
            assert result(answer) == evaluate(document, key, context)
    assert evaluate(document, "killed", {})["reason"] == "DISABLED"


def test_buckets_are_mmh3s():
    checked = 0
    for vectors in json.loads(VECTORS.read_text())["sets"]:
        salts = {flag["key"]: flag.get("salt", flag["key"]) for flag in vectors["document"]["flags"]}
        for key, context, expected in vectors["cases"]:
            if "bucket" in expected:
                hashed = mmh3.hash((salts[key] + context["targetingKey"]).encode(), 0, signed=False)
                assert expected["bucket"] == hashed * 10_000 >> 32, (key, context)
                checked += 1
    assert checked >= 300


def test_the_vectors_are_what_their_script_writes(tmp_path):
    copy = tmp_path / "Tests"
    for name in ("Reference/evaluate.py", "Vectors/generate.py"):
        (copy / name).parent.mkdir(parents=True)
        (copy / name).write_bytes((ROOT / "Tests" / name).read_bytes())
    subprocess.run([sys.executable, copy / "Vectors/generate.py"], check=True, capture_output=True)
    assert (copy / "Vectors/evaluation.json").read_bytes() == VECTORS.read_bytes()
