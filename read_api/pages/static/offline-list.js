// Looks a plate up in the list that was taken along, by the same rules as the server: a right covers
// [start, until), grace follows its end, and a near match only asks a person to compare. The scripts of this
// page hand things on as globals: an import would name a file without the digest that its address carries.

const MOST = 5; // near matches that are offered

const numberOf = (text) => text.toUpperCase().replace(/[\s\-.·•]/g, "").match(/^[0-9A-Z]{1,16}$/)?.[0];
const regionOf = (text) => text.trim().toUpperCase().match(/^[A-Z]{1,3}(-[A-Z0-9]{1,3})?$/)?.[0];

const covers = (one, from, now) => Date.parse(one[from]) <= now && (!one.until || now < Date.parse(one.until));

/** Tells whether two numbers may be taken for each other: look-alikes, or one character lost or added. */
function near(one, other, groups) {
  const alike = (a, b) => a === b || groups.some((group) => group.includes(a) && group.includes(b));
  if (one.length === other.length) return [...one].every((character, at) => alike(character, other[at]));
  const [long, short] = one.length > other.length ? [one, other] : [other, one];
  if (long.length - short.length !== 1) return false;
  return [...long].some((_, at) => long.slice(0, at) + long.slice(at + 1) === short);
}

/** Returns the word of the answer, the right that it rests on, near matches and alerts. */
function found(list, plate, zone, { grace, alike }) {
  const now = Date.now();
  const here = list.rights.filter((one) => !one.zone || one.zone === zone);
  const own = here.filter((one) => one.plate === plate);
  const alerts = list.watchlist.filter((one) => one.plate === plate && covers(one, "since", now));
  const right = own.find((one) => covers(one, "start", now));
  if (right) return { word: right.kind === "exemption" ? "exempt" : "valid", right, alerts, matches: [] };
  const end = (one) => Date.parse(one.until) + Number(grace) * 60000;
  const ended = own.find((one) => one.until && Date.parse(one.until) <= now && now <= end(one));
  if (ended) return { word: "in_grace", right: ended, until: end(ended), alerts, matches: [] };
  const [region, number] = plate.split(" ");
  const groups = alike.split(" ");
  const others = here.filter((one) => one.plate.startsWith(`${region} `) && covers(one, "start", now));
  const similar = others.map((one) => one.plate).filter((one) => near(one.split(" ")[1], number, groups));
  const matches = [...new Set(similar)].slice(0, MOST);
  return { word: matches.length ? "possible_match" : "no_right", right: null, alerts, matches };
}

globalThis.byList = { found, numberOf, regionOf };
