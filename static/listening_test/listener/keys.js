// What keys do where a clip is heard and rated.
"use strict";

// Space plays, Enter goes on, 1–5 answer the question that has the focus; a key held down acts once.
export function onKeys({ isOpen, play, goOn, choose }) {
  document.addEventListener("keydown", (event) => {
    if (event.repeat && [" ", "Enter"].includes(event.key)) return event.preventDefault();
    if (!isOpen() || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return null;
    const radio = event.target.closest("input[type=radio]");
    const free = !event.target.closest("button, a, summary, input, select, textarea");
    let act = null;
    if (event.key === " " && (free || radio?.checked)) act = play;
    else if (event.key === "Enter" && (free || radio)) act = goOn;
    else if (radio && /^[1-5]$/.test(event.key)) act = () => choose(radio.closest("fieldset"), Number(event.key));
    if (act) event.preventDefault();
    return act?.();
  });
}
