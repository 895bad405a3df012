// SPDX-License-Identifier: Apache-2.0

// Sets the remembered theme before the first paint, which a module, being deferred, could not.

(function () {
  let theme = null;
  // Storage is refused in some private windows: then the system's theme it is.
  try { theme = localStorage.getItem("rampart.theme"); } catch { }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
