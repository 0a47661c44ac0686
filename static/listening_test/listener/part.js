// The part of a clip that a listener wants to hear again: two handles that keep apart, and the words for them.
"use strict";

const SHORTEST_SECONDS = 0.5;

export class Part {
  #from;
  #to;
  #shown;

  // `box` holds two range inputs named "from" and "to", each with an output beside it; `seconds` with {n} says a time.
  constructor(box, seconds) {
    this.#from = box.querySelector("[name=from]");
    this.#to = box.querySelector("[name=to]");
    this.#shown = seconds;
    this.#from.addEventListener("input", () => this.#keepApart(this.#from));
    this.#to.addEventListener("input", () => this.#keepApart(this.#to));
  }

  // For a clip of so many seconds: all of it.
  reset(seconds) {
    for (const handle of [this.#from, this.#to]) handle.max = seconds.toFixed(1);
    this.#from.value = 0;
    this.#set(0, seconds);
  }

  get seconds() {
    return [this.#at(this.#from), this.#at(this.#to)];
  }

  #at(handle) {
    return Number(handle.value);
  }

  // The handle that is not held gives way.
  #keepApart(held) {
    const last = Number(this.#to.max);
    if (held === this.#from) {
      const from = Math.min(this.#at(this.#from), last - SHORTEST_SECONDS);
      this.#set(from, Math.max(this.#at(this.#to), from + SHORTEST_SECONDS));
    } else {
      const to = Math.max(this.#at(this.#to), SHORTEST_SECONDS);
      this.#set(Math.min(this.#at(this.#from), to - SHORTEST_SECONDS), to);
    }
  }

  #set(from, to) {
    this.#from.value = from;
    this.#to.value = to;
    for (const handle of [this.#from, this.#to]) {
      const text = this.#shown.replace("{n}", this.#at(handle).toFixed(1));
      handle.setAttribute("aria-valuetext", text);
      handle.parentElement.querySelector("output").textContent = text;
    }
  }
}
