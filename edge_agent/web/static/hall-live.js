// The line from a page to its hall: server-sent events, the hall's clock, and how old the news is.
// Freshness: live < 10 s < quiet < 60 s < stale < 5 min < dark.

const WATCHDOG_S = 12;
const BACKOFF_MS = [500, 1000, 2000, 5000];

/** How old news of `seconds` is, in one word. */
export function freshness(seconds) {
  if (seconds < 10) return "live";
  if (seconds < 60) return "quiet";
  return seconds < 300 ? "stale" : "dark";
}

/**
 * Follows a hall until the page goes. `onState` gets each snapshot, `onFreshness` each change of
 * the word above, `onTick` every second. Returns `now()`, the hall's time in ms.
 */
export function follow({ url = "/api/stream", firstNow, onState, onFreshness, onTick }) {
  let offset = firstNow ? Date.parse(firstNow) - Date.now() : 0;
  let heard = performance.now();
  let opened = heard;
  let attempts = 0;
  let word = "live";
  let stream = null;
  let openings = 0;
  const started = heard;
  const now = () => Date.now() + offset;

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
    });
    stream.addEventListener("fact", () => news());
    stream.addEventListener("beat", (event) => news(timeIn(event.data), true));
    stream.onopen = () => {
      if (openings++) renewed();
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
  }

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

/** After the line was cut the program may be another: then the page is another, too. */
async function renewed() {
  const mine = document.body.dataset.version;
  try {
    const answer = await fetch("/static-version", { cache: "no-store" });
    if (mine && answer.ok && (await answer.text()) !== mine) reload();
  } catch {
    // Cut again; the next opening asks again.
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
