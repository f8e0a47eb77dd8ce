// The line from a page to its hall: server-sent events, the hall's clock, and how old the news is.
// Freshness: live < 10 s < quiet < 60 s < stale < 5 min < dark.

import { heartbeat, touchedLately } from "./heartbeat.js";

const WATCHDOG_S = 12;
/** An old page that could not be loaded anew tries again after this. */
const AGAIN_MS = 10_000;
const BACKOFF_MS = [500, 1000, 2000, 5000];

/** How old news of `seconds` is, in one word. */
export function freshness(seconds) {
  if (seconds < 10) return "live";
  if (seconds < 60) return "quiet";
  return seconds < 300 ? "stale" : "dark";
}

/**
 * Follows a hall until the page goes. `onState` gets each snapshot, `onFreshness` each change of
 * the word above, `onDevice` what a reader has read, `onTick` every second. `showing`, `seen` and `inUse`
 * are what the page says of itself to the hall (see heartbeat.js). Returns `now()`, the hall's time in ms.
 */
export function follow({ url = "/api/stream", firstNow, onState, onFreshness, onTick, ...says }) {
  let offset = firstNow ? Date.parse(firstNow) - Date.now() : 0;
  let heard = performance.now();
  let opened = heard;
  let attempts = 0;
  let word = "live";
  let stream = null;
  let openings = 0;
  let newest = 0;
  let old = false;
  let nextTry = 0;
  const started = heard;
  const now = () => Date.now() + offset;
  const inUse = () => touchedLately() || Boolean(says.inUse?.());

  function news(at, exact) {
    heard = performance.now();
    attempts = 0;
    // A snapshot may have been made a while ago: it never sets the clock back, a beat may.
    const behind = Date.parse(at ?? "") - Date.now();
    if (Number.isFinite(behind) && (exact || behind > offset)) offset = behind;
    judge();
  }

  function open() {
    stream?.close();
    opened = performance.now();
    stream = new EventSource(url);
    stream.addEventListener("snapshot", (event) => {
      const state = JSON.parse(event.data);
      news(state.now);
      onState?.(state);
      newest = state.stream?.last ?? newest;
      look();
    });
    stream.addEventListener("fact", () => news());
    stream.addEventListener("device", (event) => {
      news();
      says.onDevice?.(JSON.parse(event.data));
    });
    stream.addEventListener("beat", (event) => news(timeIn(event.data), true));
    stream.onopen = () => {
      if (openings++) renewed().then((is) => { old ||= is; });
    };
    // A refused connection is closed for good by the browser, so it is opened anew here.
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) reopen();
    };
  }

  function reopen() {
    stream?.close();
    opened = performance.now();
    setTimeout(open, BACKOFF_MS[Math.min(attempts++, BACKOFF_MS.length - 1)]);
  }

  function judge() {
    const next = freshness((performance.now() - heard) / 1000);
    if (next === word) return;
    word = next;
    onFreshness?.(word);
  }

  function tick() {
    const silent = (performance.now() - Math.max(heard, opened)) / 1000;
    if (silent > WATCHDOG_S) reopen();
    judge();
    renewAtNight(now(), (performance.now() - started) / 1000);
    onTick?.();
    look();
    if (!old || inUse() || performance.now() < nextTry) return;
    nextTry = performance.now() + AGAIN_MS;
    reload();
  }

  const look = heartbeat({
    showing: says.showing ?? (() => []), seen: says.seen ?? (() => newest), fresh: () => word, now, inUse, reload,
  });
  open();
  setInterval(tick, 1000);
  return now;
}

/** Loads the page anew, but only when the server really answers: a screen never shows a browser's error. */
export async function reload() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) location.reload();
  } catch {
    // The next occasion comes.
  }
}

/** After the line was cut the program may be another: then the page is an old one. */
async function renewed() {
  const mine = document.body.dataset.version;
  try {
    const answer = await fetch("/static-version", { cache: "no-store" });
    return Boolean(mine) && answer.ok && (await answer.text()) !== mine;
  } catch {
    return false;  // cut again; the next opening asks again
  }
}

/** An id nobody else makes; `crypto.randomUUID` is missing on pages that are not local. */
export function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

function timeIn(text) {
  try {
    const beat = JSON.parse(text);
    return beat?.at ?? beat?.now;
  } catch {
    return undefined;
  }
}

function renewAtNight(ms, ageSeconds) {
  const at = new Date(ms);
  if (ageSeconds > 7200 && at.getHours() === 3 && at.getMinutes() === 30) reload();
}
