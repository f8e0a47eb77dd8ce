// A device without a drawing of its own: what it shows in words, and all its keys.
import { key, make } from "../make.js";

export function drawAnything(face, device, { press }) {
  if (!face.querySelector("dl")) {
    face.replaceChildren(make("dl"),
      make("div", { class: "any-keys" }, ...device.keys.map((id) => key(device, press, id, id))));
  }
  const facts = Object.entries(device.shows).map(([name, value]) => [
    make("dt", { text: name }),
    make("dd", { text: typeof value === "object" ? JSON.stringify(value) : String(value) }),
  ]);
  face.querySelector("dl").replaceChildren(...facts.flat());
}
