# SPDX-License-Identifier: Apache-2.0
"""Evaluations: what a poll of one flag costs against nginx, and how long all of a thousand flags take."""

import json
import re
import statistics
import time

from processes import BenchError, Connection, Nginx, Rampart, request_bytes, run

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 64
FLAG = "ENABLE_PROFILE_CACHE"
GET_TARGET = f"/api/v1/evaluate/{FLAG}?targetingKey=user-1"
OFREP_TARGET = f"/ofrep/v1/evaluate/flags/{FLAG}"
OFREP_BODY = '{"context":{"targetingKey":"user-1"}}'
POST_SCRIPT = f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{OFREP_BODY}'
"""

BULK_FLAGS = 1_000
BULK_RULES = 10
BULK_ROUNDS = 400
BULK_DISCARDED = 50
BULK_CONTEXT = {"targetingKey": "user-1", "email": "ann@example.org", "country": "CH", "plan": "basic", "age": 41, "version": "2.3.1"}


def poll(server, target, script=None):
    """(CPU microseconds per request, requests per second)"""
    url = f"http://127.0.0.1:{server.port}{target}"
    used = server.cpu_seconds()
    output = run("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *(["-s", script] if script else []), url).decode()
    used = server.cpu_seconds() - used
    if "Non-2xx" in output or "Socket errors" in output:
        raise BenchError(f"wrk saw errors at {url}:\n{output}")
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    return used / requests * 1e6, float(re.search(r"Requests/sec: *([\d.]+)", output).group(1))


def measure_polls(binary, folder):
    """[(name, own rounds, nginx' rounds)], each round as of `poll`, of the GET and of OFREP's POST."""
    script = folder / "ofrep.lua"
    script.write_text(POST_SCRIPT)
    with Rampart(binary, folder / "polls") as rampart:
        change = json.dumps({"rollout": {"variant": "on", "percent": 10}}).encode()
        rampart.request("PATCH", f"/api/v1/flags/{FLAG}", change, "application/json")
        body = rampart.request("GET", GET_TARGET)
        if json.loads(body)["reason"] != "SPLIT":
            raise BenchError(f"the flag is not split: {body!r}")
        # nginx answers with the same body, so that both write as much.
        with Nginx(folder / "nginx", body) as nginx:
            calls = [("flag poll CPU, against nginx", GET_TARGET, None), ("OFREP POST CPU, against nginx", OFREP_TARGET, script)]
            figures = [(name, [], []) for name, _, _ in calls]
            for _ in range(ROUNDS):
                for (_, target, script), (_, own, peer) in zip(calls, figures):
                    own.append(poll(rampart, target, script))
                    peer.append(poll(nginx, target, script))
    return figures


def bulk_flag(number):
    """Ten rules of every kind, none of which fits the context; half of the flags then roll out."""
    conditions = [
        {"attribute": "email", "op": "ends_with", "values": ["@example.com", f"@team-{number}.example"]},
        {"attribute": "country", "op": "in", "values": ["US", "FR", "DE", "JP", "BR"]},
        {"attribute": "plan", "op": "eq", "values": ["enterprise"]},
        {"attribute": "age", "op": "gte", "values": [65]},
        {"attribute": "version", "op": "semver_gte", "values": ["3.0.0"]},
        {"attribute": "email", "op": "starts_with", "values": [f"user-{number}@"]},
        {"attribute": "device", "op": "in", "values": ["tv", "watch"]},
        {"attribute": "targetingKey", "op": "in", "values": [f"tester-{n}" for n in range(20)]},
        {"op": "in_segment", "values": ["beta"]},
        {"attribute": "email", "op": "contains", "values": ["+test"]},
    ]
    members = {"rollout": {"variant": "on", "percent": 50}} if number % 2 else {}
    rules = [{"name": f"rule {place}", "if": [condition], "variant": "on"} for place, condition in enumerate(conditions[:BULK_RULES])]
    return {"key": f"flag-{number:04}", "type": "boolean", "rules": rules} | members


def measure_bulk(binary, folder):
    """(milliseconds of each answer, CPU milliseconds of one, bytes of one)"""
    document = {"flags": [bulk_flag(number) for number in range(BULK_FLAGS)],
                "segments": [{"key": "beta", "included": [f"beta-{n}" for n in range(1000)]}]}
    request = request_bytes("POST", "/ofrep/v1/evaluate/flags", json.dumps({"context": BULK_CONTEXT}).encode(), "application/json")
    with Rampart(binary, folder / "bulk") as server, Connection(server.port) as connection:
        server.request("POST", "/api/v1/flagset?mode=replace", json.dumps(document).encode(), "application/json")
        milliseconds = []
        for number in range(BULK_ROUNDS):
            if number == BULK_DISCARDED:
                used = server.cpu_seconds()
            began = time.perf_counter()
            status, body = connection.send(request)
            milliseconds.append((time.perf_counter() - began) * 1e3)
        used = (server.cpu_seconds() - used) / (BULK_ROUNDS - BULK_DISCARDED) * 1e3
    if status != 200 or len(json.loads(body)["flags"]) != BULK_FLAGS:
        raise BenchError(f"the bulk answer was {status}: {body[:500]!r}")
    return milliseconds[BULK_DISCARDED:], used, len(body)


def median_ratio(own, peer):
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(own, peer)]
    return statistics.median(ratios), ratios
