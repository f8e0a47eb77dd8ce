// An LED strip above a counter, dot by dot, and a number panel.
import { make } from "../make.js";
import { MODES } from "../words.js";
import { drawDots } from "./dots.js";

export function drawStrip(face, { shows }) {
  if (!face.querySelector("canvas")) {
    // the words are there for who cannot see the dots
    face.replaceChildren(
      make("div", { class: "panel" }, make("canvas", { "aria-hidden": "true" }), make("p", { class: "words" })),
      make("p", { class: "notes" }));
  }
  const panel = face.querySelector(".panel");
  panel.className = `panel ${shows.effect ?? ""}`.trim();
  panel.classList.toggle("blinking", Boolean(shows.blinking));
  panel.classList.toggle("off", shows.on === false);
  const lines = shows.on === false ? [[]] : seen(shows);
  drawDots(face.querySelector("canvas"), lines, 0.35 + 0.65 * ((shows.brightness ?? 15) / 15));
  face.querySelector(".words").textContent = shows.text ?? "";
  const notes = [];
  if (shows.mode) notes.push(MODES[shows.mode] ?? shows.mode);
  if (shows.blinking) notes.push("闪烁");
  if (shows.brightness !== undefined) notes.push(`亮度 ${shows.brightness}`);
  if (shows.visible !== undefined && shows.visible !== shows.text) notes.push(`只看得见“${shows.visible}”`);
  if (shows.resets) notes.push(`被复位 ${shows.resets} 次`);
  face.querySelector(".notes").textContent = notes.join(" · ");
}

/** Lines of [colour, text] parts, as far as they fit on the panel. */
function seen(shows) {
  const whole = shows.visible === undefined || shows.visible === shows.text;
  const colour = shows.colour ?? "red";
  const parts = whole && shows.segments?.length ? shows.segments : [[colour, shows.visible ?? shows.text ?? ""]];
  const lines = [[]];
  for (const [hue, text] of parts) {
    text.split("\n").forEach((line, i) => {
      if (i) lines.push([]);
      lines.at(-1).push([hue, line]);
    });
  }
  return lines;
}
