// A signal light or a lit sign over a counter: dark, or burning in its colour.
import { make } from "../make.js";

export function drawLamp(face, { shows, kind }) {
  const { r = 255, g = 217, b = 138 } = shows.color ?? {};
  const lamp = make("span", { class: shows.on ? "bulb lit" : "bulb", role: "img", "aria-label": shows.on ? "亮" : "灭" });
  lamp.classList.toggle("sign", kind === "sign");
  lamp.classList.toggle("blinking", shows.on && shows.effect === "blink");
  lamp.style.setProperty("--glow", `rgb(${r} ${g} ${b})`);
  if (kind === "sign") lamp.textContent = "窗口开放";
  const notes = [shows.on ? "亮" : "灭"];
  if (shows.on && shows.brightness) notes.push(`亮度 ${Math.round((shows.brightness / 255) * 100)}%`);
  notes.push(shows.connected ? "已连接" : "未连接消息服务");
  face.replaceChildren(lamp, make("p", { class: "notes", text: notes.join(" · ") }));
}
