// What the pages share on which files are chosen or dropped and sent one after another.

export const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

export const size = (bytes) => {
  const [number, unit] = bytes < 2 ** 20 ? [bytes / 2 ** 10, "kB"] : [bytes / 2 ** 20, "MB"];
  return `${number.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${unit}`;
};

// A button in the page's language takes the place of the browser's own, which speaks the browser's.
export const ownButton = (input) => {
  document.querySelector("#choose").hidden = false;
  input.classList.add("visually-hidden");
};

// `taken(dataTransfer)` is called with what is dropped on `place`.
export const onDrop = (place, taken) => {
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) place.addEventListener(kind, () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    taken(event.dataTransfer);
  });
};

// `entry`: the row of what was to be sent, as {item, bar, state}.
export const failed = (entry, sentence) => {
  entry.bar.hidden = true;
  entry.item.className = "notice bad";
  entry.state.className = "state";
  entry.state.textContent = sentence;
  entry.state.setAttribute("role", "alert");
};

// A row's name, with the button that takes it out of the list.
export const heading = (name, label, removed) => {
  const remove = element("button", { type: "button", className: "quiet", textContent: "×" });
  remove.setAttribute("aria-label", label.replace("{name}", name));
  remove.addEventListener("click", removed);
  const line = element("div", { className: "row spread" }, element("span", { className: "name", textContent: name }), remove);
  return { line, remove };
};
