// A check of the equipment: one sound after the other, each heard to its end and answered; what is right, the server
// knows alone.
"use strict";

import { Sounds, pageOutbox } from "./sounds.js";

const page = document.querySelector("#equipment");
const words = page.dataset;
const form = document.querySelector("#answers");
const go = document.querySelector("#continue");
const items = [...form.querySelectorAll(".item")];
const sounds = new Sounds(page, pageOutbox(page));
let here = 0;

const isAnswered = (item) => item.querySelector("input:checked") !== null;
const isLast = () => here === items.length - 1;

function showGo() {
  go.disabled = !isAnswered(items[here]);
  go.textContent = isLast() ? words.last : words.next;
}

function help(item, text) {
  const line = item.querySelector(".listen-help");
  if (line) line.textContent = text;
}

function begin(item) {
  if (!item.dataset.clip) return;
  help(item, words.listen);
  const onHeard = () => {
    item.querySelector("fieldset").disabled = false;
    help(item, words.choose);
    if (!item.hidden) document.querySelector("#announce").textContent = words.choose;
  };
  sounds.add(item.querySelector(".play"), item.dataset.clip, { onHeard });
}

function next() {
  sounds.stop();
  items[here].hidden = true;
  here += 1;
  items[here].hidden = false;
  showGo();
  items[here].querySelector(".which").focus();
}

form.addEventListener("change", showGo);
form.addEventListener("submit", (event) => {
  if (isAnswered(items[here]) && isLast()) return;
  event.preventDefault();
  if (isAnswered(items[here])) next();
});

for (const item of items) begin(item);
sounds.fetchAhead(items.map((item) => item.dataset.clip).filter(Boolean));
showGo();
