// Keeps the parts marked [data-live] of a server-rendered page current: fetches the same page and
// swaps them by id. <body data-refresh="20"> asks every 20 s, <body data-stream="/api/stream"> on
// every event. The page is complete and usable without this file.

const body = document.body;
let asking = false;
let again = false;

async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) location.assign(answer.url);
    else if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    body.toggleAttribute("data-lost", !answer.ok);
  } catch {
    body.toggleAttribute("data-lost", true);
  }
  asking = false;
  if (again) {
    again = false;
    refresh();
  }
}

function swap(fresh) {
  const focused = document.activeElement?.id;
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (now && now.outerHTML !== old.outerHTML) old.replaceWith(document.adoptNode(now));
  }
  if (focused && document.activeElement === body) document.getElementById(focused)?.focus();
}

if (body.dataset.refresh) setInterval(refresh, Number(body.dataset.refresh) * 1000);
if (body.dataset.stream) {
  const stream = new EventSource(body.dataset.stream);
  let pending = null;
  // A burst of facts is one look at the page.
  const soon = () => {
    pending ??= setTimeout(() => {
      pending = null;
      refresh();
    }, 300);
  };
  for (const kind of ["message", "snapshot", "fact", "hall", "alarm", "notice"]) stream.addEventListener(kind, soon);
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refresh();
});
