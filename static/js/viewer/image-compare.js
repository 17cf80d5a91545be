// <image-compare>: two versions of one scan, both as tiles, in one stage.
//
// Curtain, blink and single views are one viewer with both pictures over each other (the upper one clipped or hidden);
// side by side is a second viewer in step with the first. The difference is a picture of its own, made from both files.

import { adjustments, badge, button, group, keys, oneToOne, openDeepZoom, ready, words, zoomBy } from "./deepzoom.js";

const LEFT = 0;
const RIGHT = 1;
const MODES = ["curtain", "split", "difference", "left", "right"];

class ImageCompare extends HTMLElement {
  async connectedCallback() {
    const { left, right, difference } = this.dataset;
    let pictures;
    try {
      pictures = await Promise.all([ready(left), ready(right)]);
    } catch {
      return; // the still pictures stay
    }
    this.build();
    this.viewer = openDeepZoom(this.first, this.dataset.label);
    this.add(this.viewer, pictures[0]);
    this.add(this.viewer, pictures[1]);
    this.pictures = pictures;
    if (difference) {
      this.heat = await ready(difference).catch(() => null);
      if (this.heat) this.add(this.viewer, this.heat, 0);
    }
    this.overlays();
    this.viewer.addHandler("update-viewport", () => this.draw());
    this.mode = MODES.includes(location.hash.slice(1)) ? location.hash.slice(1) : "curtain";
    this.bindKeys();
    this.apply();
    this.dataset.ready = "";
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
    this.signs = [badge(this.dataset.leftLabel, this.dataset.leftAi === "yes"), badge(this.dataset.rightLabel, true)];
    this.signs[LEFT].classList.add("left");
    this.signs[RIGHT].classList.add("right");
    this.stage.append(...this.signs);
    this.buttons = {
      curtain: button(words("Curtain"), "C", () => this.show("curtain")),
      split: button(words("Side by side"), "S", () => this.show("split")),
      difference: button(words("Difference"), "D", () => this.show("difference")),
      left: button(words("Original"), "1", () => this.show("left")),
      right: button(words("Derivative"), "2", () => this.show("right")),
    };
    const bar = document.createElement("div");
    bar.className = "tools";
    const curtain = document.createElement("label");
    curtain.className = "curtain";
    curtain.append(words("Curtain"));
    this.range = curtain.appendChild(document.createElement("input"));
    Object.assign(this.range, { type: "range", min: 0, max: 100, step: 1, value: 50 });
    this.range.addEventListener("input", () => this.draw());
    this.curtain = curtain;
    bar.append(
      group(...Object.values(this.buttons)),
      group(
        button("+", "+", () => zoomBy(this.viewer, 1.4)),
        button("−", "-", () => zoomBy(this.viewer, 1 / 1.4)),
        button(words("Whole"), "0", () => this.viewer.viewport.goHome()),
        button("1:1", "P", () => oneToOne(this.viewer)),
        button(words("Turn"), "R", () => this.turn()),
      ),
      curtain,
      adjustments(() => [this.viewer.drawer.canvas, this.twin?.drawer.canvas].filter(Boolean)),
    );
    this.bar = bar;
    this.replaceChildren(this.stage, bar);
  }

  add(viewer, tileSource, opacity = 1) {
    viewer.addTiledImage({ tileSource, x: 0, y: 0, width: 1, opacity });
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
      d: () => this.show("difference"),
      1: () => this.show("left"),
      2: () => this.show("right"),
      0: () => this.viewer.viewport.goHome(),
      p: () => oneToOne(this.viewer),
      r: () => this.turn(),
      "+": () => zoomBy(this.viewer, 1.4),
      "=": () => zoomBy(this.viewer, 1.4),
      "-": () => zoomBy(this.viewer, 1 / 1.4),
      ArrowLeft: () => this.move(-2),
      ArrowRight: () => this.move(2),
      " ": (event) => event.repeat || this.blink(true),
      b: (event) => event.repeat || this.blink(true),
    });
    this.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key.toLowerCase() === "b") this.blink(false);
    });
  }

  show(mode) {
    this.mode = mode;
    history.replaceState(null, "", `#${mode}`);
    this.apply();
  }

  blink(on) {
    this.blinking = on;
    this.apply();
  }

  move(by) {
    this.range.value = Number(this.range.value) + by;
    this.draw();
  }

  turn() {
    this.viewer.viewport.setRotation((this.viewer.viewport.getRotation() + 90) % 360);
  }

  apply() {
    const mode = this.blinking ? (this.mode === "left" ? "right" : "left") : this.mode;
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
      mode === "difference" ? `✳ ${words("Difference: bright is changed")}` : `✳ ${this.dataset.rightLabel}`;
    if (mode === "split") this.openTwin();
    const [left, right, heat] = [0, 1, 2].map((n) => this.viewer.world.getItemAt(n));
    left?.setOpacity(mode === "right" || mode === "difference" ? 0 : 1);
    right?.setOpacity(mode === "left" || mode === "split" || mode === "difference" ? 0 : 1);
    if (this.heat) heat?.setOpacity(mode === "difference" ? 1 : 0);
    this.draw();
    if (!right) setTimeout(() => this.apply(), 150); // the pictures are still being opened
  }

  openTwin() {
    if (this.twin) return;
    this.twin = openDeepZoom(this.second, this.dataset.rightLabel);
    this.add(this.twin, this.pictures[RIGHT]);
    this.twin.addOnceHandler("tile-loaded", () => this.follow(this.viewer, this.twin));
    for (const [from, to] of [[this.viewer, this.twin], [this.twin, this.viewer]]) {
      for (const event of ["zoom", "pan", "rotate"]) from.addHandler(event, () => this.follow(from, to));
    }
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
    const text = words("%s % original, %t % derivative").replace("%s", share).replace("%t", 100 - share);
    this.range.setAttribute("aria-valuetext", text);
    if (!right) return;
    const mode = this.stage.dataset.mode;
    if (mode !== "curtain") {
      if (right.getClip()) right.setClip(null);
      return;
    }
    const width = this.first.clientWidth;
    const at = (width * share) / 100;
    this.divider.style.insetInlineStart = `${at}px`;
    const size = right.getContentSize();
    const edge = right.viewerElementToImageCoordinates(new window.OpenSeadragon.Point(at, 0)).x;
    const from = Math.min(Math.max(edge, 0), size.x);
    const clip = new window.OpenSeadragon.Rect(from, 0, Math.max(size.x - from, 0.001), size.y);
    if (!right.getClip() || Math.abs(right.getClip().x - clip.x) > 0.01) right.setClip(clip);
  }

  disconnectedCallback() {
    this.viewer?.destroy();
    this.twin?.destroy();
  }
}
customElements.define("image-compare", ImageCompare);
