// SPDX-License-Identifier: Apache-2.0

// What the API's words are called on the page, and what an operator is told before doing something.

import { points } from "./format.js";

/** `tone` decides the colour; the word always stands beside it. */
export const states = {
  draft: { word: "Not started", tone: "calm" },
  propagating: { word: "Propagating", tone: "busy" },
  warming: { word: "Warming up", tone: "busy" },
  soaking: { word: "Soaking", tone: "busy" },
  held: { word: "Held", tone: "warn" },
  paused: { word: "Paused", tone: "warn" },
  rolled_back: { word: "Rolled back", tone: "bad" },
  completed: { word: "Completed", tone: "good" },
  killed: { word: "Killed", tone: "bad" },
};

export const stateOf = (name) => states[name] ?? { word: name, tone: "calm" };

export const verdicts = {
  pass: { word: "Pass", sign: "✓", tone: "good" },
  fail: { word: "Fail", sign: "✕", tone: "bad" },
  inconclusive: { word: "Inconclusive", sign: "?", tone: "warn" },
  no_data: { word: "No data", sign: "–", tone: "warn" },
  muted: { word: "Muted", sign: "z", tone: "calm" },
};

export const checkNames = {
  hit_ratio: "Hit rate",
  error_ratio: "Error rate",
  circuit_breaker: "Circuit breaker",
  failure_ratio: "Failures against others",
  exposure: "On the wrong side",
};

/** What follows when an alert of the guard fires. */
export const alertActions = {
  rollback: "rolls back", hold: "holds", kill: "kills", observe: "is only shown",
};

const spoken = [
  [/hit_ratio/g, "hit rate"], [/error_ratio/g, "error rate"], [/>=/g, "≥"], [/<=/g, "≤"], [/(\d) %/g, "$1\u202f%"],
];

/** A reason of the server's in the page's words. */
export const plain = (text) => spoken.reduce((words, [pattern, word]) => words.replace(pattern, word), text ?? "");

/** The same with a capital letter, without a full stop. */
export function sentence(text) {
  const words = plain(text);
  return words && words[0].toUpperCase() + words.slice(1);
}

export const breakers = {
  closed: { word: "closed", tone: "good" },
  half_open: { word: "half open", tone: "warn" },
  open: { word: "open", tone: "bad" },
};

/** In the order of their buttons. */
export const actions = ["start", "approve", "resume", "advance", "pause", "rollback", "kill"];

function rollbackPercent(rollout) {
  const target = rollout.plan?.guard?.rollback_to;
  return target === "previous" && rollout.step > 0 ? rollout.steps[rollout.step - 1].percent : 0;
}

/** `label` of the button, `text` of the question, `tone`, and whether a reason is a must. */
export function actionWords(action, flag, rollout) {
  const now = points(rollout.percent);
  const first = rollout.steps[0] ?? rollout.plan?.steps?.[0];
  const start = first ? points(first.percent) : "its first step";
  const following = rollout.steps[rollout.step + 1];
  const next = following && points(following.percent);
  const word = (label, tone, text, needsReason = false) => ({ label, tone, text, needsReason });
  switch (action) {
    case "start":
      return word("Start ramp", "main", `Starts the plan at ${start} of users. The guard watches from then on.`);
    case "approve":
      return word("Approve", "main", next ? `Lets the ramp go on to ${next} of users.` : "Lets the ramp complete.");
    case "resume":
      return word("Resume", "main", `Goes on at ${now}: the soak clock runs again.`);
    case "advance":
      return next
        ? word(`Advance to ${next}`, "plain", `Skips the rest of the bake and goes to ${next} of users now.`)
        : word("Complete", "plain", "Skips the rest of the bake and completes the ramp.");
    case "pause":
      return word("Pause", "plain", `Stays at ${now}: the soak clock stops, the guard keeps watching.`);
    case "rollback": {
      const target = points(rollbackPercent(rollout));
      return word("Roll back", "danger", `Takes the flag from ${now} back to ${target} of users now.`, true);
    }
    case "kill": {
      const effect = `Turns ${flag.key} off: everybody gets the variant “${flag.defaultVariant}” at once.`;
      return word("Kill", "danger", `${effect} Only starting a plan anew leaves this.`, true);
    }
    default:
      return word(action, "plain", "");
  }
}
