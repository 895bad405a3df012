// SPDX-License-Identifier: Apache-2.0

// The guard: its checks as a table with what is measured, where the limit is and how much room is left, and its alerts.

import { element, reconcile, setAttribute, setHidden, setText, setWidth } from "./dom.js";
import { count, exactCount, percent, points } from "./format.js";
import { alertActions, checkNames, sentence, verdicts } from "./words.js";

const columns = ["Check", "Value", "Limit", "Room left", "Samples", "Verdict"];

export function createGuard() {
  const body = element("tbody");
  const table = element(
    "table", { class: "guard" },
    element("caption", { class: "unseen", text: "Checks of the guard" }),
    element("thead", {}, element("tr", {}, ...columns.map((text) => element("th", { scope: "col", text })))),
    body);
  const none = element("p", { class: "muted small", text: "No plan, so nothing is checked." });
  const alerts = element("ul", { class: "guard-alerts", "aria-label": "Alerts of the guard" });
  const update = (checks, listened) => {
    setHidden(none, checks.length + listened.length > 0);
    setHidden(table, checks.length === 0);
    setHidden(alerts, listened.length === 0);
    reconcile(body, checks, (check) => check.name, createRow, updateRow);
    const keyed = listened.map((alert, index) => ({ ...alert, index }));
    reconcile(alerts, keyed, (alert) => `${alert.index}-${alert.match}`, createAlert, updateAlert);
  };
  return { node: element("div", {}, none, table, alerts), update };
}

function createAlert(alert) {
  const verdict = element("span", { class: "chip" });
  const reason = element("span", { class: "small muted" });
  const node = element(
    "li", { "data-testid": "guard-alert" },
    "A firing ", element("code", { text: alert.match }), ` ${alertActions[alert.action] ?? alert.action}: `, verdict, " ", reason);
  node.parts_ = { verdict, reason };
  return node;
}

function updateAlert(node, alert) {
  const verdict = verdicts[alert.verdict] ?? { word: alert.verdict, sign: "", tone: "calm" };
  node.dataset.verdict = alert.verdict;
  setText(node.parts_.verdict, `${verdict.sign} ${verdict.word}`);
  node.parts_.verdict.dataset.tone = verdict.tone;
  setText(node.parts_.reason, sentence(alert.reason));
}

function createRow(check) {
  const bar = element("span", { class: "fill" });
  const cells = {
    name: element("span", { class: "check-name", text: checkNames[check.name] ?? check.name }),
    value: element("td", { "data-label": "Value", class: "number" }),
    limit: element("td", { "data-label": "Limit", class: "number" }),
    room: element("span", { class: "room-text" }),
    samples: element("span"),
    needed: element("span", { class: "small muted" }),
    verdict: element("span", { class: "chip" }),
    reason: element("span", { class: "small muted" }),
    bar,
    track: element("span", { class: "meter", "aria-hidden": "true" }, bar),
  };
  const row = element(
    "tr", { "data-testid": `check-${check.name}` },
    element("th", { scope: "row" }, cells.name, cells.reason), cells.value, cells.limit,
    element("td", { "data-label": "Room left", class: "room" }, cells.track, cells.room),
    element("td", { "data-label": "Samples", class: "number" }, cells.samples, " ", cells.needed),
    element("td", { "data-label": "Verdict", class: "verdict" }, cells.verdict));
  row.cells_ = cells;
  return row;
}

function updateRow(row, check) {
  const cells = row.cells_;
  const verdict = verdicts[check.verdict] ?? { word: check.verdict, sign: "", tone: "calm" };
  const limit = parseLimit(check.success);
  // Of an expression nobody knows the unit, nor how far its values go.
  const isRatio = !check.expr;
  const room = limit && isRatio && roomLeft(check.value, limit);
  row.dataset.verdict = check.verdict;
  setText(cells.value, check.success ? (isRatio ? percent(check.value) : plainNumber(check.value)) : breakerValue(check.verdict));
  setText(cells.limit, check.success ? (isRatio && limit ? limitWords(limit) : check.success) : "none open");
  setAttribute(cells.name, "title", check.expr ?? null);
  setText(cells.room, room ? room.text : "–");
  setHidden(cells.track, !room);
  cells.track.parentNode.dataset.empty = !room;
  setWidth(cells.bar, room ? room.used : 0);
  cells.track.dataset.tone = !room ? "calm" : room.used >= 1 ? "bad" : room.used > 0.8 ? "warn" : "good";
  setText(cells.samples, check.min_samples ? count(check.samples) : "–");
  setText(cells.needed, check.min_samples ? `needs ${count(check.min_samples)}` : "");
  setAttribute(cells.samples, "title", check.min_samples ? exactCount(check.samples) : null);
  setText(cells.verdict, `${verdict.sign} ${verdict.word}`);
  cells.verdict.dataset.tone = verdict.tone;
  // A pass only repeats the numbers beside it.
  setText(cells.reason, check.verdict === "pass" ? "" : sentence(check.reason));
  setAttribute(row, "title", check.reason);
}

const limitWords = ({ isFloor, bound }) => `${isFloor ? "at least" : "at most"} ${points(bound * 100)}`;

const plainNumber = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(4))));

const breakerValue = (verdict) => ({ pass: "closed", fail: "open" })[verdict] ?? "–";

/** `>= 0.5` as `{isFloor, bound}`; null for a check without a number. */
function parseLimit(success) {
  const found = /^([<>])=?\s*([\d.eE+-]+)$/.exec(success ?? "");
  return found && { isFloor: found[1] === ">", bound: Number(found[2]) };
}

/** `used` is 0 far from the limit and 1 at it. */
function roomLeft(value, { isFloor, bound }) {
  if (value === null || value === undefined) return null;
  const room = isFloor ? value - bound : bound - value;
  const widest = isFloor ? 1 - bound : bound;
  const text = `${(Math.abs(room) * 100).toFixed(Math.abs(room) < 0.1 ? 2 : 1)} points`;
  return { used: widest > 0 ? 1 - room / widest : Number(room < 0), text: room >= 0 ? text : `${text} over` };
}
