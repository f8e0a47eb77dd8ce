// Keeps one page for the time the agent is away: a screen never shows a browser's error.
const KEPT = "quiethall-offline-1";

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match("/offline")));
  } else if (new URL(event.request.url).pathname.startsWith("/static/")) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});

async function keep() {
  const cache = await caches.open(KEPT);
  const page = await fetch("/offline", { cache: "no-store" });
  const html = await page.clone().text();
  await cache.put("/offline", page);
  await cache.addAll([...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((m) => m[1]));
}
