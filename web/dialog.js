// SPDX-License-Identifier: Apache-2.0

// The question before an action: why, and really? What the server refuses is shown here, and the reason is kept for
// another try.

import * as api from "./api.js";
import { byId, setAttribute, setHidden, setText } from "./dom.js";
import { actionWords } from "./words.js";

const dialog = byId("dialog");
const form = byId("dialog-form");
const reason = byId("dialog-reason");
const failure = byId("dialog-error");
const confirm = byId("dialog-confirm");
let current = null;

/** `onDone(rollout)` when the server has done it. */
export function ask(action, flag, rollout, environment, onDone) {
  const words = actionWords(action, flag, rollout);
  current = { action, key: flag.key, environment, words, onDone };
  setText(byId("dialog-title"), `${words.label}: ${flag.key}`);
  setText(byId("dialog-text"), words.text);
  setText(byId("dialog-reason-label"), words.needsReason ? "Reason (required)" : "Reason");
  setText(confirm, words.label);
  confirm.className = words.tone;
  dialog.dataset.action = action;
  reason.value = "";
  setAttribute(reason, "aria-required", words.needsReason ? "true" : null);
  fail("");
  dialog.showModal();
  reason.focus();
}

function fail(text) {
  setText(failure, text);
  setHidden(failure, text === "");
  setAttribute(reason, "aria-invalid", text && !reason.value.trim() && current?.words.needsReason ? "true" : null);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { action, key, environment, words, onDone } = current;
  const text = reason.value.trim();
  if (words.needsReason && !text) {
    fail("A reason is required: whoever looks at this tomorrow will ask.");
    reason.focus();
    return;
  }
  confirm.disabled = true;
  fail("");
  try {
    const rollout = await api.act(key, environment, action, text);
    dialog.close();
    onDone(rollout);
  } catch (error) {
    const silence = `The server did not answer (${error.message}): look at the state before trying again.`;
    fail(error.isUnreachable ? silence : error.message);
  } finally {
    confirm.disabled = false;
  }
});

byId("dialog-cancel").addEventListener("click", () => dialog.close());

// Ctrl+Enter sends from within the text.
reason.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
