// <exhibit-composer>: hanging pictures in order, by drag and by keyboard; what is changed is saved by Save or Ctrl+S.

const words = window.gettext ?? ((text) => text);

class ExhibitComposer extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("#compose");
    this.list = this.querySelector(".entries");
    this.told = this.querySelector("[data-told]");
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.addEventListener("input", () => this.changed());
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("dragstart", (event) => this.lift(event));
    this.list.addEventListener("dragover", (event) => this.over(event));
    this.list.addEventListener("dragend", () => this.drop());
    this.querySelector(".finder form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.find();
    });
    this.querySelector("#q").addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.find(), 250);
    });
    this.querySelector("#kind").addEventListener("change", () => this.find());
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        this.save();
      }
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.unsaved) event.preventDefault();
    });
  }

  changed() {
    this.unsaved = true;
    this.told.textContent = words("Not saved yet");
    this.querySelector(".hanging > .empty").hidden = this.list.children.length > 0;
  }

  submitted(event) {
    const { name, value } = event.submitter ?? {};
    const entry = event.submitter?.closest(".entry");
    if (name === "add") {
      event.preventDefault();
      this.hang(value, event.submitter);
    } else if (name === "up" || name === "down") {
      event.preventDefault();
      this.move(entry, name === "up" ? -1 : 1);
      event.submitter.focus();
    } else if (name === "action" && value === "save") {
      event.preventDefault();
      this.save();
    } else this.unsaved = false; // the page goes on with all that is in the form
  }

  // ---- order ----------------------------------------------------------------------------------------------------

  key(event) {
    const grip = event.target.closest(".grip");
    if (!grip) return;
    const entry = grip.closest(".entry");
    const act = {
      ArrowUp: () => this.move(entry, -1),
      ArrowDown: () => this.move(entry, 1),
      Home: () => this.move(entry, -this.list.children.length),
      End: () => this.move(entry, this.list.children.length),
      Delete: () => entry.querySelector("[name=remove]").click(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    if (entry.isConnected) grip.focus();
  }

  move(entry, by) {
    const all = [...this.list.children];
    const to = Math.min(Math.max(all.indexOf(entry) + by, 0), all.length - 1);
    const others = all.filter((one) => one !== entry);
    this.list.insertBefore(entry, others[to] ?? null);
    entry.scrollIntoView({ block: "nearest" });
    this.changed();
    this.told.textContent = words("Now at place %(place)s of %(all)s. Not saved yet").replace("%(place)s", to + 1).replace("%(all)s", all.length);
  }

  lift(event) {
    this.dragged = event.target.closest(".entry");
    if (!this.dragged || event.target.closest("input, textarea")) return;
    event.dataTransfer.effectAllowed = "move";
    this.dragged.classList.add("lifted");
  }

  over(event) {
    if (!this.dragged) return;
    event.preventDefault();
    const under = event.target.closest(".entry");
    if (!under || under === this.dragged) return;
    const { top, height } = under.getBoundingClientRect();
    this.list.insertBefore(this.dragged, event.clientY > top + height / 2 ? under.nextSibling : under);
  }

  drop() {
    this.dragged?.classList.remove("lifted");
    if (this.dragged) this.changed();
    this.dragged = null;
  }

  // ---- hanging and saving ---------------------------------------------------------------------------------------

  async find() {
    const query = new URLSearchParams({ q: this.querySelector("#q").value, kind: this.querySelector("#kind").value });
    const asked = `${query}`;
    this.asked = asked;
    const answer = await fetch(`${this.dataset.find}?${query}`);
    if (answer.ok && this.asked === asked) this.querySelector("[data-found]").innerHTML = await answer.text();
  }

  async hang(version, button) {
    const page = await this.send({ add: version });
    if (!page) return;
    const box = document.createElement("template");
    box.innerHTML = page;
    this.list.append(document.importNode(box.content, true));
    this.changed();
    this.saved();
    button.classList.add("hung");
  }

  async save() {
    if (await this.send({ action: "save" })) this.saved();
  }

  saved() {
    this.unsaved = false;
    this.told.textContent = words("Saved");
  }

  async send(fields) {
    const body = new FormData(this.form);
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    try {
      const answer = await fetch(location.pathname, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.ok) return await answer.text();
      this.told.textContent = (await answer.json()).problem.sentence;
    } catch {
      this.told.textContent = words("The archive did not answer; nothing was saved. Try again.");
    }
    return null;
  }
}
customElements.define("exhibit-composer", ExhibitComposer);
