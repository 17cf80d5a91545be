// <blind-trial>: one pair after the other, a key for the better one, and nothing that tells which is which.
//
// The pairs after the one on show are built beforehand, as on the review page. A vote goes on at once; each answer of the
// archive brings further pairs. Where there is no script three buttons do the same.

import { words } from "../viewer/deepzoom.js";
import { focusPicture, forward, likewise, typing } from "./pictures.js";

class BlindTrial extends HTMLElement {
  connectedCallback() {
    this.place = this.querySelector(".pairs");
    this.pairs = [...this.place.children];
    this.judged = Number(this.dataset.done);
    this.total = Number(this.dataset.total);
    this.sending = Promise.resolve();
    this.pending = new Set(); // chosen, but not yet answered: an answer must not bring them again
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("keyup", (event) => forward(event, this.compare), true);
    this.addEventListener("submit", (event) => this.submitted(event));
    for (const opener of document.querySelectorAll("[data-opens]")) {
      opener.addEventListener("click", () => document.querySelector(opener.dataset.opens).showModal());
    }
    window.addEventListener("beforeunload", (event) => {
      if (this.pending.size) event.preventDefault();
    });
    this.show(null);
  }

  get pair() {
    return this.pairs[0];
  }

  get compare() {
    return this.pair?.querySelector("image-compare");
  }

  // ---- showing --------------------------------------------------------------------------------------------------

  // The first of the pairs; `before` is the comparison that was on show until now.
  show(before) {
    for (const [n, pair] of this.pairs.entries()) {
      if (!pair.isConnected) this.place.append(pair);
      pair.classList.toggle("current", n === 0);
      pair.inert = n !== 0;
    }
    // Not before the last vote has arrived: who finishes must have judged all.
    const over = this.judged >= this.total && !this.pair && !this.pending.size;
    this.querySelector(".done").hidden = !over;
    this.place.hidden = over;
    this.tell();
    if (this.pair) {
      likewise(before, this.compare);
      focusPicture(this.compare);
    } else if (over) {
      this.querySelector(".done .primary").focus();
    }
  }

  tell() {
    const at = Math.min(this.judged + (this.pair ? 1 : 0), this.total);
    this.querySelector(".tally").textContent = this.dataset.words.replace("%n", at).replace("%t", this.total);
    this.querySelector("progress").value = this.judged;
    if (this.pair) this.place.setAttribute("aria-label", this.pair.getAttribute("aria-label"));
  }

  // ---- choosing -------------------------------------------------------------------------------------------------

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) return;
    const act = {
      q: () => this.choose("left"),
      w: () => this.choose("none"),
      e: () => this.choose("right"),
      z: () => this.undo(),
      "?": () => document.querySelector("dialog.keys-help").showModal(),
    }[event.key.toLowerCase()];
    if (!act) {
      forward(event, this.compare);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) act(); // a key held down must not judge what nobody has seen
  }

  submitted(event) {
    if (event.target.matches(".choose")) {
      event.preventDefault();
      this.choose(event.submitter?.value ?? "none");
    } else if (event.target.matches(".undo")) {
      event.preventDefault();
      this.undo();
    }
  }

  choose(choice) {
    if (!this.pair) return;
    const before = this.compare;
    const pair = this.pairs.shift();
    this.querySelector(".problems").replaceChildren();
    this.judged += 1;
    this.pending.add(pair.dataset.pair);
    // One after the other: an undo must find what it undoes.
    this.sending = this.sending.then(() => this.send(pair, choice));
    this.show(before);
    pair.remove();
  }

  async send(pair, choice) {
    const here = [...this.held()];
    const answer = await this.post(pair.querySelector("form").action, { pair: pair.dataset.pair, choice, here });
    const known = this.held();
    this.pending.delete(pair.dataset.pair);
    if (answer.problem) {
      this.judged -= 1;
      this.problem(answer.problem.sentence);
      this.insert(pair);
      return;
    }
    this.total = answer.total;
    const waited = !this.pair;
    this.pairs.push(...this.parsed(answer.pairs).filter((one) => !known.has(one.dataset.pair)));
    if (!this.pending.size) this.judged = answer.done;
    if (waited) this.show(null);
    else for (const one of this.pairs) this.ready(one);
    this.tell();
  }

  // The pairs that the page has already: to be judged, or judged and on their way.
  held() {
    return new Set([...this.pairs.map((pair) => pair.dataset.pair), ...this.pending]);
  }

  // Built, but neither seen nor reached until its turn.
  ready(pair) {
    if (pair.isConnected) return;
    pair.inert = true;
    this.place.append(pair);
  }

  undo() {
    this.sending = this.sending.then(() => this.takeBack());
  }

  async takeBack() {
    const answer = await this.post(this.dataset.undo, {});
    if (answer.problem) {
      this.problem(answer.problem.sentence);
      return;
    }
    this.querySelector(".problems").replaceChildren();
    this.judged = answer.done;
    this.total = answer.total;
    for (const pair of this.parsed(answer.pairs)) this.insert(pair);
  }

  // A pair that is to be judged (again) now.
  insert(pair) {
    const before = this.compare;
    const known = this.pairs.findIndex((one) => one.dataset.pair === pair.dataset.pair);
    if (known >= 0) this.pairs.splice(known, 1)[0].remove();
    this.pairs.unshift(pair);
    this.show(before);
  }

  parsed(page) {
    const box = document.createElement("template");
    box.innerHTML = page;
    return [...box.content.querySelectorAll("article")].map((pair) => document.importNode(pair, true));
  }

  async post(url, fields) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) body.append(name, value);
    try {
      const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
      return await answer.json();
    } catch {
      return { problem: { sentence: words("The archive did not answer, so nothing was decided. Try again.") } };
    }
  }

  problem(sentence) {
    const line = document.createElement("p");
    line.className = "notice error";
    line.textContent = sentence;
    this.querySelector(".problems").replaceChildren(line);
  }
}
customElements.define("blind-trial", BlindTrial);
