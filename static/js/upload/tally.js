// What the tray holds, in a line: how many files, how many of those expected, how many in which state.

const words = window.gettext ?? ((text) => text);
const plural = window.ngettext ?? ((one, many, count) => (count === 1 ? one : many));
const ARRIVED = new Set(["checking", "catalogued", "ready", "duplicate", "ask"]);

// `states` of all rows; `expected` 0 where nobody said how many there should be. `missing` is 0 then.
export function tally(states, expected) {
  const count = (...wanted) => states.filter((state) => wanted.includes(state)).length;
  const arrived = states.filter((state) => ARRIVED.has(state)).length;
  const missing = expected ? expected - arrived : 0;
  const parts = [];
  if (expected) {
    parts.push(words("%(expected)s expected, %(arrived)s arrived").replace("%(expected)s", expected).replace("%(arrived)s", arrived));
    if (missing > 0) parts.push(words("%s missing").replace("%s", missing));
    if (missing < 0) parts.push(words("%s more than expected").replace("%s", -missing));
    if (missing === 0) parts.push(words("complete"));
  } else if (states.length) parts.push(plural("%s file", "%s files", states.length).replace("%s", states.length));
  for (const [text, n] of [
    [words("%s catalogued"), count("catalogued")],
    [words("%s ready"), count("ready")],
    [words("%s already here"), count("ask", "duplicate")],
    [words("%s half arrived"), count("paused")],
    [words("%s refused"), count("refused")],
  ]) if (n) parts.push(text.replace("%s", n));
  return { text: parts.join(" · "), missing };
}
