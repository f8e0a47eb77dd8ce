// A browser that shows a page of the hall: its window, the labels in it, and what it says of itself.
import { keyGroup, make } from "../make.js";

const PAGES = { board: "叫号大屏", kiosk: "取号机", terminal: "24小时终端", info: "信息查询", rate: "评价器" };
const PARTS = { menu: "选择业务", start: "首页", look: "查询进度", choose: "确认取号", ticket: "号票" };

export function drawPage(face, device, { press }) {
  if (!face.querySelector(".browser")) {
    face.replaceChildren(
      make("div", { class: "browser" }, make("p", { class: "where" }), make("ul", { class: "shown" })),
      make("p", { class: "notes" }),
      keyGroup(device, press, "动手", { touch: "触摸屏幕" }, { class: "hands" }),
    );
  }
  const { shows } = device;
  const browser = face.querySelector(".browser");
  browser.classList.toggle("off", !shows.connected);
  face.querySelector(".where").textContent = `${PAGES[shows.page.split("/")[1]] ?? ""} ${shows.page}`;
  const lines = shows.calls.length
    ? shows.calls.map((call) => make("li", {}, make("b", { text: call.label }), make("span", { text: ` → ${call.counter}` })))
    : shows.showing.map((text) => make("li", { text: PARTS[text] ?? text }));
  if (!shows.connected) lines.splice(0, Infinity, make("li", { text: "页面打不开" }));
  else if (!lines.length) lines.push(make("li", { text: "无号码" }));
  face.querySelector(".shown").replaceChildren(...lines);
  face.querySelector(".notes").textContent = [
    shows.connected ? `第 ${shows.seen_n} 条记录` : "未连接", `版本 ${shows.version.slice(0, 6) || "—"}`,
    `已加载 ${shows.loads} 次`, shows.in_use ? "有人使用" : "",
  ].filter(Boolean).join(" · ");
}
