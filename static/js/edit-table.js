// A table of inputs that moves and fills like a spreadsheet. Without this script it is a plain form.

class EditTable extends HTMLElement {
  connectedCallback() {
    this.rows = [...this.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td input:not([type=hidden])")]);
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("paste", (event) => this.paste(event));
    this.addEventListener("input", () => this.count());
    this.querySelector("form").addEventListener("submit", () => (this.leaving = true));
    window.addEventListener("beforeunload", (event) => {
      if (this.changed && !this.leaving) event.preventDefault();
    });
    this.count();
  }

  at(input) {
    const row = this.rows.findIndex((inputs) => inputs.includes(input));
    return row < 0 ? undefined : [row, this.rows[row].indexOf(input)];
  }

  key(event) {
    if (event.key === "Enter" && event.target.closest(".shared input")) {
      event.preventDefault();
      this.querySelector("[name=fill]").click();
      return;
    }
    const place = this.at(event.target);
    if (!place) return;
    const [row, column] = place;
    const down = event.key === "ArrowDown" || (event.key === "Enter" && !event.shiftKey);
    if (down || event.key === "ArrowUp" || event.key === "Enter") {
      event.preventDefault();
      this.go(row + (down ? 1 : -1), column);
    } else if (event.key.toLowerCase() === "d" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (event.shiftKey) {
        for (let below = row + 1; below < this.rows.length; below += 1) this.fill(below, column, event.target.value);
        return;
      }
      if (row > 0) this.fill(row, column, this.rows[row - 1][column].value);
      this.go(row + 1, column);
    }
  }

  go(row, column) {
    const input = this.rows[row]?.[column];
    input?.focus();
    input?.select();
  }

  fill(row, column, text) {
    const input = this.rows[row]?.[column];
    if (!input) return;
    input.value = text;
    this.count();
  }

  // Cells copied from a spreadsheet are rows of tabs: they go where the cursor is, and on to the right and below.
  paste(event) {
    const place = this.at(event.target);
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!place || !/[\t\n]/.test(text.trimEnd())) return;
    event.preventDefault();
    const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
    lines.forEach((line, down) =>
      line.split("\t").forEach((cell, right) => this.fill(place[0] + down, place[1] + right, cell)),
    );
  }

  count() {
    const bar = this.querySelector(".bulk");
    this.changed = 0;
    for (const input of this.rows.flat()) {
      const differs = input.value !== input.defaultValue;
      input.parentElement.classList.toggle("changed", differs);
      this.changed += differs;
    }
    bar.querySelector("output").textContent = bar.dataset.words.replace("%d", this.changed);
  }
}
customElements.define("edit-table", EditTable);
