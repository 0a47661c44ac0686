// A song's page: progress of its separations, and their stems as soon as they are there. What plays goes on playing.
"use strict";

{
  const list = document.querySelector("#jobs");
  const cards = () => [...list.querySelectorAll("[data-job]")];
  const live = () => cards().some((card) => "live" in card.dataset);
  const looksLike = (card, state, attempt) => card.dataset.state === state && card.dataset.attempt === String(attempt);
  let following = false;

  // For people who do not see the page change; percentages would be too much to hear.
  const say = (card) => {
    const [name, state] = [card.querySelector("h3"), card.querySelector("[data-state-name]")];
    document.querySelector("#news").textContent = `${name.textContent}: ${state.textContent}`;
  };

  // Takes over the cards that have changed, and only those.
  const take = (fresh) => {
    const old = new Map(cards().map((card) => [card.id, card]));
    for (const card of fresh.querySelectorAll("#jobs [data-job]")) {
      const mine = old.get(card.id);
      old.delete(card.id);
      if (!mine) list.insertBefore(card, list.querySelector("#references"));
      else if (!looksLike(mine, card.dataset.state, card.dataset.attempt)) {
        mine.replaceWith(card);
        say(card);
      }
    }
    for (const gone of old.values()) gone.remove();
    document.querySelector("#no-jobs")?.remove();
    takeChoices(fresh);
    follow();
  };

  // The separators that may still be started; what a person has already checked is left alone if they are the same.
  const takeChoices = (fresh) => {
    const offered = (page) => [...page.querySelectorAll("#more input[name=separators]")].map((box) => box.value).join();
    if (offered(document) !== offered(fresh)) document.querySelector("#more").replaceWith(fresh.querySelector("#more"));
  };

  const show = (card, job) => {
    const bar = card.querySelector("[data-progress]");
    if (!bar) return;
    bar.value = job.progress;
    card.querySelector("[data-percent]").textContent = `${Math.round(100 * job.progress)} %`;
  };

  const look = async () => {
    const { jobs } = await window.live.json(list.dataset.url);
    const known = new Map(cards().map((card) => [card.dataset.job, card]));
    const changed = jobs.filter((job) => !known.has(job.id) || !looksLike(known.get(job.id), job.state, job.attempt));
    for (const job of jobs) if (known.has(job.id)) show(known.get(job.id), job);
    if (changed.length || jobs.length !== known.size) take(await window.live.page());
    following = live();
    return following;
  };

  const follow = () => {
    if (following || !live()) return;
    following = true;
    window.live.follow(look);
  };

  // Cancel and retry without leaving the page, so that what plays is not cut off.
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-quiet]");
    if (!form) return;
    event.preventDefault();
    form.querySelector("button").disabled = true;
    try {
      const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
      take(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      location.reload();
    }
  });

  follow();
}
