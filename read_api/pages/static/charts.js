// Draws the director's charts. Bokeh adds style elements of its own; the page's policy lets those with this
// page's nonce pass, so each style element that a script makes is given it before Bokeh makes the first.

const nonce = document.currentScript.dataset.nonce;
const make = Document.prototype.createElement;
Document.prototype.createElement = function createElement(name, ...rest) {
  const made = make.call(this, name, ...rest);
  if (String(name).toLowerCase() === "style") made.nonce = nonce;
  return made;
};

function draw() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    if (place.childElementCount) continue;
    window.Bokeh.embed.embed_item(JSON.parse(place.dataset.chart), place);
  }
}

window.addEventListener("DOMContentLoaded", () => {
  draw();
  document.body.addEventListener("htmx:afterSwap", draw);
});
