// The measurements on a song's page: their progress, and their figures as soon as they are there.
"use strict";

{
  const section = () => document.querySelector("#measurements");
  const parts = (page) => [...page.querySelectorAll("[data-measurement]")];
  const states = (page) => new Map(parts(page).map((part) => [part.dataset.measurement, part.dataset.state]));

  const show = (measurement) => {
    const part = section().querySelector(`[data-measurement="${measurement.id}"]`);
    const bar = part?.querySelector("[data-progress]");
    if (!bar) return;
    bar.value = measurement.progress;
    part.querySelector("[data-percent]").textContent = `${Math.round(100 * measurement.progress)} %`;
  };

  // What a person has opened or typed in the section stays as it is.
  const take = (fresh) => {
    const opened = [...section().querySelectorAll("details")].map((details) => details.open);
    const typed = section().querySelector(".measure form");
    section().replaceWith(fresh.querySelector("#measurements"));
    section().querySelectorAll("details").forEach((details, place) => (details.open = opened[place] ?? false));
    const form = section().querySelector(".measure form");
    if (form && typed) for (const name of ["job", "from_seconds", "to_seconds"]) form.elements[name].value = typed.elements[name].value;
    const news = section().querySelector("[data-measured-news]");
    if (news) news.textContent = section().querySelector("h2").textContent;
  };

  const look = async () => {
    const { results } = await window.live.json(section().dataset.url);
    const known = states(document);
    results.forEach(show);
    const same = results.length === known.size && results.every((each) => known.get(each.id) === each.state);
    if (!same) take(await window.live.page());
    return "follow" in section().dataset;
  };

  if (section() && "follow" in section().dataset) window.live.follow(look);
}
