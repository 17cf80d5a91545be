// The years: drag over the bars, or move the two handles by keyboard; letting go shows what is of those years.

const words = window.gettext ?? ((text) => text);

class DateRange extends HTMLElement {
  connectedCallback() {
    this.bars = [...this.querySelectorAll(".bar")];
    this.form = this.querySelector("form");
    [this.from, this.to] = this.querySelectorAll("input[type=number]");
    this.picture = this.querySelector("svg");
    if (!this.bars.length) return;
    this.addHandles();
    this.picture.addEventListener("pointerdown", (event) => this.begin(event));
    this.picture.addEventListener("pointermove", (event) => this.move(event));
    this.picture.addEventListener("pointerup", (event) => this.end(event));
    this.picture.addEventListener("pointercancel", () => (this.anchor = undefined));
    // Fields left empty stay out of the address, so that one search has one address.
    this.form.addEventListener("submit", () => {
      for (const field of [this.from, this.to]) field.disabled = field.value === "";
    });
    window.addEventListener("pageshow", () => {
      for (const field of [this.from, this.to]) field.disabled = false;
    });
  }

  // Two sliders, one for each end: what the mouse does by dragging, the arrow keys do here.
  addHandles() {
    const box = document.createElement("div");
    box.className = "range-handles";
    const top = this.bars.length - 1;
    this.handles = [words("First years shown"), words("Last years shown")].map((label, end) => {
      const handle = document.createElement("input");
      handle.type = "range";
      handle.min = 0;
      handle.max = top;
      handle.value = end ? this.indexOf(this.to.value, top) : this.indexOf(this.from.value, 0);
      handle.setAttribute("aria-label", label);
      handle.addEventListener("input", () => this.mark(Number(this.handles[0].value), Number(this.handles[1].value)));
      handle.addEventListener("keydown", (event) => event.key === "Enter" && this.form.requestSubmit());
      handle.addEventListener("pointerup", () => this.form.requestSubmit());
      box.append(handle);
      return handle;
    });
    this.say();
    this.picture.after(box);
  }

  indexOf(year, otherwise) {
    const at = this.bars.findIndex((bar) => Number(bar.dataset.last) >= Number(year));
    return year === "" || at < 0 ? otherwise : at;
  }

  barAt(event) {
    const box = this.picture.getBoundingClientRect();
    const at = Math.floor(((event.clientX - box.left) / box.width) * this.bars.length);
    return Math.min(Math.max(at, 0), this.bars.length - 1);
  }

  begin(event) {
    if (event.button !== 0) return;
    this.picture.setPointerCapture(event.pointerId);
    this.anchor = this.barAt(event);
    this.mark(this.anchor, this.anchor);
  }

  move(event) {
    if (this.anchor !== undefined) this.mark(this.anchor, this.barAt(event));
  }

  end(event) {
    if (this.anchor === undefined) return;
    this.mark(this.anchor, this.barAt(event));
    this.anchor = undefined;
    this.form.requestSubmit();
  }

  mark(one, other) {
    const [first, last] = [Math.min(one, other), Math.max(one, other)];
    this.bars.forEach((bar, index) => bar.classList.toggle("on", index >= first && index <= last));
    this.from.value = Number(this.bars[first].dataset.first);
    this.to.value = Number(this.bars[last].dataset.last);
    this.handles[0].value = first;
    this.handles[1].value = last;
    this.say();
  }

  say() {
    const chosen = this.bars.filter((bar) => bar.classList.contains("on"));
    const text = chosen.length ? `${chosen[0].dataset.first}–${chosen.at(-1).dataset.last}` : "";
    for (const handle of this.handles) handle.setAttribute("aria-valuetext", text);
    this.querySelector("output").textContent = chosen.length === this.bars.length ? "" : text;
  }
}
customElements.define("date-range", DateRange);
