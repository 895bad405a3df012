# SPDX-License-Identifier: Apache-2.0
"""Rejected records: read in pages, counted once when they are sound, deleted."""

import json
import socket
import threading
import time

import msgpack

from rampart import Rampart

HIT = '{"event_type":"cache_hit","key":"%s","cache_tier":"L1"}'


def outcomes(server):
    return {key[1][1]: value for key, value in server.samples().items() if key[0] == "rampart_deadletters_total"}


def ahead(seconds):
    """An event that is too far ahead of the server's clock, and sound `seconds` later."""
    return json.dumps({"event_type": "cache_hit", "cache": "c", "timestamp": int(time.time() * 1000) + 600_000 + int(seconds * 1000)})


def test_a_page_follows_the_other_and_one_record_is_answered_whole(server):
    long = '{"event_type":"cache_x","fill":"' + "x" * 10_000 + '"}'
    assert server.post("/api/v1/events", "\n".join(['{"event_type":"cache_x"}'] * 4 + [long])).status == 400
    page = server.get("/api/v1/deadletters?limit=2").json()
    assert [l["id"] for l in page["dead_letters"]] == [5, 4] and page["next_before"] == 4
    assert page["dead_letters"][0]["size_bytes"] == len(long) and page["dead_letters"][0]["replayable"]
    assert page["dead_letters"][0]["body"] == long[:4096]
    assert server.get("/api/v1/deadletters/5").json()["body"] == long
    page = server.get("/api/v1/deadletters?limit=3&before=4").json()
    assert [l["id"] for l in page["dead_letters"]] == [3, 2, 1] and page["next_before"] is None
    assert server.get("/api/v1/deadletters?source=loki").json()["dead_letters"] == []
    assert [l["id"] for l in server.get("/api/v1/deadletters?ids=1,3-4").json()["dead_letters"]] == [4, 3, 1]
    assert server.total("rampart_deadletters_stored") == 5
    for path in ("/api/v1/deadletters?ids=x", "/api/v1/deadletters?ids=5-3", "/api/v1/deadletters?before=0", "/api/v1/deadletters/no"):
        assert server.get(path).status == 400, path
    assert server.get("/api/v1/deadletters/99").status == 404
    many = ",".join(["1"] * 101)
    assert server.get(f"/api/v1/deadletters?ids={many}").status == 400


def test_what_is_sound_now_is_counted_once_by_however_many_replays(server):
    lines = [ahead(1.5) for _ in range(50)] + ['{"event_type":"cache_x"}']
    assert server.post("/api/v1/events", "\n".join(lines)).status == 400
    answer = server.post("/api/v1/deadletters/replay")
    assert answer.status == 200, answer.body
    assert answer.json()["replayed"] == 0 and answer.json()["rejected"] == 51 and answer.json()["remaining"] == 51
    assert len(answer.json()["errors"]) == 20
    time.sleep(1.6)
    summaries = []
    threads = [threading.Thread(target=lambda: summaries.append(server.post("/api/v1/deadletters/replay").json())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(s["replayed"] for s in summaries) == 50
    assert server.total("cache_hits_total", cache="c") == 50
    left = server.get("/api/v1/deadletters").json()["dead_letters"]
    assert [l["body"] for l in left] == ['{"event_type":"cache_x"}']
    assert outcomes(server) == {"stored": 51, "replayed": 50, "purged": 0, "evicted": 0}
    server.kill()
    server.start()
    assert server.post("/api/v1/deadletters/replay").json()["replayed"] == 0
    assert server.total("cache_hits_total", cache="c") == 50


def test_the_source_of_a_record_is_kept_with_it(server):
    nanoseconds = (int(time.time()) - 7200) * 10**9 + 1
    event = json.dumps({"event_type": "cache_hit", "timestamp": int(time.time() * 1000) + 601_000})
    text = json.dumps({"event_type": "cache_bypass", "note": "a \"quoted\" word"})
    body = {"streams": [{"stream": {"app": "shop", "cache": "cart"}, "values": [[str(nanoseconds), event], [str(nanoseconds), text]]}]}
    assert server.post("/loki/api/v1/push", body).status == 400
    assert [l["source"] for l in server.get("/api/v1/deadletters").json()["dead_letters"]] == ["loki", "loki"]
    assert server.get("/api/v1/deadletters").json()["dead_letters"][0]["body"] == text
    time.sleep(1.1)
    assert server.post("/api/v1/deadletters/replay?source=events").json()["replayed"] == 0
    answer = server.post("/api/v1/deadletters/replay?source=loki").json()
    assert (answer["replayed"], answer["rejected"]) == (1, 1)
    assert server.total("cache_hits_total", service="shop", cache="cart") == 1
    assert server.total("rampart_ingest_events_total", outcome="accepted", protocol="loki") == 1


# The time of a record that is not in the event itself, too far ahead by so much when it comes.
AHEAD_SECONDS = 2


def assert_replayed_at(server, source, stamp, records, **labels):
    """Replays what is sound by now: it counts at the time that its protocol gave it, and as its source's."""
    time.sleep(max(stamp - 599.5 - time.time(), 0))
    answer = server.post(f"/api/v1/deadletters/replay?source={source}").json()
    assert (answer["replayed"], answer["remaining"]) == (records, 0), answer
    # At the time of receipt nothing was counted.
    rows = server.get(f"/api/v1/totals?by=service,cache&from={stamp - 20}&to={stamp + 20}").json()["rows"]
    assert [(row["labels"], row["hits"]) for row in rows] == [(labels, records)]
    assert server.total("cache_hits_total") == records


def test_syslog_keeps_the_time_of_the_header_and_the_source(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (tmp_path / "rampart.yml").write_text(f"sources: [{{syslog: 'tcp://127.0.0.1:{port}', service: shop, cache: cart}}]\n")
    with Rampart(tmp_path) as server:
        stamp = int(time.time()) + 600 + AHEAD_SECONDS
        headers = (time.strftime("<13>%b %e %H:%M:%S host app[7]: @cee: ", time.localtime(stamp)),
                   time.strftime("<13>1 %Y-%m-%dT%H:%M:%SZ host app 7 - - ", time.gmtime(stamp)))
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for header in headers:
                connection.sendall(f'{header}{{"event_type":"cache_hit"}}\n'.encode())
        Rampart.wait_for(lambda: server.total("rampart_deadletters_stored") == 2)
        assert {letter["body"] for letter in server.get("/api/v1/deadletters?source=syslog").json()["dead_letters"]} == {'{"event_type":"cache_hit"}'}
        assert_replayed_at(server, "syslog", stamp, 2, service="shop", cache="cart")


def test_forward_keeps_the_time_of_the_entry_and_the_source(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (tmp_path / "rampart.yml").write_text(f"sources: [{{forward: '127.0.0.1:{port}', service: shop, cache: cart}}]\n")
    with Rampart(tmp_path) as server:
        stamp = int(time.time()) + 600 + AHEAD_SECONDS
        entries = [[stamp, {"event_type": "cache_hit"}], [stamp, {"log": '{"event_type":"cache_hit"}'}], [stamp, {"message": {"event_type": "cache_hit"}}]]
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(msgpack.packb(["t", entries]))
        Rampart.wait_for(lambda: server.total("rampart_deadletters_stored") == 3)
        assert_replayed_at(server, "forward", stamp, 3, service="shop", cache="cart")


def test_files_keep_the_time_of_the_line_and_the_source(tmp_path):
    (tmp_path / "rampart.yml").write_text(f"sources: [{{file: {tmp_path}/*.json, service: shop, cache: cart}}]\n")
    stamp = int(time.time()) + 600 + AHEAD_SECONDS
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp))
    (tmp_path / "app.json").write_text("started\n" + f'{iso} stdout F {{"event_type":"cache_hit"}}\n'
                                       f'{{"time":"{iso}","log":"{{\\"event_type\\":\\"cache_hit\\"}}"}}\n')
    with Rampart(tmp_path) as server:
        Rampart.wait_for(lambda: server.total("rampart_deadletters_stored") == 2)
        assert {letter["line"] for letter in server.get("/api/v1/deadletters?source=file").json()["dead_letters"]} == {2, 3}
        assert_replayed_at(server, "file", stamp, 2, service="shop", cache="cart")


def test_documents_keep_their_time_and_service(server):
    stamp = int(time.time()) + 600 + AHEAD_SECONDS
    document = {"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp)), "service": "api", "cache": "c", "message": '{"event_type":"cache_hit"}'}
    answer = server.post("/elasticsearch/logs/_bulk", f'{{"create":{{"_id":"1"}}}}\n{json.dumps(document)}\n')
    assert answer.json()["items"][0]["create"]["status"] == 400
    assert_replayed_at(server, "elasticsearch", stamp, 1, service="api", cache="c")


def test_a_record_that_was_cut_says_so(server):
    long = '{"event_type":"cache_hit","fill":"' + "x" * 300_000 + '"}'
    assert server.post("/api/v1/events", long).status == 400
    letter = server.get("/api/v1/deadletters").json()["dead_letters"][0]
    assert letter["size_bytes"] == 262_144 and letter["replayable"] is False
    answer = server.post("/api/v1/deadletters/replay").json()
    assert (answer["replayed"], answer["cut"], answer["remaining"]) == (0, 1, 1)
    assert answer["errors"] == [{"id": 1, "reason": "only its first 262144 bytes were kept: send the record again, mended"}]


def test_a_purge_deletes_what_it_names_and_is_audited(server):
    assert server.post("/api/v1/events", "\n".join(['{"event_type":"cache_x"}'] * 6)).status == 400
    assert server.request("DELETE", "/api/v1/deadletters?ids=2-3,5", headers={"X-Reason": "tidy"}).json() == {"purged": 3}
    assert [l["id"] for l in server.get("/api/v1/deadletters").json()["dead_letters"]] == [6, 4, 1]
    assert server.request("DELETE", "/api/v1/deadletters?source=loki").json() == {"purged": 0}
    assert server.request("DELETE", "/api/v1/deadletters").json() == {"purged": 3}
    assert outcomes(server)["purged"] == 6
    entries = [e for e in server.get("/api/v1/audit").json()["entries"] if e["action"] == "deadletters purge"]
    assert [(e["actor"], e["reason"], e["before"]) for e in entries] == [
        ("local user", "", {"dead_letters": 3}),
        ("local user", "tidy", {"dead_letters": 3})]
    refused = server.request("DELETE", "/api/v1/deadletters", headers={"Origin": "http://evil.example"})
    assert refused.status == 403


def test_a_replay_of_many_is_exact_while_events_come_in(server):
    wait_until = time.time() + 4
    body = "\n".join([ahead(4)] * 900)
    for _ in range(6):
        assert server.post("/api/v1/events", body).status == 400
    are_done = threading.Event()
    sent = [0]

    def client():
        while not are_done.is_set():
            assert server.post("/api/v1/events", (HIT % "blog:1") + '\n{"event_type":"cache_x"}').status == 200
            sent[0] += 1

    thread = threading.Thread(target=client)
    thread.start()
    time.sleep(max(wait_until + 0.2 - time.time(), 0))
    replayed = server.post("/api/v1/deadletters/replay").json()["replayed"]
    are_done.set()
    thread.join()
    assert replayed == 5_400
    assert server.total("cache_hits_total", cache="c") == 5_400
    assert server.total("cache_hits_total", cache="blog") == sent[0]
    assert server.total("rampart_deadletters_stored") == sent[0]


def test_a_record_without_bytes_is_listed_and_stays(server):
    answer = server.post("/elasticsearch/logs/_bulk", '{"create":{}}\n\n')
    assert answer.json()["items"][0]["create"]["status"] == 400
    assert [l["body"] for l in server.get("/api/v1/deadletters").json()["dead_letters"]] == [""]
    assert server.get("/api/v1/deadletters/1").json()["size_bytes"] == 0
    assert server.post("/api/v1/deadletters/replay").json()["ignored"] == 1
