// SPDX-License-Identifier: Apache-2.0

// Ratios that the server's rows do not carry, because they need rows put together. Misses have no tier, so a tier's
// ratio takes them from all rows: L1 is asked first, L2 gets what L1 did not have.

export const ratio = (part, whole) => (whole > 0 ? part / whole : null);

/** Hits of each tier over `rows`; `other` are those of any other tier, or of none. */
export function hitsByTier(rows) {
  const hits = { L1: 0, L2: 0, other: 0 };
  for (const { labels, hits: found } of rows) {
    hits[labels.tier === "L1" || labels.tier === "L2" ? labels.tier : "other"] += found;
  }
  return hits;
}

const summed = ["lookups", "hits", "misses", "bypasses", "errors"];

/** The counts of `rows` added up. */
export function sum(rows) {
  const total = { lookups: 0, hits: 0, misses: 0, bypasses: 0, errors: 0 };
  for (const row of rows) for (const name of summed) total[name] += row[name];
  return total;
}

/** One cache's name in this page: caches of one name in two services are two. */
export const cacheKey = ({ service = "", cache = "" }) => `${service}/${cache}`;
