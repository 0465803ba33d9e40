// The citation's timeline: choosing an entry on the tracks marks it in the list and the other way round;
// arrow keys walk through the entries in the order in which they happened.

const story = document.getElementById("known");

function choose(number, { scroll = false } = {}) {
  for (const old of story.querySelectorAll("[data-entry][aria-current]")) old.removeAttribute("aria-current");
  if (number === null) return;
  for (const part of story.querySelectorAll(`[data-entry="${CSS.escape(number)}"]`)) {
    part.setAttribute("aria-current", "true");
    if (scroll && part.tagName === "LI") part.scrollIntoView({ block: "nearest" });
  }
}

function chosen() {
  return location.hash.startsWith("#entry-") ? location.hash.slice("#entry-".length) : null;
}

story.addEventListener("click", (event) => {
  const part = event.target.closest("a[data-entry]");
  if (!part) return;
  event.preventDefault();
  history.replaceState(null, "", `#entry-${part.dataset.entry}`);
  choose(part.dataset.entry, { scroll: true });
});

story.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const part = event.target.closest?.("svg a[data-entry]");
  if (!step || !part) return;
  event.preventDefault();
  const marks = [...story.querySelectorAll("svg a[data-entry]")];
  const next = marks[marks.indexOf(part) + step];
  if (!next) return;
  next.focus();
  history.replaceState(null, "", `#entry-${next.dataset.entry}`);
  choose(next.dataset.entry);
});

// The label beside the slider follows the thumb at once; the server redraws what was known a moment later.
document.addEventListener("input", (event) => {
  if (event.target.id !== "step") return;
  const option = document.querySelector(`#steps option[value="${CSS.escape(event.target.value)}"]`);
  if (!option) return;
  document.getElementById("step-label").textContent = option.label;
  event.target.setAttribute("aria-valuetext", option.label);
});

document.body.addEventListener("htmx:afterSwap", () => choose(chosen()));
choose(chosen());
