// <contact-sheet>: many small pairs, moved through by arrow keys, ticked by space, decided about together.

import { words } from "../viewer/deepzoom.js";

class ContactSheet extends HTMLElement {
  connectedCallback() {
    this.boxes = [...this.querySelectorAll("input[name=version]")];
    this.output = this.querySelector("output");
    this.addEventListener("change", () => this.count());
    this.querySelector("[data-tick=plain]").addEventListener("click", () => this.tick((box) => !("warned" in box.dataset)));
    this.querySelector("[data-tick=none]").addEventListener("click", () => this.tick(() => false));
    document.addEventListener("keydown", (event) => this.key(event));
    this.count();
    this.boxes[0]?.focus({ preventScroll: true });
  }

  tick(wanted) {
    for (const box of this.boxes) box.checked = wanted(box);
    this.count();
  }

  count() {
    const ticked = this.boxes.filter((box) => box.checked).length;
    this.output.textContent = this.dataset.words.replace("%d", ticked);
    for (const button of this.querySelectorAll("[data-needs]")) button.disabled = ticked === 0;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const at = this.boxes.indexOf(document.activeElement);
    const across = this.across();
    const act = {
      ArrowRight: () => this.move(at, 1),
      ArrowLeft: () => this.move(at, -1),
      ArrowDown: () => this.move(at, across),
      ArrowUp: () => this.move(at, -across),
      Enter: () => at >= 0 && this.boxes[at].closest("li").querySelector("a").click(),
      v: () => this.querySelector("[data-tick=plain]").click(),
      a: () => this.press("approve"),
      p: () => this.press("publish"),
      x: () => this.reject(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (event.key === "Enter" && at < 0)) return;
    event.preventDefault();
    act();
  }

  // How many stand in a row just now.
  across() {
    const tops = this.boxes.map((box) => box.closest("li").offsetTop);
    return tops.filter((top) => top === tops[0]).length || 1;
  }

  move(from, by) {
    const to = Math.min(Math.max(from < 0 ? 0 : from + by, 0), this.boxes.length - 1);
    this.boxes[to]?.focus();
    this.boxes[to]?.closest("li").scrollIntoView({ block: "nearest" });
  }

  press(decision) {
    const button = this.querySelector(`button[value=${decision}]`);
    if (button && !button.disabled) button.click();
  }

  // A reason is asked for: the key leads to its field, Enter there rejects.
  reject() {
    const note = this.querySelector("#note");
    note.placeholder = words("Why are they rejected? Enter rejects them.");
    note.focus();
    note.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (note.value.trim()) this.press("reject");
    };
  }
}
customElements.define("contact-sheet", ContactSheet);

// These two hold on an empty sheet too: after the last decision it is there to be undone.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const pressed = { z: "button[aria-keyshortcuts=z]", g: "a[aria-keyshortcuts=g]" }[event.key.toLowerCase()];
  if (pressed) document.querySelector(pressed)?.click();
});
