// Round pagers in people's hands: those that were called shake, until somebody brings them back.
import { key, make } from "../make.js";

export function drawPager(face, device, { press }) {
  if (!face.querySelector(".rack")) {
    face.replaceChildren(make("p", { class: "notes" }), make("ul", { class: "rack", "aria-label": "呼叫器" }),
      key(device, press, "return", "全部收回架上"));
  }
  const { pages, pagers } = device.shows;
  const all = Object.entries(pagers);
  const shaking = all.filter(([, pager]) => pager.shaking).length;
  face.querySelector(".notes").textContent = all.length
    ? `共呼叫 ${pages} 次 · ${shaking} 个正在震动` : `共呼叫 ${pages} 次 · 呼叫器都在架上`;
  face.querySelector(".rack").replaceChildren(...all.map(([number, pager]) => drawOne(number, pager)));
}

function drawOne(number, { shaking, text }) {
  const about = `${number} 号${shaking ? "，震动" : "，静止"}${text ? `，${text}` : ""}`;
  return make("li", { class: shaking ? "pager shaking" : "pager", "aria-label": about, title: about },
    make("b", { text: number }), make("span", { text: text || (shaking ? "震动" : "静止") }));
}
