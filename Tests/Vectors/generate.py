# SPDX-License-Identifier: Apache-2.0
"""Writes evaluation.json, the test vectors of docs/local-evaluation.md: python3 Tests/Vectors/generate.py

Random from a fixed seed, so the same file each time. What is expected comes from Tests/Reference/evaluate.py; the cases in
`STATED` say by hand what the reference must give, and the script fails where it does not. Every pattern means the same to
RE2 and to Python.
"""

import json
import random
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "Reference"))

from evaluate import evaluate, murmur3  # noqa: E402

SEED = 20261121
MISSING = object()

ATTRIBUTES = [
    MISSING, None, True, False, 0, 1, -1, 5, 5.0, 5.01, 4.99, 1e300, 9007199254740993, "", "a", "A", "b", "abc", "xabcx", "a.c", "5", "true",
    "null", "é", "e\u0301", "用户", "😀", "a\nc", "1.2.0", "v1.2", "1.2.0-rc.1", "1.2.0+build.7", "1.10.0", "2", "01.2.0", "1.2",
    [], ["a"], [5, "x"], [True], [None], [["a"]], {}, {"a": 1},
]

CONDITIONS = [
    ("in", ["a", "用户", 5, True]), ("in", ["5"]), ("in", [f"u{n}" for n in range(30)] + ["abc"]), ("in", [9007199254740992]),
    ("not_in", ["a", 5]), ("not_in", [True, "", "é"]), ("eq", ["a"]), ("eq", [5]), ("eq", [False]), ("eq", [""]), ("eq", ["e\u0301"]),
    ("contains", ["b"]), ("contains", ["户", 5]), ("contains", [""]), ("contains", [True]), ("contains", ["abcd", "\n"]),
    ("starts_with", ["a", "用"]), ("starts_with", [""]), ("starts_with", ["abcd"]), ("ends_with", ["c", "0"]), ("ends_with", ["😀"]),
    ("gt", [5]), ("gte", [5]), ("lt", [5]), ("lte", [5]), ("gt", [-0.5]), ("lt", [1e300]),
    ("matches", ["^a.c$"]), ("matches", ["b", "^5"]), ("matches", ["(?i)^A$"]), ("matches", ["^.$"]), ("matches", [r"\d+\.\d+"]),
    ("matches", [r"^\w+$"]), ("matches", ["[户é]"]), ("matches", ["^$"]), ("matches", ["(a|b)+c"]),
    ("semver_eq", ["1.2.0"]), ("semver_gt", ["1.2.0"]), ("semver_gte", ["1.2"]), ("semver_lt", ["v1.10"]), ("semver_lte", ["1.2.0-rc.1"]),
    ("semver_gt", ["1.2.0-rc"]), ("in_segment", ["plan"]), ("not_in_segment", ["plan"]),
]

VERSIONS = [
    "0.0.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
    "v1.0.1", "1.9.0", "1.10.0", "2", "99999999999999999999.0.0", "1.0.0-", "1.0.0-01", "1.0", "1-a", "one", "1.0.0+a..b",
]

# (document, key, context, result) as the page says, by hand.
ON_OFF = {"type": "boolean", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
PROFILE = ON_OFF | {"key": "ENABLE_PROFILE_CACHE", "rollout": {"variant": "on", "percent": 21.11}}
STATED = [
    ({"flags": []}, "x", {}, {"errorCode": "FLAG_NOT_FOUND"}),
    ({"flags": [PROFILE]}, PROFILE["key"], {"targetingKey": "user-1"}, {"variant": "on", "value": True, "reason": "SPLIT", "bucket": 2110}),
    ({"flags": [PROFILE]}, PROFILE["key"], {"targetingKey": "user-3"}, {"variant": "off", "value": False, "reason": "SPLIT", "bucket": 9017}),
    ({"flags": [PROFILE]}, PROFILE["key"], {"targetingKey": "用户"}, {"variant": "off", "value": False, "reason": "SPLIT", "bucket": 3233}),
    ({"flags": [PROFILE]}, PROFILE["key"], {"targetingKey": ""}, {"errorCode": "TARGETING_KEY_MISSING"}),
    ({"flags": [PROFILE], "rollouts": {PROFILE["key"]: {"state": "killed", "step": 1}}}, PROFILE["key"], {"targetingKey": "user-1"},
     {"variant": "off", "value": False, "reason": "DISABLED"}),
    ({"flags": [ON_OFF | {"key": "F"}]}, "F", {}, {"variant": "off", "value": False, "reason": "STATIC"}),
    ({"flags": [ON_OFF | {"key": "F", "rules": [{"if": [], "variant": "on"}]}]}, "F", {}, {"variant": "on", "value": True, "reason": "TARGETING_MATCH"}),
    ({"flags": [ON_OFF | {"key": "F"}, ON_OFF | {"key": "G", "prerequisites": [{"flag": "F", "variants": ["on"]}]}]}, "G", {},
     {"variant": "off", "value": False, "reason": "DEFAULT", "failedPrerequisite": "F"}),
    ({"flags": [ON_OFF | {"key": "F", "enabled": False}, ON_OFF | {"key": "G", "prerequisites": [{"flag": "F", "variants": ["off"]}],
                                                                  "rollout": {"variant": "on", "percent": 100}}]}, "G", {},
     {"variant": "on", "value": True, "reason": "SPLIT"}),
    # flagd's hash edges: the least, the middle and the greatest hash.
    *(({"flags": [{"key": "F", "type": "string", "variants": {"low": "l", "high": "h"}, "defaultVariant": "low", "salt": "",
                   "rules": [{"if": [], "split": [{"variant": "low", "weight": 1}, {"variant": "high", "weight": 1}]}]}]}, "F",
       {"targetingKey": key}, {"variant": variant, "value": variant[0], "reason": "SPLIT", "bucket": bucket})
      for key, variant, bucket in [("ejOoVL", "low", 0), ("bY9fO-", "low", 0), ("SI7p-", "low", 4999), ("6LvT0", "high", 5000), ("ceQdGm", "high", 9999)]),
]


def flag(key, **members):
    return ON_OFF | {"key": key} | members


def context_of(value, name="x"):
    return {} if value is MISSING else {name: value}


def operators():
    flags = [
        flag(f"c{number:02}", rules=[{"if": [{"op": op, "values": values} | ({} if "segment" in op else {"attribute": "x"})], "variant": "on"}])
        for number, (op, values) in enumerate(CONDITIONS)]
    segment = {"key": "plan", "rules": [{"if": [{"attribute": "x", "op": "in", "values": ["a", 5, True]}]}, {"if": [
        {"attribute": "x", "op": "starts_with", "values": ["x"]}, {"attribute": "x", "op": "ends_with", "values": ["x"]}]}]}
    return {"flags": flags, "segments": [segment]}, [(f["key"], context_of(value)) for f in flags for value in ATTRIBUTES]


def versions():
    valid = [version for version in VERSIONS[:14]] + ["1.0"]
    flags = [
        flag(f"{op}{number:02}", rules=[{"if": [{"attribute": "v", "op": f"semver_{op}", "values": [version]}], "variant": "on"}])
        for op in ("eq", "gt", "gte", "lt", "lte") for number, version in enumerate(valid)]
    return {"flags": flags}, [(f["key"], {"v": version}) for f in flags for version in VERSIONS[int(f["key"][-2:]) % 3::3]]


def boundaries():
    """A flag for each of some users, just short of the user's bucket and just past it."""
    users = ["user-1", "user-2", "user-42", "用户", "😀", "e\u0301", "é", " ", "a" * 300, "\u0000", "0"]
    flags, cases = [], []
    for number, user in enumerate(users):
        for past in (-1, 0, 1):
            key = f"p{number:02}-{past + 1}"
            hundredths = (murmur3((key + user).encode()) * 10_000 >> 32) + past
            flags.append(flag(key, rollout={"variant": "on", "percent": min(max(hundredths, 0), 10_000) / 100}))
            cases += [(key, {"targetingKey": user}), (key, {})]
    for percent in (0, 0.01, 0.07, 50, 99.99, 100):
        key = f"all-{percent}"
        flags.append(flag(key, salt="shared", rollout={"variant": "on", "percent": percent}))
        flags.append(flag(f"{key}-ruled", salt="shared", rollout={"variant": "on", "percent": percent},
                          rules=[{"if": [{"attribute": "staff", "op": "eq", "values": [True]}], "variant": "on"}]))
        cases += [(k, c) for k in (key, f"{key}-ruled") for c in ({}, {"targetingKey": "u"}, {"targetingKey": "u", "staff": True}, {"staff": 1})]
    return {"flags": flags}, cases


def splits():
    suits = {name: name for name in ("clubs", "diamonds", "hearts", "spades")}
    weights = [(25, 25, 25, 25), (1, 0, 0, 0), (0, 0, 0, 1), (0, 5, 0, 5), (1, 2, 3, 4), (2147483647, 0, 0, 0), (1, 1, 2147483644, 1), (7, 11, 13, 17)]
    flags = [
        {"key": f"s{number}", "type": "string", "variants": suits, "defaultVariant": "clubs", "salt": "fractional-flag" if number == 0 else f"s{number}",
         "rules": [{"if": [], "split": [{"variant": v, "weight": w} for v, w in zip(suits, row)]}]}
        for number, row in enumerate(weights)]
    users = ["jack", "queen", "ten", "nine", "3", "用户", *(f"user-{n}" for n in range(14))]
    return {"flags": flags}, [(f["key"], context) for f in flags for context in [{}, *({"targetingKey": user} for user in users)]]


def values():
    flags = [
        {"key": "float", "type": "number", "variants": {"one": 1.0, "half": 0.5}, "defaultVariant": "one"},
        {"key": "integer", "type": "number", "variants": {"big": 9007199254740993, "none": 0}, "defaultVariant": "big"},
        {"key": "object", "type": "object", "variants": {"o": {"ttl": [60, {"b": None}], "ü": "\"\\"}}, "defaultVariant": "o"},
        {"key": "empty", "type": "string", "variants": {"e": "", "f": "😀\n"}, "defaultVariant": "e", "enabled": False},
        flag("off", enabled=False, rules=[{"if": [], "variant": "on"}], rollout={"variant": "on", "percent": 100}),
        flag("killed", rules=[{"if": [], "variant": "on"}]), flag("soaking", rollout={"variant": "on", "percent": 10}),
        flag("key", rules=[{"if": [{"attribute": "targetingKey", "op": "in", "values": ["eve", "用户"]}], "variant": "on"}]),
        flag("not-key", rules=[{"if": [{"attribute": "targetingKey", "op": "not_in", "values": ["eve"]}], "variant": "on"}]),
    ]
    contexts = [{}, {"targetingKey": ""}, {"targetingKey": "eve"}, {"targetingKey": "用户"}, {"targetingKey": "Eve", "x": 1}]
    rollouts = {"killed": {"state": "killed", "step": 0}, "soaking": {"state": "soaking", "step": 0}}
    return {"flags": flags, "rollouts": rollouts}, [(key, c) for key in [*(f["key"] for f in flags), "nothing"] for c in contexts]


def random_condition(chance, segments):
    if segments and chance.random() < 0.3:
        return {"op": chance.choice(["in_segment", "not_in_segment"]), "values": chance.sample(segments, chance.randint(1, len(segments)))}
    op, values = chance.choice([c for c in CONDITIONS if "segment" not in c[0]])
    return {"attribute": chance.choice(["x", "y", "targetingKey"]), "op": op, "values": values}


def random_rule(chance, segments, variants):
    rule = {"if": [random_condition(chance, segments) for _ in range(chance.randint(0, 2))]}
    if chance.random() < 0.5:
        return rule | {"variant": chance.choice(variants)}
    return rule | {"split": [{"variant": v, "weight": chance.randint(1, 100)} for v in variants]}


def random_set(chance):
    """Flags that require earlier ones, with segments, splits and rollouts."""
    segments = [
        {"key": f"s{n}", "included": chance.sample(["user-1", "用户", "a", "b"], 2), "excluded": chance.sample(["user-1", "user-2", "abc"], 1),
         "rules": [{"if": [random_condition(chance, [])]} for _ in range(chance.randint(0, 2))]} for n in range(2)]
    keys, flags, variants = ["s0", "s1"], [], ["red", "green", "blue"]
    for number in range(7):
        members = {"key": f"f{number}", "type": "string", "variants": {v: v for v in variants}, "defaultVariant": "red",
                   "enabled": chance.random() > 0.1, "rules": [random_rule(chance, keys, variants) for _ in range(chance.randint(0, 3))]}
        if chance.random() < 0.6:
            members["rollout"] = {"variant": "green", "percent": chance.choice([0, 0.01, 10, 33.33, 50, 99.99, 100])}
        if flags and chance.random() < 0.6:
            members["prerequisites"] = [
                {"flag": other["key"], "variants": chance.sample(variants, 2)} for other in chance.sample(flags, chance.randint(1, min(3, len(flags))))]
        flags.append(members)
    contexts = []
    for _ in range(8):
        context = {} if chance.random() < 0.2 else {"targetingKey": chance.choice(["user-1", "user-2", "用户", "a", "b", "abc", "1.2.0"])}
        for name in ("x", "y"):
            context |= context_of(chance.choice(ATTRIBUTES), name)
        contexts.append(context)
    return {"flags": flags, "segments": segments}, [(f["key"], context) for f in flags for context in contexts]


def main():
    for document, key, context, result in STATED:
        found = evaluate(document, key, context)
        assert found == result, (key, context, found, result)
    chance = random.Random(SEED)
    sets = [("operators", *operators()), ("versions", *versions()), ("boundaries", *boundaries()), ("splits", *splits()), ("values", *values())]
    sets += [(f"random {number}", *random_set(chance)) for number in range(20)]
    sets += [(f"stated {number}", document, [(key, context)]) for number, (document, key, context, _) in enumerate(STATED)]
    line = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    texts = []
    for name, document, cases in sets:
        rows = ",\n".join(line([key, context, evaluate(document, key, context)]) for key, context in cases)
        texts.append(f'{{"name":{line(name)},"document":{line(document)},"cases":[\n{rows}]}}')
    (FOLDER / "evaluation.json").write_text('{"sets":[\n' + ",\n".join(texts) + "]}\n")
    print(f"{sum(len(cases) for _, _, cases in sets)} vectors in {len(sets)} sets")


if __name__ == "__main__":
    main()
