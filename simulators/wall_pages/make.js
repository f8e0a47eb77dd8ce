// Builds an element: attributes, `text` as its text, then children. Never markup from strings.
export function make(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

/** A key of a device; `press` comes from the wall. */
export function key(device, press, id, text) {
  const button = make("button", { type: "button", text, "data-key": id });
  button.addEventListener("click", () => press(device.name, id));
  return button;
}

/** A labelled group of keys, those of `words` the device has, in the words' order. */
export function keyGroup(device, press, title, words, attributes = {}) {
  const ids = Object.keys(words).filter((id) => device.keys.includes(id));
  return make("div", { role: "group", "aria-label": title, ...attributes },
    ...ids.map((id) => key(device, press, id, words[id])));
}

/** Say which of some keys stands for how the device is now. */
export function mark(face, state) {
  for (const [id, on] of Object.entries(state)) {
    face.querySelector(`[data-key="${id}"]`)?.setAttribute("aria-pressed", String(Boolean(on)));
  }
}
