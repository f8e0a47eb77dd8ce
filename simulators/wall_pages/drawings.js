// What each kind of device looks like.
import { make } from "./make.js";

const MODES = { closed: "关闭", free: "空闲", called: "叫号", serving: "办理中", paused: "暂停" };
const KEYS = {
  next: "顺呼", recall: "重呼", "no-show": "过号", pause: "暂停", hold: "挂起", return: "恢复", transfer: "转移",
  evaluate: "评价", cancel: "取消", "one-metre": "一米线", confirm: "确认", clear: "清除",
};
const RATINGS = { "rate-1": "非常满意", "rate-2": "满意", "rate-3": "基本满意", "rate-4": "不满意" };

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

export function drawKeypad(face, { name, shows, keys }, { press }) {
  if (!face.querySelector(".lcd")) buildKeypad(face, name, keys, press);
  const lcd = face.querySelector(".lcd");
  lcd.replaceChildren(
    make("span", { text: `当前 ${shows.ticket || "---"}` }),
    make("span", { text: `等候 ${shows.waiting || "-"}` }),
    make("span", { class: "typed", text: shows.digits ? `输入 ${shows.digits}` : "" }),
    make("span", { text: shows.beeps ? `蜂鸣 ${shows.beeps}` : "" }),
  );
  lcd.classList.toggle("unanswered", Boolean(shows.unanswered));
  face.querySelector(".evaluator").classList.toggle("asking", Boolean(shows.asking));
}

function buildKeypad(face, name, keys, press) {
  const key = (id, text) => {
    const button = make("button", { type: "button", text, "data-key": id });
    button.addEventListener("click", () => press(name, id));
    return button;
  };
  const named = Object.keys(KEYS).filter((id) => keys.includes(id));
  face.replaceChildren(
    make("p", { class: "lcd", "aria-live": "polite" }),
    make("div", { class: "digits" }, ..."1234567890".split("").map((digit) => key(digit, digit))),
    make("div", { class: "keys" }, ...named.map((id) => key(id, KEYS[id]))),
    make("div", { class: "evaluator", "aria-label": "评价器" }, ...Object.entries(RATINGS).map(([id, text]) => key(id, text))),
  );
}

export function drawPrinter(face, { name, shows }, { base, press }) {
  const paper = { ok: "有纸", low: "纸将尽", out: "缺纸" }[shows.paper] ?? shows.paper;
  const state = [paper, shows.cover === "open" ? "盖已开" : "", shows.cutter === "jammed" ? "切刀卡住" : "",
    `共打印 ${shows.printed} 张`].filter(Boolean).join(" · ");
  const tear = make("button", { type: "button", text: "取走小票" });
  tear.addEventListener("click", () => press(name, "tear-off"));
  const slips = make("div", { class: "slips" }, ...[...shows.slips].reverse().map((slip) => drawSlip(slip, base)));
  face.replaceChildren(make("p", { class: "notes", text: state }), slips, tear);
}

function drawSlip(slip, base) {
  const lines = slip.lines.map((line, i) => {
    const { size, bold, align } = slip.styles[i];
    const row = make("span", { class: align, text: line || " " });
    row.style.fontSize = `${Math.min(3, Math.max(...size))}em`;
    row.style.fontWeight = bold ? "700" : "400";
    return row;
  });
  const paper = make("article", { class: "slip" }, ...lines, ...slip.images.map(drawImage));
  if (slip.qr) paper.append(make("img", { src: `${base}/api/qr.svg?text=${encodeURIComponent(slip.qr)}`, alt: `二维码 ${slip.qr}` }));
  paper.append(make("time", { datetime: slip.at, text: slip.at.slice(11, 19) }));
  return paper;
}

function drawImage({ width, height, bits }) {
  const canvas = make("canvas", { width, height, role: "img", "aria-label": "图像" });
  const picture = canvas.getContext("2d").createImageData(width, height);
  const bytes = Uint8Array.from(atob(bits), (char) => char.charCodeAt(0));
  for (let dot = 0; dot < width * height; dot += 1) {
    const ink = (bytes[dot >> 3] >> (7 - (dot & 7))) & 1;
    picture.data.set(ink ? [0, 0, 0, 255] : [255, 255, 255, 255], dot * 4);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}
