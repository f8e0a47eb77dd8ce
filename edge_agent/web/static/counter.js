// The clerk's console. The panel is the server's HTML, fetched anew after each change of the hall;
// this file sends wishes (one request id per press), runs the timers and listens to the keys.

import { follow, requestId } from "./hall-live.js";

const body = document.body;
const $ = (id) => document.getElementById(id);
const home = `/counter/${encodeURIComponent(body.dataset.counter)}`;
let busy = false;
let painting = false;
let again = false;
let lost = false;
let hush = 0;

const now = follow({
  firstNow: body.dataset.now,
  onState() {
    paint();
  },
  onFreshness(word) {
    lost = word === "stale" || word === "dark";
    $("lost").hidden = !lost;
    lock();
  },
  onTick: timers,
});

async function paint() {
  if (painting) {
    again = true;
    return;
  }
  painting = true;
  try {
    const answer = await fetch(`${home}/panel`, { cache: "no-store" });
    if (answer.status === 401) return location.assign(`/login?next=${encodeURIComponent(home)}`);
    const html = answer.ok ? await answer.text() : "";
    // An open question is not taken from under the clerk's hand; closing it paints.
    if (html && !document.querySelector("dialog[open]")) swap(html);
  } catch {
    // The freshness of the stream tells the clerk.
  } finally {
    painting = false;
  }
  if (again) {
    again = false;
    paint();
  }
}

function swap(html) {
  const focused = document.activeElement?.id;
  const open = $("aside")?.open;
  $("panel").innerHTML = html;
  if (open && $("aside")) $("aside").open = true;
  if (focused) $(focused)?.focus();
  lock();
  timers();
}

function lock() {
  if (lost) for (const button of $("panel").querySelectorAll("button:not([data-close])")) button.disabled = true;
}

async function act(button) {
  if (busy || lost || button.disabled) return;
  busy = true;
  button.setAttribute("aria-busy", "true");
  document.querySelector("dialog[open]")?.close();
  const { act: action, reason, ticket, service, toCounter } = button.dataset;
  const wish = { request_id: requestId() };
  if (reason) wish.reason = reason;
  if (ticket) wish.ticket = ticket;
  if (service) wish.to_service = service;
  if (toCounter) wish.to_counter = toCounter;
  try {
    await send(`/api/counters/${encodeURIComponent(body.dataset.counter)}/${action}`, wish);
  } finally {
    busy = false;
    button.removeAttribute("aria-busy");
  }
  await paint();
}

/** Asks twice under the same id: an answer lost on the way does not become a second call. */
async function send(url, wish) {
  for (const last of [false, true]) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(wish),
        signal: AbortSignal.timeout(5000),
      });
      if (answer.status === 401) return location.assign(`/login?next=${encodeURIComponent(home)}`);
      if (!answer.ok) tell((await answer.json()).title);
      return undefined;
    } catch {
      if (last) tell("叫号机没有应答，请再试一次 · No answer, try again");
    }
  }
  return undefined;
}

function tell(text) {
  $("told").textContent = text;
  hush = performance.now() + 5000;
}

function timers() {
  for (const each of document.querySelectorAll(".timer")) {
    const seconds = Math.max(0, Math.floor((now() - Date.parse(each.dataset.since)) / 1000));
    if (Number.isFinite(seconds)) each.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  }
  if (hush && performance.now() > hush) {
    $("told").textContent = "";
    hush = 0;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.act) act(button);
  if (button.dataset.menu) $(`m-${button.dataset.menu}`).showModal();
  if ("close" in button.dataset) button.closest("dialog").close();
});

document.addEventListener("submit", async (event) => {
  if (event.target.id !== "pager") return;
  const said = new FormData(event.target);
  const pager = event.submitter?.value === "back" ? null : said.get("pager");
  const ticket = said.get("ticket").trim().toUpperCase();
  if (!ticket || pager === "" || lost) return;
  const wish = { request_id: requestId(), pager: pager === null ? null : Number(pager) };
  await send(`/api/tickets/${encodeURIComponent(ticket)}/pager`, wish);
  paint();
});

document.addEventListener("close", () => paint(), true);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  // F9 calls the next one, or does whatever the one large button says.
  const key = event.key === "F9" ? " " : event.key.toLowerCase();
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!button) return;
  event.preventDefault();
  if (!button.disabled) button.click();
});
timers();
