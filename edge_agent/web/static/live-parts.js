// Keeps the parts marked [data-live] of a server-rendered screen current: when what the screen looks at
// has changed in the hall, the same page is fetched and its parts are swapped by id.

import { follow } from "./hall-live.js";

const CALM_MS = 300;
/** Parts that change by the clock alone are at most this old. */
const AGAIN_S = 20;

/**
 * `looksAt(state)` is what of a snapshot this screen shows; `busy()` true puts a swap off;
 * `onSwap` runs after each; `showing` and `inUse` are what the screen says of itself. Returns `{now, refresh}`.
 */
export function keepParts({ looksAt, busy = () => false, onSwap, onFreshness, onTick, onDevice, showing, inUse }) {
  let seen = null;
  let pending = null;
  let asking = false;
  let again = false;
  let age = 0;
  /** Numbers of facts: the hall's newest, the one that changed what is looked at, the one in the parts. */
  let newest = 0;
  let wanted = 0;
  let swapped = 0;

  function soon() {
    pending ??= setTimeout(() => {
      pending = null;
      refresh();
    }, CALM_MS);
  }

  async function refresh() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    const asked = newest;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const text = await answer.text();
      if (busy()) again = true;
      else if (answer.ok) {
        swap(new DOMParser().parseFromString(text, "text/html"));
        swapped = asked;
      }
    } catch {
      // The line says how old the screen is; the next occasion comes.
    }
    age = 0;
    asking = false;
    if (again) {
      again = false;
      soon();
    }
  }

  function swap(fresh) {
    const focused = document.activeElement?.id;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (now && now.outerHTML !== old.outerHTML) old.replaceWith(document.adoptNode(now));
    }
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    onSwap?.();
  }

  const now = follow({
    firstNow: document.body.dataset.now,
    onFreshness,
    onDevice,
    onState: (state) => {
      const mark = JSON.stringify(looksAt(state));
      newest = state.stream?.last ?? newest;
      if (mark !== seen) {
        wanted = newest;
        soon();
      }
      seen = mark;
    },
    onTick: () => {
      age += 1;
      if (age >= AGAIN_S) refresh();
      onTick?.();
    },
    showing,
    inUse,
    seen: () => (swapped >= wanted ? newest : swapped),
  });
  return { now, refresh };
}

/** `HH:MM` of the hall, wherever the browser thinks it is. */
export function clock(ms) {
  return new Intl.DateTimeFormat("zh-CN", {
    timeZone: document.body.dataset.tz, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).format(ms);
}

/** True while news is fresh enough to act on. */
export const current = (word) => word === "live" || word === "quiet";
