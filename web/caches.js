// SPDX-License-Identifier: Apache-2.0

// The table of caches: one row per service and cache, worst first unless a column was chosen. A row is a choice for
// the charts. Rows keep their places while somebody points at the table or is in it with the keyboard.

import { byId, element, reconcile, setAttribute, setHidden, setText } from "./dom.js";
import { count, exactCount, milliseconds, percent } from "./format.js";
import { NOT_INSTRUMENTED, missingBypass, missingDuration, missingTier } from "./instrumentation.js";
import { cacheKey, hitsByTier } from "./ratios.js";
import { breakers } from "./words.js";

const REORDER_MS = 10_000;
// An error ratio above this is worse than any hit rate.
const ERROR_RATIO_BAD = 0.01;

const column = (id, label, value, format, title = label) => ({
  id, label, value, title, text: (row) => format(value(row)),
});
// `missing(row)`: what the events would have to say for this column to mean something.
const number = (id, label, value, title, missing) => ({
  ...column(id, label, value, count, title), exact: (row) => exactCount(value(row)), missing,
});
const quantile = (id, title) => ({
  ...column(id, id, (row) => row.duration?.[`${id}_seconds`], milliseconds, title), missing: missingDuration,
});
const columns = [
  column("hit-rate", "Hit rate", (row) => row.hit_ratio, percent, "hits / (hits + misses)"),
  number("lookups", "Lookups", (row) => row.lookups, "hits + misses + bypasses"),
  number("hits-l1", "Hits L1", (row) => row.tiers?.L1, undefined, missingTier),
  number("hits-l2", "Hits L2", (row) => row.tiers?.L2, undefined, missingTier),
  number("misses", "Misses", (row) => row.misses),
  number("bypasses", "Bypasses", (row) => row.bypasses, "lookups that went straight to the database", missingBypass),
  number("errors", "Errors", (row) => row.errors),
  column("error-rate", "Error rate", (row) => row.error_ratio, percent, "errors / (lookups + errors)"),
  number("invalidations", "Invalid.", (row) => row.invalidations, "invalidations, the failed ones included"),
  quantile("p50", "half of all lookups took at most this"),
  quantile("p95", "95 % of lookups took at most this"),
  quantile("p99", "99 % of lookups took at most this"),
];

const breakerRank = { open: 2, half_open: 1 };
const worst = (a, b) =>
  (breakerRank[b.breaker] ?? 0) - (breakerRank[a.breaker] ?? 0)
  || Number((b.error_ratio ?? 0) > ERROR_RATIO_BAD) - Number((a.error_ratio ?? 0) > ERROR_RATIO_BAD)
  || (a.hit_ratio ?? 2) - (b.hit_ratio ?? 2)
  || a.key.localeCompare(b.key);

/** `onChoice(key)`: a row was chosen, or null when it was let go. */
export function createCaches(onChoice) {
  const table = byId("caches");
  const state = { sort: null, order: [], orderedMs: 0, rows: [], chosen: null };
  const heads = columns.map((column) => {
    const onclick = () => sortBy(column.id);
    const button = element("button", { type: "button", class: "sort", text: column.label, onclick });
    return element("th", { scope: "col", title: column.title, "data-column": column.id }, button);
  });
  const worstFirst = "open breakers first, then errors, then the lowest hit rate";
  const nameHead = element("th", { scope: "col", "aria-sort": "other", title: worstFirst },
    element("button", { type: "button", class: "sort", text: "Cache, worst first", onclick: () => sortBy(null) }));
  table.tHead.append(element("tr", {}, nameHead, ...heads, element("th", { scope: "col", text: "Breaker" })));

  function sortBy(id) {
    const isSame = state.sort?.id === id;
    state.sort = id && { id, isDescending: isSame ? !state.sort.isDescending : true };
    setAttribute(nameHead, "aria-sort", id ? null : "other");
    setText(nameHead.firstChild, id ? "Cache" : "Cache, worst first");
    for (const head of heads) {
      const isMine = head.dataset.column === id;
      setAttribute(head, "aria-sort", isMine ? (state.sort.isDescending ? "descending" : "ascending") : null);
    }
    state.orderedMs = 0;
    draw(true);
  }

  function ordered(isWanted) {
    const isBusy = table.tBodies[0].matches(":hover, :focus-within");
    const byKey = new Map(state.rows.map((row) => [row.key, row]));
    if (isWanted || (!isBusy && Date.now() - state.orderedMs >= REORDER_MS)) {
      state.order = state.rows.slice().sort(comparison(state.sort)).map((row) => row.key);
      state.orderedMs = Date.now();
    }
    const kept = state.order.filter((key) => byKey.has(key));
    const added = state.rows.filter((row) => !kept.includes(row.key)).sort(worst).map((row) => row.key);
    state.order = [...kept, ...added];
    return state.order.map((key) => byKey.get(key));
  }

  function draw(isWanted = false) {
    reconcile(
      table.tBodies[0], ordered(isWanted), (row) => row.key,
      (row) => createRow(row, choose), (node, row) => updateRow(node, row, state.chosen));
  }

  const choose = (key) => onChoice(state.chosen === key ? null : key);

  return {
    update(rows, chosen, isWanted) {
      Object.assign(state, { rows, chosen });
      draw(isWanted);
    },
  };
}

function comparison(sort) {
  if (!sort) return worst;
  const { value } = columns.find((column) => column.id === sort.id);
  const sign = sort.isDescending ? -1 : 1;
  return (a, b) => {
    const [x, y] = [value(a) ?? null, value(b) ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || worst(a, b);
    return sign * (x - y) || worst(a, b);
  };
}

function createRow(row, choose) {
  const button = element("button", { type: "button", class: "pick", title: "Show in the charts" },
    element("span", { class: "cache", text: row.cache }),
    element("span", { class: "service muted small", text: row.service }));
  const cell = ({ id, label }) => element("td", { class: "number", "data-label": label, "data-testid": id });
  const cells = new Map(columns.map((column) => [column.id, cell(column)]));
  const chip = element("span", { class: "chip" });
  const breaker = element("td", { "data-label": "Breaker", "data-testid": "breaker" }, chip);
  const node = element("tr", { "data-testid": "cache-row", "data-service": row.service, "data-cache": row.cache },
    element("th", { scope: "row" }, button), ...cells.values(), breaker);
  node.addEventListener("click", () => choose(row.key));
  node.parts_ = { button, cells, breaker: chip };
  return node;
}

function updateRow(node, row, chosen) {
  const { button, cells, breaker } = node.parts_;
  setAttribute(node, "data-chosen", row.key === chosen);
  setAttribute(button, "aria-pressed", String(row.key === chosen));
  for (const column of columns) {
    const cell = cells.get(column.id);
    const missing = column.missing?.(row);
    setText(cell, missing ? NOT_INSTRUMENTED : column.text(row));
    setAttribute(cell, "title", missing || column.exact?.(row) || null);
    setAttribute(cell, "data-missing", missing ? "true" : null);
  }
  cells.get("error-rate").dataset.tone = (row.error_ratio ?? 0) > ERROR_RATIO_BAD ? "bad" : "calm";
  const state = breakers[row.breaker];
  setText(breaker, state ? state.word : "–");
  breaker.dataset.tone = state ? state.tone : "none";
}

/** Rows of the table from the totals and from what the status knows, so that a silent cache is not missing.
    `keptBack`: see `cachesKeptBack`. */
export function cacheRows(totals, tiered, known, keptBack) {
  const tiers = new Map();
  for (const row of tiered) tiers.set(cacheKey(row.labels), [...(tiers.get(cacheKey(row.labels)) ?? []), row]);
  const rows = new Map(known.map(({ service, cache, circuit_breaker }) => {
    const key = cacheKey({ service, cache });
    return [key, { key, service, cache, breaker: circuit_breaker }];
  }));
  for (const row of totals) {
    const key = cacheKey(row.labels);
    const { service = "", cache = "" } = row.labels;
    const breaker = rows.get(key)?.breaker ?? null;
    const tiersOfRow = hitsByTier(tiers.get(key) ?? []);
    rows.set(key, { ...row, key, service, cache, breaker, tiers: tiersOfRow, isKeptBack: keptBack.has(cache) });
  }
  return [...rows.values()];
}

export function noteCaches(text) {
  setText(byId("caches-note"), text);
  setHidden(byId("caches-note"), text === "");
}
