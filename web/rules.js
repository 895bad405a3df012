// SPDX-License-Identifier: Apache-2.0

// How the rules behind the alerts are doing: when they were evaluated, which of them fail, and which find no data.

import { byId, element, reconcile, setHidden, setText } from "./dom.js";
import { count, counted, shortened, span } from "./format.js";

const SHOWN_MAX = 50;
const NAMES_MAX = 8;
const TEXT_MAX = 500;

/** The sentence under the alerts. `activeCount` of them are pending or firing. */
export function rulesState(groups, activeCount, serverMs) {
  const intervals = groups.map(({ interval }) => interval);
  const [least, most] = [Math.min(...intervals), Math.max(...intervals)];
  const every = least === most ? span(least) : `${span(least)} to ${span(most)}`;
  // Go's zero time stands for never.
  const lastMs = Math.max(...groups.map(({ lastEvaluation }) => Date.parse(lastEvaluation)));
  const agoSeconds = Math.max(0, serverMs - lastMs) / 1000;
  const last = lastMs > 0 ? `last ${span(agoSeconds)} ago` : "not evaluated yet";
  const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
  const what = `${counted(rules, "rule")} in ${counted(groups.length, "group")}, evaluated every ${every}, ${last}`;
  // Three times in a row is no accident.
  const isLate = lastMs > 0 && agoSeconds > 3 * most;
  const text = activeCount ? what : `No alert is pending or firing; ${what}`;
  return { text: `${text}.${isLate ? " Evaluations are late: what is shown here is old." : ""}`, isLate };
}

export function updateRules(groups) {
  const rules = groups.flatMap((group) => group.rules.map((rule, index) => ({ ...rule, group: group.name, index })));
  updateFailing(rules.filter(({ health }) => health === "err"));
  updateMissing(rules);
}

function updateFailing(failing) {
  const fold = byId("rules-failing");
  setHidden(fold, failing.length === 0);
  setText(fold.querySelector("summary"), failing.length === 1 ? "1 rule fails" : `${count(failing.length)} rules fail`);
  reconcile(
    fold.querySelector("ul"), failing.slice(0, SHOWN_MAX), (rule) => `${rule.group}/${rule.index}/${rule.name}`,
    (rule) => element("li", { "data-testid": "failing-rule" },
      element("strong", { text: shortened(rule.name, TEXT_MAX) }),
      element("span", { class: "muted", text: ` in ${shortened(rule.group, TEXT_MAX)}` }), element("p")),
    (node, rule) => setText(node.lastChild, shortened(rule.lastError ?? "", TEXT_MAX)));
}

// MARK: Without data

let missing = [];

function updateMissing(rules) {
  missing = rules;
  const fold = byId("rules-missing");
  const silent = rules.filter((rule) => rule.missing);
  setHidden(fold, silent.length === 0);
  const heading = silent.length === 1 ? "1 rule has no data" : `${count(silent.length)} rules have no data`;
  setText(fold.querySelector("summary"), heading);
  drawMissing();
}

byId("rules-missing").addEventListener("toggle", drawMissing);

/** One line a metric, and in it one for each selector. Nothing is drawn that nobody looks at. */
function drawMissing() {
  const fold = byId("rules-missing");
  if (!fold.open) return;
  reconcile(
    fold.querySelector("ul"), missingMetrics(missing).slice(0, SHOWN_MAX), ({ metric }) => metric,
    ({ metric }) => element("li", { "data-testid": "missing-metric", "data-metric": metric },
      element("code", { text: shortened(metric, TEXT_MAX) }), element("ul")),
    (node, { selectors }) => reconcile(
      node.lastChild, [...selectors].slice(0, SHOWN_MAX), ([labels]) => labels,
      ([labels]) => element("li", {},
        element("code", { text: shortened(labels, TEXT_MAX) }), element("span", { class: "muted" })),
      (line, [, names]) => setText(line.lastChild, ` ${listed([...names])}`)));
}

const listed = (names) => {
  const shown = names.slice(0, NAMES_MAX).map((name) => shortened(name, 100)).join(", ");
  return names.length > NAMES_MAX ? `${shown} and ${names.length - NAMES_MAX} more` : shown;
};

const metricOf = (selector) => /^[A-Za-z_:][\w:]*/.exec(selector)?.[0] ?? "";

/** `{metric, selectors: labels → names of rules}`, ascending by metric. A selector of what another rule records leads
    to what that rule lacks, so that each alert stands at the data it waits for. */
export function missingMetrics(rules) {
  const makers = Map.groupBy(rules.filter(({ type }) => type === "recording"), ({ name }) => name);
  const told = new Set();
  const metrics = new Map();
  const visit = (rule, name, visited) => {
    told.add(rule);
    visited.add(rule);
    for (const selector of rule.missing ?? []) {
      const metric = metricOf(selector);
      const lacking = (makers.get(metric) ?? []).filter((maker) => maker.missing);
      for (const maker of lacking) if (!visited.has(maker)) visit(maker, name, visited);
      if (lacking.length) continue;
      const selectors = metrics.get(metric) ?? metrics.set(metric, new Map()).get(metric);
      const labels = selector.slice(metric.length);
      selectors.set(labels, (selectors.get(labels) ?? new Set()).add(name));
    }
  };
  const alerting = rules.filter(({ type, missing: selectors }) => selectors && type === "alerting");
  for (const rule of alerting) visit(rule, rule.name, new Set());
  for (const rule of rules) if (rule.missing && !told.has(rule)) visit(rule, rule.name, new Set());
  const found = [...metrics].map(([metric, selectors]) => ({ metric, selectors }));
  return found.sort((a, b) => a.metric.localeCompare(b.metric));
}
