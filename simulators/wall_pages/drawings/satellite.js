// A satellite box and what hangs on it: a screen, paper, keys; and whether the box is at the hall's broker.
import { keyGroup, make } from "../make.js";
import { KEYS } from "../words.js";

const HANDS = {
  ...KEYS, "rate-5": "非常满意", "rate-4": "满意", "rate-3": "基本满意", "rate-2": "不满意", "rate-1": "非常不满意",
  "card-1": "放身份证", scan: "扫码", "tear-off": "取走小票",
};
const SCREENS = ["strip", "board", "keypad"];

export function drawSatellite(face, device, { press }) {
  if (!face.querySelector(".box")) {
    face.replaceChildren(make("p", { class: "box" }), make("div", { class: "far" }),
      keyGroup(device, press, "动手", HANDS, { class: "hands" }));
  }
  const { shows, kind } = device;
  face.querySelector(".box").replaceChildren(
    make("span", { class: shows.connected ? "light" : "light red", text: `从盒 ${shows.box}` }),
    make("span", { text: shows.connected ? "在线" : "离线" }));
  const far = face.querySelector(".far");
  if (SCREENS.includes(kind)) far.replaceChildren(drawScreen(shows, kind));
  else if (kind === "printer") far.replaceChildren(...drawPaper(shows));
  else far.replaceChildren(make("p", { class: "notes", text: `已上报 ${shows.sent} 次` }));
}

function drawScreen(shows, kind) {
  const lines = shows.rows.length ? shows.rows : [shows.text || "（熄屏）"];
  const screen = make("p", { class: shows.text || shows.rows.length ? "glow" : "glow dark" },
    ...lines.map((text) => make("span", { text })));
  if (kind === "keypad") screen.append(make("small", { text: `等候 ${shows.waiting}` }));
  return screen;
}

function drawPaper(shows) {
  const slips = [...shows.slips].reverse().map((slip) => make("article", { class: "slip" },
    ...slip.lines.map((text) => make("span", { text }))));
  return [make("p", { class: "notes", text: `共打印 ${shows.printed} 张` }), make("div", { class: "slips" }, ...slips)];
}
