// SPDX-License-Identifier: Apache-2.0

// Numbers as people read them, each with its unit, and times in the viewer's zone with UTC beside them.
// A missing number is a dash, never a zero.

import { setAttribute, setText } from "./dom.js";

const NONE = "–";
// Between a number and its unit, so that no line breaks there.
const GAP = "\u202f";

const grouped = new Intl.NumberFormat("en-US");
const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

/** Two or three figures: 0.042, 4.21, 42.1, 421. */
function figures(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 99.95) return grouped.format(Math.round(value));
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.9995) return value.toFixed(2);
  return size >= 0.0005 ? value.toPrecision(2) : "<0.001";
}

/** 12,345 or 1.23 M; the exact count belongs in a title. */
export function count(value) {
  if (isMissing(value)) return NONE;
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)}${GAP}G`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)}${GAP}M` : grouped.format(value);
}

/** `1 rule`, `2 rules`. */
export const counted = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

export const exactCount = (value) => (isMissing(value) ? "" : grouped.format(value));

/** A ratio from 0 to 1 as a percentage. Never rounds to a full 100 % or an empty 0 % what is not. */
export function percent(ratio) {
  if (isMissing(ratio)) return NONE;
  const value = ratio * 100;
  if (value === 0 || value === 100) return `${value}${GAP}%`;
  if (value < 0.01) return `<0.01${GAP}%`;
  if (value < 1) return `${value.toFixed(2)}${GAP}%`;
  return `${value >= 99.95 ? ">99.9" : value.toFixed(1)}${GAP}%`;
}

/** A percentage that is one already, as of a rollout. */
export const points = (value) => (isMissing(value) ? NONE : `${Number(value.toFixed(2))}${GAP}%`);

export function latency(seconds) {
  if (isMissing(seconds)) return NONE;
  if (seconds >= 1) return `${figures(seconds)}${GAP}s`;
  return seconds >= 0.001 ? `${figures(seconds * 1e3)}${GAP}ms` : `${figures(seconds * 1e6)}${GAP}µs`;
}

/** For columns that are compared down the page: always milliseconds. */
export const milliseconds = (seconds) => (isMissing(seconds) ? NONE : `${figures(seconds * 1e3)}${GAP}ms`);

export const rate = (perSecond) => (isMissing(perSecond) ? NONE : `${figures(perSecond)}${GAP}/s`);

/** 45 s, 23 min 10 s, 1 h 5 min, 3 d 2 h. */
export function span(seconds) {
  if (isMissing(seconds)) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return `0${GAP}s`;
  const [unit, size] = units[first];
  const head = `${Math.floor(whole / size)}${GAP}${unit}`;
  const next = units[first + 1];
  const rest = next ? Math.floor((whole % size) / next[1]) : 0;
  return rest ? `${head} ${rest}${GAP}${next[0]}` : head;
}

/** The text of an alert's value with four figures: `8.41e-01` as 0.841. */
export function value(text) {
  const number = Number(text);
  if (!Number.isFinite(number)) return text;
  const isLong = Math.abs(number) >= 1_000 && Math.abs(number) < 1e15;
  return isLong ? grouped.format(Math.round(number)) : String(Number(number.toPrecision(4)));
}

/** At most `max` characters, since labels may hold anything. */
export const shortened = (text, max) => (text.length > max ? `${text.slice(0, max)}…` : text);

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** 14:03:10, with the day where it is not today. */
export function clock(ms) {
  if (isMissing(ms)) return NONE;
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? clockFormat.format(date) : `${dayFormat.format(date)} ${clockFormat.format(date)}`;
}

/** For the axes, where every tick is round: 50 ms rather than 50.0 ms. */
export const trimmed = (text) => text.replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");

export const utc = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

/** Writes a time into a `<time>`. */
export function setTime(node, ms, text = clock(ms)) {
  setText(node, text);
  setAttribute(node, "title", isMissing(ms) ? null : utc(ms));
  setAttribute(node, "datetime", isMissing(ms) ? null : new Date(ms).toISOString());
}

/** The zone that times are in, and where they are in UTC. */
export const zone = () => {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone || "your zone";
  return ["UTC", "Etc/UTC"].includes(name) ? "UTC" : `${name}; UTC on hover`;
};
