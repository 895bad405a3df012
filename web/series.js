// SPDX-License-Identifier: Apache-2.0

// From steps of rows to lines of charts: pure, no document. A chart has one point a step, at the step's start, so that
// one cursor fits all; the percentages have their own moments besides. A line is `{label, color, pattern?, values}`.

import { latency, percent, points, rate } from "./format.js";
import { NOT_INSTRUMENTED } from "./instrumentation.js";
import { cacheKey, hitsByTier, ratio, sum } from "./ratios.js";

const LINES_MAX = 8;
const DASHED = [6, 3];
const DOTTED = [2, 3];
const quantiles = ["p50", "p95", "p99"];

// A cache keeps its colour while the page is open; `ink` and the tones are the theme's.
const colors = new Map();
function colorOf(key) {
  if (!colors.has(key)) colors.set(key, `line-${colors.size % LINES_MAX}`);
  return colors.get(key);
}

const only = (rows, key) => rows.filter((row) => cacheKey(row.labels) === key);
const ofTier = (rows, tier) => rows.filter((row) => row.labels.tier === tier);
const untiered = (rows) => rows.filter((row) => !row.labels.tier);
const quantileOf = (rows, quantile) => rows[0]?.duration[`${quantile}_seconds`] ?? null;

/** `chosen`: the key of a cache, or null for all; `quantile`: `spread`, `p50`, `p95` or `p99`; `hasNoDurations`: there
    are lookups, and none says how long it took. */
export function charts(data, chosen, quantile, hasNoDurations) {
  const make = chosen ? ofCache(data, chosen) : ofAll(data);
  const durations = quantile === "spread" ? make.spread : make.latency(quantile);
  const chart = (id, title, format, scale, lines, empty) => ({ id, title, format, scale, lines, empty });
  const noDurations = hasNoDurations ? `Lookups are ${NOT_INSTRUMENTED}: none says its duration_ms.` : null;
  return [
    chart("hit-rate", `Hit rate by ${make.name}`, percent, "ratio", make.hitRate),
    chart("lookups", `Lookups per second by ${chosen ? "outcome" : make.name}`, rate, "zero", make.lookups),
    chart("latency", latencyTitle(make.name, quantile), latency, "log", durations, noDurations),
    chart("errors", "Errors per second", rate, "zero", make.errors),
  ];
}

const latencyTitle = (by, quantile) => (quantile === "spread" ? "Latency of lookups" : `Latency ${quantile} by ${by}`);

function spread(steps, rowsOf) {
  const look = { p50: ["line-2", null], p95: ["line-0", null], p99: ["line-5", DASHED] };
  return quantiles.map((name) => ({
    label: name, color: look[name][0], pattern: look[name][1],
    values: steps.map((step) => quantileOf(rowsOf(step), name)),
  }));
}

/** `whole` has one row a step, `byCache` one a cache. */
function ofAll({ whole, byCache }) {
  const { keys, count } = busiest(byCache);
  const names = shortNames(keys);
  const lines = (valueOf) => keys.map((key) => ({
    label: names.get(key), color: colorOf(key),
    values: byCache.map((step) => valueOf(only(step.rows, key), step)),
  }));
  return {
    name: count > LINES_MAX ? `cache, the ${LINES_MAX} busiest of ${count}` : "cache",
    hitRate: lines((rows) => rows[0]?.hit_ratio ?? null),
    lookups: lines((rows, step) => sum(rows).lookups / step.seconds),
    errors: lines((rows, step) => sum(rows).errors / step.seconds),
    spread: spread(whole, (step) => step.rows),
    latency: (quantile) => lines((rows) => quantileOf(rows, quantile)),
  };
}

function ofCache({ byCache, byTier }, key) {
  const tiered = byTier.map((step) => ({ ...step, rows: only(step.rows, key) }));
  const whole = byCache.map((step) => ({ ...step, rows: only(step.rows, key) }));
  const line = (label, color, steps, valueOf, pattern) => ({ label, color, pattern, values: steps.map(valueOf) });
  const perSecond = (part) => (step) => part(step.rows) / step.seconds;
  return {
    name: "tier",
    hitRate: [
      line("both tiers", "ink", whole, ({ rows }) => rows[0]?.hit_ratio ?? null),
      line("L1", "line-0", tiered, ({ rows }) => ratio(hitsByTier(rows).L1, judged(rows))),
      line("L2 of the rest", "line-1", tiered, ({ rows }) => ratioOfL2(rows), DASHED),
    ],
    lookups: [
      line("L1 hits", "line-0", tiered, perSecond((rows) => hitsByTier(rows).L1)),
      line("L2 hits", "line-1", tiered, perSecond((rows) => hitsByTier(rows).L2)),
      line("misses", "line-5", tiered, perSecond((rows) => sum(rows).misses), DASHED),
      line("bypasses", "line-7", tiered, perSecond((rows) => sum(rows).bypasses), DOTTED),
    ],
    errors: [line("errors", "bad", whole, perSecond((rows) => sum(rows).errors))],
    spread: spread(whole, (step) => step.rows),
    latency: (quantile) => [
      line("all lookups", "ink", whole, ({ rows }) => quantileOf(rows, quantile)),
      line("L1 hits", "line-0", tiered, ({ rows }) => quantileOf(ofTier(rows, "L1"), quantile)),
      line("L2 hits", "line-1", tiered, ({ rows }) => quantileOf(ofTier(rows, "L2"), quantile)),
      line("misses, bypasses", "line-5", tiered, ({ rows }) => quantileOf(untiered(rows), quantile), DASHED),
    ],
  };
}

function ratioOfL2(rows) {
  const { L1, L2 } = hitsByTier(rows);
  return ratio(L2, judged(rows) - L1);
}

function judged(rows) {
  const { hits, misses } = sum(rows);
  return hits + misses;
}

/** The caches with most lookups, by name, so that the legend stays in order, and how many there are. */
function busiest(steps) {
  const lookups = new Map();
  for (const { rows } of steps) {
    for (const row of rows) lookups.set(cacheKey(row.labels), (lookups.get(cacheKey(row.labels)) ?? 0) + row.lookups);
  }
  const keys = [...lookups].sort((a, b) => b[1] - a[1]).slice(0, LINES_MAX).map(([key]) => key).sort();
  return { keys, count: lookups.size };
}

/** The cache's name alone where no other service has one like it. */
function shortNames(keys) {
  const short = (key) => key.slice(key.indexOf("/") + 1) || key;
  const isShared = (key) => keys.some((other) => other !== key && short(other) === short(key));
  return new Map(keys.map((key) => [key, isShared(key) ? key : short(key)]));
}

/** A chart of the flags' percentages, from the times they changed. `ramps`: `{key, percent, changes}`. */
export function percentages(ramps, sharedTimes) {
  const within = (time) => time > sharedTimes[0] && time < sharedTimes.at(-1);
  const moments = ramps.flatMap(({ changes }) => changes.map(({ atMs }) => atMs)).filter(within);
  const times = [...new Set([...sharedTimes, ...moments])].sort((a, b) => a - b);
  const lines = ramps.map(({ key, changes }) => ({
    label: key, color: colorOf(`flag ${key}`), values: times.map((time) => percentAt(changes, time)),
  }));
  return { id: "percent", title: "Rollout percentage", format: points, scale: "percent", isSteps: true, times, lines };
}

/** `{atMs, percent, isStop}`, ascending: what a ramp's history says of the percentage. */
export function changesOf(rollout) {
  const changes = [];
  for (const entry of rollout.history) {
    if (changes.length && changes.at(-1).percent === entry.percent) continue;
    const isStop = entry.to === "rolled_back" || entry.to === "killed";
    changes.push({ atMs: entry.at_ms, percent: entry.percent, isStop, isFirst: entry.from === "draft" });
  }
  if (!changes.length) changes.push({ atMs: 0, percent: rollout.percent });
  return changes;
}

function percentAt(changes, timeMs) {
  const last = changes.findLast(({ atMs }) => atMs <= timeMs);
  if (last) return last.percent;
  // Before the first ramp nobody had it; before an older one that the history has dropped, nobody knows.
  return changes[0]?.isFirst ? 0 : null;
}

/** The limits of the y axis: wide enough, and at round numbers so that they rarely move. */
export function limits(lines, scale) {
  if (scale === "percent") return [0, 112];
  const values = lines.flatMap((line) => line.values).filter((value) => value !== null);
  if (scale === "ratio") {
    const least = values.length ? Math.min(...values) : 0;
    return [Math.min(0.9, Math.floor(least * 10) / 10), 1.01];
  }
  if (scale === "zero") return [0, roundUp(Math.max(1, ...values) * 1.05)];
  const positive = values.filter((value) => value > 0);
  if (!positive.length) return [1e-4, 1];
  const [least, greatest] = [Math.min(...positive), Math.max(...positive)].map(Math.log10);
  return [10 ** Math.floor(least), 10 ** Math.ceil(greatest + 0.02)];
}

function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * size).find((limit) => limit >= value) ?? value;
}
