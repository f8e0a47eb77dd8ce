// A slip printer with the paper that hangs out of it.
import { keyGroup, make } from "../make.js";

const HANDS = { "tear-off": "取走小票", feed: "走纸" };

export function drawPrinter(face, device, { base, press }) {
  if (!face.querySelector(".slips")) {
    face.replaceChildren(make("p", { class: "notes" }), make("div", { class: "slips" }),
      keyGroup(device, press, "动手", HANDS, { class: "paper-keys" }));
  }
  const { shows } = device;
  const paper = { ok: "有纸", low: "纸将尽", out: "缺纸" }[shows.paper] ?? shows.paper;
  face.querySelector(".notes").textContent = [paper, shows.cover === "open" ? "盖已开" : "",
    shows.cutter === "jammed" ? "切刀卡住" : "", `共打印 ${shows.printed} 张`].filter(Boolean).join(" · ");
  face.querySelector(".slips").replaceChildren(...[...shows.slips].reverse().map((slip) => drawSlip(slip, base)));
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
