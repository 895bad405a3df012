// SPDX-License-Identifier: Apache-2.0

// What the page is doing: asks the server again and again, and hands each answer to the part that shows it. The change
// stream only says when to ask at once. A hidden tab asks nothing.

import { refreshAlerts, tickAlerts } from "./alerts.js";
import * as api from "./api.js";
import { cacheRows, createCaches, noteCaches } from "./caches.js";
import { drawCharts, redrawCharts, resetZoom } from "./charts.js";
import { answered, failed, isLost, show as showConnection, streamIs } from "./connection.js";
import { ask } from "./dialog.js";
import { byId, element, reconcile, segments, setAttribute, setHidden, setText } from "./dom.js";
import { clock, span, zone } from "./format.js";
import { StepHistory } from "./history.js";
import { cachesKeptBack, missingDuration } from "./instrumentation.js";
import { createOverview, updateOverview } from "./overview.js";
import { createRamp } from "./ramp.js";
import { changesOf, charts, percentages } from "./series.js";
import { listen } from "./stream.js";
import { installTheme } from "./themes.js";
import { createVerification } from "./verify.js";
import { actionWords } from "./words.js";

const MINUTE_MS = 60_000;
const RAMPS_EVERY_MS = 2_000;
// Rules are evaluated every 15 s, and the stream tells of changes before that.
const ALERTS_EVERY_MS = 10_000;
// Changes of one evaluation come together.
const ALERTS_AFTER_CHANGE_MS = 500;
const NO_RAMP = "No flag has a rollout or governs a cache.";
// Steps are multiples of the server's resolution, 10 s, and give some 100 points; long ranges move slowly.
const ranges = new Map([
  ["5m", { label: "5 min", ms: 5 * MINUTE_MS, stepMs: 10_000, everyMs: 2_000 }],
  ["15m", { label: "15 min", ms: 15 * MINUTE_MS, stepMs: 10_000, everyMs: 2_000 }],
  ["1h", { label: "1 h", ms: 60 * MINUTE_MS, stepMs: 30_000, everyMs: 5_000 }],
  ["6h", { label: "6 h", ms: 360 * MINUTE_MS, stepMs: 180_000, everyMs: 15_000 }],
  ["24h", { label: "24 h", ms: 1440 * MINUTE_MS, stepMs: 600_000, everyMs: 30_000 }],
]);
const quantiles = [["spread", "p50 · p95 · p99"], ["p50", "p50"], ["p95", "p95"], ["p99", "p99"]];

const address = new URLSearchParams(location.search);
const page = {
  environment: address.get("environment") ?? "",
  range: ranges.has(address.get("range")) ? address.get("range") : "15m",
  chosen: address.get("cache"),
  quantile: quantiles.some(([id]) => id === address.get("latency")) ? address.get("latency") : "spread",
  serverAheadMs: 0, ramps: new Map(), rollouts: new Map(), histories: null, generation: 0, last: null, alertsTimer: null,
};
const serverMs = () => Date.now() + page.serverAheadMs;
const range = () => ranges.get(page.range);

// MARK: Ramps

async function refreshRamps() {
  const [status, { environment, flags }] = await Promise.all([api.status(), api.flags(page.environment)]);
  page.serverAheadMs = status.now_ms - Date.now();
  page.status = status;
  setText(byId("environment"), environment);
  setText(byId("version"), `Rampart ${status.version}`);
  const ramped = flags.filter((flag) => flag.rollout || flag.caches?.length);
  const rollouts = await Promise.all(ramped.map((flag) => api.rollout(flag.key, page.environment)));
  const shown = ramped.map((flag, index) => ({ flag, rollout: rollouts[index] })).filter(({ rollout }) => rollout);
  page.keptBack = cachesKeptBack(flags);
  page.rollouts = new Map(shown.map(({ flag, rollout }) => [flag.key, rollout]));
  byId("ramps-loading")?.remove();
  reconcile(
    byId("ramps"), shown.length ? shown : [null], (item) => item?.flag.key ?? "none",
    (item) => (item ? rampOf(item.flag.key).node : element("p", { class: "panel muted", text: NO_RAMP })),
    (node, item) => item && rampOf(item.flag.key).update(item.flag, item.rollout, serverMs()));
  showEmptiness(status);
}

function rampOf(key) {
  if (!page.ramps.has(key)) {
    const act = (action, flag, rollout) => ask({
      ...actionWords(action, flag, rollout), action, subject: key,
      hint: "Kept in the audit log and in the history of the ramp.",
      send: ({ reason }) => api.act(key, page.environment, action, reason),
      onDone: (answer) => {
        rampOf(key).update(flag, answer, serverMs());
        ramps.now();
      },
    });
    const markdown = api.verificationPath(key, page.environment, "markdown");
    page.ramps.set(key, createRamp(key, act, createVerification(() => api.verification(key, page.environment), markdown)));
  }
  return page.ramps.get(key);
}

function showEmptiness({ last_event_ms: lastMs, caches }) {
  const isEmpty = !lastMs && !caches.length;
  setHidden(byId("waiting"), !isEmpty);
  setHidden(byId("overview"), isEmpty);
  if (byId("charts").hidden !== isEmpty) {
    byId("charts").hidden = isEmpty;
    totals.now();
  }
}

// MARK: Totals

async function refreshTotals() {
  // While the server is gone one question is enough to find out when it is back.
  if (!page.status || byId("charts").hidden || isLost(refreshRamps)) return;

  const { generation, chosen } = page;
  const { ms, stepMs } = range();
  const nowMs = serverMs();
  const { whole, byCache, byTier } = page.histories;
  const [total, rows, tiered] = await Promise.all([
    api.totals(nowMs - ms, nowMs, []), api.totals(nowMs - ms, nowMs, ["service", "cache"]),
    api.totals(nowMs - ms, nowMs, ["service", "cache", "tier"]),
    byCache.refresh(nowMs, ms, stepMs), (chosen ? byTier : whole).refresh(nowMs, ms, stepMs),
  ]);
  // The range or the choice changed meanwhile: what was asked for then is on its way.
  if (generation !== page.generation) return;
  const isNewRange = page.last?.range !== page.range;
  page.last = { range: page.range, nowMs };
  setBusy(false);
  const seconds = (Math.min(nowMs, total.to_ms) - total.from_ms) / 1000;
  updateOverview(total.rows[0], tiered.rows, seconds);
  const found = cacheRows(rows.rows, tiered.rows, page.status.caches, page.keptBack);
  const shown = chosen ? found.filter(({ key }) => key === chosen) : total.rows;
  page.last.hasNoDurations = shown.some((row) => missingDuration(row));
  caches.update(found, chosen, isNewRange);
  noteCaches(rows.rows.length ? "" : silence(page.status.last_event_ms, nowMs));
  updateChooser(found);
  draw();
}

function silence(lastMs, nowMs) {
  const last = lastMs && ` The last one came ${span((nowMs - lastMs) / 1000)} ago, at ${clock(lastMs)}.`;
  return `No cache event in the last ${range().label}.${last || ""}`;
}

function draw() {
  if (!page.last) return;
  const { nowMs } = page.last;
  const { ms, stepMs } = range();
  const stepsOf = (history) => history.steps(nowMs);
  const { whole, byCache, byTier } = page.histories;
  const data = { whole: stepsOf(whole), byCache: stepsOf(byCache), byTier: stepsOf(byTier) };
  const times = data.byCache.map((step) => step.fromMs);
  const ramps = [...page.rollouts].map(([key, rollout]) => ({ key, changes: changesOf(rollout) }));
  const models = charts(data, page.chosen, page.quantile, page.last.hasNoDurations);
  if (ramps.length) models.push(percentages(ramps, times));
  const marks = ramps.flatMap(({ changes }) => changes.filter(({ atMs }) => atMs > 0));
  const startMs = Math.floor((nowMs - ms) / stepMs) * stepMs;
  drawCharts(models, times, [startMs, Math.floor(nowMs / stepMs) * stepMs], marks);
}

function updateChooser(rows) {
  const select = byId("chosen");
  const items = rows.map(({ key, service, cache }) => ({ key, label: `${cache} (${service})` }));
  items.push({ key: "", label: "All caches" });
  // A cache of the address that has no event yet.
  if (page.chosen && !rows.some(({ key }) => key === page.chosen)) items.push({ key: page.chosen, label: page.chosen });
  items.sort((a, b) => Number(a.key !== "") - Number(b.key !== "") || a.label.localeCompare(b.label));
  const create = ({ key, label }) => element("option", { value: key, text: label });
  reconcile(select, items, (item) => item.key, create, () => { });
  if (select.value !== (page.chosen ?? "")) select.value = page.chosen ?? "";
}

const caches = createCaches((key) => choose({ chosen: key }));

/** A change of the range or of the cache: what is under way is dropped, and the address remembers. */
function choose(change) {
  const isNewRange = change.range && change.range !== page.range;
  Object.assign(page, change);
  page.generation += 1;
  if (isNewRange) {
    startHistories();
    resetZoom();
  }
  setBusy(true);
  const { environment, quantile } = page;
  const parameters = { environment, range: page.range, cache: page.chosen ?? "", latency: quantile };
  const given = Object.entries(parameters).filter(([, value]) => value);
  history.replaceState(null, "", `?${new URLSearchParams(given)}`);
  totals.now();
}

/** What is shown is still of the range or the cache chosen before. */
function setBusy(isBusy) {
  for (const id of ["overview", "charts"]) setAttribute(byId(id), "aria-busy", isBusy ? "true" : null);
}

function startHistories() {
  page.histories = {
    whole: new StepHistory([]),
    byCache: new StepHistory(["service", "cache"]),
    byTier: new StepHistory(["service", "cache", "tier"]),
  };
}

// MARK: Asking again

/** Runs `work` every `everyMs()`, never twice at once; `now()` asks at once or right after what is under way.
    `onBack()` when the server answers again. */
function repeat(work, everyMs, onBack = () => { }) {
  const loop = { timer: null, isRunning: false, isWanted: false };
  loop.now = async () => {
    loop.isWanted = true;
    if (loop.isRunning || document.hidden) return;
    clearTimeout(loop.timer);
    loop.isRunning = true;
    while (loop.isWanted) {
      loop.isWanted = false;
      try {
        await work();
        const wasLost = isLost(work);
        answered(work);
        if (wasLost) onBack();
      } catch (error) {
        // A mistake of ours is told to the console and must not stop the page.
        if (error instanceof api.ServerError) failed(work, error);
        else reportError(error);
      }
    }
    loop.isRunning = false;
    loop.timer = setTimeout(loop.now, everyMs());
  };
  return loop;
}

const ramps = repeat(refreshRamps, () => RAMPS_EVERY_MS, () => {
  totals.now();
  alerts.now();
});
const totals = repeat(refreshTotals, () => range().everyMs);
const alerts = repeat(
  async () => { if (!isLost(refreshRamps)) await refreshAlerts(serverMs, () => alerts.now()); }, () => ALERTS_EVERY_MS);

function streamTold(name) {
  if (name !== "alert") return ramps.now();
  page.alertsTimer ??= setTimeout(() => {
    page.alertsTimer = null;
    alerts.now();
  }, ALERTS_AFTER_CHANGE_MS);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  ramps.now();
  totals.now();
  alerts.now();
});

setInterval(() => {
  if (document.hidden) return;
  showConnection();
  for (const ramp of page.ramps.values()) ramp.tick(serverMs());
  tickAlerts(serverMs());
}, 1_000);

// MARK: Start

const command = `curl -X POST ${location.origin}/api/v1/events \\
  -H 'Content-Type: application/json' \\
  -d '{"event_type":"cache_hit","cache_tier":"L1","duration_ms":0.4,"user_id":"user-1","key":"profile:user-1"}'`;

setText(byId("waiting-command"), command);
byId("waiting-copy").addEventListener("click", async ({ target }) => {
  try {
    await navigator.clipboard.writeText(command);
    setText(target, "Copied");
  } catch {
    // No clipboard without a secure context: selected, it is one key away.
    getSelection().selectAllChildren(byId("waiting-command"));
    setText(target, "Press Ctrl+C");
  }
});

const rangeLabels = [...ranges].map(([id, { label }]) => [id, label]);
segments(byId("range"), "range", rangeLabels, page.range, (id) => choose({ range: id }));
segments(byId("quantile"), "quantile", quantiles, page.quantile, (id) => choose({ quantile: id }));
byId("chosen").addEventListener("change", ({ target }) => choose({ chosen: target.value || null }));
byId("unzoom").addEventListener("click", resetZoom);
setText(byId("zone"), zone());
createOverview();
noteCaches("Loading the counts…");
startHistories();
installTheme(redrawCharts);
listen(page.environment, streamTold, streamIs);
ramps.now();
totals.now();
alerts.now();
