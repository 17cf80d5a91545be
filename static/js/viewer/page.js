// What belongs to the page around a viewer: keys for going on and deciding, the list of keys, copying.

import { words } from "./deepzoom.js";

const typing = (target) => target.closest("input:not([type=range]), select, textarea, [contenteditable]");

// Deciding takes two keys: one goes to the button, Enter presses it.
const focusOn = (selector) => document.querySelector(selector)?.focus();
const goTo = (relation) => document.querySelector(`a[rel=${relation}]`)?.click();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const act = {
    j: () => goTo("next"),
    k: () => goTo("prev"),
    a: () => focusOn("button[value=approve]"),
    x: () => focusOn("button[value=reject]"),
    "?": () => document.querySelector("dialog.keys-help")?.showModal(),
  }[event.key.toLowerCase()];
  if (!act || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  act();
});

// The keys of the one viewer a page is about work before anybody clicked into it; Space and arrows move the page until then.
document.addEventListener("keydown", (event) => {
  if (event.target !== document.body || event.key.length > 1 || event.key === " ") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const viewers = document.querySelectorAll("image-compare[data-ready], image-viewer");
  if (viewers.length !== 1) return;
  const unknown = viewers[0].dispatchEvent(new KeyboardEvent("keydown", { key: event.key, cancelable: true }));
  if (!unknown) viewers[0].querySelector("[role=img][tabindex]")?.focus({ preventScroll: true });
});

for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.addEventListener("click", () => document.querySelector(opener.dataset.opens).showModal());
}

// The strip of scans stands where the page is.
document.querySelector(".filmstrip [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Copying needs a secure page; without one the text is selected, and the person copies it.
async function copy(text, field) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return words("Copied.");
  }
  field.hidden = false;
  field.value = text;
  field.select();
  return words("Press Ctrl+C to copy.");
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const told = button.parentElement.querySelector("[role=status]");
  const field = button.parentElement.querySelector("input");
  button.addEventListener("click", async () => {
    told.textContent = await copy(button.dataset.copy === "address" ? location.href : button.dataset.copy, field);
  });
}
