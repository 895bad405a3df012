# SPDX-License-Identifier: Apache-2.0
"""Evaluates flags as docs/local-evaluation.md says. Written from that page alone, with nothing but the standard library.

evaluate(document, key, context) gives {"variant", "value", "reason"} with "bucket" or "failedPrerequisite" where there is
one, or {"errorCode"}. Patterns are Python's here, so they must mean the same to both: see the page's list.
"""

import re

NUMBER = r"(0|[1-9][0-9]*)"
PRERELEASE = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
WHOLE_VERSION = re.compile(
    rf"v?{NUMBER}\.{NUMBER}\.{NUMBER}(?:-({PRERELEASE}(?:\.{PRERELEASE})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII)
SHORT_VERSION = re.compile(rf"v?{NUMBER}(?:\.{NUMBER})?", re.ASCII)
MISSING = object()


class KeyMissing(Exception):
    """A split, and no targeting key."""


def evaluate(document, key, context):
    flags = {flag["key"]: flag for flag in document["flags"]}
    return Evaluation(document, flags, context).of(key)


class Evaluation:
    def __init__(self, document, flags, context):
        self.flags = flags
        self.killed = {key for key, rollout in document.get("rollouts", {}).items() if rollout["state"] == "killed"}
        self.segments = {segment["key"]: segment for segment in document.get("segments", [])}
        self.attributes = dict(context)
        self.targeting_key = context.get("targetingKey") or None
        if self.targeting_key is None:
            self.attributes.pop("targetingKey", None)
        self.known = {}

    def of(self, key):
        if key not in self.known:
            self.known[key] = self.serve(key)
        return self.known[key]

    def serve(self, key):
        if key not in self.flags:
            return {"errorCode": "FLAG_NOT_FOUND"}
        flag = self.flags[key]
        try:
            variant, reason, more = self.decide(flag)
        except KeyMissing:
            return {"errorCode": "TARGETING_KEY_MISSING"}
        return {"variant": variant, "value": flag["variants"][variant], "reason": reason} | more

    def decide(self, flag):
        default, rules, prerequisites = flag["defaultVariant"], flag.get("rules", []), flag.get("prerequisites", [])
        if not flag.get("enabled", True) or flag["key"] in self.killed:
            return default, "DISABLED", {}
        for prerequisite in prerequisites:
            if self.of(prerequisite["flag"]).get("variant") not in prerequisite["variants"]:
                return default, "DEFAULT", {"failedPrerequisite": prerequisite["flag"]}
        for rule in rules:
            if all(self.holds(condition) for condition in rule["if"]):
                if "variant" in rule:
                    return rule["variant"], "TARGETING_MATCH", {}
                return self.split(flag, rule["split"])
        return self.roll_out(flag, default, "rules" if rules or prerequisites else None)

    def roll_out(self, flag, default, has_a_say):
        rollout = flag.get("rollout")
        if rollout is None or rollout["percent"] == 0:
            return default, "DEFAULT" if has_a_say else "STATIC", {}
        if rollout["percent"] == 100:
            return rollout["variant"], "SPLIT" if has_a_say else "STATIC", {}
        bucket = self.scaled(flag, 10_000)
        variant = rollout["variant"] if bucket < int(rollout["percent"] * 100 + 0.5) else default
        return variant, "SPLIT", {"bucket": bucket}

    def split(self, flag, shares):
        position, passed = self.scaled(flag, sum(share["weight"] for share in shares)), 0
        for share in shares:
            passed += share["weight"]
            if position < passed:
                return share["variant"], "SPLIT", {"bucket": self.scaled(flag, 10_000)}
        raise AssertionError("the last share ends at the total")

    def scaled(self, flag, total):
        if self.targeting_key is None:
            raise KeyMissing
        salt = flag.get("salt", flag["key"])
        return murmur3((salt + self.targeting_key).encode()) * total >> 32

    # Conditions

    def holds(self, condition):
        op, values = condition["op"], condition["values"]
        if op in ("in_segment", "not_in_segment"):
            return any(self.is_in_segment(key) for key in values) == (op == "in_segment")
        value = self.attributes.get(condition["attribute"], MISSING)
        if op in ("in", "eq", "not_in"):
            return any(are_equal(value, other) for other in values) == (op != "not_in")
        if op == "contains" and isinstance(value, list):
            return any(are_equal(element, other) for element in value for other in values)
        if op in ("gt", "gte", "lt", "lte"):
            return is_number(value) and in_order(op, compared(float(value), float(values[0])))
        if not isinstance(value, str):
            return False
        if op.startswith("semver_"):
            own, other = version(value), version(values[0])
            return own is not None and in_order(op.removeprefix("semver_"), compared(own, other))
        test = {
            "contains": lambda text: text in value, "starts_with": value.startswith, "ends_with": value.endswith,
            "matches": lambda pattern: re.search(pattern, value, re.ASCII),
        }[op]
        return any(test(text) for text in values if isinstance(text, str))

    def is_in_segment(self, key):
        segment = self.segments.get(key)
        if segment is None or self.targeting_key is not None and self.targeting_key in segment.get("excluded", []):
            return False
        if self.targeting_key is not None and self.targeting_key in segment.get("included", []):
            return True
        return any(all(map(self.holds, rule["if"])) for rule in segment.get("rules", []))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def are_equal(left, right):
    if is_number(left) and is_number(right):
        return float(left) == float(right)
    return type(left) is type(right) and isinstance(left, (str, bool)) and left == right


def compared(left, right):
    return (left > right) - (left < right)


def in_order(op, order):
    return {"eq": order == 0, "gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[op]


def version(text):
    """What orders as the version does; None for a text that is none."""
    found = WHOLE_VERSION.fullmatch(text) or SHORT_VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(int(number or 0) for number in (*found.groups(), None, None)[:3])
    prerelease = found.group(4) if found.re is WHOLE_VERSION else None
    if prerelease is None:
        return numbers, 1, ()
    return numbers, 0, tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split("."))


def murmur3(data):
    """MurmurHash3, x86, 32 bits, seed 0."""
    def scrambled(block):
        block = block * 0xCC9E2D51 & 0xFFFFFFFF
        return (block << 15 | block >> 17) * 0x1B873593 & 0xFFFFFFFF

    h, whole = 0, len(data) // 4 * 4
    for start in range(0, whole, 4):
        h ^= scrambled(int.from_bytes(data[start:start + 4], "little"))
        h = ((h << 13 | h >> 19) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if len(data) > whole:
        h ^= scrambled(int.from_bytes(data[whole:], "little"))
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16
