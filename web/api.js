// SPDX-License-Identifier: Apache-2.0

// The HTTP API as functions. An answer that is an error throws what the server said; no answer at all throws
// `isUnreachable`. Nothing is retried here: who polls, comes again.

const DEADLINE_MS = 10_000;

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.isUnreachable = status === 0;
  }
}

async function request(path, options = {}) {
  let response;
  let text;
  try {
    response = await fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(DEADLINE_MS) });
    text = await response.text();
  } catch (error) {
    const why = error.name === "TimeoutError" ? `no answer within ${DEADLINE_MS / 1000} s` : "no connection";
    throw new ServerError(why, 0);
  }
  const body = parsed(text);
  if (response.ok && body !== undefined) return body;
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
  return request(path + query({ environment }), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(reason ? { reason } : {}),
  });
}
