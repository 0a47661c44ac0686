// The questionnaire is built here: ready pieces and questions of the researcher's own, in an order. What is built is
// kept as JSON in one field; the field is empty while the list is StemMOS's own choice. The server checks all of it.

const root = document.querySelector("#builder");
const words = root.dataset;
const pieces = new Map(JSON.parse(words.pieces).map((piece) => [piece.key, piece]));
const usual = JSON.parse(words.usual);
const field = document.querySelector("#id_questions");
const list = root.querySelector(".questions");
const status = root.querySelector("[role=status]");
const picker = root.querySelector("#piece");
const template = document.querySelector("#question-row");
const language = document.documentElement.lang;

const WITH_OPTIONS = ["choice", "choices", "steps"];
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_all, key) => values[key]);

let entries = read();

function read() {
  try {
    return field.value.trim() ? JSON.parse(field.value) : structuredClone(usual);
  } catch {
    return structuredClone(usual);
  }
}

function store() {
  field.value = JSON.stringify(entries);
  root.querySelector("[data-usual-note]").hidden = true;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

const nameOf = (entry) =>
  entry.own ? entry.label[language] || Object.values(entry.label).find(Boolean) || words.unnamed : pieces.get(entry.piece)?.name ?? entry.piece;
const keyOf = (entry) => (entry.own ? `own:${entry.own}` : entry.piece);
const say = (sentence, values) => (status.textContent = fill(sentence, values));

// ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────

function row(entry) {
  const made = template.content.firstElementChild.cloneNode(true);
  made.dataset.key = keyOf(entry);
  for (const place of made.querySelectorAll("[data-set]")) {
    if (place.type === "checkbox") place.checked = entry[place.dataset.set];
    else place.value = entry[place.dataset.set] ?? "";
  }
  for (const place of made.querySelectorAll("[data-words]")) place.value = wordsOf(entry, place.dataset);
  made.querySelector(".own").hidden = !entry.own;
  refreshRow(made, entry);
  return made;
}

function wordsOf(entry, { words: what, language: code }) {
  if (what !== "options") return entry[what]?.[code] ?? "";
  const blank = entry.kind === "steps" ? "–" : "";
  return (entry.options ?? []).map((option) => option[code] || blank).join("\n");
}

function refreshRow(made, entry) {
  const name = nameOf(entry);
  made.querySelector("[data-name]").textContent = name;
  made.querySelector("[data-move='-1']").setAttribute("aria-label", fill(words.up, { name }));
  made.querySelector("[data-move='1']").setAttribute("aria-label", fill(words.down, { name }));
  made.querySelector("[data-drop]").setAttribute("aria-label", fill(words.remove, { name }));
  const shown = { options: WITH_OPTIONS.includes(entry.kind), steps: entry.kind === "steps", number: entry.kind === "number" };
  for (const part of made.querySelectorAll("[data-for]")) part.hidden = !shown[part.dataset.for];
}

function render() {
  list.replaceChildren(...entries.map(row));
  const taken = new Set(entries.map(keyOf));
  const groups = new Map();
  for (const piece of pieces.values()) {
    if (taken.has(piece.key)) continue;
    if (!groups.has(piece.group)) groups.set(piece.group, Object.assign(document.createElement("optgroup"), { label: piece.group }));
    groups.get(piece.group).append(new Option(piece.name, piece.key));
  }
  picker.replaceChildren(...groups.values());
  picker.disabled = root.querySelector("[data-add=piece]").disabled = !groups.size;
}

const rowOf = (key) => list.querySelector(`[data-key="${CSS.escape(key)}"]`);

// ── What can be done ──────────────────────────────────────────────────────────────────────────────────────────

function move(entry, by) {
  const from = entries.indexOf(entry);
  const to = from + by;
  if (to < 0 || to >= entries.length) return;
  entries.splice(from, 1);
  entries.splice(to, 0, entry);
  store();
  render();
  rowOf(keyOf(entry)).querySelector(`[data-move="${by}"]`).focus();
  say(words.moved, { name: nameOf(entry), place: to + 1, all: entries.length });
}

function drop(entry) {
  const at = entries.indexOf(entry);
  entries.splice(at, 1);
  store();
  render();
  const next = list.children[Math.min(at, entries.length - 1)];
  (next?.querySelector("[data-drop]") ?? picker).focus();
  say(words.removed, { name: nameOf(entry) });
}

function add(entry) {
  entries.push(entry);
  store();
  render();
  const made = rowOf(keyOf(entry));
  made.querySelector(entry.own ? "[data-set=kind]" : "[data-set=place]").focus();
  say(words.added, { name: nameOf(entry), place: entries.length });
}

function ownEntry() {
  const used = new Set(entries.map((entry) => entry.own));
  let number = 1;
  while (used.has(`q${number}`)) number += 1;
  return { own: `q${number}`, kind: "choice", place: "opening", needed: false, label: {}, options: [] };
}

// The lines of all languages, side by side: the third line of each is the third option.
function optionsOf(made) {
  const places = [...made.querySelectorAll("[data-words=options]")];
  const lines = places.map((place) => place.value.trimEnd().split("\n").map((line) => line.trim().replace(/^[-–—]$/, "")));
  const most = Math.max(...places.map((place, at) => (place.value.trim() ? lines[at].length : 0)));
  return Array.from({ length: most }, (_none, number) =>
    Object.fromEntries(places.map((place, at) => [place.dataset.language, lines[at][number] ?? ""])),
  );
}

function change(entry, made, place) {
  const { set, words: what, language: code } = place.dataset;
  if (set === "needed") entry.needed = place.checked;
  else if (set === "least" || set === "most") entry[set] = Number.isNaN(place.valueAsNumber) ? null : place.valueAsNumber;
  else if (set) entry[set] = place.value;
  else if (what === "options") entry.options = optionsOf(made);
  else entry[what] = { ...entry[what], [code]: place.value };
  store();
  refreshRow(made, entry);
}

// ── What happens ──────────────────────────────────────────────────────────────────────────────────────────────

const entryOf = (made) => entries.find((entry) => keyOf(entry) === made.dataset.key);

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const entry = entryOf(button.closest(".question-row"));
  if (button.dataset.move) move(entry, Number(button.dataset.move));
  if ("drop" in button.dataset) drop(entry);
});

list.addEventListener("input", (event) => {
  const made = event.target.closest(".question-row");
  change(entryOf(made), made, event.target);
});

root.querySelector("[data-add=piece]").addEventListener("click", () => {
  const piece = pieces.get(picker.value);
  if (piece) add({ piece: piece.key, place: piece.place, needed: piece.needed });
});
root.querySelector("[data-add=own]").addEventListener("click", () => add(ownEntry()));
root.querySelector("[data-reset]").addEventListener("click", () => {
  entries = structuredClone(usual);
  render();
  field.value = "";
  root.querySelector("[data-usual-note]").hidden = false;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

root.querySelector("[data-usual-note]").hidden = Boolean(field.value.trim());
render();
