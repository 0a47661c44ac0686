// The list of songs: percentages while separations run, and fresh rows when one has ended.
"use strict";

{
  const list = document.querySelector("#songs");
  const badges = () => [...(list?.querySelectorAll("[data-live]") ?? [])];

  const redraw = async () => {
    const fresh = await window.live.page();
    for (const row of list.querySelectorAll("li.song-row")) {
      const other = fresh.getElementById(row.id);
      if (other && other.innerHTML !== row.innerHTML) row.replaceWith(other);
    }
  };

  const look = async () => {
    const { results } = await window.live.json(list.dataset.jobsUrl);
    const jobs = new Map(results.map((job) => [job.id, job]));
    let stale = false;
    for (const badge of badges()) {
      const job = jobs.get(badge.dataset.job);
      const percent = badge.querySelector("[data-percent]");
      if (!job || (job.state === "running") !== Boolean(percent)) stale = true;
      else if (percent) percent.textContent = `${Math.round(100 * job.progress)} %`;
    }
    if (stale) await redraw();
    return badges().length > 0;
  };

  if (badges().length) window.live.follow(look);
}
