// <review-flow>: judging one pair after the other without leaving the page and without the mouse.
//
// The pairs around the one on show are built beforehand and stand hidden in the same place, so that the next one is
// there with the next frame. A decision goes on at once; what the archive refuses is told with a way back to the pair.

import { words } from "../viewer/deepzoom.js";
import { focusPicture, forward, likewise, typing } from "./pictures.js";
import { Reasons } from "./reasons.js";

const AHEAD = 3; // pairs built before they are asked for
const BEHIND = 1;
const FEW = 4; // fewer than these ahead: ask for more

class ReviewFlow extends HTMLElement {
  connectedCallback() {
    this.place = this.querySelector(".pairs");
    this.pairs = [...this.place.children];
    this.at = 0;
    this.taken = []; // decisions of this sitting that can be undone: {pair, decisions, verb}
    this.sending = Promise.resolve();
    this.done = new Map(); // pair → verb
    this.total = Number(this.dataset.total);
    this.ended = { after: false, before: false };
    this.reasons = new Reasons(document.querySelector("dialog.reject"));
    document.addEventListener("keydown", (event) => this.key(event), true);
    document.addEventListener("keyup", (event) => forward(event, this.compare), true);
    this.addEventListener("submit", (event) => this.submitted(event));
    for (const [relation, step] of [["next", 1], ["prev", -1]]) {
      this.querySelector(`a[rel=${relation}]`).addEventListener("click", (event) => {
        event.preventDefault();
        this.go(step);
      });
    }
    for (const opener of document.querySelectorAll("[data-opens]")) {
      opener.addEventListener("click", () => document.querySelector(opener.dataset.opens).showModal());
    }
    window.addEventListener("beforeunload", (event) => {
      if (this.unsent) event.preventDefault();
    });
    this.unsent = 0;
    this.show(0);
  }

  get pair() {
    return this.pairs[this.at];
  }

  get compare() {
    return this.pair?.querySelector("image-compare");
  }

  // ---- going on -------------------------------------------------------------------------------------------------

  async go(step) {
    const wanted = this.at + step;
    if (wanted < 0) await this.more("before");
    if (wanted >= this.pairs.length) await this.more("after");
    const to = Math.min(this.at + step, this.pairs.length);
    if (to >= 0 && to !== this.at) this.show(to);
  }

  show(index) {
    const before = this.compare;
    this.at = index;
    const over = index >= this.pairs.length;
    this.querySelector(".done").hidden = !over;
    this.place.hidden = over;
    // What stands ready is kept; what is far off is taken off the page with its viewer.
    for (const [n, pair] of this.pairs.entries()) {
      const near = n >= index - BEHIND && n <= index + AHEAD;
      pair.classList.toggle("current", n === index);
      pair.inert = n !== index;
      if (near && !pair.isConnected) this.place.append(pair);
      if (!near && pair.isConnected) pair.remove();
    }
    this.tell();
    if (over) {
      this.querySelector(".done").focus();
      return;
    }
    likewise(before, this.compare);
    focusPicture(this.compare);
    if (this.pairs.length - index <= FEW) this.more("after");
  }

  async more(side) {
    if (this.ended[side]) return;
    this.loading ??= {};
    this.loading[side] ??= this.load(side).finally(() => delete this.loading[side]);
    await this.loading[side];
  }

  async load(side) {
    const edge = side === "after" ? this.pairs.at(-1) : this.pairs[0];
    const query = new URLSearchParams(this.dataset.query);
    query.set(side, edge.dataset.version);
    let page;
    try {
      const answer = await fetch(`${this.dataset.pairs}?${query}`);
      if (!answer.ok) throw new Error(answer.status);
      page = await answer.text();
    } catch {
      this.problem(words("The next pairs could not be fetched. Press J to try again."));
      return;
    }
    const box = document.createElement("template");
    box.innerHTML = page;
    const found = [...box.content.querySelectorAll("article")].map((pair) => document.importNode(pair, true));
    this.ended[side] = found.length === 0;
    if (side === "after") this.pairs.push(...found);
    else {
      this.pairs.unshift(...found);
      this.at += found.length;
    }
    for (const pair of found) pair.inert = true;
    const near = this.pairs.slice(this.at, this.at + AHEAD + 1);
    for (const pair of near) if (!pair.isConnected) this.place.append(pair);
  }

  // ---- deciding -------------------------------------------------------------------------------------------------

  async key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) return;
    const act = {
      j: () => this.go(1),
      k: () => this.go(-1),
      a: () => this.decide("approve"),
      p: () => this.decide("publish"),
      x: () => this.reject(),
      z: () => this.undo(),
      g: () => document.querySelector("a[aria-keyshortcuts=g]").click(),
      "?": () => document.querySelector("dialog.keys-help").showModal(),
    }[event.key.toLowerCase()];
    if (!act) {
      forward(event, this.compare);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat || "jk".includes(event.key.toLowerCase())) act();
  }

  submitted(event) {
    const form = event.target.closest("form.decide");
    if (!form) return;
    event.preventDefault();
    const verb = event.submitter?.value ?? "approve";
    const note = form.elements.note.value;
    if (verb === "reject" && !note.trim()) this.reject();
    else this.decide(verb, note);
  }

  async reject() {
    if (!this.can("reject")) return;
    const reason = await this.reasons.ask();
    if (reason === null) focusPicture(this.compare);
    else this.decide("reject", reason);
  }

  can(verb) {
    if (!this.pair) return false;
    const offered = this.pair.querySelector(`.decide button[value=${verb}]`);
    if (!offered) this.problem(words("That is not possible for a derivative in this state. Z undoes your last decision."));
    return Boolean(offered);
  }

  decide(verb, note = "") {
    if (!this.can(verb)) return;
    const pair = this.pair;
    this.querySelector(".problems").replaceChildren();
    this.done.set(pair, verb);
    this.unsent += 1;
    // One after the other: an undo must find what it undoes.
    this.sending = this.sending.then(() => this.send(pair, verb, note));
    this.go(1);
  }

  async send(pair, verb, note) {
    const answer = await this.post(pair.dataset.decide, { decision: verb, note });
    this.unsent -= 1;
    if (answer.problem) {
      this.done.delete(pair);
      this.problem(`${pair.dataset.title}: ${answer.problem.sentence}`, pair);
    } else {
      this.taken.push({ pair, decisions: answer.decisions, verb });
      this.refresh(pair, answer);
    }
    this.tell();
  }

  async undo() {
    await this.sending;
    const last = this.taken.pop();
    if (!last) {
      this.problem(words("Nothing of this sitting is left to undo."));
      return;
    }
    const answer = await this.post(this.dataset.undo, { decision: last.decisions });
    if (answer.problem) this.problem(answer.problem.sentence, last.pair);
    else {
      this.done.delete(last.pair);
      this.refresh(last.pair, answer);
    }
    this.show(this.pairs.indexOf(last.pair));
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

  refresh(pair, { state, panel }) {
    pair.dataset.state = state;
    pair.querySelector(".verdict").innerHTML = panel;
  }

  // ---- telling --------------------------------------------------------------------------------------------------

  tell() {
    const verbs = [...this.done.values()];
    const count = (...wanted) => verbs.filter((verb) => wanted.includes(verb)).length;
    const left = Math.max(this.total - verbs.length, 0);
    const parts = [words("%s to go").replace("%s", left)];
    for (const [text, n] of [
      [words("%s approved"), count("approve")],
      [words("%s published"), count("publish")],
      [words("%s rejected"), count("reject")],
    ]) if (n) parts.push(text.replace("%s", n));
    const sum = parts.join(" · ");
    this.querySelector(".tally").textContent = sum;
    this.querySelector("[data-sum]").textContent = sum;
    this.querySelector("progress").value = verbs.length;
    if (this.pair) this.querySelector(".pairs").setAttribute("aria-label", this.pair.dataset.title);
  }

  problem(sentence, pair) {
    const line = document.createElement("p");
    line.className = "notice error";
    line.append(`${sentence} `);
    if (pair && pair !== this.pair) {
      const back = document.createElement("button");
      back.type = "button";
      back.className = "button small";
      back.textContent = words("Go back to it");
      back.addEventListener("click", () => this.show(this.pairs.indexOf(pair)));
      line.append(back);
    }
    this.querySelector(".problems").replaceChildren(line);
  }
}
customElements.define("review-flow", ReviewFlow);
