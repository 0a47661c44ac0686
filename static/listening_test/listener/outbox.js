// What is on its way to the server: one after the other, in order, each until the server has it. Where it is given a
// store, what waits outlives the page.
"use strict";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const PATIENCE_MS = 15000; // for one answer of the server

export class Outbox {
  #items = [];
  #csrf;
  #onChange;
  #onRefused;
  #store = null; // { get, set } and the key under which the items are kept
  #key;
  #busy = false;
  #stopped = false;
  #failing = false; // the last try came to nothing
  #wake = () => {};
  #onIdle = [];

  // `onChange({ pending, failing })` whenever that changes; `onRefused(item, status, body)` for what can never be
  // accepted: everything behind it is dropped, because it was meant for a place that is not there.
  constructor({ csrf, onChange = () => {}, onRefused = () => {} }) {
    this.#csrf = csrf;
    this.#onChange = onChange;
    this.#onRefused = onRefused;
    for (const event of ["online", "focus", "pageshow", "pagehide"]) window.addEventListener(event, () => this.#wake());
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  // Takes up what an earlier page left under this key, and sends it.
  async keepIn(store, key) {
    this.#store = store;
    this.#key = key;
    this.#stopped = false;
    this.#items = (await store.get(key)) ?? [];
    this.#changed();
    this.#send();
  }

  // Another tab goes on with what is kept: nothing more is sent or written from here.
  stop() {
    this.#stopped = true;
    this.#items = [];
    this.#wake();
  }

  get pending() {
    return this.#items.filter((item) => !item.optional).length;
  }

  get failing() {
    return this.#failing;
  }

  // How many ratings the server does not have yet.
  get answers() {
    return this.#items.filter((item) => item.answer).length;
  }

  // Resolves when the server has everything.
  idle() {
    return this.#items.length ? new Promise((resolve) => this.#onIdle.push(resolve)) : Promise.resolve();
  }

  // An item: { id, method, url, body, optional, answer, onSaved(answer) }. One that waits is replaced by one of the
  // same id; `onSaved` does not outlive the page.
  add(item) {
    if (this.#stopped) return;
    const waiting = this.#items.findIndex((other, place) => other.id === item.id && !(this.#busy && place === 0));
    if (waiting >= 0) this.#items[waiting] = item;
    else this.#items.push(item);
    this.#changed();
    this.#send();
  }

  async #send() {
    if (this.#busy) return;
    this.#busy = true;
    let tries = 0;
    while (this.#items.length) {
      const item = this.#items[0];
      const result = await request(item, this.#csrf);
      if (this.#stopped) break;
      if (this.#items[0] !== item) continue; // another turn has begun meanwhile, with what was kept
      if (result.kind === "saved" || this.#isSettled(item, result)) {
        this.#items.shift();
        tries = 0;
        this.#changed(false);
        if (result.kind === "saved") item.onSaved?.(result.body);
      } else if (result.kind === "refused") {
        if (result.status !== 403) this.#items = []; // who listens may come back: with the personal code, for example
        this.#changed(false);
        this.#onRefused(item, result.status, result.body);
        break;
      } else {
        this.#changed(result.kind === "failed");
        await this.#pause(result.waitMs ?? backOff(tries++));
      }
    }
    this.#busy = false;
    if (!this.#items.length) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  // Refused, and no loss: it did not matter, or the server has it already, with all that belongs to its trial.
  #isSettled(item, result) {
    return result.kind === "refused" && (item.optional || result.body?.code === "trial_finished");
  }

  #changed(failing = this.#failing) {
    this.#failing = failing;
    if (!this.#stopped) this.#store?.set(this.#key, this.#items.map(({ onSaved, ...plain }) => plain));
    this.#onChange({ pending: this.pending, failing });
  }

  #pause(ms) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, ms);
    }).finally(() => (this.#wake = () => {}));
  }
}

// It grows, and it is not the same for everybody: a server that comes back is not met by all at once.
function backOff(tries) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.75 + Math.random() / 2);
}

// { kind: "saved" | "refused" | "failed" | "later", status, body, waitMs }
async function request({ method, url, body }, csrf) {
  let answer;
  let text;
  try {
    answer = await fetch(url, {
      method,
      credentials: "same-origin",
      keepalive: true, // a page that is left in the middle still delivers it
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout?.(PATIENCE_MS),
    });
    text = await answer.text();
  } catch {
    return { kind: "failed" }; // no answer, or only half of one: half a refusal is no refusal
  }
  const content = parsed(text);
  if (content === null && answer.status !== 204) return { kind: "failed" }; // somebody else's page: a hotel's, a proxy's
  if (answer.ok) return { kind: "saved", status: answer.status, body: content };
  if (content?.code === "too_soon") return { kind: "later", waitMs: 1000 * content.wait + 50 };
  if (answer.status === 429) return { kind: "failed", waitMs: 1000 * (Number(answer.headers.get("Retry-After")) || 5) };
  if (answer.status >= 500 || answer.status === 408) return { kind: "failed" };
  return { kind: "refused", status: answer.status, body: content };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// A random UUID (version 4, RFC 9562). crypto.randomUUID is missing on pages without HTTPS.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
