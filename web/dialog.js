// SPDX-License-Identifier: Apache-2.0

// The question before an action: why, and really? What the server refuses is shown here, and the reason is kept for
// another try.

import { byId, segments, setAttribute, setHidden, setText } from "./dom.js";

const terms = [["30m", "30 min"], ["2h", "2 h"], ["1d", "1 day"]];
const WHO = "rampart.who";
const dialog = byId("dialog");
const form = byId("dialog-form");
const reason = byId("dialog-reason");
const who = byId("dialog-who");
const failure = byId("dialog-error");
const confirm = byId("dialog-confirm");
let current = null;
let term = "2h";

/** `question`: `action` and `subject`; `label`, `text`, `hint`, `tone` and `needsReason` for the eye; `asksTerm` where
    it is also asked who acts and for how long. `send({reason, who, duration})` does it, then `onDone(answer)`. */
export function ask(question) {
  current = question;
  setText(byId("dialog-title"), `${question.label}: ${question.subject}`);
  setText(byId("dialog-text"), question.text);
  setText(byId("dialog-reason-label"), question.needsReason ? "Reason (required)" : "Reason");
  setText(byId("dialog-hint"), question.hint);
  setText(confirm, question.label);
  confirm.className = question.tone;
  dialog.dataset.action = question.action;
  setHidden(byId("dialog-term"), !question.asksTerm);
  reason.value = "";
  setAttribute(reason, "aria-required", question.needsReason ? "true" : null);
  fail("");
  dialog.showModal();
  reason.focus();
}

function fail(text) {
  setText(failure, text);
  setHidden(failure, text === "");
  setAttribute(reason, "aria-invalid", text && !reason.value.trim() && current?.needsReason ? "true" : null);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { needsReason, send, onDone } = current;
  const answer = { reason: reason.value.trim(), who: who.value.trim(), duration: term };
  if (needsReason && !answer.reason) {
    fail("A reason is required: whoever looks at this tomorrow will ask.");
    reason.focus();
    return;
  }
  confirm.disabled = true;
  fail("");
  try {
    const result = await send(answer);
    remember(answer.who);
    dialog.close();
    onDone(result);
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

segments(byId("dialog-for"), "dialog-for", terms, term, (value) => { term = value; });

// Who acts here will most likely act again. Storage is refused in some private windows: then nobody is remembered.
function remember(name) {
  try { localStorage.setItem(WHO, name); } catch { }
}
try { who.value = localStorage.getItem(WHO) ?? ""; } catch { }
