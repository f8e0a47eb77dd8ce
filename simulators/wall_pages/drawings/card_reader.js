// An ID card reader: cards to lay on and to lift; a card's number is seen masked only.
import { keyGroup, make } from "../make.js";

const CARDS = { "card-1": "放 1 号证", "card-2": "放 2 号证", "card-3": "放 3 号证", lift: "拿起" };

export function drawCardReader(face, device, { press }) {
  if (!face.querySelector(".plate")) {
    face.replaceChildren(make("div", { class: "plate" }), make("p", { class: "notes" }),
      keyGroup(device, press, "证件", CARDS, { class: "cards" }));
  }
  const { card, read, reads } = device.shows;
  const plate = face.querySelector(".plate");
  plate.classList.toggle("read", Boolean(card && read));
  plate.replaceChildren(card
    ? make("div", { class: "id-card" }, make("span", { text: "居民身份证（测试）" }), make("b", { text: card }))
    : make("span", { class: "hint", text: "请将证件放在此处" }));
  const state = card ? (read ? "已读取，请拿起证件" : "等待读取") : "无证件";
  face.querySelector(".notes").textContent = `${state} · 共读 ${reads} 次`;
}
