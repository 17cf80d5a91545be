// <image-viewer data-info data-label [data-badge]>: one picture, at full resolution, by mouse, touch and keyboard.

import { adjustments, badge, button, group, keys, oneToOne, openDeepZoom, ready, words, zoomBy } from "./deepzoom.js";

class ImageViewer extends HTMLElement {
  async connectedCallback() {
    this.fallback = [...this.childNodes];
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
    this.viewer.open(description);
    this.viewer.addOnceHandler("open", () => this.restoreView());
    this.viewer.addHandler("animation-finish", () => this.rememberView());
    keys(this, {
      "+": () => zoomBy(this.viewer, 1.4),
      "=": () => zoomBy(this.viewer, 1.4),
      "-": () => zoomBy(this.viewer, 1 / 1.4),
      0: () => this.viewer.viewport.goHome(),
      1: () => oneToOne(this.viewer),
      r: () => this.turn(),
      f: () => this.full(),
      ArrowLeft: () => this.pan(-0.15, 0),
      ArrowRight: () => this.pan(0.15, 0),
      ArrowUp: () => this.pan(0, -0.15),
      ArrowDown: () => this.pan(0, 0.15),
    });
  }

  disconnectedCallback() {
    this.viewer?.destroy();
  }

  tools() {
    const bar = document.createElement("div");
    bar.className = "tools";
    bar.append(
      group(
        button("+", "+", () => zoomBy(this.viewer, 1.4)),
        button("−", "-", () => zoomBy(this.viewer, 1 / 1.4)),
        button(words("Whole"), "0", () => this.viewer.viewport.goHome()),
        button("1:1", "1", () => oneToOne(this.viewer)),
      ),
      group(
        button(words("Turn"), "R", () => this.turn()),
        button(words("Full screen"), "F", () => this.full()),
      ),
      adjustments(() => [this.viewer.drawer.canvas]),
    );
    return bar;
  }

  turn() {
    this.viewer.viewport.setRotation((this.viewer.viewport.getRotation() + 90) % 360);
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.stage.requestFullscreen?.();
  }

  pan(x, y) {
    const bounds = this.viewer.viewport.getBounds();
    this.viewer.viewport.panBy(new window.OpenSeadragon.Point(x * bounds.width, y * bounds.height));
    this.viewer.viewport.applyConstraints();
  }

  // The address carries the region, so that a view can be sent to somebody.
  rememberView() {
    const item = this.viewer.world.getItemAt(0);
    if (!item || document.querySelectorAll("image-viewer").length > 1) return;
    const { x, y, width, height } = item.viewportToImageRectangle(this.viewer.viewport.getBounds());
    const whole = this.viewer.viewport.getZoom() <= this.viewer.viewport.getHomeZoom() * 1.01;
    const region = whole ? location.pathname + location.search : `#xywh=${[x, y, width, height].map(Math.round).join(",")}`;
    history.replaceState(null, "", region);
  }

  restoreView() {
    const found = /^#xywh=(-?\d+),(-?\d+),(\d+),(\d+)$/.exec(location.hash);
    const item = this.viewer.world.getItemAt(0);
    if (!found || !item) return;
    const [x, y, width, height] = found.slice(1).map(Number);
    this.viewer.viewport.fitBounds(item.imageToViewportRectangle(x, y, width, height), true);
  }
}
customElements.define("image-viewer", ImageViewer);
