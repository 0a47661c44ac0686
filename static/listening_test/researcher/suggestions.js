// The passages of a song that are suggested for an excerpt, each with its reasons, and those that had better not be one.

// `found`: what the server answers; `choose(start, end)` is called when a passage is chosen.
export function showSuggestions(place, found, choose) {
  const offered = found.offered.map((each) => passage(each, place.dataset.use, choose));
  const refused = found.refused.map((each) => passage(each));
  place.replaceChildren(
    line("p", found.looked_at, "soft small"),
    list(offered),
    ...(refused.length ? [line("p", place.dataset.refused, "soft small"), list(refused)] : []),
  );
  place.hidden = false;
}

function passage({ start, end, reasons }, use, choose) {
  const item = line("li", "", "");
  const span = `${show(start)}–${show(end)} s`;
  if (choose) {
    const button = line("button", span, "quiet");
    button.type = "button";
    button.setAttribute("aria-label", `${use} ${span}`);
    button.addEventListener("click", () => choose(start, end));
    item.append(button);
  } else item.append(line("strong", span, ""));
  item.append(line("span", ` ${reasons}`, "soft small"));
  return item;
}

function list(items) {
  const made = document.createElement("ul");
  made.className = "passages";
  made.append(...items);
  return made;
}

function line(tag, text, className) {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

const show = (seconds) => seconds.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
