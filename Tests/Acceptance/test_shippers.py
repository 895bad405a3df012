# SPDX-License-Identifier: Apache-2.0
"""Every protocol of ingest with the clients that speak it: what was sent is what is counted, once."""

import gzip
import itertools
import json
import logging
import sqlite3
import threading
import time
import zlib

import elasticsearch
import elasticsearch.helpers
import logging_loki
import pytest
import snappy
import zstandard
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from rampart import ROOT, Rampart

EVENTS = 20_000
BATCH = 1_000


def event(number):
    """Of four events one is a hit of L1, one a hit of L2, one a miss and one a write."""
    fields = {"key": f"user:id:{number % 50}", "correlation_id": f"r-{number}", "timestamp": round(time.time(), 3)}
    kind = ({"event_type": "cache_hit", "cache_tier": "L1", "duration_ms": 0.5}, {"event_type": "cache_hit", "cache_tier": "L2"},
            {"event_type": "cache_miss", "duration_ms": 12.5}, {"event_type": "cache_set", "cache_tier": "L2"})[number % 4]
    return kind | fields


def assert_counted(server, protocol, events, **others):
    """The counts of `events` events of `event`, and what became of all records."""
    row, = server.get("/api/v1/totals?by=service,cache").json()["rows"]
    assert row["labels"] == {"service": "auth", "cache": "user"}
    assert (row["hits"], row["misses"], row["sets"]) == (events // 2, events // 4, events // 4)
    assert server.total("cache_hits_total", tier="L1") == events // 4
    assert server.total("rampart_ingest_events_total", outcome="accepted", protocol=protocol) == events
    for outcome in ("rejected", "ignored", "duplicate", "refused"):
        assert server.total("rampart_ingest_events_total", outcome=outcome, protocol=protocol) == others.get(outcome, 0), outcome


def batches(records):
    records = iter(records)
    while batch := list(itertools.islice(records, BATCH)):
        yield batch


# Content-Encoding


def test_every_encoding_of_a_body(server):
    stream = zstandard.ZstdCompressor(level=3)
    encodings = itertools.cycle([
        ("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", stream.compress), ("snappy", snappy.compress),
        ("snappy", lambda body: snappy.StreamCompressor().compress(body)), ("x-snappy-framed", lambda body: snappy.StreamCompressor().compress(body)), ("identity", bytes),
        ("zstd", lambda body: stream.compress(body[:100]) + stream.compress(body[100:]))])
    for batch, (name, compress) in zip(batches(map(event, range(EVENTS))), encodings):
        body = "\n".join(map(json.dumps, batch)).encode()
        answer = server.post("/api/v1/events", compress(body), {"Content-Encoding": name})
        assert (answer.status, answer.json()["accepted"]) == (200, BATCH), (name, answer.body)
        # The digest is that of the bytes inside, however they are sent again.
        assert server.post("/api/v1/events", body).json()["duplicate"] is True
    assert_counted(server, "events", EVENTS, duplicate=EVENTS)


def test_bombs_and_broken_bodies_of_every_encoding(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_INGEST_MAX_BODY": "64KiB"}) as server:
        line = b'{"event_type":"cache_hit"}\n'
        bomb = line * 100_000
        for name, compress in (
            ("zstd", zstandard.ZstdCompressor().compress), ("snappy", snappy.compress),
            ("snappy", lambda body: snappy.StreamCompressor().compress(body)), ("gzip", gzip.compress),
        ):
            assert server.post("/api/v1/events", compress(bomb), {"Content-Encoding": name}).status == 413, name
            assert server.post("/api/v1/events", compress(line)[:-3], {"Content-Encoding": name}).status == 400, name
            assert server.post("/api/v1/events", b"not compressed", {"Content-Encoding": name}).status == 400, name
        # Five bytes that claim 32 KiB, and ones that claim 4 GiB.
        assert server.post("/api/v1/events", b"\x80\x80\x02\x00\x00", {"Content-Encoding": "snappy"}).status == 400
        assert server.post("/api/v1/events", b"\xff\xff\xff\xff\x0f", {"Content-Encoding": "snappy"}).status == 413
        assert server.total("cache_hits_total") == 0


# Loki


def varint(value):
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(encoded) + bytes([value])


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content if isinstance(content, bytes) else content.encode()
    return varint(number << 3 | 2) + varint(len(content)) + content


def push_request(labels, entries):
    """Loki's PushRequest of one stream."""
    stream = field(1, labels) + b"".join(
        field(2, field(1, field(1, ns // 10**9) + field(2, ns % 10**9)) + field(2, line)) for ns, line in entries)
    return field(1, stream)


def test_loki_json_protobuf_and_a_logging_handler(server):
    numbers = iter(range(EVENTS))
    handler = logging_loki.LokiHandler(url=f"http://127.0.0.1:{server.port}/loki/api/v1/push", tags={"app": "api"}, version="1")
    logger = logging.getLogger("test_loki")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for number in itertools.islice(numbers, BATCH):
        logger.info(json.dumps(event(number)))
    for index, batch in enumerate(batches(json.dumps(event(number)) for number in numbers)):
        now_ns = time.time_ns()
        if index % 3 == 2:
            body = snappy.compress(push_request('{app="api", job="x"}', [(now_ns + i, line) for i, line in enumerate(batch)]))
            headers = {"Content-Type": "application/x-protobuf"} | ({"Content-Encoding": "snappy"} if index % 2 else {})
        else:
            values = [[str(now_ns + i), line, {"trace_id": "t"}] for i, line in enumerate(batch)]
            body = json.dumps({"streams": [{"stream": {"app": "api"}, "values": values}]}).encode()
            headers = {"Content-Type": "application/json"}
            if index % 3 == 1:
                body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
        for _ in range(2):
            answer = server.post("/loki/api/v1/push", body, headers)
            assert (answer.status, answer.body) == (204, b"")
    logger.removeHandler(handler)
    assert_counted(server, "loki", EVENTS, duplicate=EVENTS - BATCH)


def test_loki_labels_times_and_errors(server):
    def push(values, stream=None, **headers):
        return server.post("/loki/api/v1/push", {"streams": [{"stream": stream or {}, "values": values}]}, headers)

    ten_minutes_ago = time.time_ns() - 600 * 10**9
    assert push([[str(ten_minutes_ago), "info: [CACHE] MISS plain"]], {"service": "api", "cache": "c"}).status == 204
    row, = server.get("/api/v1/totals?by=service,cache&to=" + str(ten_minutes_ago / 1e9 + 60)).json()["rows"]
    assert (row["labels"], row["misses"]) == ({"service": "api", "cache": "c"}, 1)
    assert push([["0", "no event"]]).status == 204
    rejected = push([["0", '{"event_type":"cache_x"}']])
    assert rejected.status == 400 and b"entry 1: event_type" in rejected.body
    assert push([["0", '{"event_type":"cache_x"}'], ["0", "x"]]).status == 204
    for body, headers, status in (
        (b'{"streams":[', {"Content-Type": "application/json"}, 400), (b"not snappy", {}, 400),
        (snappy.compress(b"\x0a\x05x"), {"Content-Type": "application/x-protobuf"}, 400),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
    ):
        answer = server.post("/loki/api/v1/push", body, headers)
        assert answer.status == status and answer.headers["content-type"].startswith("text/plain"), answer.body
    letters = server.get("/api/v1/deadletters").json()["dead_letters"]
    assert [letter["source"] for letter in letters] == ["loki", "loki"]
    gzipped = gzip.compress(snappy.compress(push_request("{}", [(0, "[CACHE] MISS x")])))
    assert server.post("/loki/api/v1/push", gzipped, {"Content-Encoding": "gzip"}).status == 204


# OTLP


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.NoCompression])
def test_otlp_from_the_sdk(server, compression):
    exporter = OTLPLogExporter(endpoint=f"http://127.0.0.1:{server.port}/v1/logs", compression=compression)
    provider = LoggerProvider(resource=Resource.create({"service.name": "api"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=2 * EVENTS, schedule_delay_millis=100))
    logger = logging.getLogger(f"test_otlp_{compression}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = LoggingHandler(level=logging.INFO, logger_provider=provider)
    logger.addHandler(handler)
    for number in range(EVENTS):
        # As attributes of a remark, and as a text.
        if number % 8 < 4:
            logger.info("cache event", extra=event(number))
        else:
            logger.info(json.dumps(event(number)))
    assert provider.force_flush()
    provider.shutdown()
    logger.removeHandler(handler)
    assert_counted(server, "otlp", EVENTS)


def test_otlp_answers_in_the_encoding_of_the_request(server):
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for name, attributes in (("cache_hit", {"cache_tier": "L1"}), ("cache_hit", {"cache_tier": "L3"}), ("login", {})):
        record = records.add(event_name=name, time_unix_nano=time.time_ns(), severity_number=SeverityNumber.INFO.value)
        for key, value in attributes.items():
            record.attributes.add(key=key).value.string_value = value
    protobuf = {"Content-Type": "application/x-protobuf"}
    reason = 'record 2: cache_tier: "L3": must be "L1" or "L2"'
    for _ in range(2):
        answer = server.post("/v1/logs", gzip.compress(request.SerializeToString()), protobuf | {"Content-Encoding": "gzip"})
        partial = ExportLogsServiceResponse.FromString(answer.body).partial_success
        assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
        assert (partial.rejected_log_records, partial.error_message) == (1, reason)
    as_json = {"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"timeUnixNano": str(r.time_unix_nano + 1), "eventName": r.event_name,
         "attributes": [{"key": a.key, "value": {"stringValue": a.value.string_value}} for a in r.attributes]} for r in records]}]}]}
    for _ in range(2):
        answer = server.post("/v1/logs", as_json)
        assert answer.status == 200
        assert answer.json() == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": reason}}
    assert server.post("/v1/logs", {}).body == b"{}" and server.post("/v1/logs", b"", protobuf).body == b""
    assert server.total("cache_hits_total") == 2
    assert server.total("rampart_ingest_events_total", protocol="otlp", outcome="duplicate") == 6


def test_otlp_errors_are_status_messages(server):
    for body, headers, status, code in (
        (b"\x0a\x05x", {"Content-Type": "application/x-protobuf"}, 400, 3), (b"[", {"Content-Type": "application/json"}, 400, 3),
        (b"{}", {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "br"}, 415, 3), (b"{}", {"Content-Type": "text/plain"}, 415, 3),
        (b"x", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400, 3),
    ):
        answer = server.post("/v1/logs", body, headers)
        assert answer.status == status, answer.body
        if answer.headers["content-type"] == "application/json":
            assert answer.json()["code"] == code and answer.json()["message"]
        else:
            assert answer.body[:2] == bytes([0x08, code])


# Elasticsearch


def client(server):
    return elasticsearch.Elasticsearch(f"http://127.0.0.1:{server.port}/elasticsearch", http_compress=True)


def actions(numbers, kind="create", with_id=True):
    for number in numbers:
        yield {"_op_type": kind, "_index": "logs-app", "_source": event(number)} | ({"_id": f"doc-{number}"} if with_id else {})


def test_elasticsearch_bulk_with_ids_counts_each_once(server):
    es = client(server)
    assert es.info()["version"]["number"].startswith("8.") and es.ping()
    assert elasticsearch.helpers.bulk(es, actions(range(EVENTS)), chunk_size=BATCH) == (EVENTS, [])
    es.close()
    assert_counted(server, "elasticsearch", EVENTS)
    # A repetition of some, with new ones between them, in other batches, and after a restart.
    server.stop()
    server.start()
    es = client(server)
    again = range(EVENTS - 3_000, EVENTS + 4_000)
    done, errors = elasticsearch.helpers.bulk(es, actions(again), chunk_size=700, raise_on_error=False)
    assert (done, len(errors)) == (4_000, 3_000)
    assert {error["create"]["status"] for error in errors} == {409}
    assert [error["create"]["_id"] for error in errors] == [f"doc-{number}" for number in again[:3_000]]
    # `index` writes over what is there.
    assert elasticsearch.helpers.bulk(es, actions(again, kind="index"), chunk_size=BATCH) == (7_000, [])
    assert server.get("/api/v1/totals").json()["rows"][0]["hits"] == (EVENTS + 4_000) // 2
    assert server.total("rampart_ingest_events_total", protocol="elasticsearch", outcome="duplicate") == 10_000
    es.close()


def test_elasticsearch_bulk_without_ids_is_known_by_its_bytes(server):
    es = client(server)
    assert elasticsearch.helpers.bulk(es, actions(range(8_000), with_id=False), chunk_size=BATCH) == (8_000, [])
    es.close()
    lines = "".join(f'{{"create":{{}}}}\n{json.dumps(event(n))}\n' for n in range(8_000, 12_000))
    for _ in range(2):
        answer = server.post("/elasticsearch/logs/_bulk", lines, {"Content-Type": "application/x-ndjson"})
        assert answer.status == 200 and answer.body.startswith(b'{"took":')
        assert b'"errors":false,"items":[{"create":{"_index":"logs","status":201' in answer.body
    assert_counted(server, "elasticsearch", 12_000, duplicate=4_000)


def test_elasticsearch_items_are_answered_one_by_one(server):
    body = "\n".join([
        '{"create":{"_index":"a","_id":"1"}}', json.dumps(event(0)), '{"create":{"_id":"2"}}', '{"event_type":"cache_x"}',
        '{"index":{"_id":"3"}}', '{"message":', '{"delete":{"_id":"1"}}', '{"create":{"_id":"4"}}', '{"message":"hello"}',
        '{"create":{"_index":"a","_id":"1"}}', json.dumps(event(1)), '{"create":{"_id":"5"}}', json.dumps(event(1))])
    answer = server.post("/elasticsearch/logs/_bulk", body)
    assert answer.status == 200 and answer.headers["x-elastic-product"] == "Elasticsearch"
    items = [next(iter(item.items())) for item in answer.json()["items"]]
    assert answer.json()["errors"] is True
    assert [(action, item["status"]) for action, item in items] == [
        ("create", 201), ("create", 400), ("index", 400), ("delete", 400), ("create", 201), ("create", 409), ("create", 201)]
    assert [item["_id"] for _, item in items] == ["1", "2", "3", "1", "4", "1", "5"]
    assert "cache_x" in items[1][1]["error"]["reason"] and "broken JSON" in items[2][1]["error"]["reason"]
    assert server.total("cache_hits_total") == 2
    # Elsewhere the same ids are others.
    assert server.post("/elasticsearch/other/_bulk", body).json()["items"][-1]["create"]["status"] == 201
    broken = server.post("/elasticsearch/_bulk", '{"create":{}}\n' + json.dumps(event(0)) + "\nnonsense\n{}\n")
    assert (broken.status, broken.json()["status"]) == (400, 400)
    assert broken.json()["error"]["reason"].startswith("Malformed action/metadata line [3]")
    assert server.post("/elasticsearch/_bulk", "{}", {"Content-Encoding": "br"}).json()["status"] == 415
    assert server.total("cache_hits_total") == 3


def test_elasticsearch_handshakes(server):
    for method, path in (
        ("GET", ""), ("GET", "/"), ("HEAD", "/"), ("GET", "/_license"), ("GET", "/_xpack"), ("GET", "/_cluster/health"), ("GET", "/_nodes/http"),
        ("GET", "/_ilm/policy/filebeat"), ("PUT", "/_ilm/policy/filebeat"), ("HEAD", "/_index_template/logs"), ("PUT", "/_index_template/logs"),
        ("PUT", "/_template/logstash"), ("GET", "/_ingest/pipeline/x"), ("HEAD", "/_data_stream/logs"), ("HEAD", "/logs"), ("PUT", "/logs"),
        ("POST", "/logs/_refresh"), ("GET", "/_cat/indices"), ("HEAD", "/_alias/filebeat"),
    ):
        body = json.dumps({"template": {}}) if method == "PUT" else None
        answer = server.request(method, "/elasticsearch" + path, body)
        assert (answer.status, answer.headers["x-elastic-product"]) == (200, "Elasticsearch"), path
    for method, path in (("POST", "/logs/_search"), ("GET", "/_unknown")):
        answer = server.request(method, "/elasticsearch" + path, "{}" if method == "POST" else None)
        assert answer.status == 404 and answer.json()["error"]["type"] == "resource_not_found_exception"


# Every protocol


def full_requests():
    now_ns = time.time_ns()
    hit = json.dumps(event(0))
    otlp = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": hit}}]}]}]}
    return {
        "events": ("/api/v1/events", hit.encode(), {}),
        "loki": ("/loki/api/v1/push", json.dumps({"streams": [{"stream": {}, "values": [[str(now_ns), hit]]}]}).encode(),
                 {"Content-Type": "application/json"}),
        "otlp": ("/v1/logs", json.dumps(otlp).encode(), {"Content-Type": "application/json"}),
        "elasticsearch": ("/elasticsearch/_bulk", f'{{"create":{{"_id":"1"}}}}\n{hit}\n'.encode(), {}),
    }


def test_too_large_is_told_in_the_words_of_each_protocol(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_INGEST_MAX_BODY": "64KiB"}) as server:
        for protocol, (path, body, headers) in full_requests().items():
            for content, more in ((body + b" " * 65_536, {}), (gzip.compress(body + b" " * 65_536), {"Content-Encoding": "gzip"})):
                answer = server.post(path, content, headers | more)
                assert answer.status == 413, protocol
                told = {"events": lambda: "error" in answer.json(), "loki": lambda: answer.body.startswith(b"body: more than 65536 bytes"),
                        "otlp": lambda: answer.json()["code"] == 8, "elasticsearch": lambda: answer.json()["status"] == 413}
                assert told[protocol](), answer.body
            assert server.post(path, body, headers).status in (200, 204)


def test_a_full_store_refuses_every_protocol_until_it_has_room(tmp_path):
    with Rampart(tmp_path, environment={"RAMPART_RETENTION_MAX_SIZE": "1MiB"}) as server:
        for number in range(400):
            base_s = int(time.time()) - 80_000 + number * 40
            events = [{"event_type": "cache_miss", "cache": f"c{i}", "timestamp": base_s, "duration_ms": i} for i in range(300)]
            if server.send_events(events).status == 503:
                break
        for protocol, (path, body, headers) in full_requests().items():
            # Some pages may have room for a few small bodies.
            def refusal():
                answer = server.post(path, body, headers | {"Idempotency-Key": str(time.time_ns())})
                assert answer.status in (200, 204, 503), answer.body
                return answer if answer.status == 503 else None

            assert Rampart.wait_for(refusal, what=protocol).headers["retry-after"] == "1"
            assert server.total("rampart_ingest_events_total", outcome="refused", protocol=protocol) >= 1


def documented_answers():
    """The table of statuses of docs/shippers.md: {protocol: {case: status}}."""
    rows = [[cell.strip() for cell in row.strip("|\n ").split("|")] for row in (ROOT / "docs/shippers.md").read_text().splitlines() if row.startswith("|")]
    head = next(row for row in rows if row[0] == "answer to")
    names = ["events", "loki", "otlp", "elasticsearch"]
    assert head[1:5] == [f"`{name}`" for name in names]
    table = rows[rows.index(head) + 2:]
    return {name: {row[0]: row[column] for row in table[:8]} for column, name in enumerate(names, start=1)}


def requests_of(lines):
    """The requests that carry these records in every protocol."""
    now_ns = time.time_ns()
    otlp = [{"timeUnixNano": str(now_ns), "body": {"stringValue": line}} for line in lines]
    bulk = "".join(f'{{"create":{{"_id":"{now_ns}-{number}"}}}}\n{line}\n' for number, line in enumerate(lines))
    json_type = {"Content-Type": "application/json"}
    return {
        "events": ("/api/v1/events", "\n".join(lines).encode(), {"Idempotency-Key": str(now_ns)}),
        "loki": ("/loki/api/v1/push", json.dumps({"streams": [{"stream": {}, "values": [[str(now_ns), line] for line in lines]}]}).encode(), json_type),
        "otlp": ("/v1/logs", json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": otlp}]}]}).encode(), json_type),
        "elasticsearch": ("/elasticsearch/logs/_bulk", bulk.encode(), {}),
    }


def test_the_documented_answers_are_the_ones(tmp_path):
    documented = documented_answers()
    hit, wrong = json.dumps(event(0)), '{"event_type":"cache_x"}'
    gz = {"Content-Encoding": "gzip"}
    seen = {}
    with Rampart(tmp_path, environment={"RAMPART_INGEST_MAX_BODY": "64KiB"}) as server:
        for protocol, (path, body, headers) in requests_of([hit]).items():
            some = requests_of([hit, wrong])[protocol]
            cases = {
                "counted": (body, {}), "sent again": (body, {}), "some records rejected": some[1:],
                "all records rejected": requests_of([wrong])[protocol][1:], "cannot be read": (gzip.compress(body)[:-9], gz),
                "`Content-Encoding` unknown": (body, {"Content-Encoding": "br"}), "more than `ingest.max_body`": (body + b" " * 65_536, {}),
            }
            for case, (content, more) in cases.items():
                answer = server.post(path, content, headers | more)
                items = {item["create"]["status"] for item in answer.json()["items"]} if protocol == "elasticsearch" and answer.status == 200 else None
                status = f"{answer.status}" + (f", items {' '.join(map(str, sorted(items)))}" if items else "")
                seen.setdefault(protocol, {})[case] = status
                assert "retry-after" not in answer.headers
    for protocol, answers in documented.items():
        # The last one has a test of its own, below.
        assert answers.pop("store full or busy, server stopping") == "503 or 429"
        assert seen[protocol] == answers, protocol


def test_a_store_that_cannot_write_now_refuses_every_protocol(server):
    requests = full_requests()
    # Another process that writes to the file, as a backup tool may.
    other = sqlite3.connect(server.data / "rampart.sqlite", isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    answers = {}

    def post(protocol):
        path, body, headers = requests[protocol]
        answers[protocol] = server.post(path, body, headers | {"Idempotency-Key": protocol})

    threads = [threading.Thread(target=post, args=(protocol,)) for protocol in requests]
    for thread in threads:
        thread.start()
        # One after the other: those that wait together are written together, and the first waits longest.
        time.sleep(0.1)
    Rampart.wait_for(lambda: answers, seconds=30)
    refused = dict(answers)
    other.execute("ROLLBACK")
    other.close()
    for thread in threads:
        thread.join()
    assert refused and all((answer.status, answer.headers["retry-after"]) == (503, "1") for answer in refused.values())
    for protocol in refused:
        assert server.total("rampart_ingest_events_total", protocol=protocol, outcome="refused") == 1
        post(protocol)
        assert answers[protocol].status in (200, 204)
    assert server.total("cache_hits_total") == len(requests)
