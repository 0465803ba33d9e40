// Works in the basement: takes the list of rights and alerts along, answers from it without signal, keeps what
// was read, and hands it over when there is signal again. A device is a browser; it names itself once.
// What it showed goes into the log with the list that it went by, so that nobody has to guess later.

const KEPT = "parkledger-officer";
const FRESH_MS = 5 * 60 * 1000;
const WORDS = { valid: "Valid", no_right: "No right", exempt: "Exempt" };
const form = document.querySelector("form.ask");
const answer = document.getElementById("answer");
const state = document.getElementById("offline-state");

const read = (name, otherwise) => JSON.parse(localStorage.getItem(`${KEPT}-${name}`) ?? "null") ?? otherwise;
const keep = (name, value) => localStorage.setItem(`${KEPT}-${name}`, JSON.stringify(value));

function device() {
  let name = read("device", null);
  if (!name) {
    name = `BROWSER-${crypto.randomUUID().slice(0, 8).toUpperCase()}`;
    keep("device", name);
  }
  return name;
}

async function say() {
  const page = await caches.match("/officer", { ignoreVary: true });
  const list = read("list", null);
  const waiting = read("queue", []).length;
  const age = list ? `list of position ${list.position}, ${minutes(list.taken)} min old` : "no list yet";
  const queued = waiting ? `, ${waiting} read${waiting === 1 ? "" : "s"} to hand over` : "";
  const ready = page ? "" : ", this page is not kept yet";
  state.textContent = `${navigator.onLine ? "With signal" : "Without signal"}: ${age}${queued}${ready}.`;
}

const minutes = (since) => Math.floor((Date.now() - since) / 60000);

async function sync() {
  const queue = read("queue", []);
  const list = read("list", null);
  if (!navigator.onLine || (list && !queue.length && Date.now() - list.taken < FRESH_MS)) return say();
  try {
    const sent = await fetch("/officer/sync", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ device: device(), reads: queue }),
    });
    if (!sent.ok) return say();
    const told = await sent.json();
    keep("list", { position: told.list_version, taken: Date.now(), ...told.list });
    const known = new Set(queue.map((one) => one.read));
    keep("queue", read("queue", []).filter((one) => !known.has(one.read)));
  } catch {
    // no signal after all; it is tried again
  }
  say();
}

function lookUp(plate, zone) {
  const list = read("list", null);
  if (!list) return null;
  const now = Date.now();
  const covers = (one, from) => Date.parse(one[from]) <= now && (!one.until || now < Date.parse(one.until));
  const rights = list.rights.filter((one) => one.plate === plate && (!one.zone || one.zone === zone));
  const right = rights.find((one) => covers(one, "start"));
  const alerts = list.watchlist.filter((one) => one.plate === plate && covers(one, "since"));
  return { word: right ? (right.kind === "exemption" ? "exempt" : "valid") : "no_right", right, alerts, list };
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function show(plate, zone, found) {
  if (!found) {
    const none = element("p", "Without signal, and no list was taken along: nothing can be said.", "word-bad");
    none.setAttribute("role", "alert");
    answer.replaceChildren(none);
    return;
  }
  const box = element("section", "", `answer answer-${found.word}`);
  box.dataset.answer = found.word;
  box.dataset.offline = "true";
  box.append(element("p", WORDS[found.word], "answer-word"), element("p", `${plate} in ${zone}`));
  if (found.right) box.append(element("p", `${found.right.kind} ${found.right.right}`));
  const age = minutes(found.list.taken);
  box.append(element("p", `Without signal: by the list of position ${found.list.position}, ${age} min old.`));
  const parts = found.alerts.map((one) => element("p", `Watchlist: ${one.reason}`, "alert"));
  answer.replaceChildren(...parts, box);
}

function ask(event) {
  if (navigator.onLine) return;
  event.preventDefault();
  const said = new FormData(form);
  const number = said.get("number").toUpperCase().replace(/[\s.-]/g, "");
  const plate = `${said.get("region").trim().toUpperCase()} ${number}`;
  const zone = said.get("zone");
  const found = lookUp(plate, zone);
  show(plate, zone, found);
  if (!found) return;
  const shown = { answer: found.word, position: found.list.position, right: found.right?.right ?? null };
  const at = new Date().toISOString();
  const one = { read: crypto.randomUUID(), plate, zone, at, list_version: found.list.position, shown };
  keep("queue", [...read("queue", []), one]);
  say();
}

form.addEventListener("submit", ask);
window.addEventListener("online", sync);
window.addEventListener("offline", say);
navigator.serviceWorker?.addEventListener("message", say);
navigator.serviceWorker?.register("/officer-worker.js", { scope: "/officer" });
setInterval(sync, 60000);
sync();
