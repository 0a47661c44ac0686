// What is on its way to the server: one after the other, in order, each until the server has it.
"use strict";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const PATIENCE_MS = 15000; // for one answer of the server

export class Outbox {
  #items = [];
  #csrf;
  #onChange;
  #onRefused;
  #busy = false;
  #wake = () => {};

  // `onChange({ pending, failing })` whenever that changes; `onRefused(item, status, body)` for what can never be
  // accepted: everything behind it is dropped, because it was meant for a place that is not there.
  constructor({ csrf, onChange = () => {}, onRefused = () => {} }) {
    this.#csrf = csrf;
    this.#onChange = onChange;
    this.#onRefused = onRefused;
    for (const event of ["online", "focus", "pageshow"]) window.addEventListener(event, () => this.#wake());
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  get pending() {
    return this.#items.filter((item) => !item.optional).length;
  }

  // An item: { id, method, url, body, optional, onSaved(answer) }. One that waits is replaced by one of the same id.
  add(item) {
    const waiting = this.#items.findIndex((other, place) => other.id === item.id && !(this.#busy && place === 0));
    if (waiting >= 0) this.#items[waiting] = item;
    else this.#items.push(item);
    this.#changed(false);
    this.#send();
  }

  async #send() {
    if (this.#busy) return;
    this.#busy = true;
    let tries = 0;
    while (this.#items.length) {
      const item = this.#items[0];
      const result = await request(item, this.#csrf);
      if (result.kind === "saved" || (result.kind === "refused" && item.optional)) {
        this.#items.shift();
        tries = 0;
        if (result.kind === "saved") item.onSaved?.(result.body);
        this.#changed(false);
      } else if (result.kind === "refused") {
        this.#items = [];
        this.#changed(false);
        this.#onRefused(item, result.status, result.body);
      } else {
        if (result.kind === "failed") this.#changed(true);
        await this.#pause(result.waitMs ?? backOff(tries++));
      }
    }
    this.#busy = false;
  }

  #changed(failing) {
    this.#onChange({ pending: this.pending, failing });
  }

  #pause(ms) {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, ms);
    }).finally(() => (this.#wake = () => {}));
  }
}

function backOff(tries) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries) * (0.75 + Math.random() / 2);
}

// { kind: "saved" | "refused" | "failed" | "later", status, body, waitMs }
async function request({ method, url, body }, csrf) {
  let answer;
  let content;
  try {
    answer = await fetch(url, {
      method,
      credentials: "same-origin",
      keepalive: true, // a page that is left in the middle still delivers it
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout?.(PATIENCE_MS),
    });
    content = answer.status === 204 ? null : await answer.json();
  } catch {
    if (!answer || answer.ok) return { kind: "failed" }; // no answer, or only half of one
    content = null;
  }
  if (answer.ok) return { kind: "saved", status: answer.status, body: content };
  if (content?.code === "too_soon") return { kind: "later", waitMs: 1000 * content.wait + 50 };
  if (answer.status === 429) return { kind: "failed", waitMs: 1000 * (Number(answer.headers.get("Retry-After")) || 5) };
  if (answer.status >= 500 || answer.status === 408) return { kind: "failed" };
  return { kind: "refused", status: answer.status, body: content };
}

// A random UUID (version 4, RFC 9562). crypto.randomUUID is missing on pages without HTTPS.
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
