// The rating at a counter: one touch sends, thanks, idle again. Which visit is asked for is the server's.

import { current, keepParts } from "./live-parts.js";
import { requestId } from "./hall-live.js";

const THANKS_S = 4;
/** A bad rating is sent like any other; its reasons may follow for a while. Each touch begins it anew. */
const REASON_S = 15;

const body = document.body;
const counter = body.dataset.counter;
const $ = (id) => document.getElementById(id);
let rated = null;
let wish = null;
let sent = null;
let busy = false;
let left = 0;

const { refresh } = keepParts({
  looksAt: (state) => [state.counters.find((c) => c.id === counter), state.calls.filter((c) => c.counter === counter)],
  busy: () => busy,
  onSwap: settle,
  onFreshness: (word) => { $("lost").hidden = current(word); },
  onTick: second,
  showing: () => ($("visit").hidden || $("visit").querySelector(".ask").hidden ? [] : [$("visit").dataset.label]),
  inUse: () => busy || $("visit").hidden,
});

/** A visit that was rated is not asked for again. */
function settle() {
  const visit = $("visit");
  const done = !visit.dataset.ticket || visit.dataset.ticket === rated;
  visit.querySelector(".ask").hidden = done;
  visit.querySelector(".idle").hidden = !done;
  visit.hidden = !$("thanks").hidden || !$("sorry").hidden;
}

async function rate(score) {
  const { ticket, label } = $("visit").dataset;
  if (busy || !ticket) return;
  hold(true);
  // The same wish keeps its id, also after an answer that was lost on the way.
  const of = `${ticket}/${score}`;
  if (wish?.of !== of) wish = { of, id: requestId() };
  try {
    const answer = await post("/api/ratings", { request_id: wish.id, counter, score });
    const told = await answer.json();
    if (answer.ok) thank(ticket, told.ticket?.label ?? label, score);
    else refused(answer.status < 500 ? ticket : null, told);
  } catch {
    refused(null, { title: $("sorry-zh").dataset.net, detail: $("sorry-en").dataset.net });
  }
  hold(false);
}

function ticked() {
  return [...document.querySelectorAll("[data-reason][aria-pressed='true']")].map((chip) => chip.dataset.reason);
}

function tick(chip) {
  if (busy || !sent) return;
  chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
  $("send").disabled = !ticked().length;
  left = REASON_S;
}

async function say() {
  const reasons = ticked();
  if (busy || !sent || !reasons.length) return;
  hold(true);
  const ticket = sent;
  sent = null;
  try {
    const answer = await post("/api/ratings/reason", { request_id: requestId(), counter, ticket, reasons });
    $("heard").hidden = !answer.ok;
  } catch {
    // The rating itself stands; its reasons were lost.
  }
  $("why").hidden = true;
  $("thanks").classList.remove("asks");
  left = THANKS_S;
  hold(false);
}

function post(url, what) {
  return fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what), signal: AbortSignal.timeout(8000),
  });
}

function hold(is) {
  busy = is;
  for (const each of document.querySelectorAll("[data-score], [data-reason]")) each.disabled = is;
  if ($("send")) $("send").disabled = is || !ticked().length;
}

function thank(ticket, label, score) {
  rated = ticket;
  wish = null;
  $("t-label").textContent = label;
  const asks = score <= 2 && body.dataset.reasons === "yes";
  sent = asks ? ticket : null;
  $("thanks").classList.toggle("asks", asks);
  if ($("why")) {
    $("why").hidden = !asks;
    $("heard").hidden = true;
    for (const chip of document.querySelectorAll("[data-reason]")) chip.setAttribute("aria-pressed", "false");
    $("send").disabled = true;
  }
  left = asks ? REASON_S : THANKS_S;
  screen("thanks");
}

function refused(ticket, problem) {
  if (ticket) rated = ticket;
  $("sorry-zh").textContent = problem.title;
  $("sorry-en").textContent = problem.detail ?? "";
  left = THANKS_S;
  screen("sorry");
}

function screen(name) {
  for (const each of ["visit", "thanks", "sorry"]) $(each).hidden = each !== name;
}

function second() {
  if ($("visit").hidden && !busy && --left <= 0) {
    // What was ticked and not sent was meant all the same.
    if (sent && ticked().length) {
      say();
      return;
    }
    sent = null;
    screen("visit");
    settle();
    refresh();
  }
}

document.addEventListener("click", (event) => {
  const hit = event.target.closest("button");
  if (hit?.dataset.score) rate(Number(hit.dataset.score));
  if (hit?.dataset.reason) tick(hit);
  if (hit?.id === "send") say();
});
document.addEventListener("contextmenu", (event) => event.preventDefault());
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/sw.js");
