// A ticket whose holder has scanned it, and whose visit is over, can be rated where it is shown: one touch
// sends the level, the reasons of a bad one may follow. The part of the page itself comes from the hall.

import { requestId } from "./hall-live.js";

const BAD = 2;
/** The same wish keeps its id, also after an answer that was lost on the way. */
const wishes = new Map();

async function post(url, what, key) {
  if (!wishes.has(key)) wishes.set(key, requestId());
  const answer = await fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ request_id: wishes.get(key), ...what }), signal: AbortSignal.timeout(8000),
  });
  return { ok: answer.ok, told: await answer.json() };
}

function say(part, text, failed) {
  const answer = part.querySelector(".answer");
  answer.textContent = text;
  answer.classList.toggle("failed", failed);
  answer.hidden = false;
}

function hold(part, is) {
  for (const each of part.querySelectorAll("button")) each.disabled = is;
}

async function rate(part, score) {
  const { ticket } = part.dataset;
  const words = part.querySelector(".answer").dataset;
  hold(part, true);
  try {
    const { ok, told } = await post("/api/ratings", { ticket, score, channel: "terminal" }, `${ticket}/${score}`);
    if (ok || told.status < 500) {
      part.querySelector(".question").hidden = true;
      part.querySelector(".levels").hidden = true;
    }
    say(part, ok ? words.thanks : document.documentElement.lang === "en" ? told.detail : told.title, !ok);
    part.querySelector(".why").hidden = !(ok && score <= BAD);
  } catch {
    say(part, words.sorry, true);
  }
  hold(part, false);
  part.querySelector("[data-tell]").disabled = true;
}

function ticked(part) {
  return [...part.querySelectorAll("[data-why][aria-pressed='true']")].map((chip) => chip.dataset.why);
}

async function tell(part) {
  const { ticket, counter } = part.dataset;
  const words = part.querySelector(".answer").dataset;
  hold(part, true);
  try {
    const { ok } = await post("/api/ratings/reason", { ticket, counter, reasons: ticked(part) }, `${ticket}/why`);
    say(part, ok ? words.heard : words.thanks, false);
  } catch {
    // The rating itself stands; its reasons were lost.
  }
  part.querySelector(".why").hidden = true;
}

document.addEventListener("click", (event) => {
  const hit = event.target.closest("button");
  const part = hit?.closest(".rating");
  if (!part) return;
  if (hit.dataset.level) rate(part, Number(hit.dataset.level));
  else if (hit.dataset.why) {
    hit.setAttribute("aria-pressed", String(hit.getAttribute("aria-pressed") !== "true"));
    part.querySelector("[data-tell]").disabled = !ticked(part).length;
  } else if ("tell" in hit.dataset) tell(part);
});
