// A full-colour LED wall or window strip: its areas where the card puts them, in the card's pixels.
import { make } from "../make.js";

export function drawBoard(face, { shows }) {
  const { areas, width, height } = shows;
  const led = make("div", { class: "led" }, ...areas.map((area) => drawArea(area, width, height)));
  led.classList.toggle("off", shows.on === false);
  led.style.aspectRatio = `${width} / ${height}`;
  led.style.setProperty("--level", String(0.3 + 0.7 * (shows.brightness / 100)));
  const state = shows.on === false ? "已关屏" : areas.length ? `${areas.length} 行` : "无节目";
  const notes = [`${width}×${height} 点`, state, `亮度 ${shows.brightness}`];
  face.replaceChildren(led, make("p", { class: "notes", text: notes.join(" · ") }));
}

function drawArea(area, width, height) {
  const words = make("span", { text: area.text });
  const box = make("p", { class: area.running ? "area running" : "area" }, words);
  box.style.left = `${(area.x / width) * 100}%`;
  box.style.top = `${(area.y / height) * 100}%`;
  box.style.width = `${(area.width / width) * 100}%`;
  box.style.height = `${(area.height / height) * 100}%`;
  box.style.color = area.colour;
  // a card's font stands at three quarters of its row; 100cqw is the wall's whole width
  box.style.fontSize = `${(area.height / width) * 75}cqw`;
  return box;
}
