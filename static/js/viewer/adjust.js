// Brightness, contrast, gamma, colour and inversion, for reading what has faded; of the view only, never of the picture.

import { button, words } from "./deepzoom.js";

const NEUTRAL = { brightness: 100, contrast: 100, gamma: 100, saturate: 100, invert: 0 };
let count = 0;

// CSS has no gamma; SVG has: value ** exponent in each channel.
function gammaFilter() {
  const svg = "http://www.w3.org/2000/svg";
  const root = document.createElementNS(svg, "svg");
  const filter = root.appendChild(document.createElementNS(svg, "filter"));
  const transfer = filter.appendChild(document.createElementNS(svg, "feComponentTransfer"));
  root.setAttribute("class", "hidden-text");
  root.setAttribute("aria-hidden", "true");
  count += 1;
  filter.id = `gamma-${count}`;
  filter.setAttribute("color-interpolation-filters", "sRGB");
  const channels = ["R", "G", "B"].map((name) => transfer.appendChild(document.createElementNS(svg, `feFunc${name}`)));
  for (const channel of channels) channel.setAttribute("type", "gamma");
  return {
    root,
    use(gamma) {
      for (const channel of channels) channel.setAttribute("exponent", 100 / gamma);
      return `url(#${filter.id})`;
    },
  };
}

export function adjustments(target) {
  const box = document.createElement("details");
  const summary = box.appendChild(document.createElement("summary"));
  summary.textContent = words("Adjust the view");
  const sliders = box.appendChild(document.createElement("div"));
  sliders.className = "sliders";
  const gamma = gammaFilter();
  box.append(gamma.root);
  const values = { ...NEUTRAL };
  const inputs = {};
  const names = {
    brightness: words("Brightness"),
    contrast: words("Contrast"),
    gamma: words("Gamma (lifts shadows)"),
    saturate: words("Colour"),
    invert: words("Negative"),
  };
  const apply = () => {
    const parts = Object.entries(values).filter(([name, value]) => value !== NEUTRAL[name]);
    const filter = parts.map(([name, value]) => (name === "gamma" ? gamma.use(value) : `${name}(${value}%)`)).join(" ");
    for (const element of target()) element.style.filter = filter;
  };
  for (const [name, value] of Object.entries(NEUTRAL)) {
    const label = sliders.appendChild(document.createElement("label"));
    label.textContent = names[name];
    const input = label.appendChild(document.createElement("input"));
    Object.assign(input, { type: "range", min: name === "gamma" ? 25 : 0, max: name === "invert" ? 100 : 300, value });
    input.addEventListener("input", () => {
      values[name] = Number(input.value);
      apply();
    });
    inputs[name] = input;
  }
  sliders.append(
    button(words("As it is"), "", () => {
      for (const [name, value] of Object.entries(NEUTRAL)) {
        values[name] = value;
        inputs[name].value = value;
      }
      apply();
    }),
  );
  return { box, apply };
}
