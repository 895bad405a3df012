# SPDX-License-Identifier: Apache-2.0
"""OFREP as real clients use it: OpenFeature's Python SDK unmodified, and what a browser's provider sends."""

import json

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from ofrep import validator
from rampart import Rampart
from test_flags import FLAG, KEY, set_percent

BULK = "/ofrep/v1/evaluate/flags"
ORIGIN = "https://app.example.com"

FLAGS = [
    {"key": "text", "type": "string", "variants": {"a": "A", "b": ""}, "defaultVariant": "a"},
    {"key": "whole", "type": "number", "variants": {"one": 1, "big": 9007199254740993}, "defaultVariant": "one"},
    {"key": "float", "type": "number", "variants": {"one": 1, "half": 0.5}, "defaultVariant": "one"},
    {"key": "object", "type": "object", "variants": {"o": {"ttl": [60, {"b": None}]}}, "defaultVariant": "o"},
    {"key": "off", "type": "boolean", "enabled": False},
    {"key": "ruled", "type": "boolean", "rules": [{"if": [{"attribute": "plan", "op": "eq", "values": ["pro"]}], "variant": "on"}]},
    {"key": "needs", "type": "boolean", "prerequisites": [{"flag": "ruled", "variants": ["on"]}], "rollout": {"variant": "on", "percent": 100}},
]


@pytest.fixture
def filled(server):
    assert server.request("POST", "/api/v1/flagset", {"flags": FLAGS}).status == 200
    set_percent(server, 50)
    return server


@pytest.fixture
def client(filled):
    api.set_provider(OFREPProvider(f"http://127.0.0.1:{filled.port}", headers_factory=lambda: {"Authorization": "Bearer unused"}))
    yield api.get_client()
    api.shutdown()


def context(key=None, **attributes):
    return EvaluationContext(targeting_key=key, attributes=attributes)


def told(details):
    return details.value, details.variant, details.reason, details.error_code


def test_the_sdk_gets_every_type(client):
    assert told(client.get_boolean_details(KEY, True, context("user-1"))) == (True, "on", Reason.SPLIT, None)
    assert told(client.get_boolean_details(KEY, True, context("user-3"))) == (False, "off", Reason.SPLIT, None)
    assert told(client.get_string_details("text", "x")) == ("A", "a", Reason.STATIC, None)
    assert told(client.get_integer_details("whole", 0)) == (1, "one", Reason.STATIC, None)
    assert told(client.get_float_details("float", 0.0)) == (1.0, "one", Reason.STATIC, None)
    assert told(client.get_object_details("object", {})) == ({"ttl": [60, {"b": None}]}, "o", Reason.STATIC, None)


def test_the_sdk_gets_every_reason(client):
    assert told(client.get_boolean_details("off", True)) == (False, "off", Reason.DISABLED, None)
    assert told(client.get_boolean_details("ruled", False, context(plan="pro"))) == (True, "on", Reason.TARGETING_MATCH, None)
    assert told(client.get_boolean_details("ruled", True, context(plan="free"))) == (False, "off", Reason.DEFAULT, None)
    failed = client.get_boolean_details("needs", True)
    assert told(failed) == (False, "off", Reason.DEFAULT, None)
    assert failed.flag_metadata["failedPrerequisite"] == "ruled"
    assert all(isinstance(value, (bool, str, int, float)) for value in failed.flag_metadata.values())


def test_the_sdk_gets_every_error(client, filled):
    def error(details, code, text):
        assert (details.value, details.reason, details.error_code) == (True, Reason.ERROR, code), details
        assert text in details.error_message
    error(client.get_boolean_details("nothing", True), ErrorCode.FLAG_NOT_FOUND, "create it with PUT")
    error(client.get_boolean_details("a b/c", True), ErrorCode.FLAG_NOT_FOUND, "create it with PUT")
    error(client.get_boolean_details(KEY, True), ErrorCode.TARGETING_KEY_MISSING, "send a targetingKey")
    error(client.get_boolean_details(KEY, True, context("")), ErrorCode.TARGETING_KEY_MISSING, "send a targetingKey")
    error(client.get_boolean_details("text", True, context(targetingKey=5)), ErrorCode.INVALID_CONTEXT, "must be a string")
    error(client.get_boolean_details("text", True, context("user-1")), ErrorCode.TYPE_MISMATCH, "bool")
    error(client.get_boolean_details(KEY, True, context("u", large="x" * (1 << 20))), ErrorCode.GENERAL, "")
    whole = client.get_float_details("whole", 0.5)
    assert (whole.value, whole.error_code) == (0.5, ErrorCode.TYPE_MISMATCH)
    filled.stop()
    error(client.get_boolean_details("off", True), ErrorCode.GENERAL, "")


def test_bulk_holds_successes_and_failures(filled):
    answer = filled.post(BULK, {"context": {"plan": "pro"}})
    document = answer.json()
    flags = {f["key"]: f for f in document["flags"]}
    assert list(flags) == sorted(flags)
    assert (flags[KEY]["errorCode"], "value" in flags[KEY]) == ("TARGETING_KEY_MISSING", False)
    assert (flags["needs"]["value"], flags["off"]["reason"], flags["text"]["variant"]) == (True, "DISABLED", "a")
    assert document["eventStreams"] == [{"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/stream"}, "inactivityDelaySec": 120}]
    for flag in flags.values():
        single = filled.post(f"{BULK}/{flag['key']}", {"context": {"plan": "pro"}})
        assert single.json() == flag and single.status == (200 if "value" in flag else 400)
    check = validator()
    check("bulkEvaluationSuccess", document)
    for flag in flags.values():
        check("evaluationSuccess" if "value" in flag else "evaluationFailure", flag)


def test_bulk_takes_what_clients_send(filled):
    expected = filled.post(BULK, {"context": {}}).body
    for path in (BULK, f"{BULK}/", f"{BULK}?flagConfigEtag=%225%22&flagConfigLastModified=1771622898"):
        for body in (None, "", "{}", '{"context":{}}', '{"context":{"targetingKey":""}}', '{"context":{},"more":1}'):
            answer = filled.post(path, body)
            assert (answer.status, answer.body) == (200, expected), (path, body)


@pytest.mark.parametrize("body, code", [
    ("{", "PARSE_ERROR"), ("[]", "PARSE_ERROR"), ('"x"', "PARSE_ERROR"), ('{"context":[]}', "INVALID_CONTEXT"), ('{"context":null}', "INVALID_CONTEXT"),
    ('{"context":"user-1"}', "INVALID_CONTEXT"), ('{"context":{"targetingKey":null}}', "INVALID_CONTEXT"), ('{"context":{"a":1,"a":2}}', "PARSE_ERROR"),
    (b'{"context":{"a":"\xff"}}', "PARSE_ERROR"),
])
def test_bodies_that_are_wrong(filled, body, code):
    single, bulk = filled.post(f"{BULK}/{KEY}", body), filled.post(BULK, body)
    assert (single.status, single.json()["key"], single.json()["errorCode"]) == (400, KEY, code)
    assert (bulk.status, bulk.json()["errorCode"], "key" in bulk.json()) == (400, code, False)
    assert single.json()["errorDetails"] and bulk.json()["errorDetails"]


def test_an_environment_that_cannot_be_is_an_error_of_ofrep(filled):
    single, bulk = (filled.post(f"{path}?environment=No%20Such", {}) for path in (f"{BULK}/{KEY}", BULK))
    assert (single.status, single.json()["key"], single.json()["errorCode"]) == (400, KEY, "GENERAL")
    assert (bulk.status, bulk.json()["errorCode"]) == (400, "GENERAL")
    assert "environment: No Such" in single.json()["errorDetails"]


# MARK: Browsers

@pytest.fixture
def shared(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_ALLOWED_ORIGINS": f"{ORIGIN},http://localhost:3000"}) as running:
        yield running


BROWSER = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


@pytest.mark.parametrize("path", [BULK, f"{BULK}/", f"{BULK}/{KEY}", f"/api/v1/evaluate/{KEY}", "/ofrep/v1/stream"])
def test_a_browser_may_ask_first(shared, path):
    asked = BROWSER | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,if-none-match"}
    answer = shared.request("OPTIONS", path, headers=asked)
    assert (answer.status, answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (204, ORIGIN, "Origin")
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert {"content-type", "authorization", "x-api-key", "if-none-match"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    refused = shared.request("OPTIONS", path, headers=asked | {"Origin": "https://evil.example"})
    assert refused.status == 403 and "access-control-allow-origin" not in refused.headers


def test_pages_of_allowed_origins_evaluate(shared):
    answer = shared.post(BULK, {"context": {}}, BROWSER)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert answer.headers["access-control-expose-headers"] == "ETag, Retry-After"
    held = shared.post(BULK, {"context": {}}, BROWSER | {"If-None-Match": answer.headers["etag"]})
    assert (held.status, held.headers["access-control-allow-origin"]) == (304, ORIGIN)
    missing = shared.post(f"{BULK}/nothing", {"context": {}}, BROWSER)
    assert (missing.status, missing.headers["access-control-allow-origin"]) == (404, ORIGIN)
    assert shared.get(f"/api/v1/evaluate/{KEY}", BROWSER).headers["access-control-allow-origin"] == ORIGIN
    connection = shared.connection()
    connection.request("GET", "/ofrep/v1/stream", headers=BROWSER)
    stream = connection.getresponse()
    assert (stream.status, stream.getheader("access-control-allow-origin")) == (200, ORIGIN)
    connection.close()


def test_other_pages_and_other_calls_stay_out(shared):
    assert shared.post(BULK, {"context": {}}, BROWSER | {"Origin": "https://evil.example"}).status == 403
    assert shared.post(BULK, {"context": {}}, BROWSER | {"Origin": ORIGIN + ".evil.example"}).status == 403
    assert shared.request("PATCH", FLAG, {"enabled": False}, BROWSER).status == 403
    assert shared.get("/api/v1/flags", BROWSER).status == 403


def test_by_default_no_page_is_let_in(server):
    assert server.post(BULK, {"context": {}}, BROWSER).status == 403
    assert not any(name.startswith("access-control") for name in server.post(BULK, {"context": {}}).headers)
