// One practice clip: heard to its end, then answered on both scales; with the feedback it can be played again.
"use strict";

import { onKeys } from "./keys.js";
import { Sounds, pageOutbox } from "./sounds.js";

const page = document.querySelector("#practice");
const words = page.dataset;
const help = document.querySelector("#play-help");
const form = document.querySelector("#answers"); // none beside the feedback
const play = document.querySelector("#play");
const sounds = new Sounds(page, pageOutbox(page));

function showGo() {
  const scales = [...form.querySelectorAll("fieldset")];
  form.querySelector("#continue").disabled = !scales.every((scale) => scale.querySelector("input:checked"));
}

function onHeard() {
  if (!form) return;
  help.textContent = words.rate;
  for (const scale of form.querySelectorAll("fieldset")) scale.disabled = false;
}

function choose(scale, value) {
  const input = scale.querySelector(`input[value="${value}"]`);
  input.focus();
  input.checked = true;
  showGo();
}

if (form) {
  help.textContent = words.listen;
  form.addEventListener("change", showGo);
}
const said = document.querySelector("#source-name").textContent;
sounds.add(play, words.clip, { said, heard: words.heard === "yes", onHeard });
sounds.fetchAhead([words.clip]);

const goOn = () => document.querySelector("#continue").click(); // does nothing while it is disabled
onKeys({ isOpen: () => true, play: () => play.click(), goOn, choose });
