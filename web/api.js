// SPDX-License-Identifier: Apache-2.0

// The HTTP API as functions. An answer that is an error throws what the server said; no answer at all throws
// `isUnreachable`. Nothing is retried here: who polls, comes again.

const DEADLINE_MS = 10_000;
// A test of receivers takes 20 s at most, and may wait for another.
const TEST_DEADLINE_MS = 45_000;

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.isUnreachable = status === 0;
  }
}

async function request(path, options = {}, deadlineMs = DEADLINE_MS) {
  let response;
  let text;
  try {
    response = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(deadlineMs) });
    text = await response.text();
  } catch (error) {
    const why = error.name === "TimeoutError" ? `no answer within ${deadlineMs / 1000} s` : "no connection";
    throw new ServerError(why, 0);
  }
  const body = parsed(text);
  if (response.ok && (body !== undefined || response.status === 204)) return body;
  throw new ServerError(body?.error ?? `${path}: the server answered ${response.status}`, response.status);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy's error page, say. The caller has the status.
    return undefined;
  }
}

const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

const flagPath = (key) => `/api/v1/flags/${encodeURIComponent(key)}`;

export const status = () => request("/api/v1/status");

export const flags = (environment) => request(`/api/v1/flags${query({ environment })}`);

/** Where the success criteria are told as Markdown. */
export const verificationPath = (key, environment, format) => `${flagPath(key)}/verify${query({ environment, format })}`;

export const verification = (key, environment) => request(verificationPath(key, environment));

/** null where the flag has no ramp. */
export async function rollout(key, environment) {
  try {
    return await request(`${flagPath(key)}/rollout${query({ environment })}`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** `by`: label names; `stepMs` undefined for one sum over the range. */
export function totals(fromMs, toMs, by, stepMs) {
  const step = stepMs && `${stepMs / 1000}s`;
  return request(`/api/v1/totals${query({ from: fromMs / 1000, to: toMs / 1000, by: by.join(","), step })}`);
}

/** `action`: `start` or one of the ROLLOUT's own. */
export function act(key, environment, action, reason) {
  const path = action === "start" ? `${flagPath(key)}/rollout` : `${flagPath(key)}/rollout/${action}`;
  return post(path + query({ environment }), reason ? { reason } : {});
}

function post(path, body, deadlineMs) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) }, deadlineMs);
}

/** The groups of rules, each rule with its alerts. */
export const ruleGroups = async () => (await request("/api/v1/rules")).data.groups;

export const silences = () => request("/api/v1/silences");

/** `duration` such as `2h`. */
export const acknowledge = (labels, by, comment, duration) =>
  post("/api/v1/alerts/acknowledge", { labels, by, comment, for: duration });

export function endSilence(id, reason) {
  // A header holds bytes: the reason's UTF-8, a character each, in one line.
  const bytes = new TextEncoder().encode(reason.replace(/\s+/g, " "));
  const headers = { "X-Reason": String.fromCharCode(...bytes) };
  return request(`/api/v1/silences/${encodeURIComponent(id)}`, { method: "DELETE", headers });
}

export const receivers = async () => (await request("/api/v1/notify")).receivers;

/** Sends a test alert to all receivers; answers with what each made of it. */
export const testReceivers = async () => (await post("/api/v1/notify/test", {}, TEST_DEADLINE_MS)).receivers;
