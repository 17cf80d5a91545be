// One file in the tray: its name, how far it is, and what a person has to know or decide.

const words = window.gettext ?? ((text) => text);
const TONE = { catalogued: "good", ready: "good", refused: "bad", failed: "warn", duplicate: "warn", ask: "warn", paused: "warn" };
const SHOWN = ["image/jpeg", "image/png", "image/webp", "image/gif"]; // that browsers can show from the disk

function anchor(url, text) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = text;
  return link;
}

export class Row {
  constructor(name, size) {
    this.state = "waiting";
    this.size = size;
    this.element = document.createElement("li");
    this.file = this.part("span", "file", name);
    this.badge = this.part("span", "badge", words("waiting"));
    this.bar = this.part("progress", "", "");
    this.bar.setAttribute("aria-label", name);
    this.bar.hidden = true;
    this.note = this.part("span", "sentence", "");
    this.faces = this.part("div", "faces", "");
    this.buttons = this.part("span", "actions", "");
    this.name = name;
  }

  part(tag, className, text) {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return this.element.appendChild(element);
  }

  to(state, sentence = "") {
    this.state = state;
    const text = {
      waiting: words("waiting"),
      reading: words("reading"),
      uploading: words("uploading"),
      checking: words("checking"),
      catalogued: words("catalogued"),
      ready: words("ready"),
      refused: words("refused"),
      paused: words("half arrived"),
      failed: words("no connection"),
      ask: words("already here"),
      duplicate: words("already here"),
    }[state];
    this.badge.textContent = text;
    this.badge.className = `badge ${TONE[state] ?? ""}`;
    this.element.className = state;
    this.note.textContent = sentence;
    this.buttons.replaceChildren();
    this.faces.replaceChildren();
    if (!["reading", "uploading"].includes(state)) this.bar.hidden = true;
    this.element.dispatchEvent(new CustomEvent("state", { bubbles: true }));
  }

  progress(done, total) {
    this.bar.hidden = !total;
    this.bar.max = total || 1;
    this.bar.value = done;
  }

  link(item) {
    if (item) this.file.replaceChildren(anchor(item.url, this.name));
  }

  // What arrived, small, once it can be looked at; asked for when it comes into sight, for a box holds hundreds.
  show(item) {
    if (!item?.thumbnail || this.element.querySelector(".thumb")) return;
    const image = document.createElement("img");
    image.className = "thumb";
    image.loading = "lazy";
    image.decoding = "async";
    image.width = image.height = 48;
    image.alt = item.title;
    image.src = item.thumbnail;
    this.element.prepend(image);
  }

  // The link is at the other picture's name: the name of this file would promise an item of its own.
  same(item) {
    if (item) this.note.append(" ", anchor(item.url, words("It is “%s”.").replace("%s", item.title)));
  }

  offer(...choices) {
    this.buttons.replaceChildren(
      ...choices.map(([text, act]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button small";
        button.textContent = text;
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  // Both pictures, so that nobody has to take our word for it: yours from the disk, and the one the archive has.
  besides(file, twin) {
    const own = this.face(words("Yours"));
    if (file && SHOWN.includes(file.type)) {
      const image = own.appendChild(document.createElement("img"));
      image.alt = this.name;
      image.src = URL.createObjectURL(file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    } else {
      const text = own.appendChild(document.createElement("p"));
      text.textContent = words("A browser cannot show this kind of file; its SHA-256 is the same, so it is the same file.");
    }
    const theirs = this.face(words("In the archive"));
    const image = theirs.appendChild(document.createElement("img"));
    image.alt = twin.title;
    image.src = twin.thumbnail;
    const link = theirs.appendChild(document.createElement("a"));
    link.href = twin.url;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = `${twin.title} · ${twin.collection}`;
  }

  face(text) {
    const figure = this.faces.appendChild(document.createElement("figure"));
    const caption = figure.appendChild(document.createElement("figcaption"));
    caption.textContent = text;
    return figure;
  }
}
