// <image-viewer data-info data-label [data-badge]>: one picture, at full resolution, by mouse, touch and keyboard.

import { showAddress, writeAddress } from "./address.js";
import { adjustments } from "./adjust.js";
import { badge, button, group, keys, oneToOne, openDeepZoom, ready, words, zoomBy } from "./deepzoom.js";
import { Loupe } from "./loupe.js";

const alone = () => document.querySelectorAll("image-viewer").length === 1;

class ImageViewer extends HTMLElement {
  async connectedCallback() {
    let description;
    try {
      description = await ready(this.dataset.info);
    } catch {
      return; // the still picture stays
    }
    this.stage = document.createElement("div");
    this.stage.className = "stage";
    const canvas = this.stage.appendChild(document.createElement("div"));
    canvas.className = "canvas";
    if (this.dataset.badge) {
      const sign = this.stage.appendChild(badge(this.dataset.badge, true));
      sign.classList.add("left");
    }
    this.replaceChildren(this.stage, this.tools());
    this.viewer = openDeepZoom(canvas, this.dataset.label);
    this.loupe = new Loupe(this.viewer, this.stage, [
      { source: description, label: this.dataset.badge || words("1:1"), ai: Boolean(this.dataset.badge) },
    ]);
    this.viewer.open(description);
    // The address is one view's; where several pictures stand on a page it belongs to none of them.
    if (alone()) {
      this.viewer.addOnceHandler("open", () => showAddress(this.viewer));
      for (const event of ["animation-finish", "rotate"]) this.viewer.addHandler(event, () => writeAddress(this.viewer));
    }
    keys(this, {
      "+": () => zoomBy(this.viewer, 1.4),
      "=": () => zoomBy(this.viewer, 1.4),
      "-": () => zoomBy(this.viewer, 1 / 1.4),
      0: () => this.viewer.viewport.goHome(),
      1: () => oneToOne(this.viewer),
      r: () => this.turn(),
      f: () => this.full(),
      l: () => this.magnify(),
      ArrowLeft: () => this.move(-1, 0),
      ArrowRight: () => this.move(1, 0),
      ArrowUp: () => this.move(0, -1),
      ArrowDown: () => this.move(0, 1),
    });
  }

  disconnectedCallback() {
    this.loupe?.destroy();
    this.viewer?.destroy();
  }

  tools() {
    const bar = document.createElement("div");
    bar.className = "tools";
    this.magnifier = button(words("Loupe"), "L", () => this.magnify());
    this.magnifier.setAttribute("aria-pressed", "false");
    bar.append(
      group(
        button("+", "+", () => zoomBy(this.viewer, 1.4)),
        button("−", "-", () => zoomBy(this.viewer, 1 / 1.4)),
        button(words("Whole"), "0", () => this.viewer.viewport.goHome()),
        button("1:1", "1", () => oneToOne(this.viewer)),
      ),
      group(
        this.magnifier,
        button(words("Turn"), "R", () => this.turn()),
        button(words("Full screen"), "F", () => this.full()),
      ),
      adjustments(() => [this.viewer.drawer.canvas]).box,
    );
    return bar;
  }

  magnify() {
    this.loupe.toggle();
    this.magnifier.setAttribute("aria-pressed", String(this.loupe.open));
  }

  turn() {
    this.viewer.viewport.setRotation((this.viewer.viewport.getRotation() + 90) % 360);
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.requestFullscreen?.(); // with the badge and the tools
  }

  move(x, y) {
    if (this.loupe.open) {
      this.loupe.nudge(x, y);
      return;
    }
    const bounds = this.viewer.viewport.getBounds();
    this.viewer.viewport.panBy(new window.OpenSeadragon.Point(x * 0.15 * bounds.width, y * 0.15 * bounds.height));
    this.viewer.viewport.applyConstraints();
  }
}
customElements.define("image-viewer", ImageViewer);
