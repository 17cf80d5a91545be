// <exhibit-walk>: from picture to picture by J and K, and the original of each by O.

class ExhibitWalk extends HTMLElement {
  connectedCallback() {
    this.hung = [...this.querySelectorAll(".hung")];
    for (const figure of this.querySelectorAll("[data-swaps]")) {
      figure.querySelector(".swap").addEventListener("click", () => this.swap(figure));
    }
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    const act = { j: () => this.go(1), k: () => this.go(-1), o: () => this.original() }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // The picture one is at: the focused one, else the one nearest to the middle of the window.
  get at() {
    const focused = this.hung.findIndex((one) => one.contains(document.activeElement));
    if (focused >= 0) return focused;
    const middle = window.innerHeight / 2;
    const far = this.hung.map((one) => {
      const { top, bottom } = one.querySelector(".pictures").getBoundingClientRect();
      return Math.abs((top + bottom) / 2 - middle);
    });
    return far.indexOf(Math.min(...far));
  }

  go(step) {
    const first = this.hung[0];
    const before = !this.hung.some((one) => one.contains(document.activeElement)) && first?.getBoundingClientRect().top > 80;
    const to = before && step > 0 ? 0 : this.at + step;
    const next = this.hung[Math.min(Math.max(to, 0), this.hung.length - 1)];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "center" });
  }

  original() {
    const figure = this.hung[this.at]?.querySelector("[data-swaps]");
    if (figure) this.swap(figure);
  }

  swap(figure) {
    const [hook, beneath, button] = [".hook", ".beneath", ".swap"].map((part) => figure.querySelector(part));
    const shows = beneath.hidden;
    // The same room for both: nothing jumps, and what differs is seen.
    if (shows) beneath.style.height = `${hook.offsetHeight}px`;
    beneath.hidden = !shows;
    hook.hidden = shows;
    button.setAttribute("aria-pressed", String(shows));
    const sign = figure.querySelector("figcaption .badge");
    this.signs ??= new Map();
    if (!this.signs.has(figure)) this.signs.set(figure, sign.cloneNode(true));
    if (shows) {
      const plain = document.createElement("span");
      plain.className = "badge";
      plain.textContent = this.dataset.wordsOriginal;
      sign.replaceWith(plain);
    } else sign.replaceWith(this.signs.get(figure).cloneNode(true));
  }
}
customElements.define("exhibit-walk", ExhibitWalk);
