// The dialog that asks why: a digit answers at once, anything else is typed, Enter confirms, Escape goes back.

export class Reasons {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = dialog.querySelector("input");
    this.buttons = [...dialog.querySelectorAll("[data-reason]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.answer(button.dataset.reason));
    dialog.querySelector("[data-closes]").addEventListener("click", () => this.answer(null));
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.input.value.trim()) this.answer(this.input.value.trim());
      else this.input.focus();
    });
    dialog.addEventListener("cancel", () => this.answer(null));
    dialog.addEventListener("keydown", (event) => this.key(event));
  }

  ask() {
    this.input.value = "";
    this.dialog.showModal();
    this.buttons[0].focus();
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  answer(reason) {
    const resolve = this.resolve;
    this.resolve = null;
    if (this.dialog.open) this.dialog.close();
    resolve?.(reason);
  }

  key(event) {
    if (event.target === this.input || event.ctrlKey || event.metaKey || event.altKey) return;
    const chosen = this.buttons[Number(event.key) - 1];
    if (/^[1-9]$/.test(event.key) && chosen) {
      event.preventDefault();
      this.answer(chosen.dataset.reason);
    } else if (event.key.length === 1 && event.key !== " ") {
      this.input.focus(); // the key itself arrives there: a reason is typed
    }
  }
}
