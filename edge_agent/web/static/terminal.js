// The 24-hour terminal: what can be done now stays current; a number is looked up by touch, key-board or
// scanner. Everything is wiped by going home, which is a new page.

import { clock, current, keepParts } from "./live-parts.js";
import { told as readingOf } from "./reader.js";

const IDLE_S = 45;
/** The last seconds before going home are counted aloud. */
const SAID_S = 15;
const LONGEST = 300;

const body = document.body;
const $ = (id) => document.getElementById(id);
let text = "";
let idle = 0;
let busy = false;

const { now } = keepParts({
  looksAt: (state) => [state.services.map((s) => s.open), state.hours, state.name, state.devices],
  onFreshness: (word) => { $("lost").hidden = current(word); },
  onTick: second,
  onDevice: read,
  showing: () => [$("look").hidden ? "start" : "look"],
  inUse: () => busy || !$("look").hidden,
});

/** A label is shown as typed; what a scanner reads is a citizen's own link and is not shown. */
function typed(next) {
  text = next.slice(0, LONGEST);
  const label = /^[A-Z]?\d{0,4}$/i.test(text);
  $("typed").classList.toggle("said", !label);
  $("typed").textContent = label ? text.toUpperCase() : body.dataset.reading;
  $("go").disabled = !text;
}

function open() {
  typed("");
  $("start").hidden = true;
  $("look").hidden = false;
  $("typing").hidden = false;
  $("answer").hidden = true;
  $("found").replaceChildren();
}

async function look() {
  if (busy || !text) return;
  busy = true;
  try {
    const answer = await fetch("/terminal/ticket", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text, lang: body.dataset.lang }), signal: AbortSignal.timeout(8000),
    });
    const told = await answer.text();
    if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
    $("found").replaceChildren(...new DOMParser().parseFromString(told, "text/html").body.childNodes);
  } catch {
    $("found").textContent = body.dataset.failed;
  }
  typed("");
  $("typing").hidden = true;
  $("answer").hidden = false;
  busy = false;
}

/** The scanner or card reader beside this terminal has read something. */
async function read(reading) {
  const { lang, reader } = body.dataset;
  if (!reader) return;
  const said = await readingOf(reading, { reader, lang, words: JSON.parse($("words").textContent) });
  if (!said || busy) return;
  open();
  const head = document.createElement("p");
  head.className = "state none";
  head.textContent = said.title;
  const text = document.createElement("p");
  text.textContent = said.text;
  $("found").replaceChildren(head, ...(said.text ? [text] : []), ...(said.part ?? []));
  $("typing").hidden = true;
  $("answer").hidden = false;
  stir();
}

function second() {
  $("clock").textContent = clock(now());
  const home = $("look").hidden && !/lang=en|size=large/.test(location.search);
  if (home && !text) return;
  idle += 1;
  const left = IDLE_S - idle;
  $("left").textContent = left <= SAID_S ? body.dataset.left.replace("{n}", String(Math.max(0, left))) : "";
  if (left <= 0) leave();
}

/** Home is the page anew: nothing of the last person is kept, not even when the hall is away. */
function leave() {
  typed("");
  $("found").replaceChildren();
  $("look").hidden = true;
  $("start").hidden = false;
  idle = 0;
  if ($("lost").hidden) location.replace(body.dataset.home);
}

function stir() {
  idle = 0;
  $("left").textContent = "";
}

document.addEventListener("click", (event) => {
  const hit = event.target.closest("button");
  if (hit?.dataset.key) typed((text.length < 5 ? text : "") + hit.dataset.key);
});
document.addEventListener("pointerdown", stir);
document.addEventListener("keydown", (event) => {
  stir();
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  // A scanner types what it read and ends with Enter; that Enter presses no button.
  if (event.key === "Enter" && text) {
    event.preventDefault();
    look();
  } else if (event.key === "Backspace" && text) typed(text.slice(0, -1));
  else if (event.key.length === 1 && /\S/.test(event.key)) {
    if ($("look").hidden || $("typing").hidden) open();
    typed(text + event.key);
  }
});
document.addEventListener("contextmenu", (event) => event.preventDefault());
$("ask").addEventListener("click", open);
$("another").addEventListener("click", open);
$("erase").addEventListener("click", () => typed(text.slice(0, -1)));
$("go").addEventListener("click", look);
$("leave").addEventListener("click", leave);
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js");
