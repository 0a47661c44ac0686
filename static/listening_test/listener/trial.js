// One trial after the other, without a page in between: hear the clip, answer what is asked, next. The next trial is
// known and its clip decoded before it is needed, so the listener goes on at once; what they did follows by the outbox.
"use strict";

import { onKeys } from "./keys.js";
import { Outbox, newKey } from "./outbox.js";
import { Part } from "./part.js";
import { PlayButton } from "./play_button.js";
import { Player } from "./player.js";
import { openStore } from "./store.js";
import { find, listenWords, lock, say, showNotice, showPart, showPause, showPlace } from "./trial_view.js";
import { takeTurns } from "./turn.js";

const page = find("#trial");
const words = page.dataset;
const form = find("#answers");
const next = find("#next");
const mixture = find("#mixture");
const loop = find("#loop-play");
const scales = [...form.querySelectorAll("fieldset[data-scale]")];
const AWAY_MS = 3600e3; // as the server has it
const SAVING_MS = 700; // what is saved faster than that needs no word
const MOST_COUNT = 10000; // as the server has it
const PATIENCE_MS = 15000; // for one answer of the server

const visit = `${words.api} ${words.visit}`; // somebody else may have listened in this browser before
const player = new Player();
const part = new Part(find("#loop"), words.second);
const face = new PlayButton(find("#play"), { play: words.play, again: words.again, stop: words.stop });
const csrf = form.elements.csrfmiddlewaretoken.value;
const outbox = new Outbox({ csrf, onChange: showSaving, onRefused: refused });

let store = null;
let begun = 0; // how often the page has begun: what an earlier beginning still waits for is not wanted any more
let state = null; // as the server described it: { trial, pause, notice, next }
let trial = null; // state.trial
let listening = {}; // of this trial, in all: seconds, plays, loops, interruptions, glitches
let choices = {}; // scale -> { value, changes, key }
let sounding = null; // "clip", "part" or "mixture" while one of them sounds
let going = false; // "next" was pressed, and the next trial is not known yet
let savingTimer = 0;

// ── Beginning ──────────────────────────────────────────────────────────────────────────────────────────────────────

const takeTurn = takeTurns(`stemmos ${visit}`, { onTurn: begin, onWaiting: showElsewhere, onLost: showElsewhere });
find("#here").addEventListener("click", takeTurn);

// What an earlier page could not send goes first: then the server knows where this listener is.
async function begin() {
  const mine = ++begun;
  player.stop();
  trial = null; // nothing is done to it any more
  showPart("rating");
  page.setAttribute("aria-busy", "true");
  find("#play-help").textContent = words.loading;
  store ??= await openStore();
  await outbox.keepIn(store, `outbox ${visit}`);
  await outbox.idle();
  const fresh = await current(mine);
  const memory = await store.get(`trial ${visit}`);
  if (mine === begun && fresh) show(fresh, memory);
}

async function current(mine) {
  for (let wait = 500; mine === begun; wait = Math.min(8000, wait * 2)) {
    try {
      const signal = AbortSignal.timeout?.(PATIENCE_MS);
      const answer = await fetch(words.api, { headers: { Accept: "application/json" }, signal });
      if (answer.ok) return await answer.json();
      if (answer.status < 500 && answer.status !== 429) return leave();
    } catch {
      // no network: said below
    }
    say(words.offline);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return null;
}

function showElsewhere() {
  begun += 1;
  outbox.stop();
  player.stop();
  trial = null;
  showPart("elsewhere");
}

function leave() {
  location.replace(words.page); // it knows which step it is
  return null;
}

// ── The trial ──────────────────────────────────────────────────────────────────────────────────────────────────────

function show(fresh, memory = null) {
  if (fresh.step !== "trials" || !fresh.trial) return leave();
  player.stop();
  state = fresh;
  trial = fresh.trial;
  choices = { ...trial.ratings };
  going = false;
  const { heard_seconds: seconds, plays, loops, interruptions, glitches } = trial;
  listening = { seconds, plays, loops, interruptions, glitches };
  player.keep([...clipsOf(state), ...clipsOf(state.next)]);
  showPlace(trial, words);
  showPause(trial, trial.scales.length === 1 ? asked()[0] : null, words);
  showPlayer();
  recall(memory);
  showScales();
  showNotice(state.notice);
  showSaving(outbox);
  showPart(fresh.pause && !trial.heard ? "pause" : "rating");
  page.removeAttribute("aria-busy");
  fetchAhead();
}

// Goes on to a trial while somebody is at it.
function go(fresh) {
  show(fresh);
  if (!trial) return;
  (find("#pause").hidden ? find("#play") : find("#pause h1")).focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}

function showPlayer() {
  say("");
  delete find("#play").dataset.clip;
  face.reset(trial.heard);
  find("#play-help").textContent = trial.heard ? "" : listenWords(trial, words);
  mixture.hidden = !trial.mixture;
  mixture.textContent = words.mixturePlay;
  loop.textContent = words.loopPlay;
  find("#loop").hidden = !trial.loop || !trial.heard;
  find("#loop").open = false;
  if (trial.loop) part.reset(trial.seconds);
}

function asked() {
  return scales.filter((scale) => trial.scales.includes(scale.dataset.scale));
}

function showScales() {
  const locked = trial.minimum_seconds ? words.lockedLeast : words.locked;
  find("#unlock").textContent = trial.heard ? words.rate : locked;
  for (const scale of scales) {
    scale.hidden = !trial.scales.includes(scale.dataset.scale);
    lock(scale, !trial.heard || scale.hidden);
    const chosen = choices[scale.dataset.scale]?.value;
    for (const input of scale.querySelectorAll("input")) input.checked = Number(input.value) === chosen;
  }
  find("#loop").hidden = !trial.loop || !trial.heard;
  showNext();
}

function showNext() {
  if (!trial) return;
  const rated = asked().every((scale) => choices[scale.dataset.scale]);
  next.disabled = going || !trial.heard || !rated;
  const need = asked().length > 1 ? words.needBoth : words.needOne;
  find("#next-help").textContent = going ? words.waiting : !trial.heard || rated ? "" : need;
}

function clipsOf(at) {
  return at ? [at.trial.clip, at.trial.mixture] : [];
}

// This clip, then the next one: decoded before it is wanted. What fails is asked for again later, and said when played.
async function fetchAhead() {
  const here = trial;
  try {
    await player.load(here.clip);
    if (here === trial && !find("#play").dataset.clip) {
      find("#play").dataset.clip = "ready";
      performance.mark("playable"); // for `bench/trial_gap.py`
    }
    for (const url of [here.mixture, ...clipsOf(state.next)]) if (url) await player.load(url);
  } catch {
    // see above
  }
}

// ── Hearing ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function sound(what, url, { onOver, ...how }) {
  if (sounding === what) return player.stop();
  const here = trial;
  const isHere = () => here === trial && !going;
  say("");
  player.stop();
  sounding = what;
  try {
    const result = await player.play(url, how);
    deviceTell();
    if (isHere()) onOver(result);
    if (isHere() && result.outcome === "interrupted") say(words.interrupted);
  } catch (error) {
    if (isHere()) {
      onOver({ outcome: "failed", seconds: 0, loops: 0, glitches: 0 });
      say(words[error.kind] ?? words.sound);
    }
  }
  if (sounding === what) sounding = null;
  return null;
}

function playClip() {
  if (!trial || going) return;
  if (sounding !== "clip") {
    face.loading();
    find("#play-help").textContent = words.loading;
  }
  sound("clip", trial.clip, { onStart: clipBegins, onProgress: clipProgress, onOver: clipOver });
}

function clipBegins() {
  face.playing();
  find("#play-help").textContent = words.playing;
  listening.plays = Math.min(MOST_COUNT, listening.plays + 1);
  remember(true);
  if (!trial.heard) outbox.add({ id: `opened ${trial.position}`, method: "POST", url: address("opened/") });
}

function clipProgress(share, seconds) {
  face.progress(share);
  if (!trial.heard && trial.minimum_seconds && seconds >= trial.minimum_seconds) clipHeard(seconds);
}

function clipOver(result) {
  count(result);
  if (trial.heard) heardTell();
  else if (result.outcome === "ended") clipHeard();
  face.reset(trial.heard);
  find("#play-help").textContent = trial.heard ? "" : result.outcome === "stopped" ? words.stopped : listenWords(trial, words);
}

// For the first time as far as the study asks. `more`: seconds of a play that still goes on.
function clipHeard(more = 0) {
  trial.heard = true;
  heardTell(more);
  showScales();
  find("#announce").textContent = words.rate;
  fetchAhead();
}

function heardTell(more = 0) {
  const body = { ...listening, seconds: listening.seconds + more };
  outbox.add({ id: `heard ${trial.position}`, method: "POST", url: address("heard/"), body });
}

function count({ outcome, seconds, loops, glitches }) {
  const more = (name, by) => (listening[name] = Math.min(MOST_COUNT, listening[name] + by));
  listening.seconds += seconds;
  more("loops", loops);
  more("glitches", glitches);
  more("interruptions", outcome === "interrupted" ? 1 : 0);
  remember(false);
}

function playMixture() {
  if (!trial || going) return;
  const ready = () => (mixture.textContent = words.mixturePlay);
  sound("mixture", trial.mixture, { onStart: () => (mixture.textContent = words.mixtureStop), onOver: ready });
}

function playPart() {
  if (!trial?.heard || going) return;
  const over = (result) => {
    loop.textContent = words.loopPlay;
    count(result);
    heardTell();
  };
  const begins = () => {
    loop.textContent = words.stop;
    remember(true);
  };
  const progress = (share) => face.progress(share);
  sound("part", trial.clip, { part: part.seconds, onStart: begins, onProgress: progress, onOver: over });
}

function deviceTell() {
  if (words.deviceKnown === "yes" || !player.facts) return;
  words.deviceKnown = "yes";
  outbox.add({ id: "device", method: "POST", url: words.device, body: player.facts, optional: true });
}

// A page that is closed in the middle of a clip cannot say so any more; the next one finds that it was playing.
function remember(playing) {
  store?.set(`trial ${visit}`, { clip: trial.clip, listening, playing });
}

function recall(memory) {
  if (memory?.clip !== trial.clip) return;
  for (const [name, amount] of Object.entries(memory.listening)) listening[name] = Math.max(listening[name], amount);
  if (!memory.playing) return;
  count({ outcome: "interrupted", seconds: 0, loops: 0, glitches: 0 });
  if (!trial.heard) say(words.interrupted);
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
  outbox.add({
    id: `rating ${trial.position} ${scale}`,
    method: "PUT",
    url: address(`ratings/${scale}/`),
    body: choice,
    answer: true,
    onSaved: (standing) => here === trial && saved(scale, choice, standing),
  });
  showNext();
}

function saved(scale, sent, standing) {
  if (choices[scale] !== sent || going) return; // changed since: the newer answer is on its way
  if (standing.value === sent.value) return void (sent.changes = standing.changes);
  // Another window of this listener answered meanwhile: what was chosen here last is what counts.
  choices[scale] = { value: sent.value, changes: standing.changes + 1, key: newKey() };
  send(scale);
}

function showSaving({ pending, failing }) {
  const line = find("#saving");
  clearTimeout(savingTimer);
  line.classList.toggle("waiting", failing && pending > 0);
  const unsent = outbox.answers ? words.unsent.replace("{n}", outbox.answers) : words.offline;
  if (failing && pending) line.textContent = unsent;
  else line.textContent = !pending && Object.keys(choices).length ? words.saved : "";
  if (pending && !failing) savingTimer = setTimeout(() => (line.textContent = words.saving), SAVING_MS);
  if (!failing && !pending) fetchMissing();
}

// The connection is back.
function fetchMissing() {
  if (trial && state.next) fetchAhead();
}

// The server knows better where this listener is: go there, and say nothing twice.
function refused(item, status, body) {
  const over = ["study_closed", "session_done", "no_session"].includes(body?.code);
  if (over || status === 403) leave();
  else begin();
}

// ── Going on ───────────────────────────────────────────────────────────────────────────────────────────────────────

function goOn() {
  if (!trial || next.disabled) return;
  performance.mark("next");
  const last = player.stop();
  if (last && sounding !== "mixture") count(last);
  for (const scale of scales) lock(scale, true); // what is sent with "next" stands
  const body = { ...listening };
  outbox.add({ id: `finish ${trial.position}`, method: "POST", url: address("finish/"), body, onSaved: arrived });
  if (state.next) return go({ ...state.next, notice: null, next: null });
  going = true;
  face.reset(true);
  showNext();
}

// What the server says after a trial, while the listener may have gone on already.
function arrived(fresh) {
  if (fresh.step !== "trials" || !fresh.trial) return leave();
  if (!trial || fresh.trial.position < trial.position) return null; // it is still on its way here
  if (fresh.trial.position > trial.position) return go(fresh);
  state = { ...state, next: fresh.next, notice: fresh.notice ?? state.notice };
  if (going && state.next) return go({ ...state.next, notice: state.notice, next: null });
  showNotice(state.notice);
  return fetchAhead();
}

function address(rest) {
  return `${words.api}trials/${trial.position}/${rest}`;
}

// ── Hands ──────────────────────────────────────────────────────────────────────────────────────────────────────────

find("#play").addEventListener("click", playClip);
mixture.addEventListener("click", playMixture);
loop.addEventListener("click", playPart);
find("#pause-end").addEventListener("click", () => {
  showPart("rating");
  find("#play").focus();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  goOn();
});
form.addEventListener("change", (event) => {
  if (event.target.type === "radio") answer(event.target.name, Number(event.target.value));
});
window.addEventListener("online", () => {
  player.dropPending();
  fetchMissing();
});

// Who left the page for long is to hear the examples again: the server says so when it is asked.
let leftAt = Infinity;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leftAt = Date.now();
  else if (Date.now() - leftAt > AWAY_MS) location.reload();
});

onKeys({ isOpen: () => trial && !find("#rating").hidden, play: playClip, goOn, choose });

function choose(scale, value) {
  const input = scale.querySelector(`input[value="${value}"]`);
  input.focus();
  if (input.checked) return;
  input.checked = true;
  answer(scale.dataset.scale, value);
}
