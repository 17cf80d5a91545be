// <recipe-preview>: a look at 512 pixels of a scan as the form's recipe would make them, before anything is ordered.
//
// The form is the only state: every change of it asks anew. A worker makes the look; the page follows it until it is
// there. The frame on the small picture says which part is shown; of one scan, parts can be marked to limit the recipe.

const words = window.gettext ?? ((text) => text);
const SIDE = 512; // pixels shown
const CALM = 350; // milliseconds without a change before a look is asked for
const SOON = 250; // between two questions whether it is there
const LATE = 90_000; // after which one stops asking
const number = new Intl.NumberFormat(document.documentElement.lang);
const tenth = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
// As the pages write it, and never rounding something to nothing.
const share = (part) => (part > 0 && part < 0.001 ? words("less than 0.1 %") : `${tenth.format(part * 100)} %`);

class RecipePreview extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.size = { width: Number(this.dataset.width), height: Number(this.dataset.height) };
    this.at = { x: this.middle("width"), y: this.middle("height") };
    this.areas = [];
    this.stage = this.querySelector(".preview-stage");
    this.status = this.querySelector(".status");
    this.curtain = this.querySelector(".curtain");
    this.frame = this.querySelector(".frame-of-view");
    this.picture = this.querySelector(".overview-picture");
    this.hidden = false;
    this.bindForm();
    this.bindCurtain();
    this.bindFrame();
    this.bindMarks();
    this.place(this.frame, { ...this.at, ...this.shown() });
    this.drawCurtain();
    this.ask();
  }

  middle(side) {
    return Math.max(0, Math.round((this.size[side] - SIDE) / 2));
  }

  shown() {
    return { width: Math.min(SIDE, this.size.width), height: Math.min(SIDE, this.size.height) };
  }

  // ---- the form

  bindForm() {
    for (const dial of this.form.querySelectorAll(".order-form .dial")) {
      const input = dial.querySelector("input");
      const says = dial.querySelector("output");
      input.addEventListener("input", () => (says.textContent = `${number.format(input.value)} %`));
    }
    this.form.addEventListener("input", (event) => {
      if (this.contains(event.target)) return;
      if (event.target.name === "recipe") this.preset(event.target);
      if (event.target.name === "where") this.drawMarks();
      this.soon();
    });
    this.preset(this.form.querySelector("input[name=recipe]:checked"), { keep: true });
  }

  // A preset brings its own switches; what it has no second set of weights for cannot be dialled.
  preset(radio, { keep = false } = {}) {
    if (!radio) return;
    const fixed = "fixed" in radio.dataset; // a saved recipe is what it is
    this.form.querySelector(".dials").hidden = fixed;
    this.form.querySelector(".more").hidden = fixed;
    this.form.querySelector(".keeping").hidden = fixed;
    this.form.querySelector(".restoring").hidden = !("restores" in radio.dataset);
    // What is enlarged is made anew everywhere: no mask can limit it.
    const areas = this.form.querySelector(".areas");
    if (areas) areas.hidden = areas.disabled = "enlarges" in radio.dataset;
    if (areas?.hidden && !keep) {
      areas.querySelector("[value=everywhere]").checked = true;
      this.drawMarks();
    }
    this.form.elements.dials_of.value = radio.value; // what is sent of them is meant for this one
    if (!keep && !fixed) {
      this.form.elements.tone.checked = radio.dataset.tone === "yes";
      this.form.elements.detail.checked = radio.dataset.detail === "yes";
      this.form.elements.only_damage.checked = radio.dataset.onlyDamage === "yes";
      for (const name of ["boldness", "perceptual"]) {
        const dial = this.form.elements[name];
        if (!dial) continue;
        dial.value = radio.dataset[name] ?? 0;
        dial.dispatchEvent(new Event("input")); // its figure, and not a second look
      }
    }
    const fresh = this.form.elements.perceptual;
    if (fresh) fresh.disabled = !("fresh" in radio.dataset);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), CALM);
  }

  // ---- asking and following

  async ask() {
    const mine = (this.turn = (this.turn ?? 0) + 1);
    const body = new FormData(this.form);
    for (const name of ["mask", "item", "collection", "version", "again"]) body.delete(name);
    body.set("shown", this.dataset.version);
    body.set("x", this.at.x);
    body.set("y", this.at.y);
    const where = body.get("where");
    if (where && where !== "everywhere" && !this.areas.length) {
      this.say(words("Mark a part first: move the frame to it and press “Mark this part”."));
      return;
    }
    this.classList.add("busy");
    this.say(words("Making a preview…"));
    try {
      const response = await fetch(this.dataset.url, { method: "POST", body });
      const asked = await response.json();
      if (!response.ok) throw new Error(asked.problem);
      await this.follow(asked.url, mine);
    } catch (problem) {
      if (mine === this.turn) this.fail(problem.message);
    }
  }

  async follow(url, mine) {
    const until = Date.now() + LATE;
    const slow = Date.now() + 4000;
    while (mine === this.turn && Date.now() < until) {
      const response = await fetch(url, { headers: { Accept: "application/json" } });
      if (mine !== this.turn) return;
      if (!response.ok) throw new Error(words("The preview is gone. Change something to ask again."));
      const found = await response.json();
      if (found.state === "ready") return this.show(found, mine);
      if (found.state === "failed") throw new Error(found.problem.detail);
      if (Date.now() > slow) {
        const waiting = found.state === "waiting";
        this.say(waiting ? words("Waiting for a worker: it finishes the picture it is at first.") : words("Making a preview…"));
      }
      await new Promise((done) => setTimeout(done, SOON));
    }
    if (mine === this.turn) throw new Error(words("No worker answered. Is one running?"));
  }

  async show(found, mine) {
    const [before, after] = [this.querySelector(".before"), this.querySelector(".after")];
    const fresh = await Promise.all([found.pictures.before, found.pictures.after].map((url) => loaded(url)));
    if (mine !== this.turn) return;
    [before.src, after.src] = fresh.map((image) => image.src);
    // Where the recipe enlarges both are of the larger size.
    for (const image of [before, after]) Object.assign(image, { width: fresh[1].naturalWidth, height: fresh[1].naturalHeight });
    this.classList.remove("busy");
    this.dataset.shows = found.id;
    this.say(words("Ready."));
    const figures = [
      words("%s of the pixels here visibly changed").replace("%s", share(found.changed_share)),
      words("%s look damaged to the model").replace("%s", share(found.damaged_share)),
      words("made in %s s").replace("%s", number.format(found.seconds)),
    ];
    if (!found.exact) figures.push(words("tone of the later step is approximate in a preview"));
    this.querySelector(".figures").textContent = `${figures.join(" · ")}.`;
  }

  say(sentence) {
    this.status.classList.remove("problem");
    this.status.textContent = sentence;
  }

  fail(sentence) {
    this.classList.remove("busy");
    this.status.classList.add("problem");
    this.status.textContent = sentence || words("The preview could not be made.");
  }

  // ---- the curtain

  bindCurtain() {
    this.curtain.addEventListener("input", () => this.drawCurtain());
    const follow = (event) => {
      const box = this.stage.getBoundingClientRect();
      this.curtain.value = Math.round(((event.clientX - box.left) / box.width) * 100);
      this.drawCurtain();
    };
    this.stage.addEventListener("pointerdown", (event) => {
      this.stage.setPointerCapture(event.pointerId);
      follow(event);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (event.buttons) follow(event);
    });
    this.stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
      if (event.key === " ") this.stage.classList.add("original");
      else if (step) this.curtain.value = Number(this.curtain.value) + step;
      else return;
      event.preventDefault();
      this.drawCurtain();
    });
    for (const event of ["keyup", "blur"]) {
      this.stage.addEventListener(event, () => this.stage.classList.remove("original"));
    }
  }

  drawCurtain() {
    this.stage.style.setProperty("--at", `${this.curtain.value}%`);
  }

  // ---- which part

  bindFrame() {
    this.frame.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? SIDE : SIDE / 8;
      const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (!by) return;
      event.preventDefault();
      this.move(this.at.x + by[0], this.at.y + by[1]);
    });
    const centre = (event) => {
      const box = this.picture.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.size.width;
      const y = ((event.clientY - box.top) / box.height) * this.size.height;
      this.move(x - SIDE / 2, y - SIDE / 2);
    };
    this.picture.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.frame.focus();
      this.picture.setPointerCapture(event.pointerId);
      centre(event);
    });
    this.picture.addEventListener("pointermove", (event) => {
      if (event.buttons) centre(event);
    });
  }

  move(x, y) {
    const within = (at, side) => Math.round(Math.min(Math.max(0, at), Math.max(0, this.size[side] - SIDE)));
    this.at = { x: within(x, "width"), y: within(y, "height") };
    this.place(this.frame, { ...this.at, ...this.shown() });
    this.soon();
  }

  // Over the small picture, in shares of it.
  place(box, area) {
    const part = (value, side) => `${(value / this.size[side]) * 100}%`;
    box.style.left = part(area.x, "width");
    box.style.top = part(area.y, "height");
    box.style.width = part(area.width, "width");
    box.style.height = part(area.height, "height");
  }

  // ---- marked parts

  bindMarks() {
    this.marker = this.querySelector(".mark");
    this.list = this.querySelector(".marks");
    this.marker?.addEventListener("click", () => {
      this.areas.push({ ...this.at, ...this.shown() });
      this.drawMarks();
      this.soon();
    });
    this.drawMarks();
  }

  drawMarks() {
    if (!this.marker) return;
    const chosen = this.form.querySelector("input[name=where]:checked").value;
    this.marker.hidden = chosen === "everywhere";
    this.form.elements.areas.value = JSON.stringify(chosen === "everywhere" ? [] : this.areas);
    for (const box of this.picture.querySelectorAll(".mark-box")) box.remove();
    this.list.replaceChildren();
    if (chosen === "everywhere") return;
    this.areas.forEach((area, place) => {
      const box = this.picture.appendChild(document.createElement("span"));
      box.className = "mark-box";
      this.place(box, area);
      const row = this.list.appendChild(document.createElement("li"));
      row.textContent = `${number.format(area.x)}, ${number.format(area.y)} · ${area.width} × ${area.height}`;
      const remove = row.appendChild(document.createElement("button"));
      remove.type = "button";
      remove.className = "button small quiet";
      remove.textContent = words("Remove");
      remove.addEventListener("click", () => {
        this.areas.splice(place, 1);
        this.drawMarks();
        this.marker.focus();
        this.soon();
      });
    });
  }
}

function loaded(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image);
}

customElements.define("recipe-preview", RecipePreview);
