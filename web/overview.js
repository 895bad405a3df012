// SPDX-License-Identifier: Apache-2.0

// The few numbers over all caches that one looks at first.

import { byId, element, setAttribute, setText } from "./dom.js";
import { count, exactCount, latency, percent, rate } from "./format.js";
import { NOT_INSTRUMENTED, missingDuration } from "./instrumentation.js";
import { hitsByTier, ratio } from "./ratios.js";

const tiles = [
  { id: "hit-rate", title: "Hit rate", hint: "hits / (hits + misses); L2 of what L1 did not have" },
  { id: "lookups", title: "Lookups", hint: "hits + misses + bypasses" },
  { id: "latency", title: "Latency p95", hint: "duration of lookups, bypasses included" },
  { id: "errors", title: "Error rate", hint: "cache errors / (lookups + cache errors)" },
  { id: "bypasses", title: "Bypassed", hint: "lookups that went straight to the database" },
  { id: "invalidations", title: "Invalidations", hint: "all, the failed ones included" },
];

const nodes = new Map();

export function createOverview() {
  for (const { id, title, hint } of tiles) {
    const value = element("span", { class: "value", "data-testid": `total-${id}` });
    const more = element("span", { class: "small muted" });
    nodes.set(id, { value, more });
    const term = element("dt", { text: title, title: hint });
    byId("tiles").append(element("div", { class: "tile" }, term, element("dd", {}, value, more)));
    show(id, "…", "loading");
  }
}

function show(id, value, more, title) {
  const tile = nodes.get(id);
  setAttribute(tile.value, "data-missing", value === NOT_INSTRUMENTED ? "true" : null);
  setText(tile.value, value);
  setText(tile.more, more);
  setAttribute(tile.value, "title", title || null);
}

/** `total`: the one ROW over all caches, if there is any; `tiered`: ROWs by tier; `seconds` that they cover. */
export function updateOverview(total, tiered, seconds) {
  if (!total) {
    for (const { id } of tiles) show(id, "–", "nothing in this range");
    return;
  }
  const { L1, L2 } = hitsByTier(tiered);
  const { hits, misses, lookups, bypasses, errors, duration } = total;
  const judged = hits + misses;
  const tiers = `L1 ${percent(ratio(L1, judged))} · L2 ${percent(ratio(L2, judged - L1))}`;
  show("hit-rate", percent(total.hit_ratio), tiers);
  show("lookups", rate(lookups / seconds), `${count(lookups)} in all`, exactCount(lookups));
  const spread = `p50 ${latency(duration.p50_seconds)} · p99 ${latency(duration.p99_seconds)}`;
  const missing = missingDuration(total);
  show("latency", missing ? NOT_INSTRUMENTED : latency(duration.p95_seconds), missing ?? spread);
  const failures = total.lookup_failures;
  const moreErrors = failures ? `${count(errors)} · ${count(failures)} lookups failed` : `${count(errors)} errors`;
  show("errors", percent(total.error_ratio), moreErrors, exactCount(errors));
  show("bypasses", percent(ratio(bypasses, lookups)), `${count(bypasses)} lookups`, exactCount(bypasses));
  const keys = `${count(total.invalidated_keys)} keys · ${count(total.invalidation_errors)} failed`;
  show("invalidations", count(total.invalidations), keys, exactCount(total.invalidations));
}
