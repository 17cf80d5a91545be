// <upload-tray>: one request a file, three at a time, each with its own progress, outcome and sentence.

const words = window.gettext ?? ((text) => text);
const AT_ONCE = 3;

class UploadTray extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".tray");
    this.total = this.querySelector("[data-total]");
    this.waiting = [];
    this.active = 0;
    this.counts = { all: 0, catalogued: 0, refused: 0, duplicate: 0 };
    const input = this.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.classList.add("over");
    });
    this.addEventListener("dragleave", () => this.classList.remove("over"));
    this.addEventListener("drop", (event) => this.drop(event));
    window.addEventListener("beforeunload", (event) => {
      if (this.active || this.waiting.length) event.preventDefault();
    });
  }

  async drop(event) {
    event.preventDefault();
    this.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(filesIn))).flat() : [...event.dataTransfer.files];
    this.add(files);
  }

  add(files) {
    for (const file of files) {
      this.waiting.push({ file, row: this.row(file.name) });
      this.counts.all += 1;
    }
    this.tell();
    this.next();
  }

  next() {
    while (this.active < AT_ONCE && this.waiting.length) this.send(this.waiting.shift());
  }

  send({ file, row }) {
    this.active += 1;
    row.state(words("uploading"), "");
    const body = new FormData(this.querySelector("form"));
    body.delete("file");
    body.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", this.dataset.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => row.progress(event.loaded, event.total));
    request.upload.addEventListener("load", () => row.state(words("checking"), ""));
    request.addEventListener("loadend", () => {
      this.active -= 1;
      this.outcome(row, answerOf(request));
      this.tell();
      this.next();
    });
    request.send(body);
  }

  outcome(row, answer) {
    row.progress(0, 0);
    const state = answer.state ?? "refused";
    this.counts[state] = (this.counts[state] ?? 0) + 1;
    row.element.className = state;
    row.state(answer.state_label ?? words("refused"), { catalogued: "good", refused: "bad", duplicate: "warn" }[state] ?? "");
    row.sentence(answer.problem?.sentence ?? "", answer.item);
    if (answer.item && state === "catalogued") row.link(answer.item);
    if (state === "duplicate") row.choices((choice) => this.decide(row, answer, choice));
  }

  async decide(row, answer, choice) {
    const body = new FormData();
    body.append("choice", choice);
    body.append("csrfmiddlewaretoken", this.querySelector("[name=csrfmiddlewaretoken]").value);
    const response = await fetch(`${this.dataset.action}${answer.id}/duplicate/`, { method: "POST", body });
    row.choices(null);
    this.counts.duplicate -= 1;
    this.outcome(row, await response.json());
    this.tell();
  }

  tell() {
    const { all, catalogued, refused, duplicate } = this.counts;
    const parts = [words("%d files").replace("%d", all), words("%d catalogued").replace("%d", catalogued)];
    if (duplicate) parts.push(words("%d already here").replace("%d", duplicate));
    if (refused) parts.push(words("%d refused").replace("%d", refused));
    this.total.textContent = parts.join(" · ");
  }

  row(name) {
    const element = document.createElement("li");
    const file = element.appendChild(span("file", name));
    const badge = element.appendChild(span("badge", words("waiting")));
    const bar = element.appendChild(document.createElement("progress"));
    bar.setAttribute("aria-label", name);
    bar.hidden = true;
    const note = element.appendChild(span("sentence", ""));
    const buttons = element.appendChild(span("actions", ""));
    this.list.append(element);
    return {
      element,
      state: (text, tone) => {
        badge.textContent = text;
        badge.className = `badge ${tone}`;
      },
      progress: (done, total) => {
        bar.hidden = !total || done >= total;
        if (total) bar.max = total;
        bar.value = done;
      },
      sentence: (text, item) => {
        note.textContent = text;
        if (item && text) note.append(" ", link(item));
      },
      link: (item) => file.replaceChildren(link(item, name)),
      choices: (act) => {
        buttons.replaceChildren();
        if (!act) return;
        buttons.append(button(words("Use the existing one"), () => act("skip")), button(words("Keep both"), () => act("keep")));
      },
    };
  }
}
customElements.define("upload-tray", UploadTray);

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    const sentence = request.status
      ? words("The archive answered with an error (%s). Try this file again.").replace("%s", request.status)
      : words("The connection was lost. Try this file again.");
    return { problem: { code: "upload-failed", sentence } };
  }
}

async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesIn))).flat();
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function link(item, text) {
  const element = document.createElement("a");
  element.href = item.url;
  element.textContent = text ?? item.title;
  return element;
}

function button(text, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "button small";
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}
