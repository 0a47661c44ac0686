// The examples: each is played to its end, then the way on opens.
"use strict";

import { Outbox } from "./outbox.js";
import { PlayButton } from "./play_button.js";
import { Player } from "./player.js";

const page = document.querySelector("#calibration");
const words = page.dataset;
const trouble = document.querySelector("#trouble");
const saving = document.querySelector("#saving");
const player = new Player();
const outbox = new Outbox({
  csrf: document.querySelector("[name=csrfmiddlewaretoken]").value,
  onChange: ({ pending, failing }) => (saving.textContent = failing && pending ? words.unsaved : ""),
  onRefused: () => location.reload(),
});

function say(message) {
  trouble.hidden = !message;
  trouble.querySelector("p").textContent = message;
}

function deviceTell() {
  if (words.deviceKnown === "yes" || !player.facts) return;
  words.deviceKnown = "yes";
  outbox.add({ id: "device", method: "POST", url: words.device, body: player.facts, optional: true });
}

function openWhenAllDone() {
  const waiting = page.querySelectorAll('[data-done="no"]').length;
  if (waiting) return;
  document.querySelector("#continue").disabled = false;
  document.querySelector("#continue-help").hidden = true;
  if (!saving.textContent) saving.textContent = words.allHeard;
}

function example(item) {
  const button = item.querySelector("button");
  const said = item.querySelector(".said strong").textContent;
  const named = (verb) => `${verb}: ${said}`;
  const face = new PlayButton(button, { play: named(words.play), again: named(words.play), stop: named(words.stop) });
  if (item.dataset.done === "yes") face.heard();
  let sounding = false;

  function heard() {
    face.heard();
    item.querySelector(".heard-mark").hidden = false;
    const onSaved = () => {
      item.dataset.done = "yes";
      openWhenAllDone();
    };
    outbox.add({ id: item.dataset.clip, method: "POST", url: item.dataset.heardUrl, onSaved });
  }

  button.addEventListener("click", async () => {
    if (sounding) return player.stop();
    sounding = true;
    say("");
    face.loading();
    try {
      const onProgress = (share) => face.progress(share);
      const { outcome } = await player.play(item.dataset.clip, { onStart: () => face.playing(), onProgress });
      deviceTell();
      if (outcome === "ended") heard();
      else face.reset(item.dataset.done === "yes");
      if (outcome === "interrupted") say(words.interrupted);
    } catch (error) {
      face.reset(item.dataset.done === "yes");
      say(words[error.kind] ?? words.sound);
    }
    sounding = false;
  });
  player.load(item.dataset.clip).catch(() => {}); // said when it is played
}

for (const item of page.querySelectorAll(".example")) example(item);
openWhenAllDone();
