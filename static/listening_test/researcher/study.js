// A study's page: numbers that keep themselves current, and one clip at a time.
"use strict";

const study = document.querySelector("#study");
const everyMs = study.dataset.state === "preparing" ? 1000 : 5000;

function show(facts) {
  facts.per_clip = `${facts.fewest_per_clip}–${facts.most_per_clip}`;
  for (const place of study.querySelectorAll("[data-value]")) {
    const text = String(facts[place.dataset.value]);
    if (place.textContent !== text) place.textContent = text;
  }
  const progress = study.querySelector("progress");
  if (progress) progress.value = facts.clips_made;
}

// A few lines of another page; until they are there, and where they cannot come, a link to it stands in their place.
const forecast = document.querySelector("#forecast");
let completed;

async function forecastRenew(now) {
  if (!forecast || now === completed) return; // it changes when somebody has finished
  completed = now;
  const answer = await fetch(forecast.dataset.fragment, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  forecast.replaceChildren(...fresh.body.childNodes);
}

async function poll() {
  if (document.hidden) return;
  try {
    const answer = await fetch(study.dataset.poll, { headers: { Accept: "application/json" } });
    if (!answer.ok) return; // the next one may do better
    const facts = await answer.json();
    const changed = facts.state !== study.dataset.state || String(facts.missing) !== study.dataset.missing;
    if (changed) location.reload();
    else {
      show(facts);
      await forecastRenew(facts.sessions_completed);
    }
  } catch {
    // the network is away: the numbers stay as they are
  }
}

if (study.dataset.state !== "closed") setInterval(poll, everyMs);
const shown = study.querySelector("[data-value=sessions_completed]");
forecastRenew(Number(shown?.textContent)).catch(() => {}); // without a network the link stays

document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause();
}, true);
