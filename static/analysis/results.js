// Follows the ratings: asks a small address every few seconds and, when something is new, renews only what changed.
"use strict";

const results = document.querySelector("#results");
const said = document.querySelector("#said");
const away = document.querySelector("#away");
const news = document.querySelector("#news");

const parts = (root) => [...root.querySelectorAll("[data-live]")];
const ids = (root) => parts(root).map((part) => part.id).join();

// What a person has opened, reached or scrolled to stays so.
function renew(old, fresh) {
  if (old.innerHTML === fresh.innerHTML) return;
  const open = new Set([...old.querySelectorAll("details")].filter((one) => one.open).map((one) => one.id));
  const scrolled = [...old.querySelectorAll(".table-scroll")].map((one) => one.scrollLeft);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceChildren(...fresh.childNodes);
  for (const one of old.querySelectorAll("details")) one.open = open.has(one.id);
  old.querySelectorAll(".table-scroll").forEach((one, place) => (one.scrollLeft = scrolled[place] ?? 0));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#results");
  if (!fresh) return;
  if (ids(fresh) !== ids(results)) return location.reload(); // the first ratings have come: there was nothing to read
  for (const part of parts(fresh)) renew(document.getElementById(part.id), part);
  results.dataset.version = fresh.dataset.version;
  said.textContent = results.dataset.updated;
}

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch(results.dataset.state, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    away.hidden = true;
    const state = await answer.json();
    if (news.textContent !== state.news) news.textContent = state.news;
    news.hidden = !state.news;
    if (state.shown !== results.dataset.version) await refresh();
  } catch {
    away.textContent = results.dataset.away; // what is on the page stays true of the time it came
    away.hidden = false;
  }
}

async function follow() {
  await ask(); // the next question waits for this answer
  setTimeout(follow, results.dataset.seconds * 1000);
}
setTimeout(follow, results.dataset.seconds * 1000);
document.addEventListener("visibilitychange", ask);
