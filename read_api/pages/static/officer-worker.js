// Keeps the officer's page and what it is made of, so that it opens without signal. With signal, the server
// always answers; nothing that it says of a plate is ever kept. Phones believe in a signal that carries
// nothing: a server that says nothing for some seconds counts as none.

const SHELL = "parkledger-officer-shell-1";
const PATIENCE_MS = 4000;
const AWAY = [502, 503, 504]; // what stands in front of a server says when there is none

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(take)));
self.addEventListener("message", (event) => {
  if (event.data === "take") event.waitUntil(take().catch(() => {})); // the kept one is still good
});

async function take() {
  const page = await fetch("/officer", { credentials: "same-origin" });
  if (!page.ok) return;
  const cache = await caches.open(SHELL);
  const text = await page.clone().text();
  const needed = new Set([...text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((found) => found[1]));
  await cache.addAll([...needed]); // each once: it refuses what is named twice
  await cache.put("/officer", page);
  for (const old of await cache.keys()) {
    const { pathname, search } = new URL(old.url);
    if (pathname.startsWith("/static/") && !needed.has(pathname + search)) await cache.delete(old);
  }
  for (const client of await self.clients.matchAll()) client.postMessage("kept");
}

async function inTime(asked) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS, new Error("no answer in time")));
  const found = await Promise.race([asked, late]);
  if (AWAY.includes(found.status)) throw new Error("nobody is there");
  return found;
}

async function page(request) {
  const asked = fetch(request);
  try {
    return await inTime(asked);
  } catch {
    asked.catch(() => {}); // whatever becomes of it, the kept page stands there
    return (await kept("/officer", { ignoreSearch: true })) ?? asked;
  }
}

async function kept(request, search) {
  const cache = await caches.open(SHELL);
  return cache.match(request, { ...search, ignoreVary: true });
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.method !== "GET") return;
  if (pathname.startsWith("/static/")) {
    // its address changes with its content
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (pathname === "/officer" && request.mode === "navigate") {
    event.respondWith(page(request));
  }
});
