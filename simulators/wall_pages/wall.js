// Draws the simulated devices of one hall and keeps them live. State comes from the server only.
import { drawingOf } from "./drawings.js";
import { make } from "./make.js";
import { FAMILY_FAULTS } from "./words.js";

const base = document.body.dataset.base;
const { words, usual } = JSON.parse(document.getElementById("faults").textContent);
const wall = document.getElementById("devices");
const link = document.getElementById("link");
const seconds = document.getElementById("seconds");
const cards = new Map();
const ROW_PX = 10;
const GAP_PX = 20;
const DISPLAYS = ["screen", "projector"];

// a card that grows takes more rows
const fitting = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    target.style.gridRowEnd = `span ${Math.ceil((target.offsetHeight + GAP_PX) / ROW_PX)}`;
  }
});
wall.className = "packed";

async function send(method, path, body) {
  const answer = await fetch(`${base}/api/devices/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  }).catch(() => null);
  if (answer?.ok) return;
  const problem = await answer?.json().catch(() => null);
  link.textContent = problem?.title ?? link.dataset.off;
}

const press = (name, key) => send("POST", `${name}/keys`, { key });

function word(family, fault) {
  const [kind, number] = fault.split(":");
  const said = { ...words, ...FAMILY_FAULTS[family] };
  return said[kind] ?? said[`${kind}:n`]?.replace(/\bn\b/, number ?? usual[kind]) ?? fault;
}

function faultButton({ name, family }, kind) {
  const plain = kind.replace(":n", "");
  const button = make("button", { type: "button", text: word(family, plain) });
  button.addEventListener("click", () => {
    send("POST", `${name}/faults`, { fault: plain, ...(seconds.value && { seconds: Number(seconds.value) }) });
  });
  return button;
}

function card(device) {
  const title = make("h2", { text: device.name });
  const where = [device.profile, device.address.replace(/^.*\/(?=[^/]+$)/, ""), `#${device.unit}`];
  if (device.counter) where.unshift(`窗口 ${device.counter}`);
  const about = make("p", { class: "about", text: where.join(" · "), title: device.address });
  const face = make("div", { class: `face ${drawingOf(device).shape}` });
  const faults = make("ul", { class: "faults" });
  const menu = make("details", {}, make("summary", { text: "故障" }),
    make("div", { class: "choices" }, ...device.fault_kinds.map((kind) => faultButton(device, kind))));
  const box = make("section", { class: "device", "aria-label": device.name }, title, about, face, faults, menu);
  box.dataset.kind = device.kind;
  wall.append(box);
  fitting.observe(box);
  return { box, face, faults, menu };
}

/** What the hall's board page shows now: displays show it too. */
let calls = [];

function show(device) {
  if (device.shows.calls && device.shows.page === "/board" && device.shows.connected) {
    calls = device.shows.calls;
    for (const { device: other } of cards.values()) if (DISPLAYS.includes(other.kind)) update(other);
  }
  update(device);
}

function update(device) {
  if (!cards.has(device.name)) cards.set(device.name, card(device));
  cards.get(device.name).device = device;
  const { box, face, faults } = cards.get(device.name);
  const dead = device.faults.some((f) => f === "offline" || f === "power-cycle");
  box.classList.toggle("dead", dead);
  // keys keep their focus: a drawing changes its own parts
  drawingOf(device).draw(face, device, { base, press, calls });
  faults.replaceChildren(...device.faults.map((fault) => {
    const end = make("button", { type: "button", text: `${word(device.family, fault)} ✕`, title: "恢复" });
    end.addEventListener("click", () => send("DELETE", `${device.name}/faults?fault=${encodeURIComponent(fault)}`));
    return make("li", {}, end);
  }));
}

const opener = document.getElementById("open-all");
opener.addEventListener("click", () => {
  const open = opener.getAttribute("aria-pressed") !== "true";
  opener.setAttribute("aria-pressed", String(open));
  opener.textContent = open ? "收起故障" : "展开故障";
  for (const { menu } of cards.values()) menu.open = open;
});

document.getElementById("all-clear").addEventListener("click", () => {
  for (const name of cards.keys()) send("DELETE", `${name}/faults`);
});

const stream = new EventSource(`${base}/api/stream`);
stream.addEventListener("snapshot", (event) => {
  for (const device of JSON.parse(event.data)) show(device);
  link.textContent = link.dataset.on;
  link.className = "on";
});
stream.addEventListener("device", (event) => show(JSON.parse(event.data)));
stream.addEventListener("error", () => {
  link.textContent = link.dataset.off;
  link.className = "off";
});
