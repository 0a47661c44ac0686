// The page on which a study is made: excerpts come and go, and what fits the chosen songs can be ticked.
import "./question_builder.js";
import { showSuggestions } from "./suggestions.js";

const form = document.querySelector("#study-form");
const words = form.dataset;
const offer = JSON.parse(words.offer); // song -> system -> its sources
const ready = JSON.parse(words.ready); // separator whose weights are here -> its sources
const list = document.querySelector("#excerpts");
const total = form.querySelector("[name$=-TOTAL_FORMS]");
const NOBODY = "00000000-0000-0000-0000-000000000000"; // stands for the song in the address of a suggestion

const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_all, key) => values[key]);
const ticked = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value);
const unique = (values) => [...new Set(values)];
const round = (seconds) => Math.floor(seconds * 100) / 100;

// ── Excerpts ──────────────────────────────────────────────────────────────────────────────────────────────────

const parts = (row) => ({
  song: row.querySelector("select"),
  start: row.querySelector("[name$=-start]"),
  end: row.querySelector("[name$=-end]"),
  audio: row.querySelector("audio"),
});
const rows = () => [...list.querySelectorAll(".excerpt:not([hidden])")];
const chosen = (row) => parts(row).song.selectedOptions[0];
const length = (row) => parts(row).end.valueAsNumber - parts(row).start.valueAsNumber;

function addRow() {
  const number = total.value;
  const html = document.querySelector("#excerpt-row").innerHTML.replaceAll("__prefix__", number);
  list.insertAdjacentHTML("beforeend", html);
  total.value = Number(number) + 1;
  const row = list.lastElementChild;
  showSong(row);
  return row;
}

function removeRow(row) {
  const { song, start, end, audio } = parts(row);
  audio.pause();
  song.value = start.value = end.value = ""; // an empty row is no excerpt
  row.hidden = true;
  refresh();
}

function showSong(row) {
  const { audio, start, end } = parts(row);
  const option = chosen(row);
  const source = option.dataset.audio ?? "";
  row.querySelector(".excerpt-player").hidden = !source;
  for (const field of [start, end]) field.max = option.dataset.seconds ?? "";
  if (source && audio.getAttribute("src") !== source) audio.src = source;
}

async function suggest(row, { overwrite }) {
  const { song, start, end } = parts(row);
  const query = new URLSearchParams();
  for (const system of ticked("systems")) query.append("system", system);
  for (const source of ticked("sources")) query.append("source", source);
  const address = row.querySelector("[data-suggest]").dataset.url.replace(NOBODY, song.value);
  const answer = await fetch(`${address}?${query}`);
  if (!answer.ok || (!overwrite && (start.value || end.value))) return; // what was typed meanwhile stands
  const found = await answer.json();
  const use = (from, to) => {
    [start.value, end.value] = [from, to];
    refresh();
  };
  use(found.start, found.end);
  showSuggestions(row.querySelector("[data-suggestions]"), found, use);
}

function setFromPlayer(row, name) {
  const { audio, start, end } = parts(row);
  parts(row)[name].value = round(audio.currentTime);
  if (name === "start" && !(length(row) > 0)) end.value = round(Math.min(audio.currentTime + 10, Number(end.max)));
  if (name === "end" && !(length(row) > 0)) start.value = round(Math.max(0, audio.currentTime - 10));
  refresh();
}

function play(row) {
  const { audio, start, end } = parts(row);
  if (!audio.paused) return audio.pause();
  audio.currentTime = start.valueAsNumber || 0;
  audio.ontimeupdate = () => {
    if (audio.currentTime < end.valueAsNumber) return;
    audio.ontimeupdate = null;
    audio.pause();
  };
  audio.play();
}

function showLength(row) {
  const seconds = length(row);
  const place = row.querySelector("[data-length]");
  place.textContent = seconds > 0 ? `${seconds.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 })} s` : "";
  const note = row.querySelector("[data-long]");
  note.textContent = words.tooLong;
  note.hidden = !(seconds > Number(words.longExcerpt));
}

// ── What can be ticked ────────────────────────────────────────────────────────────────────────────────────────

function explain(box, reason, { forbids = true } = {}) {
  const place = box.closest("div").querySelector(".why");
  place.textContent = reason;
  place.hidden = !reason;
  box.disabled = forbids && Boolean(reason) && !box.checked; // what is ticked can always be unticked
}

function refreshSystems(songs) {
  for (const box of form.querySelectorAll("[name=systems]")) {
    const lacking = songs.filter((song) => !offer[song.value]?.[box.value]).map((song) => song.textContent);
    const later = box.value in ready; // the excerpts can still be separated, from the study's page
    box.dataset.later = later && lacking.length ? "yes" : "";
    const sentence = fill(later ? words.separatedLater : words.notSeparated, { songs: unique(lacking).join(", ") });
    explain(box, lacking.length ? sentence : "", { forbids: !later });
  }
}

function refreshSources(songs) {
  const boxes = [...form.querySelectorAll("[name=systems]:checked")];
  for (const box of form.querySelectorAll("[name=sources]")) {
    const there = (song, system) => offer[song.value]?.[system] ?? ready[system];
    const gives = (system) => songs.every((song) => there(song, system)?.includes(box.value) ?? true);
    const others = [...Object.values(offer), ready].flatMap((systems) => Object.entries(systems));
    const everGives = (system) => others.some(([key, sources]) => key === system && sources.includes(box.value));
    const lacking = boxes.filter((system) => !gives(system.value) || !everGives(system.value));
    const names = lacking.map((system) => system.closest("label").textContent.trim());
    explain(box, names.length ? fill(words.notGiven, { systems: names.join(", ") }) : "");
  }
}

// ── What a session would be: the server says it, with the very rules that it will go by ──────────────────────

let asked = 0;
let waiting;

function refreshOutline() {
  clearTimeout(waiting);
  waiting = setTimeout(outline, 250);
}

async function outline() {
  const number = (asked += 1);
  try {
    const answer = await fetch(words.outline, { method: "POST", body: new FormData(form) });
    if (!answer.ok || number !== asked) return; // a newer one is on its way
    const { summary, advice } = await answer.json();
    document.querySelector("#outline-summary").textContent = summary;
    const notes = document.querySelector("#outline-advice");
    notes.replaceChildren(...advice.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    notes.hidden = !advice.length;
  } catch {
    // the network is away: what was said stands
  }
}

function refreshPlatform() {
  const kind = form.querySelector("[name=platform_kind]:checked")?.value ?? "";
  form.querySelector("#platform").hidden = !kind;
  form.querySelector("#platform-names").hidden = kind !== "other";
}

function refreshTraps() {
  const some = form.querySelector("[name=traps_per_listener]").valueAsNumber > 0;
  form.querySelector("#field-trap_kind").hidden = !some;
}

function refresh() {
  const songs = rows().map(chosen).filter((option) => option.value);
  refreshSystems(songs);
  refreshSources(songs);
  rows().forEach(showLength);
  refreshPlatform();
  refreshTraps();
  refreshOutline();
}

// For a new study: as soon as the first song is chosen, everything that is there already is ticked.
function tickWhatFits() {
  if (ticked("systems").length || ticked("sources").length) return;
  for (const name of ["systems", "sources"]) {
    for (const box of form.querySelectorAll(`[name=${name}]`)) {
      if (!box.disabled && !box.dataset.later) box.checked = true;
    }
    refresh();
  }
}

// ── What happens ──────────────────────────────────────────────────────────────────────────────────────────────

document.querySelector("#add-excerpt").addEventListener("click", () => {
  addRow().querySelector("select").focus();
  refresh();
});

list.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest(".excerpt");
  if (!row) return;
  if ("remove" in button.dataset) removeRow(row);
  if ("suggest" in button.dataset) suggest(row, { overwrite: true });
  if ("play" in button.dataset) play(row);
  if (button.dataset.set) setFromPlayer(row, button.dataset.set);
});

list.addEventListener("change", async (event) => {
  if (!event.target.matches("select")) return;
  const row = event.target.closest(".excerpt");
  const { start, end } = parts(row);
  start.value = end.value = ""; // of the song before
  showSong(row);
  refresh();
  tickWhatFits();
  if (chosen(row).value) await suggest(row, { overwrite: false });
});

let changed = false;
form.addEventListener("input", () => {
  changed = true;
  refresh();
});

// One player at a time; the button of a playing row pauses it.
for (const kind of ["play", "pause"]) {
  list.addEventListener(kind, (event) => {
    const row = event.target.closest(".excerpt");
    row.querySelector("[data-play]").textContent = kind === "play" ? words.pause : words.play;
    if (kind === "pause") return;
    for (const other of list.querySelectorAll("audio")) if (other !== event.target) other.pause();
  }, true);
}

form.addEventListener("submit", () => (changed = false));
window.addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});

if (!rows().length) addRow();
rows().forEach(showSong);
refresh();
