// The call board. Rows are cloned from the page's own templates; everything shown comes from snapshots.

import { follow, reload } from "./hall-live.js";

const ROWS = 5;
const BLINK_S = 6;
const HIGHLIGHT_S = BLINK_S + 20;

const body = document.body;
const voice = body.dataset.voice === "yes";
const $ = (id) => document.getElementById(id);
// A call that nobody answered is shown anew: it blinks and chimes as a new one does.
const key = (call) => `${call.ticket_id}/${call.call_no}${call.again ? "/again" : ""}`;
let known = new Set(body.dataset.calls.split(" "));
let state = null;
let staleSince = 0;

const now = follow({
  firstNow: body.dataset.now, onState: show, onFreshness: freshen, onTick: tick,
  showing: () => [...$("calls").querySelectorAll(".label")].map((label) => label.textContent),
});

function show(next) {
  const names = new Map(next.counters.map((c) => [c.id, c.name]));
  const calls = next.calls.slice(0, ROWS);
  const fresh = calls.filter((c) => !known.has(key(c)));
  state = next;
  known = new Set(next.calls.map(key));
  const rows = new Map([...$("calls").children].map((row) => [row.dataset.key, row]));
  // A row that stays keeps its element, so that its blinking is not begun again.
  $("calls").replaceChildren(
    ...calls.map((c) => rows.get(key(c)) ?? row(c, names.get(c.counter) ?? c.counter, fresh.includes(c))),
  );
  $("idle").hidden = calls.length > 0;
  sides(next);
  highlight();
  if (fresh.length && voice) chime();
}

function row(call, name, fresh) {
  const made = $("row").content.firstElementChild.cloneNode(true);
  made.dataset.key = key(call);
  made.dataset.at = call.at;
  made.querySelector(".label").textContent = call.label;
  made.querySelector(".again").hidden = call.call_no < 2 && !call.again;
  made.querySelector("time").textContent = clock(Date.parse(call.at));
  const sign = /^(\d{1,3})\s*(.{0,6})$/.exec(name);
  const big = made.querySelector("b");
  big.textContent = sign ? sign[1] : name;
  big.classList.toggle("words", !sign);
  made.querySelector("small").textContent = sign ? sign[2] || "号窗口" : "";
  made.classList.toggle("blink", fresh);
  return made;
}

function sides(next) {
  const lines = next.services.map((s) => {
    const made = $("line").content.firstElementChild.cloneNode(true);
    made.querySelector("dt").textContent = s.name;
    made.querySelector("dd").textContent = s.open ? `${s.waiting} 人` : "未开放";
    made.classList.toggle("shut", !s.open);
    return made;
  });
  $("services").replaceChildren(...lines);
  $("services").classList.toggle("many", lines.length > 5);
  $("services").classList.toggle("crowd", lines.length > 8);
  const missed = next.missed.slice(0, 6).map((label) => {
    const made = document.createElement("li");
    made.textContent = label;
    return made;
  });
  $("missed").replaceChildren(...missed);
  $("missed-card").hidden = missed.length === 0;
  const shut = !next.services.some((s) => s.open);
  body.classList.toggle("night", shut && next.calls.length === 0);
  $("hours").textContent = next.hours || $("hours").dataset.none;
}

function highlight() {
  for (const each of $("calls").children) {
    const age = (now() - Date.parse(each.dataset.at)) / 1000;
    each.classList.toggle("new", age < HIGHLIGHT_S);
    if (age > BLINK_S) each.classList.remove("blink");
  }
}

function freshen(word) {
  body.dataset.fresh = word;
  if (word === "stale") staleSince = now() - 60_000;
  $("bar").hidden = word === "live" || word === "quiet";
  $("asof").textContent = clock(staleSince);
}

function tick() {
  $("clock").textContent = clock(now());
  $("day").textContent = new Intl.DateTimeFormat("zh-CN", {
    timeZone: body.dataset.tz, month: "long", day: "numeric", weekday: "long",
  }).format(now()).replace("日星", "日 星");
  highlight();
  // Ink that never moves burns into a plasma panel.
  const step = Math.floor(now() / 300_000) % 4;
  body.dataset.shift = String(step);
  if (body.dataset.fresh === "dark" && Math.floor(now() / 1000) % 60 === 0) reload();
}

function clock(ms) {
  return new Intl.DateTimeFormat("zh-CN", {
    timeZone: body.dataset.tz, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).format(ms);
}

function chime() {
  const audio = new AudioContext();
  for (const [pitch, start] of [[880, 0], [660, 0.35]]) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.25, audio.currentTime + start);
    gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + start + 0.6);
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + 0.6);
    if (start) tone.onended = () => audio.close();
  }
}

if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js");
freshen("live");
tick();
