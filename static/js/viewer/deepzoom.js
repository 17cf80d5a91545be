// What both viewers share: OpenSeadragon set up for archives (no buttons of its own, no animation when none is wanted),
// tile sources that wait for a pyramid still being made, and buttons.

export const words = window.gettext ?? ((text) => text);

export const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// OpenSeadragon adds a style element that takes the focus ring away on phones, unless one stands there already. The ring
// stays, and a strict content policy has nothing to block: what stands there is a style by name only.
function keepFocusRing() {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const mark = document.createElementNS("urn:palimpsest:mark", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(mark);
}

// `still`: a viewer that is moved by another one only.
export function openDeepZoom(element, label, { still = false } = {}) {
  keepFocusRing();
  const viewer = window.OpenSeadragon({
    element,
    showNavigationControl: false,
    showNavigator: false,
    drawer: ["canvas"],
    crossOriginPolicy: "Anonymous",
    maxZoomPixelRatio: 4,
    minZoomImageRatio: 0.8,
    visibilityRatio: 0.5,
    animationTime: calm() ? 0 : 0.4,
    immediateRender: calm(),
    imageLoaderLimit: 6,
    tileRetryMax: 4,
    tileRetryDelay: 1500,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    keyboardNavEnabled: false,
    imageSmoothingEnabled: true,
    mouseNavEnabled: !still,
  });
  // At and beyond 1:1 a pixel is a pixel.
  viewer.addHandler("zoom", () => {
    const item = viewer.world.getItemAt(0);
    if (item) viewer.drawer.setImageSmoothingEnabled(item.viewportToImageZoom(viewer.viewport.getZoom(true)) < 1);
  });
  viewer.canvas.setAttribute("role", "img");
  viewer.canvas.setAttribute("aria-label", label);
  viewer.canvas.tabIndex = still ? -1 : 0;
  return viewer;
}

// The description of a picture; asked for again while the pyramid is being made (its tiles answer 503 until then).
export async function ready(info, tries = 30) {
  for (let n = 0; n < tries; n += 1) {
    const description = await (await fetch(info)).json();
    const probe = await fetch(`${info.replace("/info.json", "")}/full/!64,64/0/default.jpg`);
    if (probe.ok) return description;
    if (probe.status !== 503) throw new Error(`${probe.status}`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  throw new Error("503");
}

export function button(text, key, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "button small";
  const said = text.charAt(0).toUpperCase() + text.slice(1); // a role's name is written small within a sentence
  element.textContent = said;
  if (key) {
    element.title = `${said} (${key})`;
    element.setAttribute("aria-keyshortcuts", key);
  }
  element.addEventListener("click", act);
  return element;
}

export function group(...buttons) {
  const element = document.createElement("div");
  element.className = "group";
  element.append(...buttons);
  return element;
}

export function badge(text, ai) {
  const element = document.createElement("span");
  element.className = `badge sign${ai ? " ai" : ""}`;
  element.textContent = ai ? `✳ ${text}` : text;
  return element;
}

export const zoomBy = (viewer, factor) => {
  viewer.viewport.zoomBy(factor);
  viewer.viewport.applyConstraints();
};

// One pixel of the picture on one pixel of the screen.
export const oneToOne = (viewer) => {
  const item = viewer.world.getItemAt(0);
  if (item) viewer.viewport.zoomTo(item.imageToViewportZoom(1 / (window.devicePixelRatio || 1)));
};

// Keys for whoever is in the viewer, but never while typing or with a modifier.
export function keys(element, table) {
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=range]), select, textarea")) return;
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (event.key === " " && event.target.matches("button, summary, a")) return;
    const act = table[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
