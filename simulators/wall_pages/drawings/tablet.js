// An evaluator tablet: its question, and the levels a citizen touches.
import { keyGroup, make } from "../make.js";

const LEVELS = { "rate-5": "非常满意", "rate-4": "满意", "rate-3": "基本满意", "rate-2": "不满意", "rate-1": "非常不满意" };

export function drawTablet(face, device, { press }) {
  if (!face.querySelector(".glass")) build(face, device, press);
  const { shows } = device;
  const asking = Boolean(shows.asking);
  const glass = face.querySelector(".glass");
  glass.classList.toggle("asking", asking);
  const [head, detail] = question(shows);
  glass.querySelector("strong").textContent = head;
  glass.querySelector("small").textContent = detail;
  // not disabled: a focused key keeps its focus, and an early touch does nothing
  for (const button of glass.querySelectorAll("button")) button.setAttribute("aria-disabled", String(!asking));
  const link = shows.logged_in ? "已登录" : shows.connected ? "已连接，未登录" : "未连接大厅";
  face.querySelector(".notes").textContent = [link, shows.window && `窗口 ${shows.window}`].filter(Boolean).join(" · ");
}

function build(face, device, press) {
  const levels = keyGroup(device, press, "评价", { ...LEVELS, ...device.shows.levels }, { class: "levels" });
  face.replaceChildren(
    make("div", { class: "glass" }, make("p", { "aria-live": "polite" }, make("strong"), make("small")), levels),
    make("p", { class: "notes" }),
  );
}

function question(shows) {
  if (shows.asking) return ["请您评价本次服务", shows.asking];
  if (shows.thanks) return ["感谢您的评价", ""];
  return [shows.logged_in ? "欢迎光临" : "正在连接…", ""];
}
