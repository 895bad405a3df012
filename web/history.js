// SPDX-License-Identifier: Apache-2.0

// The steps behind the charts, kept from poll to poll: only the newest are asked for again, since late events still
// add to them, and everything once a minute.

import * as api from "./api.js";

const TAIL_STEPS = 6;
const WHOLE_EVERY_MS = 60_000;

/** `by`: label names of the rows. */
export class StepHistory {
  constructor(by) {
    this.by = by;
    this.rowsByTime = new Map();
    this.stepMs = 0;
    this.fromMs = 0;
    this.wholeMs = 0;
  }

  /** Asks for what is missing of the range that ends at `nowMs`. False where a newer call has another step. */
  async refresh(nowMs, rangeMs, stepMs) {
    const fromMs = Math.floor((nowMs - rangeMs) / stepMs) * stepMs;
    const isWhole = this.stepMs !== stepMs || fromMs < this.fromMs || nowMs - this.wholeMs >= WHOLE_EVERY_MS;
    const tailMs = Math.floor(nowMs / stepMs) * stepMs - TAIL_STEPS * stepMs;
    const answer = await api.totals(isWhole ? fromMs : Math.max(fromMs, tailMs), nowMs, this.by, stepMs);
    if (isWhole) {
      this.rowsByTime.clear();
      Object.assign(this, { stepMs, wholeMs: nowMs });
    }
    this.fromMs = fromMs;
    for (const step of answer.steps) this.rowsByTime.set(step.from_ms, step.rows);
    for (const time of this.rowsByTime.keys()) if (time < fromMs) this.rowsByTime.delete(time);
  }

  /** `{fromMs, seconds, rows}`, ascending; a step too young to give a rate is left out. */
  steps(nowMs) {
    const times = [...this.rowsByTime.keys()].sort((a, b) => a - b);
    const whole = times.map((fromMs) => ({
      fromMs,
      seconds: Math.min(this.stepMs, nowMs - fromMs) / 1000,
      rows: this.rowsByTime.get(fromMs),
    }));
    // Of a long step its first part will do; of a short one the rate would only dip.
    return whole.filter(({ seconds }) => seconds * 1000 >= Math.min(this.stepMs, 30_000));
  }
}
