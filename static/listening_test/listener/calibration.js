// The examples: each is played to its end, then the way on opens.
"use strict";

import { Sounds, pageOutbox } from "./sounds.js";

const page = document.querySelector("#calibration");
const saving = document.querySelector("#saving");
const outbox = pageOutbox(page);
const sounds = new Sounds(page, outbox);
const examples = [...page.querySelectorAll(".example")];

function openWhenAllDone() {
  if (examples.some((item) => item.dataset.done === "no")) return;
  document.querySelector("#continue").disabled = false;
  document.querySelector("#continue-help").hidden = true;
  if (!saving.textContent) saving.textContent = page.dataset.allHeard;
}

for (const item of examples) {
  const onSaved = () => {
    item.dataset.done = "yes";
    openWhenAllDone();
  };
  const onHeard = () => {
    item.querySelector(".heard-mark").hidden = false;
    outbox.add({ id: item.dataset.clip, method: "POST", url: item.dataset.heardUrl, onSaved });
  };
  const said = item.querySelector(".said strong").textContent;
  const heard = item.dataset.done === "yes";
  sounds.add(item.querySelector("button"), item.dataset.clip, { said, heard, onHeard });
}
sounds.fetchAhead(examples.map((item) => item.dataset.clip));
openWhenAllDone();
