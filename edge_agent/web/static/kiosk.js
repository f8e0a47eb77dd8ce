// The ticket machine: two touches to a number. The menu is the server's; this file keeps its waits
// current, asks for tickets (one request id per wish, so that a repeated touch is the same wish),
// and goes home when the person has gone.

import { DigitPad } from "./digit-pad.js";
import { PhonePad } from "./phone-pad.js";
import { follow, reload, requestId } from "./hall-live.js";
import { told as readingOf } from "./reader.js";
import { Several } from "./several.js";

const body = document.body;
const $ = (id) => document.getElementById(id);
const words = JSON.parse($("words").textContent);
const say = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const slow = body.classList.contains("large") ? 2 : 1;
const TICKET_S = 12 * slow;
const PHOTO_S = 60;
const IDLE_S = 30 * slow;
const WARN_S = 15 * slow;
const DOUBLE_TAP_MS = 400;
const MOST_SERVICES = 5;

let state = null;
let news = "live";
let service = null;
let services = [];
let priority = null;
let wish = null;
let busy = false;
let idle = 0;
let left = 0;
let shownAt = 0;

const heading = $("heading").textContent;
// A hall without a centre sends no messages and asks for no number.
const relative = $("relative-open") ? new PhonePad($("relative-pad"), $("relative-label"), words.kiosk.relative) : null;
// A second number is asked for when there is a first one: whoever left none has named nobody.
const pad = $("phone-open") ? new PhonePad($("pad"), $("phone-label"), words.kiosk.phone, () => { $("relative-open").hidden = !pad.number; if (!pad.number) relative.clear(); }) : null;

// A hall with one service has no order to choose.
const several = $("several") ? new Several($("several-bar"), words.kiosk, MOST_SERVICES, (tiles) => (tiles.length > 1 ? chooseAll(tiles) : choose(tiles[0]))) : null;
$("several")?.addEventListener("click", title);

const codes = new DigitPad($("code-pad"), { longest: 6, shown: (digits) => digits, complete: (digits) => digits.length === 6 });
codes.done = checkIn;

follow({
  firstNow: body.dataset.now, onState: show, onTick: second,
  onFreshness: (word) => { news = word; lost(); },
  onDevice: read,
  showing: () => [...document.querySelectorAll(".screen:not([hidden])")].map((part) => part.id),
  inUse: () => busy || !atHome() || Boolean(several?.on),
});

function show(next) {
  state = next;
  lost();
  for (const row of next.services) paint(row);
  if (service) waits($("c-w1"), $("c-w2"), next.services.find((s) => s.id === service));
  body.dataset.prints = prints(next.devices);
  if (pad && !pad.number) {
    $("phone-open").disabled = !(next.notices ?? next.uplink.connected);
    $("phone-label").textContent = (next.notices ?? next.uplink.connected) ? words.kiosk.phone : words.kiosk.phone_off;
  }
  const tiles = document.querySelectorAll("[data-service]").length;
  several?.paint();
  title();
  if (tiles !== next.services.length && atHome()) reload();
}

/** What the menu asks for now. */
function title() {
  const shut = state ? !state.services.some((s) => s.open) : $("top").classList.contains("shut");
  $("top").classList.toggle("shut", shut);
  if ($("menu").hidden) return;
  $("heading").textContent = shut ? words.kiosk.shut_now : several?.on ? several.title : $("arrive") ? words.kiosk.heading_short : words.kiosk.heading;
}

function paint(row) {
  const tile = document.querySelector(`[data-service="${CSS.escape(row.id)}"]`);
  if (!tile) return;
  tile.disabled = !row.open;
  tile.querySelector(".about").textContent = row.open ? tile.dataset.about : row.instead || (state.services.some((s) => s.open) ? words.kiosk.elsewhere : words.kiosk.later);
  waits(tile.querySelector(".w1"), tile.querySelector(".w2"), row);
  const serving = state.counters.filter((c) => c.state !== "closed" && c.services.includes(row.id)).map((c) => c.name);
  tile.dataset.counters = together(serving);
}

/** 1、3号窗口 when all are numbered alike. */
function together(names) {
  const english = document.documentElement.lang === "en";
  const comma = english ? ", " : "、";
  const bare = names.map((n) => n.replace(/号窗口$/, ""));
  if (!bare.every((n) => /^\d+$/.test(n))) return names.join(comma);
  return bare.join(comma) + (english || !names.length ? "" : "号窗口");
}

function waits(first, second, row) {
  const none = row.open && row.waiting === 0 && row.range_min && row.range_min[1] <= 1;
  const people = row.waiting ? say(words.wait.people, { n: row.waiting }) : words.wait.nobody;
  first.textContent = !row.open ? words.kiosk.shut : none ? words.wait.none : people;
  second.textContent = !row.open || none ? "" : range(row.range_min);
}

function range(minutes, before = 1) {
  if (!minutes) return words.wait.unknown;
  const [lo, hi] = minutes;
  if (hi <= 1) return before ? words.wait.soon : words.wait.none;
  return hi < 120 ? say(words.wait.minutes, { lo, hi }) : say(words.wait.hours, { lo: Math.floor(lo / 60), hi: Math.ceil(hi / 60) });
}

function prints(devices) {
  const printers = devices.filter((d) => d.kind === "printer");
  if (!printers.length) return "never";
  // A printer that is short of paper still prints; any other trouble is one.
  const works = (d) => (d.state === "degraded" ? (d.detail ?? "").includes("near its end") : ["online", "unconfirmed"].includes(d.state));
  return printers.some(works) ? "yes" : "no";
}

function screen(name, title) {
  for (const each of document.querySelectorAll(".screen")) each.hidden = each.id !== name;
  $("heading").textContent = title;
  idle = 0;
  shownAt = performance.now();
}

/** The second half of a double tap on one page is no answer to the next. */
function early() {
  return performance.now() - shownAt < DOUBLE_TAP_MS;
}

/** The number was seen. */
function done() {
  if (!early()) home();
}

function choose(tile) {
  service = tile.dataset.service;
  services = [service];
  confirm(tile.dataset.name, tile.dataset.about, tile.querySelector(".w1").textContent, tile.querySelector(".w2").textContent);
}

/** Several services, one number: which comes first is the hall's to choose. */
function chooseAll(tiles) {
  service = null;
  services = tiles.map((tile) => tile.dataset.service);
  confirm(tiles.map((tile) => tile.dataset.name).join(document.documentElement.lang === "en" ? ", " : "、"), words.kiosk.several_note, "", "");
}

function confirm(name, about, first, second) {
  [$("c-name").textContent, $("c-about").textContent] = [name, about];
  [$("c-w1").textContent, $("c-w2").textContent] = [first, second];
  screen("choose", words.kiosk.check);
  $("take").focus({ focusVisible: false });
}

async function take() {
  if (!services.length || early()) return;
  const body = { ...(services.length > 1 ? { services } : { service }), channel: "kiosk" };
  if (pad?.number) body.phone = pad.number;
  if (relative?.number) body.relative_phone = relative.number;
  if (priority) body.priority = priority;
  await ask(body);
}

/** An appointment's code of six digits, or what its QR code says, becomes a number. */
function checkIn(appointment) {
  return ask({ appointment, channel: "kiosk" });
}

async function ask(body) {
  if (busy) return;
  busy = true;
  $("take").disabled = true;
  $("take").textContent = words.kiosk.taking;
  // The same wish keeps its id, also after an answer that was lost on the way.
  if (!wish || wish.of !== JSON.stringify(body)) wish = { of: JSON.stringify(body), id: requestId(), body };
  try {
    const answer = await fetch("/api/tickets", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ request_id: wish.id, ...body }),
      signal: AbortSignal.timeout(8000),
    });
    const told = await answer.json();
    if (answer.ok) given(told);
    else sorry(document.documentElement.lang === "en" ? told.detail : told.title, answer.status >= 500);
  } catch {
    sorry(words.kiosk.sorry_net, true);
  }
  busy = false;
  $("take").disabled = false;
  $("take").textContent = words.kiosk.take;
}

function given(ticket) {
  const tile = document.querySelector(`[data-service="${CSS.escape(ticket.service)}"]`);
  $("t-service").textContent = tile?.dataset.name ?? "";
  $("t-label").textContent = ticket.label;
  $("t-ahead").textContent = ticket.ahead ? say(words.kiosk.ahead, { n: ticket.ahead }) : words.kiosk.first;
  $("t-range").textContent = range(ticket.range_min, ticket.ahead);
  const then = (ticket.services ?? []).slice(1).map((id) => document.querySelector(`[data-service="${CSS.escape(id)}"]`)?.dataset.name ?? id);
  $("t-then").hidden = !then.length;
  $("t-then").textContent = say(words.kiosk.then, { names: then.join(document.documentElement.lang === "en" ? ", " : "、") });
  const counters = tile?.dataset.counters;
  $("t-near").textContent = counters ? words.kiosk.counters + counters : words.kiosk.near;
  $("t-scan").hidden = !/^https?:/.test(ticket.url);
  if (!$("t-scan").hidden) $("t-code").src = `/api/tickets/${encodeURIComponent(ticket.ticket_id)}/qr.svg`;
  pad?.clear();
  wish = null;
  left = body.dataset.prints === "yes" ? TICKET_S : PHOTO_S;
  $("t-left").textContent = `(${left})`;
  screen("ticket", words.kiosk.yours);
}

function sorry(text, retry) {
  $("retry").hidden = !retry;
  $("sorry-text").textContent = text || words.kiosk.sorry_net;
  $("sorry").showModal();
}

/** The scanner or card reader beside this machine has read something. */
async function read(reading) {
  const lang = document.documentElement.lang === "en" ? "en" : "zh";
  const said = await readingOf(reading, { reader: body.dataset.reader, lang, words: words.scan });
  if (!said) return;
  $("read-title").textContent = said.title;
  $("read-text").textContent = said.text;
  $("read-found").replaceChildren(...(said.part ?? []));
  idle = 0;
  if (!$("read").open) $("read").showModal();
}

function home() {
  location.replace(body.dataset.home);
}

function atHome() {
  return !$("menu").hidden && !document.querySelector("dialog[open]");
}

/** Once a second: the ticket page ends by itself, an abandoned page asks, then goes home. */
function second() {
  if (!$("lost").hidden) return;
  if (!$("ticket").hidden) {
    // A printer that fails while the number is shown gives time for a photograph.
    if (body.dataset.prints === "no" && !body.dataset.photo) left = Math.max(left, PHOTO_S);
    body.dataset.photo = body.dataset.prints === "no" ? "yes" : "";
    left -= 1;
    $("t-left").textContent = `(${left})`;
    if (left <= 0) home();
    return;
  }
  const plain = !/lang=en|size=large/.test(location.search);
  if (atHome() && plain && !several?.on && $("menu").querySelector(".tiles:not([hidden])").dataset.page === "0") return;
  idle += 1;
  if (idle < IDLE_S) return;
  if (!$("still").open) $("still").showModal();
  $("still-left").textContent = String(IDLE_S + WARN_S - idle);
  if (idle >= IDLE_S + WARN_S) home();
}

/** Nobody can take a number here now: the hall is silent, or cannot store what it gives. */
function lost() {
  const stored = (state?.storage ?? "ok") === "ok";
  $("lost").hidden = stored && (news === "live" || news === "quiet");
}

function turn(by) {
  const all = [...document.querySelectorAll(".tiles")];
  const to = all.findIndex((p) => !p.hidden) + by;
  for (const page of all) page.hidden = page !== all[to];
  $("less").disabled = to === 0;
  $("more").disabled = to === all.length - 1;
  $("where").textContent = `${to + 1} / ${all.length}`;
}

function back() {
  service = priority = wish = null;
  services = [];
  pad?.clear();
  for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", "false");
  screen("menu", heading);
  title();
}

function pick(chip) {
  const on = chip.getAttribute("aria-pressed") !== "true";
  for (const each of document.querySelectorAll(".chip")) each.setAttribute("aria-pressed", String(each === chip && on));
  priority = on ? chip.dataset.priority : null;
}

document.addEventListener("click", (event) => {
  const hit = event.target.closest("button");
  if (!hit) return;
  if (hit.dataset.service && several?.on) several.touch(hit);
  else if (hit.dataset.service) choose(hit);
  if (hit.dataset.priority) pick(hit);
  if (hit.dataset.open) $(hit.dataset.open).showModal();
  if ("close" in hit.dataset) hit.closest("dialog").close();
});
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => { idle = 0; if ($("still").open) $("still").close(); });
document.addEventListener("contextmenu", (event) => event.preventDefault());

// A key-pad with 0–9, * and # works every page: digits choose, # goes on, * goes back.
document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  if (/^[1-9]$/.test(event.key) && !$("menu").hidden) {
    const tile = document.querySelectorAll(".tiles:not([hidden]) .tile")[Number(event.key) - 1];
    if (tile && !tile.disabled) tile.click();
  } else if (event.key === "#" && !$("menu").hidden && several?.on && !several.go.disabled) several.go.click();
  else if (event.key === "#" && !$("choose").hidden) take();
  else if (event.key === "#" && !$("ticket").hidden) done();
  else if (event.key === "*" && !$("choose").hidden) back();
});

$("take").addEventListener("click", take);
$("retry").addEventListener("click", () => { $("sorry").close(); ask(wish.body); });
$("arrive")?.addEventListener("click", () => codes.open());
$("back").addEventListener("click", back);
$("done").addEventListener("click", done);
$("phone-open")?.addEventListener("click", () => pad.open());
$("relative-open")?.addEventListener("click", () => relative.open());
$("more")?.addEventListener("click", () => turn(1));
$("less")?.addEventListener("click", () => turn(-1));
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js");
