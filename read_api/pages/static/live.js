// Keeps a page live. The page names its stream in <body data-stream>; what the server says has changed is
// passed on as the DOM events `parkledger:changed` and `parkledger:pulse`, which parts of the page refresh on.
// Bursts are gathered, so that a busy plate does not ask the server more than three times a second.

const SETTLE_MS = 300;

function connect(stream) {
  const label = document.getElementById("live");
  const say = (state, words) => {
    if (label) {
      label.dataset.state = state;
      label.textContent = words;
    }
  };
  let waiting = null;
  const source = new EventSource(stream);
  source.addEventListener("open", () => say("live", "Live"));
  source.addEventListener("error", () => say("off", "Not live, connecting again"));
  source.addEventListener("pulse", () => document.body.dispatchEvent(new Event("parkledger:pulse")));
  source.addEventListener("changed", () => {
    waiting ??= setTimeout(() => {
      waiting = null;
      document.body.dispatchEvent(new Event("parkledger:changed"));
    }, SETTLE_MS);
  });
  window.addEventListener("pagehide", () => source.close());
}

document.documentElement.classList.add("scripted");
if (document.body.dataset.stream) connect(document.body.dataset.stream);
