// SPDX-License-Identifier: Apache-2.0

// Silences and acknowledgements: who holds an alert back, why and until when, and ending that.

import * as api from "./api.js";
import { ask } from "./dialog.js";
import { byId, element, reconcile, setHidden, setText } from "./dom.js";
import { clock, counted, setTime, shortened, span } from "./format.js";

const SHOWN_MAX = 50;
const COMMENT_MAX = 300;
// As the audit calls who gives no name.
const NOBODY = "local user";

/** `onDone()` when the server has it. */
export function acknowledge(alert, onDone) {
  ask({
    action: "acknowledge", label: "Acknowledge", subject: shortened(alert.name, 100), tone: "main",
    needsReason: true, asksTerm: true,
    text: "Nobody is told that this alert fires until the time is over or the acknowledgement is ended.",
    hint: "Shown beside the alert and kept in the audit log.",
    send: ({ reason, who, duration }) => api.acknowledge(alert.labels, who || NOBODY, reason, duration),
    onDone,
  });
}

const isAcknowledgement = ({ kind }) => kind === "acknowledgement";

function end(silence, onDone) {
  ask({
    action: "end", label: "End", tone: "danger",
    subject: `${silence.kind} by ${shortened(silence.createdBy, 100)}`,
    text: "Ends it now for every alert that it holds back. What still fires is told to the receivers.",
    hint: "Kept in the audit log.",
    send: ({ reason }) => api.endSilence(silence.id, reason),
    onDone,
  });
}

/** Writes `silences` into a list; each as long as it is there. */
export function showSilences(list, silences, serverMs, onDone) {
  reconcile(
    list, silences, ({ id }) => id,
    () => {
      const node = element("li", { class: "silence", "data-testid": "silence" });
      const text = element("span");
      const until = element("time");
      const button = element("button", {
        type: "button", class: "quiet", text: "End", "data-testid": "silence-end",
        onclick: () => end(node.silence_, onDone),
      });
      node.append(element("span", {}, text, until), button);
      node.parts_ = { text, until, button };
      return node;
    },
    (node, silence) => {
      const { text, until, button } = node.parts_;
      node.silence_ = silence;
      const word = isAcknowledgement(silence) ? "Acknowledged" : "Silenced";
      const why = shortened(silence.comment, COMMENT_MAX);
      setText(text, `${word} by ${shortened(silence.createdBy, 100)}: ${why} – until `);
      const endMs = Date.parse(silence.endsAt);
      setTime(until, endMs, `${clock(endMs)}, in ${span((endMs - serverMs) / 1000)}`);
      button.setAttribute("aria-label", `End: ${word} by ${silence.createdBy}`);
    });
}

/** The silences in force, whether or not they hold an alert back just now. */
export function updateSilences(silences, serverMs, onDone) {
  const fold = byId("silences");
  const [summary, list] = [fold.querySelector("summary"), fold.querySelector("ul")];
  setHidden(fold, silences.length === 0);
  setText(summary, `${counted(silences.length, "silence")} in force`);
  showSilences(list, silences.slice(0, SHOWN_MAX), serverMs, onDone);
  for (const node of list.children) describe(node);
}

const operator = ({ isRegex, isEqual }) => (isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=");

/** What it holds back: beside an alert that is plain, in the list of all it is not. */
function describe(node) {
  const { matchers } = node.silence_;
  node.parts_.matchers ??= node.firstChild.appendChild(element("code", { class: "matchers" }));
  const texts = matchers.map((matcher) => `${matcher.name}${operator(matcher)}${JSON.stringify(matcher.value)}`);
  setText(node.parts_.matchers, shortened(`{${texts.join(", ")}}`, COMMENT_MAX));
}
