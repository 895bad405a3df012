// SPDX-License-Identifier: Apache-2.0

// Whether what the page shows is still true: live, reconnecting, or since when the server has been silent.

import { announce, byId, setHidden, setText } from "./dom.js";
import { clock, setTime, span } from "./format.js";

const words = {
  connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…",
  failing: "Server reports errors", lost: "Server lost",
};
const state = {
  isStreaming: false, answeredMs: null, failures: new Map(), failure: null, failedSinceMs: null, shown: "connecting",
};

export function streamIs(isOpen) {
  state.isStreaming = isOpen;
  show();
}

/** `what` was asked for; each question is answered or fails by itself. */
export function answered(what) {
  state.failures.delete(what);
  if (!state.failures.size) state.answeredMs = Date.now();
  settle();
}

export function failed(what, error) {
  state.failures.set(what, error);
  settle();
}

function settle() {
  const errors = [...state.failures.values()];
  state.failure = errors.find((error) => error.isUnreachable) ?? errors[0] ?? null;
  state.failedSinceMs = state.failure ? (state.failedSinceMs ?? Date.now()) : null;
  show();
}

/** Whether `what` got no answer at all. */
export const isLost = (what) => state.failures.get(what)?.isUnreachable ?? false;

function current() {
  if (state.failure) return state.failure.isUnreachable ? "lost" : "failing";
  if (state.answeredMs === null) return "connecting";
  return state.isStreaming ? "live" : "reconnecting";
}

/** Also called every second, for the time since. */
export function show() {
  const name = current();
  const node = byId("connection");
  node.dataset.state = name;
  document.body.dataset.connection = name;
  setText(byId("connection-word"), words[name]);
  setTime(byId("connection-updated"), state.answeredMs, state.answeredMs ? `updated ${clock(state.answeredMs)}` : "");
  setHidden(byId("lost"), !state.failure);
  if (state.failure) {
    const silence = span((Date.now() - state.failedSinceMs) / 1000);
    const title = name === "lost" ? `The server has not answered for ${silence}.` : "The server cannot answer.";
    setText(byId("lost-title"), title);
    setText(byId("lost-text"), explanation(name));
  }
  if (name !== state.shown && name !== "connecting") announce(`Connection: ${words[name]}`);
  state.shown = name;
}

function explanation(name) {
  const numbers = state.answeredMs ? ` The numbers below are from ${clock(state.answeredMs)}.` : "";
  if (name === "lost") return `${numbers} Trying again every few seconds; the page recovers by itself.`.trim();
  const { message, status } = state.failure;
  const isRefused = status === 401 || status === 403;
  const advice = isRefused ? " This server asks for a token; the page is open on the loopback address." : "";
  return `It says: ${message}.${advice}${numbers}`;
}
