// SPDX-License-Identifier: Apache-2.0

// What is wrong now: alerts that fire, then those that are pending, each with what it is about and who has taken it.
// Every text of an alert comes from somebody's labels, so it is written as text and cut.

import * as api from "./api.js";
import { announce, byId, element, reconcile, setAttribute, setHidden, setText } from "./dom.js";
import { count, counted, setTime, shortened, span, value } from "./format.js";
import { updateReceivers } from "./receivers.js";
import { rulesState, updateRules } from "./rules.js";
import { acknowledge, showSilences, updateSilences } from "./silences.js";

const SHOWN_MAX = 50;
const HEAD_MAX = 300;
const LABEL_MAX = 80;
const LABELS_MAX = 8;
const TEXT_MAX = 4_000;
const severities = ["critical", "warning", "info"];
const tones = new Map([["critical", "bad"], ["warning", "warn"], ["info", "busy"]]);
const toneOf = ({ severity }) => tones.get(severity) ?? "calm";
const stateWords = { firing: "Firing", pending: "Pending" };
const LABELS_FIRST = ["cache", "service"];
// In the head these have places of their own, or say nothing to a person.
const UNLISTED = ["alertname", "severity", "kind"];
const state = { groups: [], alerts: [], criticals: null };

/** `serverMs()` is the server's time; `again()` asks once more at once. */
export async function refreshAlerts(serverMs, again) {
  const [groups, silences, receivers] = await Promise.all([api.ruleGroups(), api.silences(), api.receivers()]);
  const nowMs = serverMs();
  const alerts = alertsOf(groups);
  const active = silences.filter(({ status }) => status.state === "active");
  Object.assign(state, { groups, alerts });
  setHidden(byId("alerts"), groups.every(({ rules }) => rules.length === 0));
  updateCounts(alerts);
  updateList(alerts, new Map(active.map((silence) => [silence.id, silence])), nowMs, again);
  updateRules(groups);
  updateSilences(active, nowMs, again);
  updateReceivers(receivers, nowMs);
  tickAlerts(nowMs);
  tell(alerts);
}

/** Firing before pending, then by severity and name; of a rule as the server has them, by labels. There may be ten
    thousand, so what only a row needs is left to the row. */
function alertsOf(groups) {
  const alerts = groups.flatMap((group) => group.rules.flatMap((rule, index) => (rule.alerts ?? []).map((alert) => {
    const severity = alert.labels.severity ?? "";
    const rank = severities.indexOf(severity);
    return {
      ...alert, rule, group, severity, name: alert.labels.alertname ?? rule.name,
      rank: rank < 0 ? severities.length : rank, isFiring: alert.state === "firing",
      index, activeMs: Date.parse(alert.activeAt),
    };
  })));
  return alerts.sort((a, b) =>
    Number(b.isFiring) - Number(a.isFiring) || a.rank - b.rank
    || (a.name < b.name ? -1 : Number(a.name > b.name)));
}

const keyOf = ({ group, index, rule, labels }) =>
  JSON.stringify([group.file, group.name, index, rule.query, Object.entries(labels)]);

function updateCounts(alerts) {
  const firing = Map.groupBy(alerts.filter(({ isFiring }) => isFiring), toneOf);
  const chips = [["bad", "critical"], ["warn", "warning"], ["busy", "info"], ["calm", "other"]]
    .map(([tone, word]) => ({ tone, word, size: firing.get(tone)?.length ?? 0 }));
  const pending = alerts.filter(({ isFiring }) => !isFiring).length;
  chips.push({ tone: "none", word: "pending", size: pending });
  reconcile(
    byId("alerts-counts"), chips.filter(({ size }) => size), ({ tone }) => tone,
    ({ tone }) => element("span", { class: "chip", "data-tone": tone }),
    (node, { word, size }) => setText(node, `${count(size)} ${word}`));
}

function updateList(alerts, silences, nowMs, again) {
  const list = byId("alerts-list");
  const more = alerts.slice(SHOWN_MAX);
  const firing = more.filter(({ isFiring }) => isFiring).length;
  setHidden(list, alerts.length === 0);
  setHidden(byId("alerts-more"), more.length === 0);
  const states = `${count(firing)} firing, ${count(more.length - firing)} pending`;
  setText(byId("alerts-more"), `and ${count(more.length)} more: ${states}.`);
  const silencesOf = ({ silencedBy = [] }) => silencedBy.map((id) => silences.get(id)).filter(Boolean);
  reconcile(
    list, alerts.slice(0, SHOWN_MAX), keyOf,
    (alert) => createRow(alert, again),
    (row, alert) => updateRow(row, alert, silencesOf(alert), nowMs, again));
}

// MARK: One alert

function createRow(alert, again) {
  const { name, labels } = alert;
  const about = Object.entries(labels).filter(([label]) => !UNLISTED.includes(label)).sort(byLabel).slice(0, LABELS_MAX);
  const place = about.slice(0, 2).map(([, text]) => shortened(text, LABEL_MAX)).join(" ");
  const row = element("li", { class: "alert", "data-testid": "alert", "data-alertname": name });
  const parts = {
    severity: element("span", { class: "chip" }),
    summary: element("span", { class: "alert-summary", "data-testid": "alert-summary" }),
    description: element("p", { class: "text", "data-testid": "alert-description" }),
    state: element("strong", { "data-testid": "alert-state" }),
    since: element("time"),
    then: element("p"),
    value: element("p", { class: "muted", "data-testid": "alert-value" }),
    acknowledge: element("button", {
      type: "button", text: "Acknowledge", "data-testid": "acknowledge", "aria-label": `Acknowledge ${name} ${place}`,
      onclick: () => acknowledge(row.alert_, again),
    }),
    silences: element("ul"),
  };
  const title = element("strong", { text: shortened(name, HEAD_MAX) });
  const head = element("span", { class: "alert-head" }, parts.severity, title, ...about.map(labelOf));
  row.append(
    element("details", {}, element("summary", {}, head, parts.summary), parts.description, factsOf(alert)),
    element("div", { class: "alert-side small" },
      element("p", {}, parts.state, ", ", parts.since), parts.then, parts.value),
    parts.acknowledge, parts.silences);
  row.parts_ = parts;
  return row;
}

function byLabel([a], [b]) {
  const rank = (label) => (LABELS_FIRST.includes(label) ? LABELS_FIRST.indexOf(label) : LABELS_FIRST.length);
  return rank(a) - rank(b) || a.localeCompare(b);
}

const labelOf = ([label, text]) => element("span", { class: "label" },
  element("span", { class: "muted", text: `${shortened(label, LABEL_MAX)} ` }),
  // What is written from right to left must not turn what stands beside it.
  element("bdi", { text: shortened(text, LABEL_MAX) }));

function factsOf({ labels, rule, group }) {
  const facts = [
    ["Labels", Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(", ")],
    ["Rule", `${rule.query}${rule.duration ? ` for ${span(rule.duration)}` : ""}`],
    ["Group", `${group.name} of ${group.file}`],
  ];
  return element("dl", {}, ...facts.flatMap(([term, text]) => [
    element("dt", { class: "muted", text: term }),
    element("dd", {}, element("code", { text: shortened(text, TEXT_MAX) })),
  ]));
}

function updateRow(row, alert, silences, nowMs, again) {
  const { parts_: parts } = row;
  row.alert_ = alert;
  row.dataset.state = alert.state;
  row.dataset.tone = toneOf(alert);
  setAttribute(row, "data-silenced", silences.length > 0);
  parts.severity.dataset.tone = row.dataset.tone;
  setHidden(parts.severity, !alert.severity);
  setText(parts.severity, shortened(alert.severity, 20));
  const { summary = "", description = "" } = alert.annotations;
  setText(parts.summary, shortened(summary, HEAD_MAX));
  setText(parts.description, shortened(description, TEXT_MAX));
  setHidden(parts.description, !description);
  setText(parts.state, stateWords[alert.state] ?? alert.state);
  setText(parts.value, `value ${value(alert.value)}`);
  // Whoever has just acknowledged or ended that by keyboard stays at this alert.
  const focused = document.activeElement;
  const hadFocus = focused === parts.acknowledge || parts.silences.contains(focused);
  showSilences(parts.silences, silences, nowMs, again);
  setHidden(parts.acknowledge, silences.length > 0);
  if (hadFocus && !focused.checkVisibility()) (parts.silences.querySelector("button") ?? parts.acknowledge).focus();
}

/** What the time since makes of a pending alert, or of one whose condition is over. */
function next({ state: name, activeMs, rule, keepFiringSince }, nowMs) {
  if (keepFiringSince) return `condition over for ${span((nowMs - Date.parse(keepFiringSince)) / 1000)}`;
  if (name !== "pending") return "";
  const leftSeconds = rule.duration - (nowMs - activeMs) / 1000;
  return leftSeconds > 0 ? `fires in ${span(leftSeconds)}` : "fires at the next evaluation";
}

/** The times between two answers. */
export function tickAlerts(nowMs) {
  if (!state.groups.length) return;
  for (const { alert_: alert, parts_: { since, then } } of byId("alerts-list").children) {
    setTime(since, alert.activeMs, `began ${span((nowMs - alert.activeMs) / 1000)} ago`);
    setText(then, next(alert, nowMs));
  }
  const { text, isLate } = rulesState(state.groups, state.alerts.length, nowMs);
  setText(byId("rules-state"), text);
  setAttribute(byId("rules-state"), "data-tone", isLate ? "warn" : null);
}

/** A critical alert that did not fire when the page looked last. */
function tell(alerts) {
  const criticals = alerts.filter(({ isFiring, rank }) => isFiring && rank === 0);
  const identity = ({ labels }) => JSON.stringify(labels);
  const fresh = criticals.filter((alert) => state.criticals && !state.criticals.has(identity(alert)));
  state.criticals = new Set(criticals.map(identity));
  if (!fresh.length) return;
  const names = [...new Set(fresh.map(({ name }) => name))].slice(0, 3).map((name) => shortened(name, LABEL_MAX));
  const what = fresh.length === 1 ? `. ${shortened(fresh[0].annotations.summary ?? "", HEAD_MAX)}` : "";
  announce(`${counted(fresh.length, "critical alert")} firing: ${names.join(", ")}${what}`);
}
