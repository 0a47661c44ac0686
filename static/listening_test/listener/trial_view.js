// What a trial's page shows of where the listener is. It knows no server and no sound.
"use strict";

export const find = (selector) => document.querySelector(selector);

// One of "rating", "pause" and "elsewhere" is there at a time.
export function showPart(name) {
  for (const id of ["rating", "pause", "elsewhere"]) find(`#${id}`).hidden = id !== name;
}

export function showPlace(trial, words) {
  const number = trial.position + 1;
  find("#number").textContent = number;
  find("#total").textContent = trial.total;
  find("#progress").max = trial.total;
  find("#progress").value = trial.position;
  find("#minutes").textContent = words.minutes.replace("{minutes}", trial.minutes_left);
  find("#source-name").textContent = trial.source.name;
  find("#picture").setAttribute("href", `${words.pictures}#${trial.source.key}`);
  find("#instruction").textContent = trial.instruction ?? "";
  find("#instruction").hidden = !trial.instruction;
  const announcement = words.announce.replace("{number}", number).replace("{total}", trial.total);
  find("#announce").textContent = `${announcement.replace("{source}", trial.source.name)} ${trial.instruction ?? ""}`;
}

// `only`: the group of the one scale that is asked from here on; null where both are.
export function showPause(trial, only, words) {
  find("#pause-done").textContent = words.done.replace("{number}", trial.position).replace("{total}", trial.total);
  find("#pause-scale").hidden = !only;
  find("#pause-scale strong").textContent = only ? only.querySelector("legend").textContent.trim() : "";
}

export function showNotice(text) {
  find("#notice").hidden = !text;
  find("#notice p").textContent = text ?? "";
}

export function say(message) {
  find("#trouble").hidden = !message;
  find("#trouble p").textContent = message;
}

export function listenWords(trial, words) {
  const least = trial.minimum_seconds;
  return least ? words.listenLeast.replace("{n}", Math.ceil(least)) : words.listen;
}

export function lock(scale, locked) {
  scale.disabled = locked;
  scale.setAttribute("aria-disabled", String(locked)); // not every screen reader says it of a group by itself
}
