// What the pages of judging do alike with the picture on show: keys reach it wherever the focus is, and the next one is
// looked at as the last one was.

export const typing = (target) => target.closest("input:not([type=range]), select, textarea, [contenteditable]");

// The next pair in the same mode, with the curtain in the same place.
export function likewise(before, compare) {
  if (!before?.buttons || before === compare) return;
  if (!compare.buttons) {
    compare.dataset.mode = before.mode;
    return;
  }
  compare.range.value = before.range.value;
  if (before.mode !== "blink") before.held = false;
  if (before.mode === "difference") compare.difference();
  else if (compare.mode !== before.mode) compare.show(before.mode);
}

export function focusPicture(compare) {
  const canvas = compare?.viewer?.canvas;
  if (canvas) canvas.focus({ preventScroll: true });
  else if (typing(document.activeElement ?? document.body) || document.activeElement?.closest(".pair")) {
    document.activeElement.blur();
  }
}

// Keys of the picture reach it wherever the focus is.
export function forward(event, compare) {
  if (!compare?.buttons || compare.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.target.closest("button, a, summary, input") && [" ", "Enter"].includes(event.key)) return;
  if (event.key === "Tab" || event.key === "Enter") return;
  const copy = new KeyboardEvent(event.type, { key: event.key, repeat: event.repeat, cancelable: true });
  if (!compare.dispatchEvent(copy)) event.preventDefault();
}
