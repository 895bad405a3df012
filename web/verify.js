// SPDX-License-Identifier: Apache-2.0

// The success criteria of a deployment, judged by the server when somebody opens them.

import { element, reconcile, setAttribute, setHidden, setText } from "./dom.js";
import { clock, exactCount, percent, points } from "./format.js";
import { sentence, verdicts } from "./words.js";

const STALE_MS = 15_000;
const columns = ["Criterion", "Value", "Limit", "Samples", "Verdict"];

/** `load()` gives what `/verify` answers; `markdown` is the address of the same as text. */
export function createVerification(load, markdown) {
  const body = element("tbody");
  const table = element(
    "table", { class: "guard" },
    element("caption", { class: "unseen", text: "Success criteria" }),
    element("thead", {}, element("tr", {}, ...columns.map((text) => element("th", { scope: "col", text })))),
    body);
  const note = element("p", { class: "small muted", role: "status" });
  const outcome = element("span", { class: "chip", "data-testid": "verified" });
  const link = element("a", { href: markdown, class: "small", text: "As Markdown" });
  const node = element(
    "details", { class: "verification", "data-testid": "verification" },
    element("summary", {}, "Success criteria ", outcome), note, table, element("p", {}, link));
  let loadedMs = -Infinity;
  const refresh = async () => {
    if (!node.open || performance.now() - loadedMs < STALE_MS) return;
    loadedMs = performance.now();
    try {
      show(await load());
    } catch (error) {
      setText(note, `Could not be judged: ${error.message}.`);
    }
  };
  const show = (report) => {
    setHidden(outcome, false);
    setText(outcome, report.verified ? "✓ All hold" : "✕ Not all hold");
    outcome.dataset.tone = report.verified ? "good" : "warn";
    setText(note, `From ${clock(report.from_ms)} to ${clock(report.to_ms)}.`);
    reconcile(body, report.criteria, (criterion) => criterion.name, createRow, updateRow);
  };
  setHidden(outcome, true);
  node.addEventListener("toggle", refresh);
  return { node, refresh };
}

function createRow(criterion) {
  const cell = (label, name) => element("td", { "data-label": label, class: name });
  const parts = {
    value: cell("Value", "number"), limit: cell("Limit", "number"), samples: cell("Samples", "number"),
    verdict: element("span", { class: "chip" }), reason: element("span", { class: "small muted" }),
  };
  const name = element("span", { class: "check-name", text: criterion.title });
  const row = element(
    "tr", { "data-testid": `criterion-${criterion.name}` },
    element("th", { scope: "row" }, name, parts.reason), parts.value, parts.limit, parts.samples,
    element("td", { "data-label": "Verdict", class: "verdict" }, parts.verdict));
  row.parts_ = parts;
  return row;
}

function updateRow(row, criterion) {
  const { parts_: parts } = row;
  const verdict = verdicts[criterion.verdict] ?? { word: criterion.verdict, sign: "", tone: "calm" };
  const unit = unitOf(criterion.name);
  row.dataset.verdict = criterion.verdict;
  setText(parts.value, criterion.value === null ? "–" : unit.value(criterion.value));
  setText(parts.limit, unit.limit(criterion.limit));
  setText(parts.samples, exactCount(criterion.samples));
  setText(parts.verdict, `${verdict.sign} ${verdict.word}`);
  parts.verdict.dataset.tone = verdict.tone;
  setText(parts.reason, sentence(criterion.reason));
  setAttribute(row, "title", criterion.reason);
}

const signs = { ">=": "≥", "<=": "≤" };
const limited = (write) => (text) => text.replace(/([<>]=?|=)\s*([\d.eE+-]+)/, (_, sign, bound) => `${signs[sign] ?? sign} ${write(Number(bound))}`);

function unitOf(name) {
  if (name.endsWith("_seconds")) {
    const write = (seconds) => `${Number((seconds * 1000).toPrecision(3))}\u202fms`;
    return { value: write, limit: limited(write) };
  }
  if (name === "circuit_breaker") return { value: String, limit: (text) => text };
  return { value: percent, limit: limited((ratio) => points(ratio * 100)) };
}
