// A large display or a projector: its picture, its light, its remote control, and what hands do to it.
import { keyGroup, make, mark } from "../make.js";

const REMOTE = {
  power: "电源", input: "信号源", mute: "静音", "volume-down": "音量 −", "volume-up": "音量 ＋", blank: "遮挡画面",
};
const HANDS = {
  unplug: "拔掉信号线", "block-vent": "堵住风口", "break-fan": "弄坏风扇", "open-cover": "打开机盖", "wear-lamp": "灯泡用旧",
};
const STANDINGS = { on: "已开机", standby: "待机", waking: "等待启动", warming: "预热中", cooling: "冷却中" };
const LIGHTS = { on: "green", standby: "red" };
/** Places of a PJLink error word; each 0 well, 1 warning, 2 error. */
const PARTS = ["风扇", "灯泡", "温度", "机盖", "滤网", "其他"];
const HOT_C = 60;

export function drawDisplay(face, device, { press, calls }) {
  if (!face.querySelector(".screen")) build(face, device, press);
  const { shows } = device;
  const screen = face.querySelector(".screen");
  screen.dataset.picture = picture(shows);
  screen.style.setProperty("--level", String(0.4 + 0.6 * ((shows.brightness ?? 100) / 100)));
  screen.replaceChildren(...contents(shows, calls));
  const light = face.querySelector(".light");
  light.className = `light ${LIGHTS[shows.standing] ?? "amber"}`;
  light.textContent = STANDINGS[shows.standing] ?? shows.standing;
  face.querySelector(".notes").textContent = notes(shows).join(" · ");
  const errors = [...(shows.errors ?? "")];
  face.querySelector(".troubles").replaceChildren(...troubles(shows, errors).map((text) => make("li", { text })));
  mark(face, {
    mute: shows.muted,
    blank: shows.blank,
    unplug: shows.signal === false,
    "block-vent": shows.temperature >= HOT_C || (errors.length && errors[2] !== "0"),
    "open-cover": errors.length && errors[3] !== "0",
    ...(shows.fan !== undefined && { "break-fan": !shows.fan }),
  });
}

function build(face, device, press) {
  face.replaceChildren(
    make("div", { class: "screen" }),
    make("p", { class: "foot" }, make("span", { class: "light" })),
    make("p", { class: "notes" }),
    make("ul", { class: "troubles" }),
    keyGroup(device, press, "遥控器", REMOTE, { class: "remote" }),
    keyGroup(device, press, "动手", HANDS, { class: "hands" }),
  );
}

/** dark, wait, blank, none or lit */
function picture(shows) {
  if (shows.standing === "waking" || shows.standing === "warming") return "wait";
  if (shows.standing !== "on") return "dark";
  if (shows.blank) return "blank";
  return shows.signal === false ? "none" : "lit";
}

/** The hall's board as a display shows it. */
function page(calls) {
  const [newest, ...others] = calls.map(({ label, counter }) =>
    make("li", {}, make("b", { text: label }), make("span", { text: ` 请到 ${counter}` })));
  return make("ul", { class: "called" }, newest, ...others.slice(0, 3));
}

function contents(shows, calls) {
  const input = make("span", { class: "input", text: shows.input.toUpperCase() });
  const words = {
    dark: shows.standing === "cooling" ? "冷却中…" : "",
    wait: shows.standing === "warming" ? "预热中…" : "等待…",
    blank: "画面已遮挡",
    none: "无信号",
    lit: "大厅画面",
  }[picture(shows)];
  const lit = picture(shows) === "lit" && calls?.length;
  const middle = lit ? page(calls) : make("strong", { text: words });
  if (picture(shows) === "dark" || picture(shows) === "wait") return [middle];
  return shows.volume == null ? [input, middle] : [input, middle, volume(shows)];
}

function volume(shows) {
  const bar = make("i");
  bar.style.width = `${shows.muted ? 0 : shows.volume}%`;
  return make("span", { class: "volume" }, make("b", { text: shows.muted ? "静音" : `音量 ${shows.volume}` }),
    make("u", {}, bar));
}

function notes(shows) {
  const told = [`信号源 ${shows.input.toUpperCase()}`];
  if (shows.volume != null) told.push(`音量 ${shows.volume}`);
  if (shows.muted) told.push("静音");
  if (shows.brightness !== undefined) told.push(`亮度 ${shows.brightness}`);
  if (shows.temperature !== undefined) told.push(`${shows.temperature} °C`);
  if (shows.lamp_hours != null) told.push(`灯泡 ${shows.lamp_hours} 小时`);
  if (shows.network_standby !== undefined) told.push(`网络待机${shows.network_standby ? "开" : "关"}`);
  return told;
}

function troubles(shows, errors) {
  const told = errors.map((grade, i) => ({ 1: `${PARTS[i]}警告`, 2: `${PARTS[i]}故障` })[grade]).filter(Boolean);
  if (shows.temperature >= HOT_C) told.push(`过热 ${shows.temperature} °C`);
  if (shows.fan === false) told.push("风扇故障");
  return told;
}
