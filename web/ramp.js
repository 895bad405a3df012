// SPDX-License-Identifier: Apache-2.0

// One flag's ramp: how far it is, what it waits for, what the guard sees, and what can be done about it.

import { announce, element, reconcile, setAttribute, setHidden, setText, setWidth } from "./dom.js";
import { clock, points, setTime, span, utc } from "./format.js";
import { createGuard } from "./guard.js";
import { actions, actionWords, plain, sentence, stateOf } from "./words.js";

const HISTORY_SHOWN = 50;
const STOPPED = ["rolled_back", "killed"];

/** `onAction(action, flag, rollout)` when a button is pressed; `verification` is of createVerification. */
export function createRamp(key, onAction, verification) {
  const id = `ramp-${key.replace(/[^A-Za-z0-9_-]/g, "-")}`;
  const part = (tag, name, attributes = {}) => element(tag, { "data-testid": name, ...attributes });
  const parts = {
    state: part("span", "state", { class: "chip large" }),
    governs: element("span", { class: "muted" }),
    description: element("p", { class: "muted description" }),
    buttons: element("div", { class: "buttons", role: "group", "aria-label": `Actions on ${key}` }),
    stopped: part("div", "stopped", { class: "banner bad" }),
    percent: part("span", "percent", { class: "percent" }),
    steps: part("ol", "steps", { class: "steps" }),
    reason: part("p", "reason", { class: "reason" }),
    soakFill: element("span", { class: "fill" }),
    soak: part("span", "soak"),
    still: part("p", "standing-still", { class: "still" }),
    reach: part("p", "propagation", { class: "small muted" }),
    next: part("time", "next-decision"),
    nextIn: element("span", { class: "muted" }),
    since: element("time"),
    guard: createGuard(),
    history: part("ol", "history", { class: "history", tabindex: "0", "aria-label": "History of the ramp" }),
    noHistory: element("p", { class: "muted small", text: "Nothing has happened yet." }),
  };
  const line = (text, ...nodes) => element("p", { class: "line" }, element("span", { class: "muted", text }), ...nodes);
  const progress = { role: "progressbar", "aria-label": "Soak clock", "aria-valuemin": "0", "aria-valuemax": "100" };
  parts.soakBar = element("div", { class: "meter wide", ...progress }, parts.soakFill);
  parts.soakBox = element("div", { class: "soak" }, line("Soak clock ", parts.soak), parts.soakBar, parts.still, parts.reach);
  parts.nextLine = line("Next decision ", parts.next, parts.nextIn);
  parts.sinceLine = line("In this state since ", parts.since);
  const why = element("div", {}, parts.reason, parts.sinceLine, parts.nextLine);
  parts.facts = element("div", { class: "facts" }, why, parts.soakBox);
  const node = element(
    "article", { class: "panel ramp", "data-testid": "ramp", "data-flag": key, "aria-labelledby": id },
    element("header", {},
      element("div", { class: "name" }, element("h2", { id, text: key }), parts.state, parts.governs),
      parts.buttons),
    parts.description, parts.stopped,
    element("div", { class: "now" },
      element("p", { class: "big" }, parts.percent, element("span", { class: "muted", text: "of users" })),
      parts.steps),
    parts.facts,
    element("div", { class: "halves" },
      element("div", {}, element("h3", { text: "Guard" }), parts.guard.node),
      element("div", {}, element("h3", { text: "History" }), parts.noHistory, parts.history)),
    verification.node);
  const ramp = { key, node, parts, flag: null, rollout: null, fetchedMs: 0, onAction, verification };
  ramp.update = (flag, rollout, offsetMs) => update(ramp, flag, rollout, offsetMs);
  ramp.tick = (serverMs) => tick(ramp, serverMs);
  return ramp;
}

function update(ramp, flag, rollout, serverMs) {
  const before = ramp.rollout;
  Object.assign(ramp, { flag, rollout, fetchedMs: serverMs });
  const { parts, node } = ramp;
  const state = stateOf(rollout.state);
  node.dataset.state = rollout.state;
  setText(parts.state, state.word);
  parts.state.dataset.tone = state.tone;
  parts.state.dataset.state = rollout.state;
  setText(parts.governs, flag.caches?.length ? `governs ${flag.caches.join(", ")}` : "");
  setText(parts.description, flag.description ?? "");
  setHidden(parts.description, !flag.description);
  setText(parts.percent, points(rollout.percent));
  parts.percent.dataset.percent = rollout.percent;
  updateStopped(parts, rollout, state);
  setText(parts.reason, sentence(rollout.reason));
  const isShownBelow = rollout.reason === rollout.soak.standing_still_because && hasSoak(rollout);
  setHidden(parts.reason, isShownBelow);
  setHidden(parts.sinceLine, !rollout.state_since_ms);
  setTime(parts.since, rollout.state_since_ms || null);
  updateSteps(parts.steps, rollout);
  parts.guard.update(rollout.checks, rollout.alerts ?? []);
  updateReach(parts.reach, rollout);
  updateHistory(parts, rollout.history);
  updateButtons(ramp);
  setHidden(ramp.verification.node, rollout.state === "draft");
  ramp.verification.refresh();
  tick(ramp, serverMs);
  if (before && (before.state !== rollout.state || before.percent !== rollout.percent)) {
    announce(`${ramp.key}: ${state.word} at ${points(rollout.percent)}. ${sentence(rollout.reason)}`);
  }
}

function updateStopped(parts, rollout, state) {
  const isStopped = STOPPED.includes(rollout.state);
  const why = sentence(rollout.reason.replace(/^killed: /, ""));
  setHidden(parts.stopped, !isStopped);
  setHidden(parts.facts, isStopped);
  setText(parts.stopped, isStopped ? `${state.word} at ${clock(rollout.state_since_ms)}. ${why}.` : "");
  setAttribute(parts.stopped, "title", isStopped ? utc(rollout.state_since_ms) : null);
}

/** How far the step's percentage has come among the instances that poll. */
function updateReach(node, { propagation, state }) {
  const isKnown = propagation && propagation.awaited > 0 && !STOPPED.includes(state);
  setHidden(node, !isKnown);
  if (isKnown) setText(node, `${propagation.current} of ${propagation.awaited} polling instances hold this percentage.`);
}

const hasSoak = ({ soak, state }) => soak.required_seconds > 0 && !["draft", "completed", ...STOPPED].includes(state);

/** The clocks between two answers; the server's next answer corrects them. */
function tick(ramp, serverMs) {
  const { parts, rollout } = ramp;
  if (!rollout) return;
  const { soak } = rollout;
  const required = soak.required_seconds;
  const passed = soak.running ? (serverMs - ramp.fetchedMs) / 1000 : 0;
  const elapsed = Math.min(required, soak.elapsed_seconds + Math.max(0, passed));
  setHidden(parts.soakBox, !hasSoak(rollout));
  setText(parts.soak, `${span(elapsed)} of ${span(required)}`);
  setWidth(parts.soakFill, elapsed / required);
  for (const step of parts.steps.children) {
    const share = step.dataset.status === "done" ? 1 : step.dataset.status === "current" ? elapsed / required : 0;
    setWidth(step.parts_.leg, share);
  }
  setAttribute(parts.soakBar, "aria-valuenow", required ? Math.floor((elapsed / required) * 100) : 0);
  parts.soakBar.dataset.tone = soak.running ? "busy" : "warn";
  const warmMs = rollout.state === "warming" ? rollout.warm_up_ends_ms : null;
  const running = warmMs ? `Warm-up until ${clock(warmMs)}: the hit rate is not judged yet.` : "Running.";
  setText(parts.still, soak.running ? running : `Stands still: ${plain(soak.standing_still_because)}`);
  parts.still.dataset.tone = soak.running ? "calm" : "warn";
  setHidden(parts.nextLine, !rollout.next_decision_ms);
  if (rollout.next_decision_ms) {
    setTime(parts.next, rollout.next_decision_ms);
    setText(parts.nextIn, ` in ${span((rollout.next_decision_ms - serverMs) / 1000)}`);
  }
}

function updateSteps(list, rollout) {
  const steps = rollout.steps.length ? rollout.steps : planned(rollout.plan);
  const items = steps.map((step, index) => ({ ...step, index, status: stepStatus(rollout, index) }));
  reconcile(
    list, items, (step) => `${step.index}-${step.percent}`,
    () => {
      const node = element("li");
      node.parts_ = { percent: element("strong"), caption: element("span", { class: "small muted" }) };
      node.parts_.leg = element("span", { class: "fill" });
      const leg = element("span", { class: "leg", "aria-hidden": "true" }, node.parts_.leg);
      const mark = element("span", { class: "mark", "aria-hidden": "true" });
      node.append(leg, mark, node.parts_.percent, node.parts_.caption);
      return node;
    },
    (node, step) => {
      node.dataset.status = step.status;
      setAttribute(node, "aria-current", step.status === "current" ? "step" : null);
      setText(node.parts_.percent, points(step.percent));
      setText(node.parts_.caption, stepCaption(step));
    });
}

// Before the first start the steps are only in the plan, where a bake is text such as `1h`.
const planned = (plan) => (plan?.steps ?? []).map((step) => ({ percent: step.percent, bakeText: step.bake }));

function stepStatus(rollout, index) {
  if (rollout.state === "draft") return "next";
  if (rollout.state === "completed") return "done";
  if (index < rollout.step) return "done";
  if (index > rollout.step) return "next";
  return STOPPED.includes(rollout.state) ? "stopped" : "current";
}

function stepCaption(step) {
  const bake = step.bakeText ?? (step.bake_seconds ? span(step.bake_seconds) : "");
  const text = {
    done: bake ? `done, baked ${bake}` : "done",
    current: bake ? `now, bakes ${bake}` : "now",
    stopped: "stopped here",
    next: bake ? `then, bakes ${bake}` : "for good",
  }[step.status];
  return step.approval ? `${text}, needs approval` : text;
}

function updateButtons(ramp) {
  const { parts, flag, rollout } = ramp;
  const allowed = actions.filter((action) => rollout.actions?.includes(action));
  reconcile(
    parts.buttons, allowed, (action) => action,
    (action) => element("button", {
      type: "button", "data-testid": `action-${action}`, "data-action": action,
      onclick: () => ramp.onAction(action, ramp.flag, ramp.rollout),
    }),
    (button, action) => {
      const words = actionWords(action, flag, rollout);
      setText(button, words.label);
      button.className = words.tone;
    });
}

function updateHistory(parts, history) {
  const newestFirst = history.map((entry, index) => ({ ...entry, index })).reverse().slice(0, HISTORY_SHOWN);
  setHidden(parts.noHistory, newestFirst.length > 0);
  setHidden(parts.history, newestFirst.length === 0);
  reconcile(
    parts.history, newestFirst, (entry) => `${entry.at_ms}-${entry.index}-${entry.to}`,
    (entry) => {
      const time = element("time");
      setTime(time, entry.at_ms);
      const { word, tone } = stateOf(entry.to);
      const actor = element("span", { class: "muted", text: `by ${entry.actor}` });
      return element(
        "li", { "data-tone": tone },
        time,
        element("span", {}, element("strong", { text: word }), ` at ${points(entry.percent)} `, actor),
        element("span", { class: "why", text: sentence(entry.reason) }));
    },
    () => { });
}
