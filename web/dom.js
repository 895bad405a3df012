// SPDX-License-Identifier: Apache-2.0

// The few lines between us and the document. Everything is written in place: a node changes only when its text does,
// so that a refresh neither flickers nor loses focus, selection or scroll.

export const byId = (id) => document.getElementById(id);

/** `attributes`: `class`, `text`, `data-…`, `aria-…` and so on; `onclick` and its like are listeners. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function setText(node, text) {
  if (node.textContent === text) return;
  const only = node.childNodes.length === 1 ? node.firstChild : null;
  if (only?.nodeType === Node.TEXT_NODE) only.data = text;
  else node.textContent = text;
}

/** null and false take the attribute away. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setHidden(node, isHidden) {
  if (node.hidden !== isHidden) node.hidden = isHidden;
}

/** Setting through the style object is what a strict CSP allows; a style attribute is not. */
export function setWidth(node, ratio) {
  const width = `${(Math.max(0, Math.min(1, ratio || 0)) * 100).toFixed(1)}%`;
  if (node.style.width !== width) node.style.width = width;
}

/** Makes the children of `parent` those of `items`, in their order; a node lives as long as its key. */
export function reconcile(parent, items, keyOf, create, update) {
  const held = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = held.get(key);
    if (!node) {
      node = create(item);
      node.dataset.key = key;
    }
    held.delete(key);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, item);
  }
  for (const node of held.values()) node.remove();
}

/** A row of radio buttons in a fieldset. `choices`: value and label. */
export function segments(fieldset, name, choices, chosen, onChoice) {
  for (const [value, label] of choices) {
    const input = element("input", { type: "radio", name, value, onchange: () => onChoice(value) });
    input.checked = value === chosen;
    fieldset.append(element("label", { "data-testid": `${name}-${value}` }, input, element("span", { text: label })));
  }
}

/** Said by a screen reader when it has a moment. */
export function announce(sentence) {
  setText(byId("announcer"), sentence);
}
