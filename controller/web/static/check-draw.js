// Works the order of a draw out again, in the visitor's own browser, and says whether it is the promised one.

const said = document.getElementById("checked");
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
const before = ([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1);

async function order(draw) {
  const seed = bytes(draw.seed);
  if (seed.length !== 32 || hex(await crypto.subtle.digest("SHA-256", seed)) !== draw.commitment) return null;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", seed, hmac, false, ["sign"]);
  const sign = (name) => crypto.subtle.sign("HMAC", key, new TextEncoder().encode(name));
  const keyed = await Promise.all(draw.registrations.map(async (name) => [hex(await sign(name)), name]));
  return keyed.sort(before).map(([, name]) => name);
}

async function check() {
  // Browsers compute hashes on https only (and on this machine).
  if (!globalThis.crypto?.subtle) return said.dataset.cannot;
  const draw = await (await fetch(said.dataset.draw)).json();
  const made = await order(draw);
  const good = made && made.length === draw.order.length && made.every((name, n) => name === draw.order[n]);
  if (!good) return said.dataset.bad;
  const place = made.indexOf(said.dataset.mine) + 1;
  const words = said.dataset.good.replace("{n}", made.length);
  return place ? words + said.dataset.place.replace("{n}", place) : words;
}

check().then(
  (text) => {
    said.textContent = text;
    if (text !== said.dataset.cannot) said.className = text === said.dataset.bad ? "checked wrong" : "checked";
  },
  () => (said.textContent = said.dataset.cannot),
);
