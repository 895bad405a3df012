// SPDX-License-Identifier: Apache-2.0

// Who is told of alerts, whether that works, and trying it out.

import * as api from "./api.js";
import { announce, byId, element, reconcile, setHidden, setText } from "./dom.js";
import { count, counted, latency, shortened, span } from "./format.js";

const ERROR_MAX = 300;
const NOTHING = "took nothing since the start";
const kinds = { alertmanager: "Alertmanager", webhook: "webhook", slack: "Slack" };
// What the last test said, by the name of the receiver.
const tested = new Map();
let latest = [];
let latestMs = 0;

const isFailing = ({ last_error: error }) => Boolean(error);

export function updateReceivers(receivers, serverMs) {
  [latest, latestMs] = [receivers, serverMs];
  const fold = byId("receivers");
  setHidden(byId("receivers-none"), receivers.length > 0);
  setHidden(fold, receivers.length === 0);
  const failing = receivers.filter(isFailing).length;
  const trouble = failing ? `, ${count(failing)} with errors` : "";
  setText(fold.querySelector("summary"), `Notifications to ${counted(receivers.length, "receiver")}${trouble}`);
  fold.dataset.tone = failing ? "warn" : "calm";
  reconcile(
    fold.querySelector("ul"), receivers, ({ name }) => name,
    ({ name, kind, place }) => {
      const parts = { state: element("span", { class: "muted" }), error: element("p"), test: element("p") };
      parts.test.dataset.testid = "receiver-test";
      const what = ` ${kinds[kind] ?? kind} ${shortened(place, 100)} `;
      const node = element("li", { "data-testid": "receiver", "data-receiver": name },
        element("strong", { text: shortened(name, 100) }), element("span", { class: "muted", text: what }),
        parts.state, parts.error, parts.test);
      node.parts_ = parts;
      return node;
    },
    (node, receiver) => {
      const { state, error, test } = node.parts_;
      setText(state, stateOf(receiver, serverMs));
      setHidden(error, !isFailing(receiver));
      setText(error, isFailing(receiver) ? `Last error: ${shortened(receiver.last_error, ERROR_MAX)}` : "");
      const result = tested.get(receiver.name);
      setHidden(test, !result);
      setText(test, result?.text ?? "");
      test.dataset.tone = result?.tone ?? "calm";
    });
}

function stateOf({ sent, queued, dropped, last_taken_ms: takenMs }, serverMs) {
  const took = takenMs ? `took ${counted(sent, "alert")}, the last ${span((serverMs - takenMs) / 1000)} ago` : NOTHING;
  const parts = [took];
  if (queued) parts.push(`${count(queued)} waiting`);
  if (dropped) parts.push(`${count(dropped)} given up`);
  return `· ${parts.join(" · ")}`;
}

const button = byId("receivers-test");

button.addEventListener("click", async () => {
  button.disabled = true;
  setText(byId("receivers-test-state"), "Sending an alert that calls itself a test; up to 20 s…");
  try {
    const results = await api.testReceivers();
    tested.clear();
    for (const result of results) tested.set(result.name, verdict(result));
    const taken = results.filter((result) => result.taken).length;
    say(`${count(taken)} of ${counted(results.length, "receiver")} took the test.`);
    updateReceivers(latest, latestMs);
  } catch (error) {
    say(`The test failed: ${error.message}`);
  } finally {
    button.disabled = false;
  }
});

function say(text) {
  setText(byId("receivers-test-state"), text);
  announce(text);
}

const answer = ({ status, error }) => error ?? `answered ${status}`;

function verdict({ taken, firing, resolved }) {
  if (taken) {
    const took = latency(firing.duration_seconds + resolved.duration_seconds);
    return { tone: "good", text: `✓ Test taken in ${took} (${firing.status}, ${resolved.status}).` };
  }
  const [step, failed] = resolved ? ["resolved", resolved] : ["firing", firing];
  return { tone: "bad", text: `✕ Test failed: ${step}: ${shortened(answer(failed), ERROR_MAX)}` };
}
