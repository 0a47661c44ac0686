// The round button: what it looks like, and what a screen reader calls it.
"use strict";

export class PlayButton {
  #button;
  #ring;
  #words;

  // `words`: { play, again, stop }
  constructor(button, words) {
    this.#button = button;
    this.#ring = button.querySelector(".ring");
    this.#words = words;
    this.reset(false);
  }

  reset(heard) {
    this.#button.toggleAttribute("data-heard", heard);
    this.ready();
    this.progress(heard ? 1 : 0);
  }

  ready() {
    this.#show("ready", this.#button.hasAttribute("data-heard") ? this.#words.again : this.#words.play);
  }

  loading() {
    this.#show("loading", this.#words.stop);
  }

  playing() {
    this.#show("playing", this.#words.stop);
  }

  heard() {
    this.reset(true);
  }

  progress(share) {
    this.#ring.setAttribute("stroke-dashoffset", String(100 * (1 - share)));
  }

  #show(state, words) {
    this.#button.dataset.state = state;
    this.#button.setAttribute("aria-label", words);
  }
}
