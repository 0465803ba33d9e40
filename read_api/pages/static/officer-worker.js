// Keeps the officer's page and what it is made of, so that it opens without signal. With signal, the server
// always answers; nothing that it says of a plate is ever kept.

const SHELL = "parkledger-officer-shell-1";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(take)));

async function take() {
  const page = await fetch("/officer", { credentials: "same-origin" });
  if (!page.ok) return;
  const cache = await caches.open(SHELL);
  const text = await page.clone().text();
  const needed = new Set([...text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((found) => found[1]));
  await cache.addAll([...needed]); // each once: it refuses what is named twice
  await cache.put("/officer", page);
  for (const client of await self.clients.matchAll()) client.postMessage("kept");
}

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const ours = event.request.method === "GET" && (pathname === "/officer" || pathname.startsWith("/static/"));
  if (!ours) return;
  event.respondWith(
    fetch(event.request).catch(async () => {
      const cache = await caches.open(SHELL);
      const search = { ignoreSearch: pathname === "/officer", ignoreVary: true };
      return (await cache.match(event.request, search)) ?? Response.error();
    }),
  );
});
