// City information: every choice is an address the server answers; this file keeps the parts current
// and goes home when the person has gone.

import { clock, current, keepParts } from "./live-parts.js";

const IDLE_S = 45;

const body = document.body;
const $ = (id) => document.getElementById(id);
let idle = 0;

const { now } = keepParts({
  looksAt: (state) => [state.services, state.counters, state.hours, state.name],
  onFreshness: freshen,
  onTick: second,
  inUse: () => location.search !== "",
});

function freshen(word) {
  body.dataset.fresh = word;
  $("bar").hidden = current(word);
}

function second() {
  $("clock").textContent = clock(now());
  if (location.search === "") return;
  idle += 1;
  // Without its hall the page stays: a screen never shows a browser's error.
  if (idle >= IDLE_S && current(body.dataset.fresh)) location.replace(body.dataset.home);
}

for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => { idle = 0; });
document.addEventListener("contextmenu", (event) => event.preventDefault());
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js");
