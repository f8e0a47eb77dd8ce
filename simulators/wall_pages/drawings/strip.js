// A one-line LED strip above a counter, and a number panel.
import { make } from "../make.js";
import { MODES } from "../words.js";

export function drawStrip(face, { shows }) {
  const segments = shows.segments?.length ? shows.segments : [[shows.colour ?? "red", shows.text ?? ""]];
  const panel = make("p", { class: `panel ${shows.effect ?? ""}` },
    ...segments.map(([colour, text]) => make("span", { class: colour, text })));
  panel.classList.toggle("blinking", Boolean(shows.blinking));
  panel.classList.toggle("off", shows.on === false);
  panel.style.setProperty("--level", String(0.35 + 0.65 * ((shows.brightness ?? 15) / 15)));
  const width = [...(shows.text ?? "")].reduce((sum, char) => sum + (char < "\u0080" ? 0.62 : 1.06), 0);
  panel.style.fontSize = `${Math.max(20, Math.min(44, 320 / Math.max(1, width)))}px`;
  const notes = [];
  if (shows.mode) notes.push(MODES[shows.mode] ?? shows.mode);
  if (shows.blinking) notes.push("闪烁");
  if (shows.brightness !== undefined) notes.push(`亮度 ${shows.brightness}`);
  if (shows.visible !== undefined && shows.visible !== shows.text) notes.push(`只看得见“${shows.visible}”`);
  if (shows.resets) notes.push(`被复位 ${shows.resets} 次`);
  face.replaceChildren(panel, make("p", { class: "notes", text: notes.join(" · ") }));
}
