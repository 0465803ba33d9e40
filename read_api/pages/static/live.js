// Keeps a page live. The page names its stream in <body data-stream>; what the server says has changed is
// passed on as the DOM events `parkledger:changed` and `parkledger:pulse`, which parts of the page refresh on.
// Bursts are gathered, so that a busy plate does not ask the server more than three times a second.
// A form that could not be sent says so where it stands.

const SETTLE_MS = 300;
const AGAIN_MS = 5000;
const ANYBODYS = "/v1/zones"; // a question of every role: it tells whether one is still signed in

const label = document.getElementById("live");

function say(state, words) {
  if (!label) return;
  label.dataset.state = state;
  label.textContent = words;
}

function ended() {
  say("off", "Not live: your sign-in has ended. ");
  const link = document.createElement("a");
  link.href = "/";
  link.textContent = "Sign in again";
  label?.append(link);
}

// A browser connects again by itself only if the connection broke; an answer that is no stream ends it.
async function again(stream) {
  try {
    const answer = await fetch(ANYBODYS, { credentials: "same-origin" });
    if (answer.status === 401) return ended();
    if (answer.ok) return connect(stream);
  } catch {
    // nobody answers yet
  }
  setTimeout(again, AGAIN_MS, stream);
}

function connect(stream) {
  let waiting = null;
  const source = new EventSource(stream);
  source.addEventListener("open", () => say("live", "Live"));
  source.addEventListener("error", () => {
    say("off", "Not live, connecting again");
    if (source.readyState === EventSource.CLOSED) setTimeout(again, AGAIN_MS / 5, stream);
  });
  source.addEventListener("pulse", () => document.body.dispatchEvent(new Event("parkledger:pulse")));
  source.addEventListener("changed", () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      document.body.dispatchEvent(new Event("parkledger:changed"));
    }, SETTLE_MS);
  });
  window.addEventListener("pagehide", () => source.close());
}

function unsent(event) {
  const outcome = event.target.closest?.("form.tell")?.querySelector(".outcome");
  if (!outcome) return;
  const words = document.createElement("p");
  words.className = "word-bad";
  words.setAttribute("role", "alert");
  words.textContent = "No answer came. Send it again: it is done once, however often it is sent.";
  outcome.replaceChildren(words);
}

for (const failure of ["sendError", "timeout", "responseError"]) {
  document.body.addEventListener(`htmx:${failure}`, unsent);
}
document.documentElement.classList.add("scripted");
if (document.body.dataset.stream) connect(document.body.dataset.stream);
