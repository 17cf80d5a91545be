// What every page has: the scheme toggle, thumbnails that appear when they are made, selections, confirmations.

const words = window.gettext ?? ((text) => text);

class SchemeToggle extends HTMLElement {
  connectedCallback() {
    const button = document.createElement("button");
    button.className = "button small quiet";
    button.type = "button";
    button.addEventListener("click", () => this.turn(button));
    this.replaceChildren(button);
    this.label(button);
  }

  get scheme() {
    return document.documentElement.dataset.scheme ?? "system";
  }

  turn(button) {
    const next = { system: "dark", dark: "light", light: "system" }[this.scheme];
    if (next === "system") delete document.documentElement.dataset.scheme;
    else document.documentElement.dataset.scheme = next;
    try {
      if (next === "system") localStorage.removeItem("scheme");
      else localStorage.setItem("scheme", next);
    } catch {
      // Not remembered then; it still holds for this page.
    }
    this.label(button);
  }

  label(button) {
    button.textContent = { system: words("Colours: system"), dark: words("Colours: dark"), light: words("Colours: light") }[
      this.scheme
    ];
  }
}
customElements.define("scheme-toggle", SchemeToggle);

// A thumbnail: a few colours of it until it is there. One that is still being made answers 503; it is asked for again,
// less and less often.
class ThumbImage extends HTMLElement {
  connectedCallback() {
    this.tries = 0;
    const image = this.querySelector("img");
    image.addEventListener("error", () => this.again(image));
    image.addEventListener("load", () => image.removeAttribute("style"));
    if (!image.complete) this.tint(image);
    else if (image.naturalWidth === 0) this.again(image);
  }

  // On the place the picture will take in its box, whatever the box's shape.
  tint(image) {
    if (!this.dataset.tint) return;
    const [width, height] = [image.width, image.height].map(Number);
    const box = image.getBoundingClientRect();
    const scale = Math.min(box.width / image.getAttribute("width"), box.height / image.getAttribute("height"));
    if (!width || !height || !Number.isFinite(scale)) return;
    const across = image.getAttribute("width") * scale;
    const down = image.getAttribute("height") * scale;
    image.style.background = `url("data:image/webp;base64,${this.dataset.tint}") center / ${across}px ${down}px no-repeat`;
  }

  again(image) {
    this.tries += 1;
    if (this.tries > 12) return;
    const wait = Math.min(1000 * 1.5 ** this.tries, 20000);
    setTimeout(() => {
      const source = image.getAttribute("src");
      for (const other of this.querySelectorAll("source")) other.remove();
      image.removeAttribute("srcset");
      image.src = `${source.split("?")[0]}?again=${this.tries}`;
    }, wait);
  }
}
customElements.define("thumb-image", ThumbImage);

// Picking items in a grid: how many, all, none.
class PickForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", () => this.count());
    this.querySelector("[data-pick-all]")?.addEventListener("click", () => this.all());
    this.count();
  }

  get boxes() {
    return [...this.querySelectorAll("input[name=item]")];
  }

  all() {
    const boxes = this.boxes;
    const every = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !every;
    this.count();
  }

  count() {
    const picked = this.boxes.filter((box) => box.checked).length;
    const bar = this.querySelector(".bulk");
    if (!bar) return;
    bar.querySelector("output").textContent = bar.dataset.words.replace("%d", picked);
    for (const button of bar.querySelectorAll("[data-needs-pick]")) button.disabled = picked === 0;
  }
}
customElements.define("pick-form", PickForm);

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
