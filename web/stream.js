// SPDX-License-Identifier: Apache-2.0

// The server's change stream. A browser opens at most six HTTP/1.1 connections a host, so the tabs of one browser
// share one EventSource: whoever holds the lock reads it and tells the others. Where locks are missing (plain HTTP on
// another host), every tab reads for itself.

const NAMES = ["flag_change", "rollout", "alert"];
const RETRY_MS = 3_000;

/** `onEvent(name, data)`; `onState(isOpen)`, the latter whenever it may have changed. */
export function listen(environment, onEvent, onState) {
  const path = `/api/v1/stream${environment ? `?environment=${encodeURIComponent(environment)}` : ""}`;
  if (!navigator.locks || !window.BroadcastChannel) return read(path, onEvent, onState);
  const channel = new BroadcastChannel(path);
  let isReader = false;
  let isOpen = false;
  const hear = ({ data }) => {
    if (data.ask) {
      if (isReader) channel.postMessage({ isOpen });
    } else if (data.name) onEvent(data.name, data.data);
    else onState(data.isOpen);
  };
  channel.addEventListener("message", hear);
  channel.postMessage({ ask: true });
  navigator.locks.request(path, () => {
    isReader = true;
    read(
      path,
      (name, data) => {
        onEvent(name, data);
        channel.postMessage({ name, data });
      },
      (state) => {
        isOpen = state;
        onState(state);
        channel.postMessage({ isOpen: state });
      });
    // Held until the tab goes.
    return new Promise(() => { });
  });
}

function read(path, onEvent, onState) {
  const source = new EventSource(path);
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => {
    onState(false);
    // After an answer that is no stream the browser gives up; we do not.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => read(path, onEvent, onState), RETRY_MS);
  });
  for (const name of NAMES) {
    source.addEventListener(name, (event) => onEvent(name, JSON.parse(event.data)));
  }
}
