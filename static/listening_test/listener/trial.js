// One trial after the other, without a page in between: hear the clip, answer on both scales, next.
"use strict";

import { Outbox, newKey } from "./outbox.js";
import { PlayButton } from "./play_button.js";
import { Player } from "./player.js";

const find = (selector) => document.querySelector(selector);
const page = find("#trial");
const words = page.dataset;
const form = find("#answers");
const next = find("#next");
const mixture = find("#mixture");
const scales = [...form.querySelectorAll("fieldset[data-scale]")];
const kept = `stemmos:${words.api}`; // answers that the server does not have yet, for the case of a reload
const SAVING_MS = 700; // what is saved faster than that needs no word

const player = new Player();
const face = new PlayButton(find("#play"), { play: words.play, again: words.again, stop: words.stop });
const outbox = new Outbox({ csrf: form.elements.csrfmiddlewaretoken.value, onChange: showSaving, onRefused: refused });

let trial = null; // as the server described it
let choices = {}; // scale -> { value, changes, key }
let sounding = null; // "clip" or "mixture" while one of them sounds
let going = false; // "next" was pressed and has not been answered
let savingTimer = 0;

// ── The trial ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function begin() {
  find("#play-help").textContent = words.loading;
  for (let wait = 500; ; wait = Math.min(8000, wait * 2)) {
    try {
      const answer = await fetch(words.api, { headers: { Accept: "application/json" } });
      if (answer.ok) return show(await answer.json());
      if (answer.status < 500 && answer.status !== 429) return leave();
    } catch {
      // no network: said below
    }
    say(words.offline);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function show(state) {
  if (state.step !== "trials") return leave();
  player.stop();
  trial = state.trial;
  choices = { ...trial.ratings };
  going = false;
  player.keep([trial.clip, trial.mixture, trial.next_clip]);
  showPlace();
  showPlayer();
  showScales();
  restore();
  showSaving({ pending: outbox.pending, failing: false });
  fetchAhead();
  page.removeAttribute("aria-busy");
}

function leave() {
  location.replace(words.page); // it knows which step it is
}

function showPlace() {
  const number = trial.position + 1;
  find("#number").textContent = number;
  find("#total").textContent = trial.total;
  find("#progress").max = trial.total;
  find("#progress").value = trial.position;
  find("#minutes").textContent = words.minutes.replace("{minutes}", trial.minutes_left);
  find("#source-name").textContent = trial.source.name;
  find("#picture").setAttribute("href", `${words.pictures}#${trial.source.key}`);
  const announcement = words.announce.replace("{number}", number).replace("{total}", trial.total);
  find("#announce").textContent = announcement.replace("{source}", trial.source.name);
}

function showPlayer() {
  say("");
  face.reset(trial.heard);
  find("#play-help").textContent = trial.heard ? "" : words.listen;
  mixture.hidden = !trial.mixture;
  mixture.textContent = words.mixturePlay;
}

function showScales() {
  find("#unlock").textContent = trial.heard ? words.rate : words.locked;
  for (const scale of scales) {
    lock(scale, !trial.heard);
    const chosen = choices[scale.dataset.scale]?.value;
    for (const input of scale.querySelectorAll("input")) input.checked = Number(input.value) === chosen;
  }
  showNext();
}

function lock(scale, locked) {
  scale.disabled = locked;
  scale.setAttribute("aria-disabled", String(locked)); // not every screen reader says it of a group by itself
}

function showNext() {
  const rated = scales.every((scale) => choices[scale.dataset.scale]);
  next.disabled = going || !trial?.heard || !rated || outbox.pending > 0;
  find("#next-help").textContent = !trial?.heard || rated ? "" : words.needBoth;
}

function fetchAhead() {
  player
    .load(trial.clip)
    .then(() => (trial.next_clip && trial.heard ? player.load(trial.next_clip) : null))
    .catch(() => {}); // said when it is played
}

// ── Hearing ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function sound(what, url, { onStart, onProgress = () => {}, onOver }) {
  if (sounding === what) return player.stop();
  const here = trial;
  say("");
  player.stop();
  sounding = what;
  try {
    const result = await player.play(url, { onStart, onProgress });
    deviceTell();
    if (here === trial) onOver(result);
    if (here === trial && result.outcome === "interrupted") say(words.interrupted);
  } catch (error) {
    if (here === trial) {
      onOver({ outcome: "failed", seconds: 0 });
      say(words[error.kind] ?? words.sound);
    }
  }
  if (sounding === what) sounding = null;
}

function playClip() {
  if (!trial || going) return;
  if (sounding !== "clip") {
    face.loading();
    find("#play-help").textContent = words.loading;
  }
  sound("clip", trial.clip, { onStart: clipBegins, onProgress: (share) => face.progress(share), onOver: clipOver });
}

function clipBegins() {
  face.playing();
  find("#play-help").textContent = words.playing;
  trial.plays += 1;
  if (!trial.heard) outbox.add({ id: "opened", method: "POST", url: address("opened/") });
}

function clipOver({ outcome, seconds }) {
  trial.heard_seconds += seconds;
  const first = outcome === "ended" && !trial.heard;
  if (outcome === "ended") clipHeard();
  face.reset(trial.heard);
  find("#play-help").textContent = trial.heard ? "" : outcome === "stopped" ? words.stopped : words.listen;
  if (!first) return;
  showScales();
  find("#announce").textContent = words.rate;
}

function clipHeard() {
  trial.heard = true;
  const body = { seconds: trial.heard_seconds, plays: trial.plays };
  outbox.add({ id: "heard", method: "POST", url: address("heard/"), body });
  fetchAhead();
}

function playMixture() {
  const ready = () => (mixture.textContent = words.mixturePlay);
  sound("mixture", trial.mixture, { onStart: () => (mixture.textContent = words.mixtureStop), onOver: ready });
}

function deviceTell() {
  if (words.deviceKnown === "yes" || !player.facts) return;
  words.deviceKnown = "yes";
  outbox.add({ id: "device", method: "POST", url: words.device, body: player.facts, optional: true });
}

function say(message) {
  find("#trouble").hidden = !message;
  find("#trouble p").textContent = message;
}

// ── Answering ──────────────────────────────────────────────────────────────────────────────────────────────────────

function answer(scale, value) {
  const changes = choices[scale] ? choices[scale].changes + 1 : 0;
  choices[scale] = { value, changes, key: newKey() };
  send(scale);
}

function send(scale) {
  const choice = choices[scale];
  const here = trial;
  remember();
  const onSaved = (standing) => here === trial && saved(scale, choice, standing);
  outbox.add({ id: `rating ${scale}`, method: "PUT", url: address(`ratings/${scale}/`), body: choice, onSaved });
  showNext();
}

function saved(scale, sent, standing) {
  if (choices[scale] !== sent) return; // changed since: the newer answer is on its way
  delete sent.key;
  if (standing.value === sent.value) {
    sent.changes = standing.changes;
    return remember();
  }
  // Another window of this listener answered meanwhile: what was chosen here last is what counts.
  choices[scale] = { value: sent.value, changes: standing.changes + 1, key: newKey() };
  send(scale);
}

function remember() {
  const waiting = Object.entries(choices).filter(([, choice]) => choice.key);
  if (!waiting.length) return forget();
  try {
    localStorage.setItem(kept, JSON.stringify({ position: trial.position, waiting }));
  } catch {
    // a browser without storage: a reload while the network is away loses what was not saved yet
  }
}

function forget() {
  try {
    localStorage.removeItem(kept);
  } catch {
    // nothing was remembered
  }
}

// After a reload: answers that had not reached the server.
function restore() {
  let memory = null;
  try {
    memory = JSON.parse(localStorage.getItem(kept));
  } catch {
    // nothing that could be read
  }
  if (memory?.position !== trial.position || !trial.heard) return;
  for (const [scale, choice] of memory.waiting) {
    if (choice.changes <= (choices[scale]?.changes ?? -1)) continue;
    choices[scale] = choice;
    send(scale);
  }
  showScales();
}

function showSaving({ pending, failing }) {
  const line = find("#saving");
  clearTimeout(savingTimer);
  line.classList.toggle("waiting", failing && pending > 0);
  if (failing && pending) line.textContent = words.unsaved;
  else if (pending) savingTimer = setTimeout(() => (line.textContent = words.saving), SAVING_MS);
  else line.textContent = Object.keys(choices).length ? words.saved : "";
  showNext();
}

// The server knows better where this listener is: go there, and say nothing twice.
function refused(item, status, body) {
  forget();
  const over = ["study_closed", "session_done", "no_session"].includes(body?.code);
  if (over || status === 403) leave();
  else begin();
}

// ── Going on ───────────────────────────────────────────────────────────────────────────────────────────────────────

function goOn() {
  if (next.disabled) return;
  player.stop();
  going = true;
  for (const scale of scales) lock(scale, true); // what is sent with "next" stands
  const onSaved = (state) => {
    show(state);
    if (state.step !== "trials") return;
    find("#play").focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  };
  outbox.add({ id: "finish", method: "POST", url: address("finish/"), onSaved });
}

function address(rest) {
  return `${words.api}trials/${trial.position}/${rest}`;
}

// ── Hands ──────────────────────────────────────────────────────────────────────────────────────────────────────────

find("#play").addEventListener("click", playClip);
mixture.addEventListener("click", playMixture);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  goOn();
});
form.addEventListener("change", (event) => {
  if (event.target.type === "radio") answer(event.target.name, Number(event.target.value));
});

document.addEventListener("keydown", (event) => {
  if (!trial || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const radio = event.target.closest("input[type=radio]");
  const free = !event.target.closest("button, a, summary, input, select, textarea");
  if (event.key === " " && (free || radio?.checked)) {
    event.preventDefault();
    playClip();
  } else if (event.key === "Enter" && (free || radio)) {
    event.preventDefault();
    goOn();
  } else if (radio && /^[1-5]$/.test(event.key)) {
    event.preventDefault();
    choose(radio.closest("fieldset"), Number(event.key));
  }
});

function choose(scale, value) {
  const input = scale.querySelector(`input[value="${value}"]`);
  input.focus();
  if (input.checked) return;
  input.checked = true;
  answer(scale.dataset.scale, value);
}

begin();
