// A screen that was told its name (?screen=NAME) says every five seconds what it shows. The hall may answer
// that its page is old: then it is loaded anew, once nobody uses it. Pages without a name say nothing.

const EVERY_MS = 5000;
/** What changed on the screen is said at once, but not more often than this. */
const CALM_MS = 300;
/** So long after a touch somebody still stands there. */
const USED_MS = 20_000;
const LEGAL = /^[a-z0-9][a-z0-9-]{0,31}$/;
const KEY = "quiethall-screen";

/** The name of this screen, or "". */
export const screenName = named();

let touched = -USED_MS;
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => { touched = performance.now(); }, { capture: true, passive: true });
}

/** True while somebody uses the page. */
export const touchedLately = () => performance.now() - touched < USED_MS;

/**
 * The window keeps its name wherever it goes, the machine keeps one for each page. An empty name forgets it.
 * The address is tidied, so that pages know their home by it.
 */
function named() {
  const address = new URL(location.href);
  const asked = address.searchParams.get("screen");
  const here = `${KEY} ${location.pathname}`;
  try {
    if (asked !== null) {
      const name = LEGAL.test(asked) ? asked : "";
      sessionStorage.setItem(KEY, name);
      localStorage.setItem(here, name);
      address.searchParams.delete("screen");
      history.replaceState(history.state, "", address);
    } else if (sessionStorage.getItem(KEY) === null) sessionStorage.setItem(KEY, localStorage.getItem(here) ?? "");
    return sessionStorage.getItem(KEY);
  } catch {
    return LEGAL.test(asked) ? asked : "";  // a browser that keeps nothing
  }
}

/**
 * Says what the page shows, as long as the page lives. `showing()` is a list of short texts, `seen()` the
 * number of the last fact in it, `fresh()` how old its news is, `now()` the hall's time in ms, `inUse()`
 * whether somebody uses it, `reload()` loads it anew. Returns `look`: call it when something may have changed.
 */
export function heartbeat({ showing, seen, fresh, now, inUse, reload }) {
  const body = document.body.dataset;
  const boot = new Date(now()).toISOString();
  let said = null;
  let saidAt = -Infinity;
  let busy = false;

  async function beat() {
    if (busy) return;
    busy = true;
    said = what();
    saidAt = performance.now();
    const told = { page: location.pathname.split("/")[1], version: body.version, at_boot: boot, seen_n: seen(),
      showing: JSON.parse(said), fresh: fresh(), in_use: inUse() };
    if (body.counter) told.counter = body.counter;
    try {
      const answer = await fetch(`/api/screens/${screenName}/beat`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told),
        cache: "no-store", signal: AbortSignal.timeout(4000),
      });
      if (answer.ok && (await answer.json()).reload && !inUse()) reload();
    } catch {
      // The hall is away or busy; the next beat comes.
    }
    busy = false;
  }

  const what = () => JSON.stringify(showing().map((text) => String(text).slice(0, 40)).slice(0, 16));

  function look() {
    if (what() !== said && performance.now() - saidAt >= CALM_MS) beat();
    else if (what() !== said) setTimeout(look, CALM_MS);
  }

  if (!screenName) return () => {};
  setInterval(beat, EVERY_MS);
  beat();
  return look;
}
