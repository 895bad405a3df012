# SPDX-License-Identifier: Apache-2.0
"""The snippets of docs/loggers.md, type-checked and run under node: what their services do is what is counted.

Stand-ins are only what a service has of its own, its Redis and its database, and pino, which Debian does not package.
"""

import json
import os
import re
import subprocess
from collections import Counter

import pytest

from rampart import ROOT

DOCUMENT = ROOT / "docs/loggers.md"
LOGGERS = ("console", "winston", "pino")
NODE_MODULES = "/usr/share/nodejs"

# What a service has of its own, as types.
TYPES = """
interface Profile { id: string }
interface Dashboard { id: string; fetchedMs: number }
declare const redis: {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, mode: 'EX', seconds: number): Promise<'OK'>;
  del(...keys: string[]): Promise<number>;
};
declare const lru: Map<string, Profile>;
declare const breaker: { opened: boolean; fire(key: string): Promise<string | null>; on(name: string, listener: () => void): unknown };
declare const database: { profile(user: string): Promise<Profile>; dashboard(user: string): Promise<Dashboard> }
  & Record<QUERIES, (...ids: string[]) => Promise<{ id: string }>>;
"""
QUERIES = (
    "matchResults", "orgProfile", "programs", "explanation", "userOrgs", "orgMember", "orgBySlug", "orgSubscription", "sessionData",
    "webUser", "subscription", "blogPost", "userByID", "userByEmail", "session", "sessionsOf", "oauth", "profileUser")

# Types of a node that is not Debian's are not packaged; these are all that winston's and the snippets need.
NODE_TYPES = """
declare const console: { log(line: string): void };
declare const performance: { now(): number };
interface AbortSignal {}
declare const AbortSignal: { timeout(milliseconds: number): AbortSignal };
declare function fetch(url: string, options: { signal: AbortSignal }): Promise<{ ok: boolean; json(): Promise<unknown> }>;
declare module 'node:crypto' { export function randomUUID(): string }
declare module 'http' { export type Agent = unknown }
declare module 'https' { export type Agent = unknown }
declare module 'stream' { export class Writable {} export class Transform {} export type DuplexOptions = object }
declare namespace NodeJS { type ReadableStream = unknown; type WritableStream = unknown }
"""

# pino documents for `logger.info(object)` a line with level, time, pid and hostname, what a child carries, the object's
# fields, and a text as `msg`.
PINO_TYPES = """
interface Logger { info(record: object | string): void; child(fields: object): Logger }
declare function pino(): Logger;
export default pino;
"""
PINO = """
const logger = (carried) => ({
  info: (record) => console.log(JSON.stringify({
    level: 30, time: Date.now(), pid: process.pid, hostname: require('node:os').hostname(), ...carried,
    ...(typeof record === 'string' ? { msg: record } : record) })),
  child: (fields) => logger({ ...carried, ...fields }),
});
exports.default = () => logger({});
Object.defineProperty(exports, '__esModule', { value: true });
"""

SERVICE = """
const { EventEmitter } = require('node:events');
const entries = new Map();
let failing = [];
const answer = (operation, value) => failing.includes(operation)
  ? Promise.reject(new Error(`${operation}: ECONNREFUSED`)) : Promise.resolve(value);
global.redis = {
  get: (key) => answer('get', entries.get(key) ?? null),
  set: (key, text) => answer('set', 'OK').then((ok) => (entries.set(key, text), ok)),
  del: (...keys) => answer('del', keys.filter((key) => entries.delete(key)).length),
};
global.lru = new Map();
global.breaker = Object.assign(new EventEmitter(), { opened: false, fire: (key) => redis.get(key) });
// A dashboard is always one that was fetched a minute ago.
global.database = new Proxy({}, { get: (_, query) => (...ids) => answer('query', { id: `${query} ${ids}`, fetchedMs: Date.now() - 60_000 }) });

const snippet = (name) => require(`./out/${process.argv[2]}/${name}.js`);
const whileFailing = async (operations, work) => { failing = operations; try { await work(); } catch {} failing = []; };
const forget = () => { lru.clear(); entries.clear(); };
"""

PROFILE = """
(async () => {
  const { profileOf } = snippet('profile');
  const { profileChanged } = snippet('invalidation-calls');
  const { callerOf } = snippet('caller');
  snippet('breaker');
  const read = (user, headers = {}) => profileOf(user, headers);
  await read('user-1', { 'x-request-id': 'r-1' });                     // miss, stored in both tiers
  await read('user-1');                                                // L1
  lru.clear(); await read('user-1');                                   // L2, stored in L1
  await read('user-3');                                                // flag_off
  await read('user-1', { 'x-skip-cache': '1' });                       // skip_header
  lru.clear(); breaker.opened = true; breaker.emit('open'); await read('user-1');  // breaker_open
  breaker.opened = false; breaker.emit('halfOpen');
  await whileFailing(['get'], () => read('user-1'));                   // error, miss, stored in L1
  breaker.emit('close');
  forget(); await whileFailing(['query'], () => read('user-1'));       // failed miss
  await whileFailing(['query'], () => read('user-3'));                 // failed flag_off
  await read('user-1');                                                // miss, stored in both tiers
  const caller = callerOf({}, 'user-1');
  await profileChanged('user-1', caller);                              // two keys
  await whileFailing(['del'], () => profileChanged('user-1', caller)); // failed
})();
"""

KEYED = """
(async () => {
  const { callerOf } = snippet('caller');
  for (const service of ['connect', 'organization', 'web', 'auth']) {
    for (const read of Object.values(snippet(service))) {
      const ids = ['a', 'b', 'c'].slice(0, read.length - 2);
      // `bypass` is optional and so counts in `length`; `caller` comes before it.
      await read(...ids, callerOf({}, 'user-1'));
      await read(...ids, callerOf({}, 'user-1'));
      await read(...ids, callerOf({}, 'user-1'), 'flag_off');
    }
  }
  const { programs } = snippet('connect');
  await programs(callerOf({}), 'skip_header');
  forget(); await whileFailing(['get'], () => programs(callerOf({})));
  await whileFailing(['set'], () => programs(callerOf({})));
  await programs(callerOf({}));
  await snippet('invalidation-calls').userChanged('a', 'a', callerOf({}));
})();
"""

CONNECT_LINES = """
(async () => {
  const { orgProfile } = snippet('connect-lines');
  await orgProfile('5');
  await redis.set('org:profile:5', '{}');
  await orgProfile('5');
})();
"""

AUTH_LINES = """
(async () => {
  const { userByID } = snippet('auth-lines');
  const { callerOf } = snippet('caller');
  await userByID('5', callerOf({}, 'user-5'));
  await redis.set('user:id:5', '{}');
  await userByID('5', callerOf({}, 'user-5'));
  await userByID('5', callerOf({}, 'user-5'), 'breaker_open');
})();
"""


def blocks():
    """(file name, logger or nothing, source) of each TypeScript block."""
    return re.findall(r"^```ts\n// ([\w-]+\.ts)(?:: (\w+))?\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Every snippet compiled, a folder for each logger."""
    folder = tmp_path_factory.mktemp("loggers")
    files = {
        "stand-ins.d.ts": TYPES.replace("QUERIES", " | ".join(f"'{name}'" for name in QUERIES)),
        "types/node/index.d.ts": NODE_TYPES, "types/pino/index.d.ts": PINO_TYPES, "node_modules/pino/index.js": PINO,
        "tsconfig.json": json.dumps({
            "compilerOptions": {
                "strict": True, "noUnusedLocals": True, "target": "es2021", "module": "commonjs", "lib": ["es2022"], "outDir": "out",
                "rootDir": ".", "esModuleInterop": True, "skipLibCheck": True, "typeRoots": ["types"], "types": ["node"], "baseUrl": ".",
                "paths": {"pino": ["types/pino"], "*": [f"{NODE_MODULES}/*", f"{NODE_MODULES}/@types/*"]}},
            "include": ["*.d.ts", *LOGGERS]}),
    }
    for logger in LOGGERS:
        for name, only, source in blocks():
            # Lines beside a logger that writes text have nothing to lend them an id.
            if only in ("", logger) and (name, logger) != ("auth-lines.ts", "console"):
                files[f"{logger}/{name}"] = source
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    result = subprocess.run(["tsc", "-p", folder], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    return folder


def run(project, logger, script, port=0):
    """What the service writes to its standard output."""
    flag = project / "out" / logger / "flag.js"
    # Only where Rampart is, and that a busy machine may take its time: an unanswered flag is off.
    source = flag.read_text()
    for pattern, value in ((r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}"), (r"timeout\([\d_]+\)", "timeout(60_000)")):
        source, places = re.subn(pattern, value, source)
        assert places == 1, pattern
    flag.write_text(source)
    (project / "run.js").write_text(SERVICE + script)
    result = subprocess.run(
        ["node", "run.js", logger], cwd=project, capture_output=True, text=True, timeout=60, env=os.environ | {"NODE_PATH": NODE_MODULES})
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def counted(server):
    """{name{label="value",…}: count} of everything that is counted of caches."""
    return {
        name + "{" + ",".join(f"{label}={value}" for label, value in labels) + "}": value
        for (name, *labels), value in server.samples().items()
        if re.fullmatch(r"cache_\w+(_total|_duration_seconds_count)", name) and value}


def send_twice(server, body, accepted):
    """The body counts whole, and once."""
    answer = {"accepted": accepted, "rejected": 0, "ignored": 0, "errors": []}
    assert server.send_events(body).json() == answer | {"duplicate": False}
    assert server.send_events(body).json() == answer | {"duplicate": True}


def test_every_block_is_run():
    marked = DOCUMENT.read_text().count("```ts\n")
    assert marked == len(blocks()) > 0
    assert [only for name, only, _ in blocks() if name == "log.ts"] == list(LOGGERS)
    helper, = (source for name, _, source in blocks() if name == "cache-events.ts")
    assert len(helper[helper.index("export async function cached"):].splitlines()) <= 30


@pytest.mark.parametrize("logger", LOGGERS)
def test_profile_logs_both_arms(server, project, logger):
    flag = server.request("PATCH", "/api/v1/flags/ENABLE_PROFILE_CACHE", {"rollout": {"variant": "on", "percent": 50}})
    assert flag.status == 200, flag.body
    body = run(project, logger, PROFILE, server.port)
    for event in map(json.loads, body.splitlines()):
        fields = {"service", "cache", "state"} if event["event_type"] == "circuit_breaker" else {"key", "user_id", "duration_ms"}
        assert {"event_type", "timestamp", "correlation_id"} | fields <= event.keys()
    send_twice(server, body, 22)
    here, on, off = "cache=profile", "cohort=treatment", "cohort=control"
    assert counted(server) == {
        f"cache_hits_total{{{here},{on},service=profile,tier=L1}}": 1,
        f"cache_hits_total{{{here},{on},service=profile,tier=L2}}": 1,
        f"cache_misses_total{{{here},{on},service=profile}}": 4,
        f"cache_bypasses_total{{{here},{off},reason=flag_off,service=profile}}": 2,
        f"cache_bypasses_total{{{here},{on},reason=skip_header,service=profile}}": 1,
        f"cache_bypasses_total{{{here},{on},reason=breaker_open,service=profile}}": 1,
        f"cache_lookup_failures_total{{{here},{on},service=profile}}": 1,
        f"cache_lookup_failures_total{{{here},{off},service=profile}}": 1,
        f"cache_sets_total{{{here},service=profile,tier=L1}}": 4,
        f"cache_sets_total{{{here},service=profile,tier=L2}}": 2,
        f"cache_errors_total{{{here},operation=get,service=profile}}": 1,
        f"cache_invalidations_total{{{here},service=profile}}": 2,
        f"cache_invalidation_errors_total{{{here},service=profile}}": 1,
        f"cache_invalidated_keys_total{{{here},service=profile}}": 2,
        **{f"cache_circuit_breaker_transitions_total{{{here},service=profile,state={state}}}": 1 for state in ("open", "half_open", "closed")},
        f"cache_operation_duration_seconds_count{{{here},{on},operation=hit,service=profile,tier=L1}}": 1,
        f"cache_operation_duration_seconds_count{{{here},{on},operation=hit,service=profile,tier=L2}}": 1,
        f"cache_operation_duration_seconds_count{{{here},{on},operation=miss,service=profile}}": 4,
        f"cache_operation_duration_seconds_count{{{here},{on},operation=bypass,service=profile}}": 2,
        f"cache_operation_duration_seconds_count{{{here},{off},operation=bypass,service=profile}}": 2,
        # Invalidations do not say their cohort; the flag does.
        f"cache_operation_duration_seconds_count{{{here},{on},operation=invalidation,service=profile}}": 2,
    }


# The services that have Redis alone: how many snippets ask each cache.
KEYED_CACHES = {
    "connect": {"match_results": 1, "org_profile": 1, "programs": 1, "ai_explanation": 1},
    "organization": {"user_orgs": 1, "org_member": 1, "org_slug": 1, "org_subscription": 1, "session_data": 1},
    "web": {"web_user": 1, "subscription": 1, "dashboard": 1, "blog": 1},
    "auth": {"user": 2, "session": 2, "oauth": 1, "profile_user": 1},
}


@pytest.mark.parametrize("logger", LOGGERS)
def test_the_keys_tell_services_and_caches(server, project, logger):
    expected = Counter()

    def add(service, cache, name, times=1, **labels):
        labels = sorted({"service": service, "cache": cache, **labels}.items())
        expected[f"cache_{name}{{{','.join(f'{label}={value}' for label, value in labels)}}}"] += times

    def miss(service, cache, times=1):
        add(service, cache, "misses_total", times)
        add(service, cache, "operation_duration_seconds_count", times, operation="miss")

    def bypass(service, cache, reason, times=1):
        add(service, cache, "bypasses_total", times, reason=reason)
        add(service, cache, "operation_duration_seconds_count", times, operation="bypass")

    for service, caches in KEYED_CACHES.items():
        for cache, keys in caches.items():
            miss(service, cache, keys)
            add(service, cache, "sets_total", keys, tier="L2")
            add(service, cache, "hits_total", keys, tier="L2")
            add(service, cache, "operation_duration_seconds_count", keys, operation="hit", tier="L2")
            bypass(service, cache, "flag_off", keys)
    add("web", "dashboard", "stale_hits_total", tier="L2")
    bypass("connect", "programs", "skip_header")
    # Redis fails to read, fails to write, and is well again.
    miss("connect", "programs", 3)
    for operation in ("get", "set"):
        add("connect", "programs", "errors_total", operation=operation)
    add("connect", "programs", "sets_total", tier="L2")
    add("auth", "user", "invalidations_total")
    add("auth", "user", "operation_duration_seconds_count", operation="invalidation")
    send_twice(server, run(project, logger, KEYED), 4 * 19 + 1 + 2 + 2 + 2 + 1)
    assert counted(server) == expected


def lookups(service, cache):
    """A miss and a hit of L2, both with a duration, as plain lines tell them."""
    duration = f"cache_operation_duration_seconds_count{{cache={cache},operation="
    return {
        f"cache_misses_total{{cache={cache},service={service}}}": 1, f"cache_hits_total{{cache={cache},service={service},tier=L2}}": 1,
        f"{duration}miss,service={service}}}": 1, f"{duration}hit,service={service},tier=L2}}": 1}


def test_plain_lines_carry_durations(server, project):
    body = run(project, "console", CONNECT_LINES)
    assert re.fullmatch(r"\[CACHE\] MISS org:profile:5 \(\d+\.\dms\)\n\[CACHE\] HIT org:profile:5 \(\d+\.\dms\)\n", body)
    assert server.send_events(body).json()["accepted"] == 2
    expected = lookups("connect", "org_profile")
    assert counted(server) == expected
    # Nothing tells these lines from two more.
    assert server.send_events(body).json()["duplicate"] is False
    key = {"Idempotency-Key": "lines"}
    assert [server.send_events(body, key).json()["duplicate"] for _ in range(2)] == [False, True]
    assert counted(server) == {name: 3 * count for name, count in expected.items()}


@pytest.mark.parametrize("logger", ("winston", "pino"))
def test_plain_lines_of_a_logger_are_recognised(server, project, logger):
    body = run(project, logger, AUTH_LINES)
    lines = body.splitlines(keepends=True)
    assert "event_type" not in lines[0] and "event_type" in lines[2]
    send_twice(server, "".join(lines[:2]), 2)
    assert counted(server) == lookups("auth", "user")
    send_twice(server, lines[2], 1)
    assert counted(server) == lookups("auth", "user") | {
        "cache_bypasses_total{cache=user,reason=breaker_open,service=auth}": 1,
        "cache_operation_duration_seconds_count{cache=user,operation=bypass,service=auth}": 1}


def test_a_suffix_that_is_not_last_is_no_duration(server):
    server.send_events('info: Cache hit: user:id:5 (3.2ms) {"correlation_id":"r-1"}')
    assert counted(server) == {"cache_hits_total{cache=user,service=auth,tier=L2}": 1}
