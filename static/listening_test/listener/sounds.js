// The round buttons of the pages before the rating: each plays one sound, whole, from its beginning.
"use strict";

import { Outbox } from "./outbox.js";
import { PlayButton } from "./play_button.js";
import { Player } from "./player.js";

export class Sounds {
  #words;
  #trouble;
  #player = new Player();
  #now = null; // the button that sounds

  // `page`: the element that holds the words, see sound_words.html; `outbox`: what brings the device's facts away.
  constructor(page, outbox) {
    this.#words = page.dataset;
    this.#trouble = document.querySelector("#trouble");
    this.outbox = outbox;
  }

  // `said`: what a screen reader adds to the verb; `onHeard()` after each hearing to the end.
  add(button, url, { said = "", heard = false, onHeard = () => {}, onStart = () => {}, onOver = () => {} } = {}) {
    const named = (verb) => (said ? `${verb}: ${said}` : verb);
    const { play, again, stop } = this.#words;
    const face = new PlayButton(button, { play: named(play), again: named(again), stop: named(stop) });
    let isHeard = heard;
    face.reset(isHeard);

    button.addEventListener("click", async () => {
      if (this.#now === button) return this.#player.stop();
      this.#now = button;
      this.#say("");
      face.loading();
      try {
        const begun = () => (face.playing(), onStart());
        const onProgress = (share) => face.progress(share);
        const { outcome } = await this.#player.play(url, { onStart: begun, onProgress });
        this.#deviceTell();
        isHeard ||= outcome === "ended";
        face.reset(isHeard);
        if (outcome === "ended") onHeard();
        if (outcome === "interrupted") this.#say(this.#words.interrupted);
      } catch (error) {
        face.reset(isHeard);
        this.#say(this.#words[error.kind] ?? this.#words.sound);
      }
      if (this.#now === button) this.#now = null;
      onOver();
    });
  }

  // Fetched and decoded before it is asked for, one after the other: the first one is not slowed down by the last.
  async fetchAhead(urls) {
    for (const url of urls) await this.#player.load(url).catch(() => {}); // said when it is played
  }

  stop() {
    this.#player.stop();
  }

  #say(message) {
    this.#trouble.hidden = !message;
    this.#trouble.querySelector("p").textContent = message;
  }

  #deviceTell() {
    if (this.#words.deviceKnown === "yes" || !this.#player.facts) return;
    this.#words.deviceKnown = "yes";
    this.outbox.add({ id: "device", method: "POST", url: this.#words.device, body: this.#player.facts, optional: true });
  }
}

// What is sent from these pages: little, and a word where it does not go through.
export function pageOutbox(page) {
  const saving = document.querySelector("#saving");
  return new Outbox({
    csrf: document.querySelector("[name=csrfmiddlewaretoken]").value,
    onChange: ({ pending, failing }) => {
      if (saving) saving.textContent = failing && pending ? page.dataset.unsaved : "";
    },
    onRefused: () => location.reload(),
  });
}
