// <image-compare>: two versions of one scan, both as tiles, in one stage.
//
// Curtain, blink and single views are one viewer with both pictures over each other (the upper one clipped or hidden);
// side by side is a second viewer in step with the first. The difference is a picture of its own, made from both files.

import { readAddress, showAddress, writeAddress } from "./address.js";
import { adjustments } from "./adjust.js";
import { badge, button, calm, group, keys, oneToOne, openDeepZoom, ready, words, zoomBy } from "./deepzoom.js";
import { Loupe } from "./loupe.js";

const LEFT = 0;
const RIGHT = 1;
const MODES = ["curtain", "split", "blink", "difference", "left", "right"];
const BLINK = 1500; // milliseconds; slow enough to be no flashing (WCAG 2.3.1), quick enough to see what jumps

class ImageCompare extends HTMLElement {
  async connectedCallback() {
    const { left, right } = this.dataset;
    let pictures;
    try {
      pictures = await Promise.all([ready(left), ready(right)]);
    } catch {
      return; // the still pictures stay
    }
    if (!this.isConnected) return; // taken off the page meanwhile
    this.pictures = pictures;
    // Before anything moves, and writes it anew. Where pairs follow each other the address is none of theirs.
    const asked = this.isAddressed ? readAddress() : { region: null, rotation: 0, mode: this.dataset.mode, at: null };
    this.mode = MODES.includes(asked.mode) ? asked.mode : "curtain";
    this.build();
    if (asked.at !== null) this.range.value = asked.at;
    this.stage.classList.toggle("split", this.mode === "split");
    this.viewer = openDeepZoom(this.first, this.dataset.label);
    this.add(this.viewer, pictures[LEFT], 1, () => showAddress(this.viewer, asked));
    this.add(this.viewer, pictures[RIGHT]);
    if (this.isAddressed) await this.loadHeat(); // where pairs follow each other it is made when it is asked for
    this.overlays();
    this.loupe = new Loupe(this.viewer, this.stage, [
      { source: pictures[LEFT], label: this.dataset.leftLabel, ai: this.dataset.leftAi === "yes" },
      { source: pictures[RIGHT], label: this.dataset.rightLabel, ai: this.dataset.rightAi !== "no" },
    ]);
    this.viewer.addHandler("update-viewport", () => this.draw());
    window.addEventListener("hashchange", () => showAddress(this.viewer)); // a link to a part, on this very page
    for (const event of ["animation-finish", "rotate"]) this.viewer.addHandler(event, () => this.remember());
    if (this.mode === "difference" && !this.heat) this.mode = "curtain";
    this.bindKeys();
    this.bindDivider();
    this.show(this.mode);
    this.dataset.ready = "";
  }

  get isAddressed() {
    return this.dataset.address !== "no";
  }

  build() {
    this.stage = document.createElement("div");
    this.stage.className = "stage";
    this.first = this.stage.appendChild(document.createElement("div"));
    this.first.className = "canvas";
    this.second = this.stage.appendChild(document.createElement("div"));
    this.second.className = "canvas second";
    this.divider = this.stage.appendChild(document.createElement("div"));
    this.divider.className = "divider";
    this.signs = [
      badge(this.dataset.leftLabel, this.dataset.leftAi === "yes"),
      badge(this.dataset.rightLabel, this.dataset.rightAi !== "no"),
    ];
    this.signs[LEFT].classList.add("left");
    this.signs[RIGHT].classList.add("right");
    this.stage.append(...this.signs);
    this.buttons = {
      curtain: button(words("Curtain"), "C", () => this.show("curtain")),
      split: button(words("Side by side"), "S", () => this.show("split")),
      blink: button(words("Blink"), "B", () => this.show(this.mode === "blink" ? "curtain" : "blink")),
      difference: button(words("Difference"), "D", () => this.difference()),
      left: button(this.dataset.leftShort ?? this.dataset.leftLabel, "1", () => this.show("left")),
      right: button(this.dataset.rightShort ?? this.dataset.rightLabel, "2", () => this.show("right")),
    };
    this.buttons.difference.hidden = !this.dataset.difference;
    this.magnifier = button(words("Loupe"), "L", () => this.magnify());
    this.magnifier.setAttribute("aria-pressed", "false");
    const bar = document.createElement("div");
    bar.className = "tools";
    const curtain = document.createElement("label");
    curtain.className = "curtain";
    curtain.append(words("Curtain"));
    this.range = curtain.appendChild(document.createElement("input"));
    Object.assign(this.range, { type: "range", min: 0, max: 100, step: 1, value: 50 });
    this.range.addEventListener("input", () => this.draw());
    this.range.addEventListener("change", () => this.remember());
    this.curtain = curtain;
    this.adjusted = adjustments(() => [this.viewer.drawer.canvas, this.twin?.drawer.canvas].filter(Boolean));
    bar.append(
      group(...Object.values(this.buttons)),
      group(
        button("+", "+", () => zoomBy(this.viewer, 1.4)),
        button("−", "-", () => zoomBy(this.viewer, 1 / 1.4)),
        button(words("Whole"), "0", () => this.viewer.viewport.goHome()),
        button("1:1", "O", () => oneToOne(this.viewer)),
        this.magnifier,
        button(words("Turn"), "R", () => this.turn()),
        button(words("Full screen"), "F", () => this.full()),
      ),
      curtain,
      this.adjusted.box,
    );
    this.bar = bar;
    this.replaceChildren(this.stage, bar);
  }

  async loadHeat() {
    const { difference } = this.dataset;
    this.heat = difference ? await ready(difference).catch(() => null) : null;
    this.buttons.difference.hidden = !this.heat;
    if (this.heat) this.add(this.viewer, this.heat, 0, ({ item }) => ((this.heatItem = item), this.apply()));
  }

  async difference() {
    if (!this.heat && !this.isAddressed) await this.loadHeat();
    if (this.heat) this.show("difference");
  }

  add(viewer, tileSource, opacity = 1, success = undefined) {
    viewer.addTiledImage({ tileSource, x: 0, y: 0, width: 1, opacity, success });
  }

  // Change map and damage mask over the picture, as strongly as one likes.
  overlays() {
    const maps = JSON.parse(this.dataset.maps || "[]");
    if (!maps.length) return;
    const sliders = document.createElement("div");
    sliders.className = "sliders";
    for (const { url, label } of maps) {
      const box = sliders.appendChild(document.createElement("label"));
      box.textContent = label;
      const input = box.appendChild(document.createElement("input"));
      Object.assign(input, { type: "range", min: 0, max: 100, step: 5, value: 0 });
      this.viewer.addSimpleImage({
        url,
        x: 0,
        y: 0,
        width: 1,
        opacity: 0,
        success: ({ item }) => input.addEventListener("input", () => item.setOpacity(input.value / 100)),
      });
    }
    const details = document.createElement("details");
    const summary = details.appendChild(document.createElement("summary"));
    summary.textContent = words("Show what was changed over the picture");
    details.append(sliders);
    this.bar.append(details);
  }

  bindKeys() {
    keys(this, {
      c: () => this.show("curtain"),
      s: () => this.show("split"),
      d: () => this.difference(),
      1: () => this.show("left"),
      2: () => this.show("right"),
      0: () => this.viewer.viewport.goHome(),
      o: () => oneToOne(this.viewer),
      l: () => this.magnify(),
      r: () => this.turn(),
      f: () => this.full(),
      b: (event) => event.repeat || this.show(this.mode === "blink" ? "curtain" : "blink"),
      "+": () => zoomBy(this.viewer, 1.4),
      "=": () => zoomBy(this.viewer, 1.4),
      "-": () => zoomBy(this.viewer, 1 / 1.4),
      ArrowLeft: () => this.move(-1, 0),
      ArrowRight: () => this.move(1, 0),
      ArrowUp: () => this.move(0, -1),
      ArrowDown: () => this.move(0, 1),
      " ": (event) => event.repeat || this.swap(true),
    });
    this.addEventListener("keyup", (event) => {
      if (event.key === " ") this.swap(false);
    });
  }

  // The divider itself can be taken: by mouse, pen or finger, within reach of a thumb.
  bindDivider() {
    this.divider.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.divider.setPointerCapture(event.pointerId);
    });
    this.divider.addEventListener("pointermove", (event) => {
      if (!this.divider.hasPointerCapture(event.pointerId)) return;
      const { left, width } = this.stage.getBoundingClientRect();
      this.range.value = Math.round(((event.clientX - left) / width) * 100);
      this.draw();
    });
    this.divider.addEventListener("lostpointercapture", () => this.remember());
  }

  show(mode) {
    this.mode = mode;
    clearInterval(this.blinking);
    this.turned = false;
    // Who wants calm is shown nothing that moves by itself: space swaps the pictures.
    if (mode === "blink" && !calm()) this.blinking = setInterval(() => ((this.turned = !this.turned), this.apply()), BLINK);
    this.apply();
    this.remember();
  }

  // While space is held the other picture is seen; in blink it is swapped once for each press.
  swap(held) {
    if (this.mode !== "blink") this.held = held;
    else if (held) this.turned = !this.turned;
    this.apply();
  }

  remember() {
    if (!this.isAddressed) return;
    const at = this.mode === "curtain" && Number(this.range.value) !== 50 ? this.range.value : null;
    writeAddress(this.viewer, { mode: this.mode === "curtain" ? null : this.mode, at });
  }

  move(x, y) {
    if (this.loupe.open) {
      this.loupe.nudge(x, y);
    } else if (x && this.mode === "curtain") {
      this.range.value = Number(this.range.value) + 2 * x;
      this.draw();
      this.remember();
    } else {
      const { width, height } = this.viewer.viewport.getBounds();
      this.viewer.viewport.panBy(new window.OpenSeadragon.Point(x * 0.15 * width, y * 0.15 * height));
      this.viewer.viewport.applyConstraints();
    }
  }

  turn() {
    this.viewer.viewport.setRotation((this.viewer.viewport.getRotation() + 90) % 360);
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.requestFullscreen?.(); // with the badges and the tools
  }

  magnify() {
    this.loupe.toggle();
    this.magnifier.setAttribute("aria-pressed", String(this.loupe.open));
  }

  // What is on the stage now: the mode, but for who holds space and for the beat of blink.
  shown() {
    if (this.mode === "blink") return this.turned ? "right" : "left";
    if (this.held) return this.mode === "left" ? "right" : "left";
    return this.mode;
  }

  apply() {
    const mode = this.shown();
    for (const [name, element] of Object.entries(this.buttons)) {
      element.setAttribute("aria-pressed", String(name === this.mode));
    }
    this.stage.classList.toggle("split", mode === "split");
    this.stage.dataset.mode = mode;
    this.divider.hidden = mode !== "curtain";
    // What is hidden loses the focus, and with it all keys: hand it to the picture first.
    if (mode !== "curtain" && this.curtain.contains(document.activeElement)) this.viewer.canvas.focus();
    this.curtain.hidden = mode !== "curtain";
    this.signs[LEFT].hidden = mode === "right" || mode === "difference";
    this.signs[RIGHT].hidden = mode === "left";
    this.signs[RIGHT].lastChild.textContent =
      mode === "difference"
        ? `✳ ${words("Difference: bright is changed")}`
        : `${this.dataset.rightAi === "no" ? "" : "✳ "}${this.dataset.rightLabel}`;
    if (mode === "split") this.openTwin();
    const [left, right] = [0, 1].map((n) => this.viewer.world.getItemAt(n));
    left?.setOpacity(mode === "right" || mode === "difference" ? 0 : 1);
    right?.setOpacity(mode === "left" || mode === "split" || mode === "difference" ? 0 : 1);
    this.heatItem?.setOpacity(mode === "difference" ? 1 : 0);
    this.draw();
    if (!right) setTimeout(() => this.apply(), 150); // the pictures are still being opened
  }

  openTwin() {
    if (this.twin) return;
    this.twin = openDeepZoom(this.second, this.dataset.rightLabel);
    this.add(this.twin, this.pictures[RIGHT]);
    const leads = (from, to) => {
      for (const event of ["zoom", "pan", "rotate"]) from.addHandler(event, () => this.follow(from, to));
    };
    leads(this.viewer, this.twin);
    // Only once it stands where the first one stands may the second one lead.
    this.twin.addOnceHandler("tile-loaded", () => {
      this.follow(this.viewer, this.twin);
      leads(this.twin, this.viewer);
    });
    this.adjusted.apply();
  }

  follow(from, to) {
    if (this.following || this.mode !== "split") return;
    this.following = true;
    to.viewport.zoomTo(from.viewport.getZoom(), null, true);
    to.viewport.panTo(from.viewport.getCenter(), true);
    to.viewport.setRotation(from.viewport.getRotation(), true);
    this.following = false;
  }

  // The curtain: the upper picture is clipped where the divider stands on the screen.
  draw() {
    const right = this.viewer.world.getItemAt(RIGHT);
    const share = Number(this.range.value);
    const { leftLabel, rightLabel } = this.dataset;
    this.range.setAttribute("aria-valuetext", `${share} % ${leftLabel}, ${100 - share} % ${rightLabel}`);
    if (this.loupe?.open) this.loupe.draw();
    if (!right) return;
    if (this.stage.dataset.mode !== "curtain") {
      if (right.getClip()) right.setClip(null);
      return;
    }
    const at = (this.first.clientWidth * share) / 100;
    this.divider.style.insetInlineStart = `${at}px`;
    this.clip(right, at);
  }

  clip(right, at) {
    const size = right.getContentSize();
    const rotation = Math.round(this.viewer.viewport.getRotation(true)) % 360;
    const place = right.viewerElementToImageCoordinates(new window.OpenSeadragon.Point(at, this.first.clientHeight / 2));
    const x = Math.min(Math.max(place.x, 0), size.x);
    const y = Math.min(Math.max(place.y, 0), size.y);
    // What lies to the right of the divider on the screen, in the picture's own directions.
    const [left, top, width, height] = {
      0: [x, 0, size.x - x, size.y],
      90: [0, 0, size.x, y],
      180: [0, 0, x, size.y],
      270: [0, y, size.x, size.y - y],
    }[rotation] ?? [x, 0, size.x - x, size.y];
    const clip = new window.OpenSeadragon.Rect(left, top, Math.max(width, 0.001), Math.max(height, 0.001));
    const now = right.getClip();
    const same = now && ["x", "y", "width", "height"].every((side) => Math.abs(now[side] - clip[side]) < 0.01);
    if (!same) right.setClip(clip);
  }

  disconnectedCallback() {
    clearInterval(this.blinking);
    this.loupe?.destroy();
    this.viewer?.destroy();
    this.twin?.destroy();
  }
}
customElements.define("image-compare", ImageCompare);
