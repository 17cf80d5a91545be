// The view in the address: region, rotation, mode and curtain, so that what one person sees can be sent to another.

export function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1));
  const region = (found.get("xywh") ?? "").split(",").map(Number);
  return {
    region: region.length === 4 && region.every(Number.isFinite) && region[2] > 0 && region[3] > 0 ? region : null,
    rotation: Number(found.get("rotation")) || 0,
    mode: found.get("mode"),
    at: found.has("at") ? Number(found.get("at")) : null,
  };
}

// What is at its default stays out of the address.
export function writeAddress(viewer, more = {}) {
  const item = viewer.world.getItemAt(0);
  if (!item) return;
  const view = new URLSearchParams();
  for (const [name, value] of Object.entries(more)) if (value !== null && value !== undefined) view.set(name, value);
  const rotation = Math.round(viewer.viewport.getRotation(true)) % 360;
  if (rotation) view.set("rotation", rotation);
  if (viewer.viewport.getZoom(true) > viewer.viewport.getHomeZoom() * 1.01) {
    const { x, y, width, height } = item.viewportToImageRectangle(viewer.viewport.getBoundsNoRotate(true));
    view.set("xywh", [x, y, width, height].map(Math.round).join(","));
  }
  const hash = view.toString().replaceAll("%2C", ",");
  history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
}

export function showAddress(viewer, { region, rotation } = readAddress()) {
  const item = viewer.world.getItemAt(0);
  if (!item) return;
  if (rotation) viewer.viewport.setRotation(rotation, true);
  if (region) viewer.viewport.fitBounds(item.imageToViewportRectangle(...region), true);
}
