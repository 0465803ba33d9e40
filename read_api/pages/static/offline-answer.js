// Shows an answer from the list as the server shows its own: colour, word and sign, and how old the list is.

const WORDS = {
  valid: ["Valid", "May stand here."],
  exempt: ["Exempt", "Not to be cited."],
  in_grace: ["In grace", "The right has ended. Not to be cited yet."],
  possible_match: ["Check plate", "No right for this plate, but a plate with one looks like it. Compare them."],
  no_right: ["No right", "The list holds nothing that lets this plate stand here now."],
};

function element(tag, kind, ...inside) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...inside);
  return made;
}

const sign = (word) => document.getElementById(`sign-${word}`).content.cloneNode(true);

function plateOf(text) {
  const [region, number] = text.split(" ");
  return element("span", "plate", element("span", "region", region), element("span", "digits", number));
}

function clock(instant, timeZone) {
  const shape = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const written = new Intl.DateTimeFormat("en-GB", { ...shape, timeZone, timeZoneName: "longOffset" }).format(instant);
  const offset = written.endsWith("GMT") ? `${written}+00:00` : written;
  return offset.replace(",", "").replace("GMT", "").replace("-", "\u2212");
}

const told = {
  minutes: (since) => Math.floor((Date.now() - since) / 60000),
  nothing(answer, words) {
    const none = element("section", "sheet", element("p", "", words));
    none.setAttribute("role", "alert");
    answer.replaceChildren(none);
  },
};

function factsOf(one, timeZone) {
  const facts = [];
  if (one.right) facts.push(["Right", `${one.right.kind} ${one.right.right}`]);
  if (one.right?.until) facts.push([one.word === "in_grace" ? "Ended" : "Until", clock(Date.parse(one.right.until), timeZone)]);
  if (one.until) facts.push(["Grace until", clock(one.until, timeZone)]);
  return facts.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]);
}

function show(answer, form, plate, zone, one, list) {
  const [headline, line] = WORDS[one.word];
  const words = element("div", "", element("p", "answer-word", headline), plateOf(plate), ` in ${zone}`);
  const box = element("section", `answer answer-${one.word}`);
  box.setAttribute("aria-label", "Answer");
  box.dataset.answer = one.word;
  box.dataset.offline = "true";
  box.append(element("div", "answer-head", sign(one.word), words), element("p", "answer-line", line));
  const facts = factsOf(one, form.elements.zone.selectedOptions[0]?.dataset.timezone);
  if (facts.length) box.append(element("dl", "", ...facts));
  const age = told.minutes(list.taken);
  box.append(element("p", "", `Without signal: by the list of position ${list.position}, ${age} min old.`));
  const alerts = one.alerts.map((alert) => {
    const said = element("div", "alert", sign("alert"), element("div", "", element("strong", "", "Watchlist"), ` · ${alert.reason}`));
    said.setAttribute("role", "alert");
    return said;
  });
  const others = element("section", "sheet", element("h2", "", "Could have been misread"), element("div", "matches", ...one.matches.map(plateOf)));
  answer.replaceChildren(element("div", "then", ...alerts, box, ...(one.matches.length ? [others] : [])));
}

globalThis.onScreen = { show, told };
