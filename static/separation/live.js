// Pages that follow running separations: ask the API every second, and take in what the server drew anew.
"use strict";

window.live = {
  // Calls `look` now and every second for as long as it answers true. A failed request is tried again, more slowly.
  follow(look) {
    let wait = 1000;
    const turn = async () => {
      try {
        if (document.visibilityState === "visible" && !(await look())) return;
        wait = 1000;
      } catch {
        wait = Math.min(2 * wait, 15000);
      }
      setTimeout(turn, wait);
    };
    turn();
  },

  async json(url) {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  },

  // This same page as the server draws it now.
  async page() {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(String(response.status));
    return new DOMParser().parseFromString(await response.text(), "text/html");
  },
};

// Only one sound at a time: comparing is what these pages are for.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  },
  true,
);
