// SPDX-License-Identifier: Apache-2.0

// Light, dark or as the system says. `theme.js` has set the remembered one before the first paint.

import { byId, setText } from "./dom.js";

const order = ["auto", "light", "dark"];

/** `onChange` is called whenever colours may have changed, by hand or by the system. */
export function installTheme(onChange) {
  const button = byId("theme");
  const current = () => document.documentElement.dataset.theme ?? "auto";
  const label = () => setText(button, `Theme: ${current()}`);
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    remember(next);
    label();
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  label();
}

function remember(theme) {
  try {
    localStorage.setItem("rampart.theme", theme);
  } catch {
    // Storage is refused in some private windows: the choice then lasts as long as the page.
  }
}
