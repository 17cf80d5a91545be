// <upload-tray>: files are read, asked about, sent, and followed until they can be looked at.
//
// The archive knows how far each upload is; the page only holds the files. After a reload the tray comes back with what
// is unfinished, and goes on as soon as the same files are given again.

import { ArchiveSide } from "./archive-side.js";
import { dropped, inOrder, newId } from "./files.js";
import { Row } from "./row.js";
import { tally } from "./tally.js";

const words = window.gettext ?? ((text) => text);
const plural = window.ngettext ?? ((one, many, count) => (count === 1 ? one : many));
const AT_ONCE = 4;
const AGAIN = 5000; // milliseconds until a lost connection is tried again; no number of tries is the last
const FOLLOW = 1000;
const GATHER = 120; // milliseconds digests are gathered before the archive is asked about them
const OPEN = new Set(["waiting", "reading", "uploading", "failed"]);

class UploadTray extends HTMLElement {
  connectedCallback() {
    this.archive = new ArchiveSide(this);
    this.list = this.querySelector(".tray");
    this.rows = new Map(); // key → {row, file, key, digest, id}
    this.waiting = [];
    this.active = 0;
    this.asking = [];
    this.memory = remembered();
    this.expected = this.querySelector("#expected");
    this.expected.value = this.memory.expected ?? "";
    this.expected.addEventListener("input", () => this.remember({ expected: this.expected.value }));
    this.worker = new Worker(new URL("./hash-worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.read(data));
    for (const input of this.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        this.add(inOrder([...input.files]));
        input.value = "";
      });
    }
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.classList.add("over");
    });
    this.addEventListener("dragleave", () => this.classList.remove("over"));
    this.addEventListener("drop", async (event) => {
      event.preventDefault();
      this.classList.remove("over");
      this.add(await dropped(event.dataTransfer));
    });
    this.addEventListener("state", () => this.tell());
    this.querySelector("[data-new]").addEventListener("click", () => this.anew());
    for (const button of this.querySelectorAll("[data-all]")) {
      button.addEventListener("click", () => this.decideAll(button.dataset.all));
    }
    this.querySelector("[data-needing]").addEventListener("change", (event) => {
      this.list.classList.toggle("needing", event.target.checked);
    });
    window.addEventListener("online", () => this.goOn());
    window.addEventListener("beforeunload", (event) => {
      if (this.all.some(({ row, file }) => file && OPEN.has(row.state))) event.preventDefault();
    });
    this.comeBack();
  }

  get all() {
    return [...this.rows.values()];
  }

  get collection() {
    return this.querySelector("#collection").value;
  }

  // ---- coming back ----------------------------------------------------------------------------------------------

  async comeBack() {
    try {
      const open = await this.archive.states();
      const batch = this.memory.batch ? await this.archive.states(this.memory.batch) : [];
      for (const said of [...batch, ...open.filter((one) => !batch.some(({ id }) => id === one.id))]) this.known(said);
    } catch {
      setTimeout(() => this.comeBack(), AGAIN);
      return;
    }
    if (this.all.length && this.memory.collection) this.querySelector("#collection").value = this.memory.collection;
    this.follow();
    this.tell();
  }

  // A receipt the archive has: its row is found, or comes back without its file.
  known(said) {
    let entry = this.all.find(({ id }) => id === said.id);
    if (!entry) {
      entry = { row: new Row(said.filename, said.size), key: said.id, id: said.id, digest: said.sha256 };
      this.rows.set(entry.key, entry);
      this.list.append(entry.row.element);
    }
    this.outcome(entry, said);
  }

  outcome(entry, said) {
    const { row } = entry;
    entry.id = said.id;
    if (said.state === "uploading") {
      if (entry.file) return; // it is being sent just now
      if (row.state === "paused") return;
      row.to("paused", words("Choose this file, or its folder, again: it goes on where it stopped."));
      row.progress(said.arrived, said.size);
      row.offer([words("Give it up"), () => this.giveUp(entry)]);
      return;
    }
    const state = said.state === "catalogued" && said.ready ? "ready" : said.state;
    const sentence = said.problem?.sentence ?? "";
    entry.followed = said.problem?.code !== "view-failed"; // nothing more will come of it
    if (state === row.state && (entry.followed || sentence === row.note.textContent)) return;
    row.to(state, sentence);
    if (said.problem?.code === "duplicate") row.same(said.item);
    else row.link(said.item);
    if (state === "ready") row.show(said.item);
    entry.file = null; // nothing needs its bytes any more
    if (state === "duplicate") {
      row.offer([words("Use the existing one"), () => this.decide(entry, "skip")], [words("Keep both"), () => this.decide(entry, "keep")]);
    }
  }

  // ---- taking files ---------------------------------------------------------------------------------------------

  add(files) {
    this.remember({ batch: this.memory.batch ?? newId(), collection: this.collection });
    for (const file of files) {
      const entry = { row: new Row(file.name, file.size), file, key: newId() };
      this.rows.set(entry.key, entry);
      this.list.append(entry.row.element);
      this.worker.postMessage({ id: entry.key, file });
      entry.row.to("waiting");
    }
    this.tell();
  }

  read({ id, digest, share, problem }) {
    const entry = this.rows.get(id);
    if (!entry) return;
    if (share !== undefined) {
      if (entry.row.state === "waiting") entry.row.to("reading");
      entry.row.progress(share, 1);
    } else if (problem) {
      entry.row.to("refused", words("This file cannot be read from the disk. Is it still there?"));
    } else {
      entry.digest = digest;
      this.asking.push(entry);
      this.timer ??= setTimeout(() => this.check(), GATHER);
    }
  }

  async check() {
    this.timer = null;
    const asked = this.asking.splice(0, 200);
    if (this.asking.length) this.timer = setTimeout(() => this.check(), 0);
    let answer;
    try {
      answer = await this.archive.check(
        this.collection,
        asked.map(({ digest, row }) => ({ sha256: digest, size: row.size })),
      );
    } catch (error) {
      for (const entry of asked) entry.row.to("failed", this.reason(error));
      setTimeout(() => {
        this.asking.push(...asked);
        this.check();
      }, AGAIN);
      return;
    }
    for (const [n, { twin, begun }] of answer.files.entries()) this.place(asked[n], twin, begun);
    this.next();
  }

  // Where a file belongs: to a row that waits for it, to one that is done, before a question, or into the queue.
  place(entry, twin, begun) {
    const earlier = this.all.find(
      (one) => one !== entry && !one.file && one.digest === entry.digest && one.id && one.row.state !== "refused",
    );
    if (earlier && (earlier.row.state === "paused" || earlier.row.name === entry.row.name)) {
      this.rows.delete(entry.key);
      entry.row.element.remove();
      if (earlier.row.state !== "paused") return; // it arrived before
      earlier.file = entry.file;
      entry = earlier;
    }
    entry.url = begun?.url;
    const choice = this.querySelector("#on_duplicate").value;
    if (twin && !begun && choice === "ask") {
      entry.twin = twin;
      entry.row.to("ask", words("The archive has this very file already. It was not sent."));
      entry.row.besides(entry.file, twin);
      entry.row.offer([words("Use the existing one"), () => this.decide(entry, "skip")], [words("Keep both"), () => this.decide(entry, "keep")]);
    } else if (twin && !begun && choice === "skip") this.decide(entry, "skip");
    else this.enqueue(entry, choice);
  }

  enqueue(entry, choice) {
    entry.choice = choice;
    entry.row.to("waiting");
    this.waiting.push(entry);
    this.next();
  }

  // ---- sending --------------------------------------------------------------------------------------------------

  next() {
    while (this.active < AT_ONCE && this.waiting.length) this.send(this.waiting.shift());
  }

  send(entry) {
    const { row, file, digest, key, choice } = entry;
    this.active += 1;
    row.to("uploading");
    entry.upload = this.archive.send(file, {
      url: entry.url,
      metadata: { filename: file.name, collection: this.collection, sha256: digest, key, batch: this.memory.batch, on_duplicate: choice ?? "ask" },
      progress: (done, total) => row.progress(done, total),
      done: (url) => this.sent(entry, url),
      failed: (reason, url) => this.failed(entry, reason, url),
    });
  }

  sent(entry, url) {
    this.active -= 1;
    entry.id = url.match(/[0-9a-f-]{36}/)[0];
    entry.row.to("checking");
    this.follow();
    this.next();
  }

  failed(entry, { final, signedOut, sentence, status }, url) {
    this.active -= 1;
    entry.url = status === 404 || status === 410 ? undefined : (url ?? entry.url);
    if (final && status !== 404 && status !== 410) {
      entry.row.to("refused", sentence || words("The archive answered with an error (%s).").replace("%s", status));
      entry.row.offer([words("Try again"), () => this.enqueue(entry, entry.choice)]);
    } else {
      entry.row.to("failed", signedOut ? words("You are signed out. Sign in in another tab; it then goes on.") : words("The connection was lost. It goes on by itself."));
      setTimeout(() => entry.row.state === "failed" && this.enqueue(entry, entry.choice), AGAIN);
    }
    this.next();
  }

  goOn() {
    for (const entry of this.all) if (entry.row.state === "failed" && entry.digest) this.enqueue(entry, entry.choice);
  }

  // ---- following ------------------------------------------------------------------------------------------------

  follow() {
    this.following ??= setTimeout(async () => {
      this.following = null;
      try {
        const said = await this.archive.states(this.memory.batch ?? undefined);
        for (const one of said) if (this.all.some(({ id }) => id === one.id)) this.known(one);
      } catch {
        // Asked again below.
      }
      const following = ["checking", "catalogued", "uploading"];
      if (this.all.some(({ row, followed }) => followed !== false && following.includes(row.state))) this.follow();
    }, FOLLOW);
  }

  // ---- deciding -------------------------------------------------------------------------------------------------

  async decide(entry, choice) {
    try {
      if (entry.row.state === "duplicate") this.outcome(entry, await this.archive.decide(entry.id, choice));
      else if (choice === "keep") this.enqueue(entry, "keep");
      else {
        const { row, digest } = entry;
        this.outcome(entry, await this.archive.use({ sha256: digest, filename: row.name, collection: this.collection, batch: this.memory.batch }));
      }
      this.follow();
    } catch (error) {
      entry.row.note.textContent = this.reason(error);
    }
  }

  async decideAll(choice) {
    for (const entry of this.all) if (["ask", "duplicate"].includes(entry.row.state)) await this.decide(entry, choice);
  }

  async giveUp(entry) {
    const answer = await this.archive.giveUp(entry.id);
    if (!answer.ok && answer.status !== 404) return;
    this.rows.delete(entry.key);
    entry.row.element.remove();
    this.tell();
  }

  anew() {
    for (const [key, { row }] of this.rows) {
      if (!["catalogued", "ready", "refused"].includes(row.state)) continue;
      this.rows.delete(key);
      row.element.remove();
    }
    this.expected.value = "";
    this.remember({ batch: null, expected: "" });
    this.tell();
  }

  // ---- telling --------------------------------------------------------------------------------------------------

  reason(error) {
    return error.status ? error.message : words("The connection was lost. It goes on by itself.");
  }

  remember(change) {
    Object.assign(this.memory, change);
    try {
      localStorage.setItem("upload-batch", JSON.stringify(this.memory));
    } catch {
      // Not remembered over a reload then.
    }
    this.tell();
  }

  tell() {
    const states = this.all.map(({ row }) => row.state);
    const count = (...wanted) => states.filter((state) => wanted.includes(state)).length;
    const expected = Number(this.expected.value);
    const { text, missing } = tally(states, expected);
    this.querySelector("[data-total]").textContent = text;
    this.querySelector("[data-total]").dataset.missing = missing > 0 ? "yes" : "no";
    this.querySelector(".batch-tools").hidden = !states.length;
    this.offerToDescribe(count("catalogued", "ready"));
    for (const button of this.querySelectorAll("[data-all]")) button.hidden = count("ask", "duplicate") < 2;
  }

  // The table of exactly this box. What was here before is described already, so the page may show fewer.
  offerToDescribe(done) {
    const link = this.querySelector("[data-describe]");
    link.hidden = !done || !this.memory.batch;
    link.href = this.dataset.batches.replace(/[0-]{36}/, this.memory.batch ?? "");
    link.textContent = plural("Describe this one", "Describe these %s", done).replace("%s", done);
  }
}
customElements.define("upload-tray", UploadTray);

function remembered() {
  try {
    return JSON.parse(localStorage.getItem("upload-batch")) ?? {};
  } catch {
    return {};
  }
}
