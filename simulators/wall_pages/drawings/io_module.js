// A module with keys on its inputs and lamps on its outputs; a finger holds a key for a moment.
import { key, keyGroup, make } from "../make.js";
import { KEYS, MODES } from "../words.js";

export function drawIoModule(face, device, { press }) {
  if (!face.querySelector(".channels")) build(face, device, press);
  const { lamps, modes, pressed } = device.shows;
  for (const lamp of face.querySelectorAll(".lamp")) {
    const on = lamps.includes(Number(lamp.dataset.channel));
    lamp.classList.toggle("lit", on);
    lamp.setAttribute("aria-label", `${lamp.dataset.channel} 号灯${on ? "亮" : "灭"}`);
  }
  for (const button of face.querySelectorAll(".channels button")) {
    button.classList.toggle("down", pressed.includes(Number(button.dataset.key.slice(2))));
  }
  const means = modes.map((mode) => MODES[mode] ?? mode).join("／");
  const burning = lamps.length ? `亮灯 ${lamps.join("、")}` : "灯全灭";
  face.querySelector(".notes").textContent = means ? `${burning} · 表示${means}` : burning;
}

function build(face, device, press) {
  const channels = device.keys.filter((id) => /^di\d+$/.test(id)).map((id) => id.slice(2));
  const outputs = device.shows.outputs ?? channels.length;
  face.replaceChildren(
    make("div", { class: "lamps" }, ...Array.from({ length: outputs }, (_, i) =>
      make("span", { class: "lamp", role: "img", "data-channel": i + 1, text: i + 1 }))),
    make("div", { class: "channels", role: "group", "aria-label": "输入" },
      ...channels.map((n) => key(device, press, `di${n}`, n))),
    keyGroup(device, press, "接好的按键", KEYS, { class: "wired" }),
    make("p", { class: "notes" }),
  );
}
