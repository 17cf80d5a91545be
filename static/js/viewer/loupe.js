// A loupe: the place under the pointer at 1:1, of both pictures side by side; by keyboard the arrows move it.

import { badge, calm, openDeepZoom, words } from "./deepzoom.js";

const STEP = 16; // screen pixels an arrow key moves it

export class Loupe {
  constructor(viewer, stage, pictures) {
    this.viewer = viewer;
    this.stage = stage;
    this.pictures = pictures;
    this.at = null;
    this.box = document.createElement("div");
    this.box.className = `loupe panes-${pictures.length}`;
    this.box.hidden = true;
    stage.append(this.box);
    this.follow = (event) => this.to(event.clientX, event.clientY);
  }

  get open() {
    return !this.box.hidden;
  }

  toggle() {
    this.box.hidden = !this.box.hidden;
    this.stage.classList.toggle("with-loupe", this.open);
    if (!this.open) {
      this.stage.removeEventListener("pointermove", this.follow);
      return;
    }
    this.panes ??= this.pictures.map(({ source, label, ai }) => {
      const pane = this.box.appendChild(document.createElement("div"));
      pane.className = "pane";
      const canvas = pane.appendChild(document.createElement("div"));
      canvas.className = "canvas";
      pane.append(badge(label, ai));
      const small = openDeepZoom(canvas, words("Loupe: %s").replace("%s", label), { still: true });
      small.addTiledImage({ tileSource: source, x: 0, y: 0, width: 1, success: () => this.draw() });
      return small;
    });
    this.stage.addEventListener("pointermove", this.follow);
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    this.to(left + width / 2, top + height / 2);
  }

  nudge(x, y) {
    const { left, top } = this.stage.getBoundingClientRect();
    this.to(left + this.at.x + x * STEP, top + this.at.y + y * STEP);
  }

  to(clientX, clientY) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    this.at = { x: Math.min(Math.max(clientX - left, 0), width), y: Math.min(Math.max(clientY - top, 0), height) };
    // Beside the pointer, on the side where there is room: a loupe must not cover what it shows.
    const { offsetWidth, offsetHeight } = this.box;
    const beside = this.at.x + 24 + offsetWidth < width ? this.at.x + 24 : this.at.x - 24 - offsetWidth;
    const below = Math.min(Math.max(this.at.y - offsetHeight / 2, 4), height - offsetHeight - 4);
    this.box.style.transform = `translate(${Math.round(Math.max(beside, 4))}px, ${Math.round(below)}px)`;
    this.draw();
  }

  draw() {
    const item = this.viewer.world.getItemAt(0);
    if (!item || !this.at) return;
    const place = this.viewer.viewport.pointFromPixel(new window.OpenSeadragon.Point(this.at.x, this.at.y), true);
    const panes = (this.panes ?? []).filter((small) => small.world.getItemAt(0));
    // At 1:1 of the larger picture where one is an enlargement of the other: both show the same part.
    const zooms = panes.map((small) => small.world.getItemAt(0).imageToViewportZoom(1 / (window.devicePixelRatio || 1)));
    for (const small of panes) {
      small.viewport.zoomTo(Math.max(...zooms), null, true);
      small.viewport.setRotation(this.viewer.viewport.getRotation(), true);
      small.viewport.panTo(place, true);
      if (calm()) small.forceRedraw();
    }
  }

  destroy() {
    for (const small of this.panes ?? []) small.destroy();
  }
}
