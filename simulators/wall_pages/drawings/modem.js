// A short message modem: its SIM card, its antenna, and what went out, to masked numbers.
import { keyGroup, make, mark } from "../make.js";

const SIM = { "sim-in": "插卡", "sim-out": "拔卡" };
const ANTENNA = { "antenna-on": "接好天线", "antenna-weak": "信号弱", "antenna-off": "拧下天线" };
const BARS = { on: 4, weak: 1, off: 0 };

export function drawModem(face, device, { press }) {
  if (!face.querySelector(".sent")) build(face, device, press);
  const { sent, sim, antenna, network } = device.shows;
  const lit = sim && network ? BARS[antenna] ?? 0 : 0;
  const bars = face.querySelector(".bars");
  bars.setAttribute("aria-label", `信号 ${lit} 格`);
  [...bars.children].forEach((bar, i) => bar.classList.toggle("lit", i < lit));
  face.querySelector(".state").textContent = [sim ? "SIM 卡已插" : "无 SIM 卡", network ? "已入网" : "未入网",
    `已发 ${sent.length} 条`].join(" · ");
  mark(face, {
    "sim-in": sim, "sim-out": !sim,
    ...Object.fromEntries(Object.keys(ANTENNA).map((id) => [id, id === `antenna-${antenna}`])),
  });
  face.querySelector(".sent").replaceChildren(...[...sent].reverse().map(({ to, text }) =>
    make("li", {}, make("b", { text: to }), make("span", { text }))));
}

function build(face, device, press) {
  const bars = make("span", { class: "bars", role: "img" }, ...[1, 2, 3, 4].map(() => make("i")));
  face.replaceChildren(
    make("p", { class: "radio" }, bars, make("span", { class: "state" })),
    make("div", { class: "switches" },
      keyGroup(device, press, "SIM 卡", SIM), keyGroup(device, press, "天线", ANTENNA)),
    make("ul", { class: "sent", "aria-label": "已发短信" }),
  );
}
