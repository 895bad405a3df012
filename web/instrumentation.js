// SPDX-License-Identifier: Apache-2.0

// What the logs of a cache leave out, so that nobody takes an empty cell for a calm one. docs/loggers.md has the lines
// that add it.

export const NOT_INSTRUMENTED = "not instrumented";

/** The names of caches that some flag keeps from part of their lookups: these must log bypasses. */
export const cachesKeptBack = (flags) => new Set(
  flags.filter((flag) => !flag.enabled || (flag.rollout?.percent ?? 0) < 100).flatMap((flag) => flag.caches ?? []));

// Each takes a row of the totals and says what is missing, or nothing.

export const missingDuration = ({ lookups, duration }) =>
  (lookups > 0 && !duration?.count ? "no lookup says its duration_ms" : null);

export const missingTier = ({ tiers }) =>
  (tiers && tiers.other > 0 && tiers.L1 + tiers.L2 === 0 ? "no hit says its cache_tier" : null);

export const missingBypass = ({ lookups, bypasses, isKeptBack }) =>
  (isKeptBack && lookups > 0 && bypasses === 0 ? "a flag keeps lookups from this cache, and no cache_bypass is logged" : null);
