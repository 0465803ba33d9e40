// Works in the basement: takes the list of rights and alerts along, answers from it without signal, keeps what
// was read, and hands it over when there is signal again. A device is a browser; it names itself once.
// What it showed goes into the log with the list that it went by, so that nobody has to guess later.

const { found, numberOf, regionOf } = globalThis.byList;
const { show, told } = globalThis.onScreen;

const KEPT = "parkledger-officer";
const LIST = "parkledger-officer-list-1"; // beside the shell: a town's rights are too many for localStorage
const LIST_AT = "/officer/list";
const FRESH_MS = 5 * 60 * 1000;
const PATIENCE_MS = 15 * 1000;
const AT_ONCE = 500; // reads that are handed over at once
const form = document.querySelector("form.ask");
const answer = document.getElementById("answer");
const state = document.getElementById("offline-state");

let list = null;
let away = false; // whether the server did not answer last, whatever the browser believes of its signal
let trouble = "";

const read = (name, otherwise) => JSON.parse(localStorage.getItem(`${KEPT}-${name}`) ?? "null") ?? otherwise;
const keep = (name, value) => localStorage.setItem(`${KEPT}-${name}`, JSON.stringify(value));
const reachable = () => navigator.onLine && !away;

function device() {
  let name = read("device", null);
  if (!name) {
    name = `BROWSER-${crypto.randomUUID().slice(0, 8).toUpperCase()}`;
    keep("device", name);
  }
  return name;
}

async function takeAlong(answered) {
  list = { position: answered.list_version, taken: Date.now(), ...answered.list };
  const cache = await caches.open(LIST);
  await cache.put(LIST_AT, new Response(JSON.stringify(list)));
}

async function takenAlong() {
  const cache = await caches.open(LIST);
  return (await cache.match(LIST_AT))?.json() ?? null;
}

async function say() {
  const page = await caches.match("/officer", { ignoreVary: true });
  const waiting = read("queue", []).length;
  const age = list ? `list of position ${list.position}, ${told.minutes(list.taken)} min old` : "no list yet";
  const queued = waiting ? `, ${waiting} read${waiting === 1 ? "" : "s"} to hand over` : "";
  const ready = page ? "" : ", this page is not kept yet";
  state.textContent = `${reachable() ? "With signal" : "Without signal"}: ${age}${queued}${ready}. ${trouble}`;
}

async function sync() {
  const queue = read("queue", []).slice(0, AT_ONCE);
  const fresh = list && Date.now() - list.taken < FRESH_MS;
  if (!navigator.onLine || (fresh && !queue.length && !away)) return say();
  try {
    const sent = await fetch("/officer/sync", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ device: device(), reads: queue }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    away = sent.status >= 502;
    if (sent.ok) await handedOver(queue, await sent.json());
    else if (sent.status === 401) trouble = "Your sign-in has ended: sign in again to hand over.";
    else if (!away) trouble = `The office did not take it (${sent.status}); it is tried again.`;
  } catch {
    away = true; // no signal after all; it is tried again
  }
  say();
}

async function handedOver(queue, answered) {
  const refused = (index) => answered.reads?.[index]?.status ?? 0;
  const taken = new Set(queue.filter((_, index) => refused(index) < 500).map((one) => one.read));
  keep("queue", read("queue", []).filter((one) => !taken.has(one.read)));
  const lost = queue.filter((_, index) => refused(index) >= 400 && refused(index) < 500);
  trouble = lost.length ? `Not taken: ${lost.map((one) => one.plate).join(", ")}.` : "";
  await takeAlong(answered);
  navigator.serviceWorker?.controller?.postMessage("take"); // zones and looks may have changed
}

function answerFromList() {
  const said = new FormData(form);
  const region = regionOf(said.get("region"));
  const number = numberOf(said.get("number"));
  const zone = said.get("zone");
  if (!region || !number) return told.nothing(answer, "A plate number is 1 to 16 letters and digits; its region a short code.");
  if (!zone) return told.nothing(answer, "Choose the zone that you stand in.");
  if (!list) return told.nothing(answer, "Without signal, and no list was taken along: nothing can be said.");
  const plate = `${region} ${number}`;
  const one = found(list, plate, zone, form.dataset);
  show(answer, form, plate, zone, one, list);
  const shown = { answer: one.word, position: list.position, right: one.right?.right ?? null };
  const work = { read: crypto.randomUUID(), plate, zone, at: new Date().toISOString(), list_version: list.position, shown };
  keep("queue", [...read("queue", []), work]);
  say();
}

function ask(event) {
  if (reachable()) return;
  event.preventDefault();
  answerFromList();
}

/** Answers from the list where this page came out of the cache instead of an answer. */
function servedFromCache() {
  const asked = new URLSearchParams(location.search);
  if (!asked.get("number")?.trim() || answer.querySelector("[data-answer], [role=alert]")) return;
  for (const name of ["region", "number", "zone"]) form.elements[name].value = asked.get(name) ?? "";
  away = true;
  answerFromList();
}

async function begin() {
  list = await takenAlong();
  const zone = form.elements.zone;
  if (!zone.value) zone.value = read("zone", "");
  zone.addEventListener("change", () => keep("zone", zone.value));
  form.elements.number.addEventListener("focus", (event) => event.target.select());
  servedFromCache();
  sync();
}

form.addEventListener("submit", ask);
window.addEventListener("online", sync);
window.addEventListener("offline", say);
document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => caches.delete(LIST));
navigator.serviceWorker?.addEventListener("message", say);
navigator.serviceWorker?.register("/officer-worker.js", { scope: "/officer" });
setInterval(() => (away ? sync() : null), 10000);
setInterval(sync, 60000);
begin();
